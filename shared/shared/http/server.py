"""The aiohttp application that every public edge starts from."""

from collections.abc import Awaitable, Callable
from time import perf_counter

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from shared.http.problem import Problem, problem_response
from shared.ids import new_request_id
from shared.telemetry.metrics import Metrics
from shared.telemetry.trace import continued_trace

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BODY_LIMIT_BYTES = 1024 * 1024
"""Of a JSON request; ingress has its own, Meta's 3 MiB."""

REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
"""Names the request in its answer (``X-Request-Id``) and in our logs."""


def application(metrics: Metrics, *, body_limit_bytes: int = BODY_LIMIT_BYTES) -> web.Application:
    """An application with request ids, traces, problem answers and latency metrics."""
    return web.Application(middlewares=[_edge(metrics)], client_max_size=body_limit_bytes)


def _edge(metrics: Metrics) -> Middleware:
    @web.middleware
    async def edge(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = perf_counter()
        request_id = new_request_id()
        request[REQUEST_ID] = request_id
        with continued_trace(request.headers.get("traceparent"), request_id=request_id):
            response = await _answer(request, handler, request_id)
        if not response.prepared:
            response.headers["X-Request-Id"] = request_id
        metrics.http_seconds.labels(_route(request), f"{response.status // 100}xx").observe(
            perf_counter() - began
        )
        return response

    return edge


async def _answer(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as problem:
        return problem_response(problem, request_id)
    except web.HTTPRequestEntityTooLarge:
        detail = f"The body is larger than {request.client_max_size} bytes."
        return problem_response(Problem(413, "body-too-large", detail), request_id)
    except web.HTTPNotFound:
        return problem_response(Problem(404, "no-route", "There is no such route."), request_id)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        wrong = Problem(405, "method-not-allowed", f"Use {allowed}.", headers={"Allow": allowed})
        return problem_response(wrong, request_id)
    except web.HTTPError as error:
        return problem_response(Problem(error.status, "bad-request", error.reason), request_id)
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 - the edge answers; the cause goes to the log
        log.error("request_failed", error=type(error).__name__, route=_route(request))
        detail = "Something failed on our side. Nothing was lost; try again."
        return problem_response(Problem(500, "internal-error", detail), request_id)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"
