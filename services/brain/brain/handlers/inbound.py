"""The inbound lanes: decode a message, run the use case, judge what went wrong."""

import structlog

from brain.adapters.interaction_store import InteractionStore
from brain.handlers.incoming import incoming_from_whatsapp
from brain.handlers.turns import Turns
from shared.bus.failures import Permanent
from shared.contracts import Envelope, InboundMessageReceived

log = structlog.get_logger()


class Inbound:
    """Handles ``InboundMessageReceived``."""

    def __init__(self, turns: Turns, interactions: InteractionStore) -> None:
        self._turns = turns
        self._interactions = interactions

    async def handle(self, envelope: Envelope) -> None:
        """Understand, then answer. Safe to repeat."""
        event = envelope.payload(InboundMessageReceived)
        try:
            incoming = incoming_from_whatsapp(envelope, event)
        except ValueError:
            raise Permanent("no_sender") from None
        understood = await self._turns.understand(incoming)
        await self._turns.answer(incoming, understood)

    async def keep_dead(self, envelope: Envelope, failure: Permanent) -> None:
        """Keep the whole message in our own database: the dead letter has no text."""
        await self._interactions.keep_unprocessed(
            envelope.id, envelope.tenant, failure.reason, envelope.encode()
        )


def conversation_of(envelope: Envelope) -> str:
    """Messages of one conversation are handled one after another."""
    key = envelope.data.get("conversation_key")
    return key if isinstance(key, str) else envelope.id
