"""Webhooks about the account itself: restrictions, quality, templates. They change nothing here."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from aiohttp import web

from metasim.fields import BadCommandError, Fields, read_fields
from metasim.numbers import known_number
from metasim.webhooks import Courier, outcome
from metasim.world import Number, World, digits_of

Value = dict[str, Any]
Preset = Callable[[Fields, Number, datetime], tuple[str, Value]]
"""Field and ``value`` of a webhook, from the command, the number and the time."""


class Account:
    """Handlers under ``/sim/account``."""

    def __init__(self, world: World, courier: Courier) -> None:
        self._world = world
        self._courier = courier

    def routes(self) -> list[web.RouteDef]:
        """See README for the JSON of each."""
        return [
            web.post("/sim/account", self.tell),
            web.get("/sim/account/presets", self.presets),
        ]

    async def tell(self, request: web.Request) -> web.Response:
        """Send a preset by its name, or any ``field`` and ``value``, to the app's callback."""
        fields = await read_fields(request)
        number = known_number(self._world, fields)
        now = self._world.now()
        field, value = _chosen(fields, number, datetime.fromtimestamp(now, UTC))
        delivery = await self._courier.deliver_to_app(number, field, value, time=int(now))
        return web.json_response({"field": field, "value": value, **outcome(delivery)})

    async def presets(self, _request: web.Request) -> web.Response:
        """The names of all presets."""
        return web.json_response({"presets": sorted(PRESETS)})


def _chosen(fields: Fields, number: Number, now: datetime) -> tuple[str, Value]:
    if ("preset" in fields) == ("field" in fields):
        raise BadCommandError("one of preset and field is needed")
    if "field" in fields:
        value = fields.value("value", None)
        if not isinstance(value, dict):
            raise BadCommandError("value: an object is needed")
        return fields.text("field"), value
    name = fields.text("preset")
    if name not in PRESETS:
        raise BadCommandError(f"preset must be one of {', '.join(sorted(PRESETS))}")
    field, value = PRESETS[name](fields, number, now)
    extra = fields.value("value", {})
    if not isinstance(extra, dict):
        raise BadCommandError("value: an object is needed")
    return field, value | extra


def _account(event: str, more: Value, _fields: Fields, _number: Number, _now: datetime) -> Any:
    return "account_update", {"event": event, **more}


def _ban(state: str, _fields: Fields, _number: Number, now: datetime) -> tuple[str, Value]:
    info = {"waba_ban_state": state, "waba_ban_date": f"{now:%B} {now.day}, {now.year}"}
    return "account_update", {"event": "DISABLED_UPDATE", "ban_info": info}


def _restricted(_fields: Fields, number: Number, now: datetime) -> tuple[str, Value]:
    ends = f"{now + timedelta(days=7):%Y-%m-%dT%H:%M:%S%z}"
    kinds = ("RESTRICTED_BIZ_INITIATED_MESSAGING", "RESTRICTED_CUSTOMER_INITIATED_MESSAGING")
    value = {
        "phone_number": digits_of(number.display_phone_number),
        "event": "ACCOUNT_RESTRICTION",
        "restriction_info": [{"restriction_type": kind, "expiration": ends} for kind in kinds],
    }
    return "account_update", value


def _quality(
    event: str, limit: str, _fields: Fields, number: Number, _now: datetime
) -> tuple[str, Value]:
    value = {
        "display_phone_number": digits_of(number.display_phone_number),
        "event": event,
        "current_limit": limit,
    }
    return "phone_number_quality_update", value


def _template(
    event: str, reason: str | None, fields: Fields, _number: Number, _now: datetime
) -> tuple[str, Value]:
    value = {
        "event": event,
        "message_template_id": fields.integer("template_id", 905507062668800),
        "message_template_name": fields.optional_text("template") or "hello_world",
        "message_template_language": fields.optional_text("language") or "en_US",
        "reason": reason,
    }
    return "message_template_status_update", value


def _review(decision: str, _fields: Fields, _number: Number, _now: datetime) -> Any:
    return "account_review_update", {"decision": decision}


def _name(decision: str, _fields: Fields, number: Number, _now: datetime) -> tuple[str, Value]:
    value = {
        "display_phone_number": digits_of(number.display_phone_number),
        "decision": decision,
        "requested_verified_name": number.verified_name,
        "rejection_reason": None,
    }
    return "phone_number_name_update", value


PRESETS: dict[str, Preset] = {
    "restricted": _restricted,
    "violation": partial(
        _account, "ACCOUNT_VIOLATION", {"violation_info": {"violation_type": "SPAM"}}
    ),
    "disable_scheduled": partial(_ban, "SCHEDULE_FOR_DISABLE"),
    "disabled": partial(_ban, "DISABLE"),
    "reinstated": partial(_ban, "REINSTATE"),
    "deleted": partial(_account, "ACCOUNT_DELETED", {}),
    "offboarded": partial(_account, "ACCOUNT_OFFBOARDED", {}),
    "reconnected": partial(_account, "ACCOUNT_RECONNECTED", {}),
    "flagged": partial(_quality, "FLAGGED", "TIER_10K"),
    "unflagged": partial(_quality, "UNFLAGGED", "TIER_10K"),
    "limit_raised": partial(_quality, "UPGRADE", "TIER_100K"),
    "limit_lowered": partial(_quality, "DOWNGRADE", "TIER_1K"),
    "throughput_raised": partial(_quality, "THROUGHPUT_UPGRADE", "TIER_UNLIMITED"),
    "template_approved": partial(_template, "APPROVED", "NONE"),
    "template_rejected": partial(_template, "REJECTED", "INCORRECT_CATEGORY"),
    "template_paused": partial(_template, "PAUSED", "NONE"),
    "template_disabled": partial(_template, "DISABLED", "NONE"),
    "review_approved": partial(_review, "APPROVED"),
    "review_rejected": partial(_review, "REJECTED"),
    "name_approved": partial(_name, "APPROVED"),
    "name_rejected": partial(_name, "REJECTED"),
}
