"""Business numbers under ``/sim/numbers``: registration and "Verify and Save"."""

import secrets
from dataclasses import asdict
from typing import Any

from aiohttp import web

from metasim.edge import cut
from metasim.events import log_event
from metasim.fields import BadCommandError, Fields, read_fields
from metasim.templates import templates_of
from metasim.webhooks import Courier, Handshake
from metasim.world import Number, World


class Numbers:
    """Handlers under ``/sim/numbers``."""

    def __init__(self, world: World, courier: Courier) -> None:
        self._world = world
        self._courier = courier

    def routes(self) -> list[web.RouteDef]:
        """See README for the JSON of each."""
        return [
            web.post("/sim/numbers", self.register),
            web.get("/sim/numbers", self.list_all),
            web.post("/sim/numbers/{id}/handshake", self.handshake),
        ]

    async def register(self, request: web.Request) -> web.Response:
        """Register a number, or replace its credentials; its conversations stay."""
        fields = await read_fields(request)
        callback_url = fields.optional_text("callback_url")
        verify_token = fields.optional_text("verify_token")
        number = self._store(fields)
        if fields.flag("subscribed", default=True):
            self._world.subscriptions.setdefault(number.waba_id, None)
        else:
            self._world.subscriptions.pop(number.waba_id, None)
        log_event("number_registered", phone_number_id=number.phone_number_id)
        handshake = None
        if callback_url is not None and verify_token is not None:
            handshake = await self._verify_and_save(number, callback_url, verify_token)
        elif callback_url is not None:
            number.callback_url = callback_url
        answer = {"number": self._shown(number), "handshake": handshake and asdict(handshake)}
        return web.json_response(answer, status=201)

    async def list_all(self, _request: web.Request) -> web.Response:
        """Every number, without its secrets."""
        shown = [self._shown(number) for number in self._world.numbers.values()]
        return web.json_response({"numbers": shown})

    async def handshake(self, request: web.Request) -> web.Response:
        """Store the callback when the handshake succeeds; 400 with Meta's words when it fails."""
        fields = await read_fields(request)
        number = self._world.numbers.get(request.match_info["id"])
        if number is None:
            raise BadCommandError("no such number", 404)
        done = await self._verify_and_save(
            number, fields.text("callback_url"), fields.text("verify_token")
        )
        return web.json_response(asdict(done), status=200 if done.ok else 400)

    def _store(self, fields: Fields) -> Number:
        """Change a known number in place: deliveries on their way refer to it."""
        number_id = fields.text("phone_number_id")
        templates = templates_of(fields)
        require_proof = fields.flag("require_appsecret_proof")
        token, secret = fields.text("access_token"), fields.text("app_secret")
        number = self._world.numbers.get(number_id) or Number(
            phone_number_id=number_id,
            waba_id=_node_id(),
            app_id=_node_id(),
            display_phone_number=_display_of(number_id),
            verified_name="Simulated business",
            access_token=token,
            app_secret=secret,
        )
        number.access_token = token
        number.app_secret = secret
        number.display_phone_number = (
            fields.optional_text("display_phone_number") or number.display_phone_number
        )
        if "require_appsecret_proof" in fields:
            number.require_proof = require_proof
        if "templates" in fields:
            number.templates = templates
        number.waba_id = fields.optional_text("waba_id") or number.waba_id
        number.app_id = fields.optional_text("app_id") or number.app_id
        number.verified_name = fields.optional_text("verified_name") or number.verified_name
        self._world.numbers[number_id] = number
        return number

    async def _verify_and_save(
        self, number: Number, callback_url: str, verify_token: str
    ) -> Handshake:
        done = await self._courier.handshake(callback_url, verify_token)
        if done.ok:
            number.callback_url = callback_url
        return done

    def _shown(self, number: Number) -> dict[str, Any]:
        return {
            "phone_number_id": number.phone_number_id,
            "waba_id": number.waba_id,
            "app_id": number.app_id,
            "display_phone_number": number.display_phone_number,
            "verified_name": number.verified_name,
            "access_token": cut(number.access_token),
            "callback_url": self._world.callback_url(number),
            "proof_required": number.require_proof,
            "templates": None
            if number.templates is None
            else [asdict(template) for template in number.templates],
            "subscribed": number.waba_id in self._world.subscriptions,
        }


def known_number(world: World, fields: Fields) -> Number:
    """The number that a command names. Raises BadCommandError (404)."""
    number = world.numbers.get(fields.text("phone_number_id"))
    if number is None:
        raise BadCommandError("no such number: register it with POST /sim/numbers", 404)
    return number


def _display_of(phone_number_id: str) -> str:
    """A number to show when none was given; 555 is no real area code."""
    tail = "".join(filter(str.isdecimal, phone_number_id))[-7:].zfill(7)
    return f"+1 555 {tail[:3]} {tail[3:]}"


def _node_id() -> str:
    """Fifteen digits, as Graph's ids are."""
    return str(secrets.randbelow(9 * 10**14) + 10**14)
