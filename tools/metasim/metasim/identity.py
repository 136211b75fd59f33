"""People who change their phone number, and with it their business-scoped id."""

import secrets
from typing import Any

from aiohttp import web

from metasim.events import log_event
from metasim.fields import BadCommandError, Fields, read_fields
from metasim.payloads import head
from metasim.people import USER_ID, checked_digits, known_person
from metasim.webhooks import Courier, outcome
from metasim.world import Number, Person, World, new_wamid

NUMBER_CHANGED, ID_CHANGED = "user_changed_number", "user_changed_user_id"


class Identity:
    """Handlers under ``/sim/people``."""

    def __init__(self, world: World, courier: Courier) -> None:
        self._world = world
        self._courier = courier

    def routes(self) -> list[web.RouteDef]:
        """See README for the JSON of each."""
        return [
            web.get("/sim/people", self.list_all),
            web.post("/sim/people/{who}/number", self.change_number),
        ]

    async def list_all(self, _request: web.Request) -> web.Response:
        """Everybody, in the order they were first met."""
        return web.json_response({"people": [_shown(item) for item in self._world.people()]})

    async def change_number(self, request: web.Request) -> web.Response:
        """Move somebody to a new number and tell the businesses; the conversation stays theirs."""
        fields = await read_fields(request)
        person = known_person(self._world, request.match_info["who"])
        numbers = self._told(fields, person)
        digits = checked_digits(fields.text("new_number"), "new_number")
        if self._world.find_person(digits) not in (None, person):
            raise BadCommandError("new_number: somebody else has it")
        user_id = _new_user_id(fields, person)
        steps = _steps(fields, person, digits, user_id)
        self._world.move_person(person, digits, user_id)
        log_event("person_moved", businesses=len(numbers))
        await self._world.announce()
        webhooks = [await self._tell(number, fields, step) for number in numbers for step in steps]
        return web.json_response({**_shown(person), "webhooks": webhooks})

    def _told(self, fields: Fields, person: Person) -> list[Number]:
        """The number that the command names, else all that the person has exchanged messages with."""
        wanted = fields.optional_text("phone_number_id")
        met = {message.phone_number_id for message in person.messages}
        numbers = [
            number
            for number_id, number in self._world.numbers.items()
            if (number_id in met if wanted is None else number_id == wanted)
        ]
        if wanted is not None and not numbers:
            raise BadCommandError("no such number: register it with POST /sim/numbers", 404)
        return numbers

    async def _tell(self, number: Number, fields: Fields, step: dict[str, Any]) -> dict[str, Any]:
        stamp = str(fields.integer("timestamp", int(self._world.now())))
        message = {"id": new_wamid(), "timestamp": stamp, **step}
        # System messages come without contacts.
        value = {**head(number), "messages": [message]}
        delivery = await self._courier.deliver_value(number, value, "message", message["id"])
        return {
            "wamid": message["id"],
            "type": message["system"]["type"],
            "phone_number_id": number.phone_number_id,
            **outcome(delivery),
        }


def _steps(
    fields: Fields, person: Person, digits: str, user_id: str | None
) -> list[dict[str, Any]]:
    """The system messages, as they were before the move.

    A number change that may be seen carries the ids as well; of a hidden one only the new id is
    told. Receivers meet both kinds, so a visible person with an id sends both; ``system`` narrows.
    """
    visible = person.shown_digits is not None
    usual = [NUMBER_CHANGED] if visible else []
    usual += [ID_CHANGED] if user_id else []
    wanted = fields.names("system") or usual
    if unknown := set(wanted) - set(usual):
        possible = " and ".join(usual)
        raise BadCommandError(f"system: {', '.join(sorted(unknown))} does not fit; only {possible}")
    ids = {"user_id": user_id, "previous_user_id": person.user_id} if user_id else {}
    old_number, old_id = person.shown_digits, person.user_id
    made: dict[str, dict[str, Any]] = {
        NUMBER_CHANGED: {
            "from": old_number,
            "type": "system",
            "system": {
                "body": f"User {person.name} changed from {old_number} to {digits}",
                "wa_id": digits,
                **ids,
                "type": NUMBER_CHANGED,
            },
        },
        ID_CHANGED: {
            "type": "system",
            "system": {
                "body": f"User {person.name} changed from {old_id} to {user_id}",
                **ids,
                "type": ID_CHANGED,
            },
        },
    }
    return [made[name] for name in wanted]


def _new_user_id(fields: Fields, person: Person) -> str | None:
    """A fresh id of the old one's country; None for somebody who never had one."""
    given = fields.optional_text("new_user_id")
    if given is not None and not USER_ID.fullmatch(given):
        raise BadCommandError("new_user_id: an id such as US.13491208655302741918 is needed")
    if person.user_id is None:
        if given is not None:
            raise BadCommandError("new_user_id: this person has no user id")
        return None
    country = person.user_id.partition(".")[0]
    return given or f"{country}.{secrets.randbelow(9 * 10**19) + 10**19}"


def _shown(person: Person) -> dict[str, Any]:
    return {
        "number": person.digits,
        "user_id": person.user_id,
        "name": person.name,
        "username": person.username,
        "phone_hidden": person.phone_hidden,
        "former": sorted(person.former),
    }
