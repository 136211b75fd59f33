"""``SendReply``: keep it, once. From then on the document is the queue, and the lane is free."""

from dataclasses import replace
from datetime import datetime

from outbound.domain.deliveries import Delivery, Step, Waiting, due_at
from outbound.domain.lattice import State
from outbound.domain.splitting import parts_of
from outbound.handlers.ledger import Ledger
from shared.clock import Clock
from shared.contracts import Envelope, SendReply


class Replies:
    """Handles ``SendReply``."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def handle(self, envelope: Envelope) -> None:
        """Open its deliveries; a repeat of known ones changes nothing, whatever their state."""
        for delivery in opened(envelope, self._clock()):
            await self._ledger.open(delivery)


def opened(envelope: Envelope, now: datetime) -> list[Delivery]:
    """The deliveries that the command asks for, one for each part of a long text.

    Only the first one quotes the answered message. Raises ContractError.
    """
    command = envelope.payload(SendReply)
    due = due_at(command.not_before, now)
    first = Delivery(
        id=command.delivery_id,
        tenant=envelope.tenant,
        interaction_id=command.interaction_id,
        channel_id=command.channel_id,
        conversation_key=command.conversation_key,
        to_phone=command.to_phone,
        to_user_id=command.to_user_id,
        text=command.text,
        context_message_id=command.context_message_id,
        user_wrote_at=command.user_wrote_at,
        command_id=envelope.id,
        traceparent=envelope.traceparent,
        created_at=now,
        state=State.QUEUED,
        updated_at=now,
        history=(Step(State.QUEUED, now),),
        next_attempt_at=due,
        waiting=Waiting.PACE if due > now else None,
        urgent=command.urgent,
        author=command.author,
        template=command.template.model_dump(mode="json") if command.template else None,
    )
    if command.template is not None:
        return [first]
    head, *tail = parts_of(command.text)
    rest = (
        replace(first, id=f"{first.id}.{number:02d}", text=text, context_message_id=None)
        for number, text in enumerate(tail, 1)
    )
    return [replace(first, text=head), *rest]
