"""Who calls: ``X-API-Key`` to a tenant, for every API but the webhook."""

import re
from collections.abc import Awaitable, Callable, Collection

from aiohttp import web
from aiohttp.typedefs import Middleware

from shared.cache import SourceUnavailableError
from shared.clock import Clock
from shared.http.problem import Problem
from shared.http.server import Handler
from shared.http.throttle import Throttle, too_many_failures
from shared.ids import secret_hash
from shared.principal import Principal, Scope

API_KEY = re.compile(r"^hx_[0-9A-Za-z]{43}$")

PRINCIPAL: web.RequestKey[Principal] = web.RequestKey("principal", Principal)
"""Set on every request that passed ``require_key``."""

FindPrincipal = Callable[[str], Awaitable[Principal | None]]
"""From the SHA-256 of a key to whom it belongs; may raise SourceUnavailableError."""


def demand(request: web.Request, scope: Scope) -> None:
    """Go on when the caller's key allows ``scope``; a Problem 403 that names it otherwise."""
    if not request[PRINCIPAL].may(scope):
        raise Problem(
            403, "scope-missing", f"This API key does not allow this: it needs the scope {scope}."
        )


def require_key(
    find: FindPrincipal, clock: Clock, throttle: Throttle, *, open_paths: Collection[str] = ()
) -> Middleware:
    """A middleware: 401 without a valid key, 503 when nobody can be asked about it.

    An address that tries wrong keys too often is told 429; a right key works from any address.
    ``open_paths``: answered without a key.
    """

    def refused(request: web.Request, slug: str, detail: str) -> Problem:
        wait_s = throttle.wait_s(request)
        if wait_s:
            return too_many_failures("API keys", wait_s)
        throttle.failed(request)
        return Problem(401, slug, detail)

    @web.middleware
    async def keyed(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in open_paths:
            return await handler(request)
        key = request.headers.get("X-API-Key", "")
        if not key:
            raise Problem(401, "key-missing", "Send your API key in the X-API-Key header.")
        principal = None
        if API_KEY.match(key):
            try:
                principal = await find(secret_hash(key))
            except SourceUnavailableError:
                raise Problem(
                    503,
                    "keys-unavailable",
                    "API keys cannot be checked right now. Try again.",
                    headers={"Retry-After": "2"},
                ) from None
        if principal is None:
            raise refused(request, "key-unknown", "This API key is unknown or was revoked.")
        if principal.expired(clock()):
            raise refused(request, "key-expired", "This API key has expired. Ask for a new one.")
        request[PRINCIPAL] = principal
        return await handler(request)

    return keyed
