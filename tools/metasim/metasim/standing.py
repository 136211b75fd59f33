"""What Meta thinks of a number, its token and its account: what ``PUT …/standing`` sets."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from metasim.codes import GraphError
from metasim.fields import BadCommandError, Fields, read_fields
from metasim.world import Number, Token, World

MANAGEMENT = "whatsapp_business_management"
MESSAGING = "whatsapp_business_messaging"
KINDS = frozenset({"SYSTEM_USER", "USER", "PAGE", "APP"})
HEALTH = frozenset({"AVAILABLE", "LIMITED", "BLOCKED"})
NUMBER_FIELDS = (
    "status",
    "platform_type",
    "account_mode",
    "quality_rating",
    "code_verification_status",
    "name_status",
)


@dataclass(frozen=True, slots=True)
class _Standing:
    number: dict[str, Any] = field(default_factory=dict)
    token: Token = field(default_factory=Token)
    subscribed_app_id: str | None = None


class StandingControl:
    """Handler of ``/sim/numbers/{id}/standing``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        """See README for the JSON."""
        return [web.put("/sim/numbers/{id}/standing", self.put)]

    async def put(self, request: web.Request) -> web.Response:
        """Replace the whole standing; what is left out is as it should be."""
        number = self._world.numbers.get(request.match_info["id"])
        if number is None:
            raise BadCommandError("no such number", 404)
        standing = _read(await read_fields(request))
        number.node = standing.number
        number.token = standing.token
        number.subscribed_app_id = standing.subscribed_app_id
        return web.Response(status=204)


def _read(fields: Fields) -> _Standing:
    given = Fields(fields.value("number", {}))
    node: dict[str, Any] = {
        name: given.text(name) for name in NUMBER_FIELDS if given.optional_text(name)
    }
    if "health" in fields:
        node["health_status"] = _health(Fields(fields.value("health", {})))
    return _Standing(
        node, _token(Fields(fields.value("token", {}))), fields.optional_text("subscribed_app_id")
    )


def _health(fields: Fields) -> dict[str, Any]:
    return {
        "can_send_message": fields.choice("can_send_message", HEALTH, "AVAILABLE"),
        "entities": fields.value("entities", []),
    }


def _token(fields: Fields) -> Token:
    return Token(
        kind=fields.choice("type", KINDS, "SYSTEM_USER"),
        valid=fields.flag("valid", default=True),
        issued_at=fields.integer("issued_at", 0),
        expires_at=fields.integer("expires_at", 0),
        data_access_expires_at=fields.integer("data_access_expires_at", 0),
        scopes=tuple(fields.names("scopes")) if "scopes" in fields else (MANAGEMENT, MESSAGING),
        target_ids=tuple(fields.names("target_ids")) if "target_ids" in fields else None,
    )


def check_token(number: Number, now: float) -> None:
    """Refuse a token that ran out (190, subcode 463) or was taken back (190)."""
    if number.token.expired(now):
        raise GraphError(
            190,
            subcode=463,
            message="Error validating access token: Session has expired on a day in the past.",
        )
    if not number.token.valid:
        raise GraphError(
            190,
            subcode=460,
            message="Error validating access token: The session has been invalidated.",
        )


def check_scope(number: Number, scope: str) -> None:
    """Refuse what the token was not granted (200)."""
    if scope not in number.token.scopes:
        raise GraphError(200, message=f"(#200) Requires {scope} permission to manage the object")


def token_data(number: Number, now: float) -> dict[str, Any]:
    """What ``debug_token`` tells of the number's token."""
    token = number.token
    targets = [number.waba_id] if token.target_ids is None else list(token.target_ids)
    data: dict[str, Any] = {
        "app_id": number.app_id,
        "type": token.kind,
        "application": "metasim",
        "data_access_expires_at": token.data_access_expires_at,
        "expires_at": token.expires_at,
        "is_valid": token.valid and not token.expired(now),
        "scopes": list(token.scopes),
        "granular_scopes": [{"scope": scope, "target_ids": targets} for scope in token.scopes],
        "user_id": "122100000000000001",
    }
    if token.issued_at:
        data["issued_at"] = token.issued_at
    if not data["is_valid"]:
        subcode = 463 if token.expired(now) else 460
        message = "Error validating access token"
        data["error"] = {"code": 190, "subcode": subcode, "message": message}
    return data
