"""Who may call an internal port: whoever knows a service token, for what that caller needs."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Literal

from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import SecretStr

from shared.http.problem import Problem
from shared.http.server import Handler

Caller = Literal["ingress", "brain", "outbound"]

CALLERS: web.RequestKey[frozenset[str]] = web.RequestKey("callers", frozenset)
"""Whose token it was. More than one only where callers share a token, as on one's own machine."""


def require_service_token(tokens: Mapping[Caller, Sequence[SecretStr]]) -> Middleware:
    """A middleware: 401 without one of ``tokens``, each compared in constant time."""
    known = [
        (caller, token.get_secret_value().encode())
        for caller, theirs in tokens.items()
        for token in theirs
    ]

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        sent = given.encode("utf-8", "surrogateescape")
        # A list: every token is compared, whichever was right.
        matches = [(caller, hmac.compare_digest(sent, token)) for caller, token in known]
        callers = frozenset(caller for caller, matching in matches if matching)
        if scheme != "Bearer" or not callers:
            raise Problem(401, "service-token", "A service token is required here.")
        request[CALLERS] = callers
        return await handler(request)

    return guarded


def only_for(request: web.Request, *callers: Caller) -> None:
    """Go on when one of ``callers`` asks; a Problem 403 otherwise."""
    if request[CALLERS].isdisjoint(callers):
        raise Problem(403, "wrong-caller", f"This is only for {' and '.join(callers)}.")
