"""The business's side of a conversation: messages accepted, read receipts, and their ticks."""

import asyncio
from typing import Any

from metasim.codes import GraphError
from metasim.config import SimConfig, StatusStep
from metasim.events import log_event
from metasim.messages import MarkRead, SendMessage
from metasim.payloads import status_value
from metasim.tasks import Background
from metasim.templates import check_known
from metasim.webhooks import Courier
from metasim.world import Message, Number, Person, World, new_wamid

UNDELIVERABLE = 131026

READABLE_S = 30 * 24 * 3600.0
"""Messages can be marked read for 30 days."""


class Sender:
    """Applies Meta's rules to what a business asks for. Time comes from the world's clock."""

    def __init__(
        self, world: World, courier: Courier, background: Background, config: SimConfig
    ) -> None:
        self._world = world
        self._courier = courier
        self._background = background
        self._config = config

    async def send(
        self, number: Number, asked: SendMessage, failing_code: int | None
    ) -> dict[str, Any]:
        """Accept a message and start its status callbacks; the documented answer.

        With ``failing_code``, or to a number that its owner has left, the only callback is
        ``failed``. Raises GraphError: 130429 for the
        number's throughput, 1320xx for a template that cannot be sent, 131026 for an unknown business-scoped id, 131047 outside the service
        window, 131056 for the pair limit.
        """
        world = self._world
        if not world.throughput.take(number.phone_number_id):
            raise GraphError(130429, "Cloud API message throughput has been reached.")
        if asked.kind == "template":
            check_known(number.templates, asked.content)
        person = self._addressee(number, asked)
        pair = (number.phone_number_id, person.digits or person.user_id)
        if not world.pairs.take(pair):
            raise GraphError(
                131056, "Too many messages sent from this phone number to the same recipient."
            )
        message = Message(
            wamid=new_wamid(),
            phone_number_id=number.phone_number_id,
            author="business",
            kind=asked.kind,
            text=asked.text,
            at=world.now(),
            content=asked.content,
            context_message_id=asked.context_message_id,
            callback_data=asked.callback_data,
            to_digits=asked.to,
        )
        person.messages.append(message)
        person.typing_since.pop(number.phone_number_id, None)
        log_event("message_accepted", wamid=message.wamid, kind=message.kind)
        steps = world.statuses
        if asked.to in person.former:
            failing_code = failing_code or UNDELIVERABLE
        if failing_code is not None:
            steps = (StatusStep("failed", steps[0].delay_ms if steps else 0.0, failing_code),)
        self._background.spawn(self._report(number, person, message, steps))
        await world.announce()
        return _accepted(asked, person, message)

    async def mark_read(self, number: Number, asked: MarkRead) -> dict[str, Any]:
        """Set the read ticks up to this message. Raises GraphError 131009 for an unknown one."""
        world = self._world
        found = world.written(number.phone_number_id, asked.message_id)
        if found is None or world.now() - found[1].at > READABLE_S:
            raise GraphError(131009, "Param message_id is not a known message of this number.")
        person, message = found
        now = world.now()
        for earlier in person.messages:
            if earlier.author == "person" and earlier.phone_number_id == number.phone_number_id:
                earlier.read_at = earlier.read_at or now
            if earlier is message:
                break
        if asked.typing:
            message.typing_at = now
            person.typing_since[number.phone_number_id] = now
        log_event("message_marked_read", wamid=message.wamid, typing=asked.typing)
        await world.announce()
        return {"success": True}

    def _addressee(self, number: Number, asked: SendMessage) -> Person:
        person = self._world.find_person(asked.to or asked.user_id or "")
        if asked.to is None and (person is None or asked.user_id in person.former):
            raise GraphError(
                UNDELIVERABLE, "Message undeliverable: unknown business-scoped user id."
            )
        if self._config.window_enforced and asked.kind != "template":
            last = person.last_wrote_at.get(number.phone_number_id) if person else None
            if last is None or self._world.now() - last >= self._config.window_s:
                raise GraphError(
                    131047,
                    "Message failed to send because more than 24 hours have passed since the "
                    "customer last replied to this number.",
                )
        return person or self._world.meet_person(asked.to, None)

    async def _report(
        self, number: Number, person: Person, message: Message, steps: tuple[StatusStep, ...]
    ) -> None:
        clock = asyncio.get_running_loop().time
        accepted = clock()
        for step in steps:
            await asyncio.sleep(max(0.0, step.delay_ms / 1000 - (clock() - accepted)))
            message.statuses.setdefault(step.status, self._world.now())
            await self._world.announce()
            value = status_value(number, person, message, step.status, step.code)
            await self._courier.deliver_value(number, value, "status", message.wamid)


def _accepted(asked: SendMessage, person: Person, message: Message) -> dict[str, Any]:
    contact = {"input": asked.addressed_as}
    if asked.to is not None:
        contact["wa_id"] = asked.to
    elif person.digits and not person.phone_hidden:
        contact["wa_id"] = person.digits
    if person.user_id:
        contact["user_id"] = person.user_id
    return {
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [{"id": message.wamid}],
    }
