"""The way of everything a person does to a business: into memory, then out as a webhook."""

from typing import Any

from aiohttp import web

from metasim.fields import BadCommandError, Fields
from metasim.inbound import record
from metasim.kinds import Attach
from metasim.payloads import written_value
from metasim.webhooks import Courier, outcome
from metasim.world import Number, Person, World, digits_of, new_wamid


class Writing:
    """Begins message objects and sends them off."""

    def __init__(self, world: World, courier: Courier) -> None:
        self._world = world
        self._courier = courier

    def begin(self, fields: Fields, person: Person) -> dict[str, Any]:
        """Id, time and author. A hidden phone is absent; ``user_id: null`` leaves the id out."""
        message: dict[str, Any] = {
            "id": fields.optional_text("wamid") or new_wamid(),
            "timestamp": str(fields.integer("timestamp", int(self._world.now()))),
        }
        return message | self.author(fields, person)

    def author(self, fields: Fields, person: Person) -> dict[str, Any]:
        """``from`` and ``from_user_id``, as far as they are known and shown."""
        unnamed = "user_id" in fields and fields.value("user_id", None) is None
        author = {}
        if person.shown_digits:
            author["from"] = person.shown_digits
        if person.user_id and not unnamed:
            author["from_user_id"] = person.user_id
        if not author:
            raise BadCommandError("a message needs an author: a phone that shows, or a user_id")
        return author

    def quote(self, number: Number, person: Person, quoted: str) -> dict[str, Any]:
        """The ``context`` of a reply to ``quoted``, whoever wrote that."""
        found = self._world.bubble(person, number.phone_number_id, quoted)
        ours = found is not None and found.author == "business"
        author = digits_of(number.display_phone_number) if ours else person.shown_digits
        return {"from": author, "id": quoted} if author else {"id": quoted}

    def attach(self, number: Number, origin: str) -> Attach:
        """Stores files that are sent to this number; links lead to ``origin``."""

        def attach(mime_type: str, data: bytes) -> dict[str, Any]:
            media = self._world.media.keep(number.phone_number_id, mime_type, data)
            return self._world.media.described(media, origin)

        return attach

    async def send(self, number: Number, person: Person, message: dict[str, Any]) -> dict[str, Any]:
        """Remember and deliver; the command's answer, after the webhook's first attempt."""
        record(self._world, number, person, message)
        self._world.throughput.drain(number.phone_number_id)
        await self._world.announce()
        value = written_value(number, person, message)
        delivery = await self._courier.deliver_value(number, value, "message", message["id"])
        return {"wamid": message["id"], **outcome(delivery)}


def origin_of(request: web.Request) -> str:
    """Where the caller reached the simulator."""
    return f"{request.scheme}://{request.host}"
