"""What an API offers: each route is declared once, with the scope that a key needs for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from shared.http.keys import demand
from shared.http.server import Handler
from shared.principal import Scope

OPERATION = "operation"
"""Attribute of a route's handler: the Operation it was made from."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One route of a public API, under ``require_key``."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    handler: Handler
    scope: Scope | None
    """None: any key may call it, and the handler judges by itself what the key may."""

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer, or a Problem 403 when the key does not allow it."""
        if self.scope is not None:
            demand(request, self.scope)
        return await self.handler(request)


def routes_of(operations: Iterable[Operation]) -> list[web.RouteDef]:
    """The routes of an application, in the order of the operations."""

    def handler(operation: Operation) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await operation(request)

        setattr(answer, OPERATION, operation)
        return answer

    def route(operation: Operation) -> web.RouteDef:
        if operation.method == "GET":
            # HEAD comes along.
            return web.get(operation.path, handler(operation))
        return web.route(operation.method, operation.path, handler(operation))

    return [route(operation) for operation in operations]
