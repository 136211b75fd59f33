"""The phone: a person writes, sees ticks and typing, and waits for the reply."""

import asyncio
import contextlib
from typing import Any

from aiohttp import web

from metasim.bubbles import bubble
from metasim.fields import BadCommandError, Fields, read_fields
from metasim.kinds import Shape, build
from metasim.numbers import known_number
from metasim.people import writer
from metasim.world import Message, Number, Person, World, digits_of
from metasim.writing import Writing, origin_of

WAIT_MAX_S = 300.0

AD = {
    "source_url": "https://fb.me/3cr4Wqqkv",
    "source_id": "120226305854810726",
    "source_type": "ad",
    "headline": "Chat with us",
    "body": "Ask us anything.",
    "media_type": "image",
    "image_url": "https://scontent.example/ad.jpg",
    "ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e",
}
"""What ``referral: true`` stands for: the first message from an ad that leads to the chat."""


class Phone:
    """Handlers under ``/sim/phone``."""

    def __init__(self, world: World, writing: Writing) -> None:
        self._world = world
        self._writing = writing

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
        shape = self._shape(fields, number, origin_of(request))
        person = writer(self._world, fields)
        message = self._writing.begin(fields, person)
        if context := self._context(fields, number, person):
            message["context"] = context
        message |= _around(fields) | shape
        return web.json_response(await self._writing.send(number, person, message))

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
        shown = [bubble(message) for message in messages]
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
        sender = request.query.get("sender")

        def replies() -> list[Message]:
            return [
                message
                for message in _with(self._person(request), number_id)
                if message.author == "business" and sender in (None, message.sender)
            ]

        stopping = self._world.stopping
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self._world.changed:
                await self._world.changed.wait_for(
                    lambda: len(replies()) > after or stopping.is_set()
                )
        found = replies()
        return web.json_response(
            {
                "replies": [bubble(message) for message in found[after:]],
                "total": len(found),
                "timed_out": len(found) <= after,
            }
        )

    def _person(self, request: web.Request) -> Person | None:
        who = request.match_info["who"]
        return self._world.find_person(digits_of(who) or who)

    def _shape(self, fields: Fields, number: Number, origin: str) -> Shape:
        """The message as the command words it: verbatim, by its kind, or plain text."""
        if "message" in fields:
            given = fields.value("message", {})
            if not isinstance(given, dict) or "type" not in given:
                raise BadCommandError("message: an object with a type is needed")
            return given
        kind = fields.optional_text("kind") or "text"
        return build(kind, fields, self._writing.attach(number, origin))

    def _context(self, fields: Fields, number: Number, person: Person) -> dict[str, Any]:
        if fields.flag("frequently_forwarded"):
            return {"frequently_forwarded": True}
        if fields.flag("forwarded"):
            return {"forwarded": True}
        quoted = fields.optional_text("context_message_id")
        return self._writing.quote(number, person, quoted) if quoted else {}


def _around(fields: Fields) -> dict[str, Any]:
    """What may stand beside any message: where it came from, and the group it was written in."""
    around: dict[str, Any] = {}
    referral = fields.value("referral", False)
    if referral:
        if referral is not True and not isinstance(referral, dict):
            raise BadCommandError("referral: true or an object is needed")
        around["referral"] = AD if referral is True else referral
    if group_id := fields.optional_text("group_id"):
        around["group_id"] = group_id
    return around


def _with(person: Person | None, number_id: str | None) -> list[Message]:
    if person is None:
        return []
    return [item for item in person.messages if number_id in (None, item.phone_number_id)]
