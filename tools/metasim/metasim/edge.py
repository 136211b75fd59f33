"""What surrounds every Graph call: the log of calls, faults, and errors in Meta's form."""

import json
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from metasim.codes import GraphError
from metasim.events import log_event
from metasim.faults import Action, Faults
from metasim.fields import BadCommandError
from metasim.world import GraphCall, World

CALL = web.RequestKey("call", GraphCall)
FAULT = web.RequestKey("fault", Action)
"""The fault of a call, for handlers that play a part in it."""

CREDENTIALS = frozenset({"access_token", "input_token", "verify_token", "appsecret_proof", "hash"})
FAULT_HEADER = "X-Sim-Fault"


def graph_edge(world: World, faults: Faults, newest_version: int) -> Middleware:
    """Middleware for every path but ``/`` and ``/sim/…``."""

    @web.middleware
    async def graph_call(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/" or request.path.startswith("/sim/"):
            return await handler(request)
        raw = await request.read()
        body = _parsed(raw)
        call = _call(request, body, world.now())
        world.calls.append(call)
        request[CALL] = call

        async def proceed() -> web.StreamResponse:
            _check_version(request, newest_version)
            try:
                return await handler(request)
            except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
                raise _unknown_path(request) from None

        try:
            action = _asked_fault(request) or faults.pick(request.path, body)
            if action is None:
                response = await proceed()
            else:
                request[FAULT] = action
                response = await faults.apply(action, request, call, proceed)
        except GraphError as error:
            call.code = error.code
            response = web.json_response(error.body(), status=error.status)
        # A fault that closed the connection leaves nobody to answer.
        call.answered = request.transport is not None and not request.transport.is_closing()
        if call.answered:
            call.status = response.status
        log_event(
            "graph_call_finished",
            method=request.method,
            status=call.status,
            code=call.code,
            fault=call.fault,
            answered=call.answered,
        )
        return response

    return graph_call


@web.middleware
async def command_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer commands that cannot be carried out with ``{"error": …}``."""
    try:
        return await handler(request)
    except BadCommandError as error:
        return web.json_response({"error": str(error)}, status=error.status)


def bearer_of(request: web.Request) -> str | None:
    """The access token of a call: from the header, or from the query as Graph also takes it."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.query.get("access_token")


def cut(value: str) -> str:
    """The last 4 characters of a credential, or nothing of a short one."""
    return "…" + value[-4:] if len(value) >= 12 else "…"


def _call(request: web.Request, body: Any, at: float) -> GraphCall:
    bearer = bearer_of(request)
    return GraphCall(
        method=request.method,
        path=request.path,
        query={
            name: cut(value) if name in CREDENTIALS else value
            for name, value in request.query.items()
        },
        body=_without_credentials(body),
        bearer=None if bearer is None else cut(bearer),
        at=at,
    )


def _without_credentials(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: cut(item)
            if name in CREDENTIALS and isinstance(item, str)
            else _without_credentials(item)
            for name, item in value.items()
        }
    return value


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None


def _asked_fault(request: web.Request) -> Action | None:
    header = request.headers.get(FAULT_HEADER)
    if header is None:
        return None
    try:
        return Action.of(json.loads(header))
    except ValueError:
        raise BadCommandError(f"{FAULT_HEADER} is not JSON") from None


def _check_version(request: web.Request, newest_version: int) -> None:
    version = request.match_info.get("version")
    if version is not None and int(version[1:].split(".")[0]) > newest_version:
        raise _unknown_path(request)


def _unknown_path(request: web.Request) -> GraphError:
    tail = "/" + request.path.lstrip("/").partition("/")[2]
    return GraphError(2500, message=f"Unknown path components: {tail}")
