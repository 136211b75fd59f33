"""Others who write for the business: a human in its phone app, and Meta's own agent.

Both reach the person like any reply. The app is told by webhooks of their own fields, which start
no turn: ``smb_message_echoes``, ``history`` and ``standby``.
"""

from typing import Any, Literal

from aiohttp import web

from metasim.codes import webhook_error
from metasim.config import STATUSES
from metasim.fields import BadCommandError, Fields, read_fields
from metasim.inbound import edit, record, revoke, written
from metasim.kinds import Shape, build
from metasim.numbers import known_number
from metasim.payloads import head, status_entry
from metasim.people import addressee, writer
from metasim.webhooks import Courier, outcome
from metasim.world import Number, Person, World, digits_of, new_wamid
from metasim.writing import Writing, origin_of

DECLINED = 2593109
"""Meta's code for a business that does not share its history."""

SAMPLE_HISTORY = (
    {"by": "person", "text": "Are you open on Sunday?"},
    {"by": "business", "text": "Yes, from ten to four."},
)


class Coexistence:
    """Handlers for ``/sim/echoes``, ``/sim/history`` and ``/sim/standby``."""

    def __init__(self, world: World, courier: Courier, writing: Writing) -> None:
        self._world = world
        self._courier = courier
        self._writing = writing

    def routes(self) -> list[web.RouteDef]:
        """See README for the JSON of each."""
        return [
            web.post("/sim/echoes", self.echo),
            web.post("/sim/history", self.history),
            web.post("/sim/standby", self.standby),
        ]

    async def echo(self, request: web.Request) -> web.Response:
        """A human of the business writes, edits or deletes in its phone app."""
        fields = await read_fields(request)
        number = known_number(self._world, fields)
        person = addressee(self._world, fields, "to")
        kind = fields.optional_text("kind") or "text"
        if kind in _APP_MARKS:
            # Here ``wamid`` names the target; what happens to it has an id of its own.
            shape = self._marked(kind, fields, number, person)
            echo = {**self._echo(fields, number, person, shape), "id": new_wamid()}
        else:
            shape = build(kind, fields, self._writing.attach(number, origin_of(request)))
            echo = self._echo(fields, number, person, shape)
            self._show(number, person, echo, "app")
        value = {**head(number), "message_echoes": [echo]}
        return await self._tell(number, "smb_message_echoes", value, echo["id"])

    async def history(self, request: web.Request) -> web.Response:
        """Old chats that the business shares (or declines to) when it joins the Cloud API."""
        fields = await read_fields(request)
        number = known_number(self._world, fields)
        if fields.flag("declined"):
            problem = webhook_error(DECLINED, title="History sync is turned off by the business")
            chunk: dict[str, Any] = {"errors": [problem]}
        else:
            chunk = {
                "metadata": {
                    "phase": fields.integer("phase", 0),
                    "chunk_order": fields.integer("chunk_order", 1),
                    "progress": fields.integer("progress", 100),
                },
                "threads": [self._thread(fields, number)],
            }
        return await self._tell(number, "history", {**head(number), "history": [chunk]})

    async def standby(self, request: web.Request) -> web.Response:
        """A conversation that Meta's agent owns goes on: its part, the person's, or a tick."""
        fields = await read_fields(request)
        number = known_number(self._world, fields)
        part = fields.choice("part", frozenset(_STANDBY), "message")
        origin = origin_of(request)
        if part == "message":
            item = self._overheard(fields, number, origin)
        elif part == "echo":
            item = self._agent_reply(fields, number, origin)
        else:
            item = self._agent_tick(fields, number)
        value = {**head(number), "standby": {_STANDBY[part]: [item]}}
        return await self._tell(number, "standby", value, item["id"])

    def _echo(self, fields: Fields, number: Number, person: Person, shape: Shape) -> dict[str, Any]:
        """What the business wrote; a hidden phone is absent here too."""
        to = {}
        if person.shown_digits:
            to["to"] = person.shown_digits
        if person.user_id:
            to["to_user_id"] = person.user_id
        return {
            "from": digits_of(number.display_phone_number),
            **to,
            "id": fields.optional_text("wamid") or new_wamid(),
            "timestamp": str(fields.integer("timestamp", int(self._world.now()))),
            **shape,
        }

    def _show(
        self,
        number: Number,
        person: Person,
        echo: dict[str, Any],
        sender: Literal["app", "agent"],
    ) -> None:
        """Put it on the person's screen, as something that has arrived; once for each id."""
        if self._world.bubble(person, number.phone_number_id, echo["id"]) is not None:
            return
        message = written(self._world, number, echo)
        message.author, message.sender = "business", sender
        message.statuses["delivered"] = message.at
        person.messages.append(message)
        person.typing_since.pop(number.phone_number_id, None)

    def _marked(self, kind: str, fields: Fields, number: Number, person: Person) -> Shape:
        target = self._world.bubble(person, number.phone_number_id, fields.text("wamid"))
        if target is None or target.sender != "app":
            raise BadCommandError("wamid: no message that the phone app wrote to this person", 404)
        content: dict[str, Any] = {"original_message_id": target.wamid}
        if kind == "edit":
            new = {"type": "text", "text": {"body": fields.text("text")}}
            content["message"] = new
        _APP_MARKS[kind](target, content, self._world.now())
        return {"type": kind, kind: content}

    def _thread(self, fields: Fields, number: Number) -> dict[str, Any]:
        """One person's old chat. It was before the simulator began, so no bubble shows it."""
        person = addressee(self._world, fields, "to")
        given = fields.objects("messages") if "messages" in fields else list(SAMPLE_HISTORY)
        oldest = int(self._world.now()) - 24 * 3600
        messages = [
            self._old(Fields(item), number, person, oldest + 60 * place)
            for place, item in enumerate(given)
        ]
        return {"id": person.shown_digits or person.user_id, "messages": messages}

    def _old(self, item: Fields, number: Number, person: Person, usual_at: int) -> dict[str, Any]:
        by = item.choice("by", frozenset({"person", "business"}), "person")
        ours, theirs = digits_of(number.display_phone_number), person.shown_digits
        if by == "business":
            sides = {"from": ours} | ({"to": theirs} if theirs else {})
        else:
            sides = {"from": theirs} if theirs else {"from_user_id": str(person.user_id)}
        return {
            **sides,
            "id": item.optional_text("wamid") or new_wamid(),
            "timestamp": str(item.integer("timestamp", usual_at)),
            **_old_shape(item),
            "history_context": {"status": item.optional_text("status") or "READ"},
        }

    def _overheard(self, fields: Fields, number: Number, origin: str) -> dict[str, Any]:
        kind = fields.optional_text("kind") or "text"
        shape = build(kind, fields, self._writing.attach(number, origin))
        person = writer(self._world, fields)
        message = self._writing.begin(fields, person) | shape
        record(self._world, number, person, message)
        return message

    def _agent_reply(self, fields: Fields, number: Number, origin: str) -> dict[str, Any]:
        kind = fields.optional_text("kind") or "text"
        shape = build(kind, fields, self._writing.attach(number, origin))
        person = addressee(self._world, fields, "to")
        echo = self._echo(fields, number, person, shape)
        self._show(number, person, echo, "agent")
        return echo

    def _agent_tick(self, fields: Fields, number: Number) -> dict[str, Any]:
        person = addressee(self._world, fields, "to")
        target = self._world.bubble(person, number.phone_number_id, fields.text("wamid"))
        if target is None or target.sender != "agent":
            raise BadCommandError("wamid: no message that the agent wrote to this person", 404)
        status = fields.choice("status", STATUSES, "read")
        target.statuses.setdefault(status, self._world.now())
        return status_entry(person, target, status)

    async def _tell(
        self, number: Number, field: str, value: dict[str, Any], wamid: str | None = None
    ) -> web.Response:
        await self._world.announce()
        wamids = frozenset({wamid}) if wamid else frozenset[str]()
        delivery = await self._courier.deliver_to_app(number, field, value, wamids=wamids)
        told = {"wamid": wamid} if wamid else {}
        return web.json_response({**told, **outcome(delivery)})


def _old_shape(item: Fields) -> Shape:
    """Old media comes as a placeholder without a file."""
    if item.optional_text("kind") == "media_placeholder":
        return {"type": "media_placeholder"}
    return {"type": "text", "text": {"body": item.text("text")}}


_APP_MARKS = {"edit": edit, "revoke": revoke}

_STANDBY = {"message": "messages", "echo": "message_echoes", "status": "statuses"}
