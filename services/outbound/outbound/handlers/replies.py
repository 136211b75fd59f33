"""``SendReply``: keep it, once. From then on the document is the queue, and the lane is free."""

from datetime import datetime

from outbound.domain.deliveries import Delivery, Step, Waiting, due_at
from outbound.domain.lattice import State
from outbound.handlers.ledger import Ledger
from shared.clock import Clock
from shared.contracts import Envelope, SendReply


class Replies:
    """Handles ``SendReply``."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def handle(self, envelope: Envelope) -> None:
        """Open the delivery; a repeat of a known one changes nothing, whatever its state."""
        await self._ledger.open(opened(envelope, self._clock()))


def opened(envelope: Envelope, now: datetime) -> Delivery:
    """The delivery that the command asks for. Raises ContractError."""
    command = envelope.payload(SendReply)
    due = due_at(command.not_before, now)
    return Delivery(
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
    )
