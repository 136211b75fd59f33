"""What a person does to a message that is there: edit it, delete it, react to it."""

from typing import Any

from aiohttp import web

from metasim.fields import BadCommandError, Fields, read_fields
from metasim.numbers import known_number
from metasim.people import known_person
from metasim.world import Message, Number, Person, World, new_wamid
from metasim.writing import Writing

EDIT_S = 15 * 60.0
"""WhatsApp lets people edit for 15 minutes,"""
REVOKE_S = 2 * 24 * 3600.0
"""and delete for everyone for two days."""

CAPTIONED = frozenset({"image", "video", "document"})


class Marks:
    """Handlers under ``/sim/phone``."""

    def __init__(self, world: World, writing: Writing) -> None:
        self._world = world
        self._writing = writing

    def routes(self) -> list[web.RouteDef]:
        """See README for the JSON of each."""
        return [
            web.post("/sim/phone/edits", self.edit),
            web.post("/sim/phone/revokes", self.revoke),
            web.post("/sim/phone/reactions", self.react),
        ]

    async def edit(self, request: web.Request) -> web.Response:
        """New words for an own message, or a new caption."""
        fields = await read_fields(request)
        number, person, target = self._target(fields)
        self._own(target, EDIT_S)
        new = {"type": target.kind, target.kind: _reworded(target, fields)}
        if target.context_message_id:
            new["context"] = {"id": target.context_message_id}
        content = {"original_message_id": target.wamid, "message": new}
        return await self._send(fields, number, person, {"type": "edit", "edit": content})

    async def revoke(self, request: web.Request) -> web.Response:
        """Delete an own message for everyone."""
        fields = await read_fields(request)
        number, person, target = self._target(fields)
        self._own(target, REVOKE_S)
        content = {"original_message_id": target.wamid}
        return await self._send(fields, number, person, {"type": "revoke", "revoke": content})

    async def react(self, request: web.Request) -> web.Response:
        """Put an emoji on a bubble, own or the business's; null or an empty one takes it back.

        Meta's examples take back without the key, clients have also sent it empty: both go out as
        they were asked for.
        """
        fields = await read_fields(request)
        number, person, target = self._target(fields)
        content = {"message_id": target.wamid}
        emoji = fields.value("emoji", None)
        if emoji is not None:
            content["emoji"] = emoji if emoji == "" else fields.text("emoji")
        return await self._send(fields, number, person, {"type": "reaction", "reaction": content})

    def _target(self, fields: Fields) -> tuple[Number, Person, Message]:
        number = known_number(self._world, fields)
        person = known_person(self._world, fields.text("from"))
        target = self._world.bubble(person, number.phone_number_id, fields.text("wamid"))
        if target is None:
            raise BadCommandError("no such message in this conversation", 404)
        if target.revoked:
            raise BadCommandError("the message was deleted")
        return number, person, target

    def _own(self, target: Message, within_s: float) -> None:
        if target.author != "person":
            raise BadCommandError("people edit and delete only what they wrote themselves")
        if self._world.now() - target.at > within_s:
            raise BadCommandError(f"too late: only within {within_s / 60:.0f} minutes")

    async def _send(
        self, fields: Fields, number: Number, person: Person, shape: dict[str, Any]
    ) -> web.Response:
        # In these commands ``wamid`` names the target; what happens to it has an id of its own.
        message = {
            "id": new_wamid(),
            "timestamp": str(fields.integer("timestamp", int(self._world.now()))),
            **self._writing.author(fields, person),
            **shape,
        }
        return web.json_response(await self._writing.send(number, person, message))


def _reworded(target: Message, fields: Fields) -> dict[str, Any]:
    if target.kind == "text":
        return {"body": fields.text("text")}
    if target.kind in CAPTIONED:
        kept = {name: value for name, value in target.content.items() if name != "caption"}
        return {"caption": fields.text("caption"), **kept}
    raise BadCommandError(f"a message of type {target.kind} cannot be edited")
