"""``DeliverySettled``: what became of a reply, kept where the conversation is told."""

import structlog

from brain.adapters.interaction_store import InteractionStore
from brain.adapters.outgoing_store import OutgoingStore
from shared.contracts import DeliverySettled, Envelope

log = structlog.get_logger()


class Deliveries:
    """Handles ``DeliverySettled``. Safe to repeat; of one delivery the last word stays."""

    def __init__(self, interactions: InteractionStore, outgoing: OutgoingStore) -> None:
        self._interactions = interactions
        self._outgoing = outgoing

    async def handle(self, envelope: Envelope) -> None:
        """Put it on the interaction, or on the message that a human sent."""
        event = envelope.payload(DeliverySettled)
        delivery = {
            "id": event.delivery_id,
            "state": event.state,
            "at": event.at,
            "provider_message_id": event.provider_message_id,
            "code": event.code,
            "detail": event.detail,
        }
        if await self._interactions.record_delivery(
            envelope.tenant, event.interaction_id, delivery
        ):
            return
        if not await self._outgoing.record_delivery(
            envelope.tenant, event.interaction_id, delivery
        ):
            log.info("delivery_of_unknown_message", delivery_id=event.delivery_id)
