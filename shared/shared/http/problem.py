"""One error shape for every API: RFC 9457 problem details."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NotRequired, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ValidationError
from typing_extensions import TypedDict

PROBLEM_ROOT = "urn:platform:problem:"
PROBLEM_TYPE = "application/problem+json"


class FieldError(TypedDict):
    """What is wrong with one value."""

    field: str
    message: str


class ProblemShape(TypedDict):
    """An error (RFC 9457). Build on `type`; `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: NotRequired[list[FieldError]]


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """Raise it anywhere under an edge; the middleware turns it into the answer."""

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})


def not_found(what: str) -> Problem:
    """404 for a thing that is not there, or belongs to another tenant: the same answer."""
    return Problem(404, "not-found", f"There is no such {what}.")


def problem_response(problem: Problem, request_id: str) -> web.Response:
    """The answer. ``type`` is a stable slug; ``detail`` tells what to do."""
    body: ProblemShape = {
        "type": PROBLEM_ROOT + problem.slug,
        "title": problem.slug.replace("-", " ").capitalize(),
        "status": problem.status,
        "detail": problem.detail,
        "request_id": request_id,
    }
    if problem.errors:
        body["errors"] = list(problem.errors)
    return web.Response(
        status=problem.status,
        body=orjson.dumps(body),
        content_type=PROBLEM_TYPE,
        headers=problem.headers,
    )


def json_response(
    data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A JSON answer; dates as ISO 8601 in UTC."""
    return web.Response(
        status=status,
        body=orjson.dumps(data, option=orjson.OPT_UTC_Z),
        content_type="application/json",
        headers=dict(headers or {}),
    )


M = TypeVar("M", bound=BaseModel)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Of integers in bodies, which are read strictly: 5.0 is one in JSON, whose numbers have no types."""


BODY_TIMEOUT_S = 20.0
"""For a whole body; Meta's 3 MiB over a bad line take less."""


async def read_body(request: web.Request) -> bytes:
    """The whole body; a Problem 408 for a caller who does not get to the end of it."""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except TimeoutError:
        raise Problem(
            408, "body-too-slow", f"The body did not come within {BODY_TIMEOUT_S:.0f} seconds."
        ) from None


async def read_model(request: web.Request, model: type[M]) -> M:
    """The request's JSON body as ``model``; a Problem 400 or 422 that names each field at fault."""
    body = await read_body(request)
    return _validated(lambda: model.model_validate_json(body, strict=True))


def read_query(request: web.Request, model: type[M]) -> M:
    """The request's query parameters as ``model``; a Problem 422 that names each one at fault."""
    given = request.query
    repeated = sorted({name for name in given if len(given.getall(name)) > 1})
    if repeated:
        raise _invalid([{"field": name, "message": "is given more than once"} for name in repeated])
    return _validated(lambda: model.model_validate_strings(dict(given)))


def _validated(validate: Callable[[], M]) -> M:
    try:
        return validate()
    except ValidationError as error:
        items = error.errors(include_url=False, include_context=False, include_input=False)
        if any(item["type"] == "json_invalid" for item in items):
            raise Problem(400, "malformed-json", "The body is not valid JSON.") from None
        raise _invalid(
            [
                {"field": ".".join(map(str, item["loc"])) or "(body)", "message": item["msg"]}
                for item in items
            ]
        ) from None


def _invalid(errors: Sequence[FieldError]) -> Problem:
    named = "; ".join(f"{error['field']}: {error['message']}" for error in errors)
    return Problem(422, "invalid-request", named, errors=errors)
