"""One error shape for every API: RFC 9457 problem details."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

PROBLEM_ROOT = "urn:platform:problem:"


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """Raise it anywhere under an edge; the middleware turns it into the answer."""

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
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
    body: dict[str, Any] = {
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
        content_type="application/problem+json",
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
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        items = error.errors(include_url=False, include_context=False, include_input=False)
        if any(item["type"] == "json_invalid" for item in items):
            raise Problem(400, "malformed-json", "The body is not valid JSON.") from None
        errors = [
            {"field": ".".join(map(str, item["loc"])) or "(body)", "message": item["msg"]}
            for item in items
        ]
        named = "; ".join(f"{e['field']}: {e['message']}" for e in errors)
        raise Problem(422, "invalid-request", named, errors=errors) from None


def query_int(request: web.Request, name: str, *, default: int, low: int, high: int) -> int:
    """An integer query parameter within ``low``..``high``; a Problem 422 otherwise."""
    text = request.query.get(name)
    if text is None:
        return default
    whole = text.isascii() and text.isdigit() and len(text) <= len(str(high))
    if not whole or not low <= int(text) <= high:
        raise Problem(422, "invalid-request", f"{name} must be a whole number, {low} to {high}.")
    return int(text)
