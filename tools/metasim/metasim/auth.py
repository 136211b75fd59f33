"""Whether a Graph call may do what it asks: its token, and the proof that goes with it."""

import hashlib
import hmac
from collections.abc import Iterable

from aiohttp import web

from metasim.codes import GraphError
from metasim.edge import bearer_of
from metasim.standing import check_token
from metasim.world import Number, World

PROOF_LIVES_S = 300
"""How long a proof with an ``appsecret_time`` holds."""


def needed_token(request: web.Request) -> str:
    """The call's access token. Raises GraphError 190 without one."""
    token = bearer_of(request)
    if token is None:
        raise GraphError(190, message="An access token is required to request this resource.")
    return token


def owner(world: World, request: web.Request, numbers: Iterable[Number]) -> Number:
    """The one of ``numbers`` that the call's token belongs to. Raises GraphError 190 or 100."""
    token = needed_token(request)
    for number in numbers:
        if same(number.access_token, token):
            check_proof(world, request, number.app_secret, token, needed=number.require_proof)
            check_token(number, world.now())
            return number
    raise GraphError(190)


def check_proof(
    world: World, request: web.Request, app_secret: str, token: str, *, needed: bool
) -> None:
    """Refuse a wrong ``appsecret_proof``, and a missing one where the app wants it."""
    given = request.query.get("appsecret_proof")
    if given is None:
        if needed:
            raise _bad_proof("API calls from the server require an appsecret_proof argument")
        return
    signed, made_at = token, request.query.get("appsecret_time")
    if made_at is not None:
        signed = f"{token}|{made_at}"
        if not made_at.isdecimal() or abs(world.now() - int(made_at)) > PROOF_LIVES_S:
            raise _bad_proof("Invalid appsecret_time provided in the API argument")
    right = hmac.new(app_secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    if not same(right, given):
        raise _bad_proof("Invalid appsecret_proof provided in the API argument")


def no_such_object(request: web.Request, node: str, *, status: int | None = None) -> GraphError:
    """Meta's refusal for ids that are unknown and for those of others: it does not tell which."""
    return GraphError(
        100,
        status=status,
        subcode=33,
        error_type="GraphMethodException",
        message=f"Unsupported {request.method.lower()} request. Object with ID '{node[:60]}' does "
        "not exist, cannot be loaded due to missing permissions, or does not support this "
        "operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
    )


def same(expected: str, given: str) -> bool:
    """Compare credentials in constant time."""
    return hmac.compare_digest(expected.encode(), given.encode(errors="replace"))


def _bad_proof(message: str) -> GraphError:
    return GraphError(100, message=message, error_type="GraphMethodException")
