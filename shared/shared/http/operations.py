"""What an API offers: each route is declared once, with the scope that a key needs for it.

From the same declaration comes its part of the OpenAPI document (``shared/http/openapi.py``).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, cast

from aiohttp import web
from pydantic import BaseModel

from shared.http.keys import demand
from shared.http.server import Handler
from shared.principal import Scope

OPERATION = "operation"
"""Attribute of a route's handler: the Operation it was made from."""

JSON = "application/json"
VARIABLE = re.compile(r"\{(\w+)\}")
"""Of a path."""


@dataclass(frozen=True, slots=True)
class Header:
    """A header that an operation reads; what does not fit ``pattern`` is a Problem 422."""

    name: str
    description: str
    pattern: str | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One route of a public API. The handler's docstring tells the caller what it does."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    handler: Handler
    scope: Scope | None
    """None: any key may call it, and the handler judges by itself what the key may."""
    answer: Any
    """Type of what a success carries, as pydantic understands types; None: nothing."""
    status: int = 200
    """Of a success."""
    media_type: str = JSON
    """Of a success."""
    body: type[BaseModel] | None = None
    body_optional: bool = False
    body_unread: bool = False
    """It is taken as bytes: nothing in it is refused."""
    query: type[BaseModel] | None = None
    headers: tuple[Header, ...] = ()
    problems: tuple[tuple[int, str], ...] = ()
    """Statuses and names (``shared/contracts/problems.py``) of its own; the usual ones go unsaid."""
    keyless: bool = False
    """Nobody needs a key."""

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer, or a Problem 403 when the key does not allow it."""
        if self.scope is not None:
            demand(request, self.scope)
        return await self.handler(request)


def declared_by(api: type) -> list[Operation]:
    """The operations of a class of handlers, which needs no instance to declare them."""
    operations = cast("Callable[[object], list[Operation]]", vars(api)["operations"])
    return operations(object.__new__(api))


def routes_of(operations: Iterable[Operation]) -> list[web.RouteDef]:
    """The routes of an application, in the order of the operations."""

    def handler(operation: Operation) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await operation(request)

        setattr(answer, OPERATION, operation)
        return answer

    def route(operation: Operation) -> web.RouteDef:
        # By itself a variable takes no braces, which an id of somebody else's may have.
        path = VARIABLE.sub(r"{\1:[^/]+}", operation.path)
        if operation.method == "GET":
            # HEAD comes along.
            return web.get(path, handler(operation))
        return web.route(operation.method, path, handler(operation))

    return [route(operation) for operation in operations]
