"""The phone: a person writes, sees ticks and typing, and waits for the reply."""

import asyncio
import contextlib
from typing import Any

from aiohttp import web

from metasim.fields import BadCommandError, Fields, read_fields
from metasim.inbound import record
from metasim.numbers import known_number
from metasim.payloads import written_value
from metasim.webhooks import Courier
from metasim.world import Message, Number, Person, World, digits_of, new_wamid

WAIT_MAX_S = 300.0


class Phone:
    """Handlers under ``/sim/phone``."""

    def __init__(self, world: World, courier: Courier) -> None:
        self._world = world
        self._courier = courier

    def routes(self) -> list[web.RouteDef]:
        """See README for the JSON of each."""
        return [
            web.post("/sim/phone/messages", self.write),
            web.get("/sim/phone/{who}/messages", self.conversation),
            web.get("/sim/phone/{who}/wait", self.wait),
        ]

    async def write(self, request: web.Request) -> web.Response:
        """Write as a person; answers after the first attempt of the webhook."""
        fields = await read_fields(request)
        number = known_number(self._world, fields)
        user_id = fields.optional_text("user_id")
        person = self._writer(fields, user_id)
        message = self._message(fields, number, person, user_id)
        value = written_value(number, person, message, user_id=user_id)
        record(self._world, number, person, message)
        self._world.throughput.drain(number.phone_number_id)
        await self._world.announce()
        delivery = await self._courier.deliver_value(number, value, "message", message["id"])
        last = delivery.attempts[-1] if delivery.attempts else None
        return web.json_response(
            {
                "wamid": message["id"],
                "delivered": delivery.state == "delivered",
                "status_code": last.status_code if last else None,
                "error": last.error if last else "no callback URL",
                "attempts": len(delivery.attempts),
                "delivery_id": delivery.id,
            }
        )

    async def conversation(self, request: web.Request) -> web.Response:
        """Everything the person sees, oldest first; empty for somebody unknown."""
        number_id = request.query.get("phone_number_id")
        person = self._person(request)
        messages = _with(person, number_id)
        typing = person is not None and any(
            self._world.is_typing(person, item)
            for item in person.typing_since
            if number_id in (None, item)
        )
        shown = [_bubble(message) for message in messages]
        return web.json_response({"typing": typing, "messages": shown})

    async def wait(self, request: web.Request) -> web.Response:
        """Wait until the person has more than ``after`` replies; those beyond it, maybe none."""
        try:
            after = int(request.query.get("after", "0"))
            timeout_s = float(request.query.get("timeout_s", "10"))
        except ValueError:
            raise BadCommandError("after and timeout_s: numbers are needed") from None
        if after < 0 or not 0 <= timeout_s <= WAIT_MAX_S:
            raise BadCommandError(f"after from 0, timeout_s from 0 to {WAIT_MAX_S:.0f}")
        number_id = request.query.get("phone_number_id")

        def replies() -> list[Message]:
            written = _with(self._person(request), number_id)
            return [message for message in written if message.author == "business"]

        stopping = self._world.stopping
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self._world.changed:
                await self._world.changed.wait_for(
                    lambda: len(replies()) > after or stopping.is_set()
                )
        found = replies()
        return web.json_response(
            {
                "replies": [_bubble(message) for message in found[after:]],
                "total": len(found),
                "timed_out": len(found) <= after,
            }
        )

    def _person(self, request: web.Request) -> Person | None:
        who = request.match_info["who"]
        return self._world.find_person(digits_of(who) or who)

    def _writer(self, fields: Fields, user_id: str | None) -> Person:
        digits = digits_of(fields.text("from"))
        if not 5 <= len(digits) <= 15:
            raise BadCommandError("from: a phone number is needed, such as +15551234567")
        hidden = fields.flag("hide_phone")
        if hidden and user_id is None:
            raise BadCommandError("hide_phone needs a user_id")
        person = self._world.meet_person(digits, user_id)
        person.name = fields.optional_text("name") or person.name
        person.username = fields.optional_text("username") or person.username
        person.phone_hidden = hidden
        return person

    def _message(
        self, fields: Fields, number: Number, person: Person, user_id: str | None
    ) -> dict[str, Any]:
        message: dict[str, Any] = {
            "id": fields.optional_text("wamid") or new_wamid(),
            "timestamp": str(fields.integer("timestamp", int(self._world.now()))),
        }
        if not person.phone_hidden:
            message["from"] = person.digits
        if user_id:
            message["from_user_id"] = user_id
        if quoted := fields.optional_text("context_message_id"):
            ours = any(
                item.wamid == quoted and item.author == "business" for item in person.messages
            )
            author = digits_of(number.display_phone_number) if ours else person.digits
            message["context"] = {"from": author, "id": quoted}
        if "message" in fields:
            given = fields.value("message", {})
            if not isinstance(given, dict) or "type" not in given:
                raise BadCommandError("message: an object with a type is needed")
            return {**message, **given}
        return {**message, "type": "text", "text": {"body": fields.text("text")}}


def _with(person: Person | None, number_id: str | None) -> list[Message]:
    if person is None:
        return []
    return [item for item in person.messages if number_id in (None, item.phone_number_id)]


def _bubble(message: Message) -> dict[str, Any]:
    quoted = message.context_message_id
    bubble: dict[str, Any] = {
        "wamid": message.wamid,
        "phone_number_id": message.phone_number_id,
        "direction": message.author,
        "type": message.kind,
        "text": message.text,
        "at": message.at,
        "context": quoted and {"message_id": quoted},
    }
    if message.author == "business":
        bubble["statuses"] = message.statuses
        bubble["status"] = list(message.statuses)[-1] if message.statuses else "accepted"
        bubble["biz_opaque_callback_data"] = message.callback_data
        bubble["content"] = message.content
    else:
        bubble["delivered"] = message.delivered_at is not None
        bubble["read"] = message.read_at is not None
        bubble["read_at"] = message.read_at
        bubble["typing_seen"] = message.typing_at is not None
    return bubble
