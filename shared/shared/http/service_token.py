"""Who may call an internal port: whoever knows a service token."""

import hmac
from collections.abc import Sequence

from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import SecretStr

from shared.http.problem import Problem
from shared.http.server import Handler


def require_service_token(tokens: Sequence[SecretStr]) -> Middleware:
    """A middleware: 401 without one of ``tokens``, compared in constant time."""
    known = [token.get_secret_value().encode() for token in tokens]

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        matches = [
            hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token) for token in known
        ]
        if scheme != "Bearer" or not any(matches):
            raise Problem(401, "service-token", "A service token is required here.")
        return await handler(request)

    return guarded
