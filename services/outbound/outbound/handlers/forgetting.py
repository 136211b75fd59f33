"""``ForgetConversation``: a person is erased, and what we were to say to them with them."""

import structlog

from outbound.adapters.delivery_store import DeliveryStore
from outbound.adapters.template_claims import TemplateClaims
from shared.contracts import Envelope, ForgetConversation

log = structlog.get_logger()


class Forgetting:
    """Handles ``ForgetConversation``. Safe to repeat. Paces end by themselves within minutes."""

    def __init__(self, deliveries: DeliveryStore, claims: TemplateClaims) -> None:
        self._deliveries = deliveries
        self._claims = claims

    async def handle(self, envelope: Envelope) -> None:
        """Delete every delivery of the conversation, open ones too: they are not sent any more."""
        event = envelope.payload(ForgetConversation)
        gone = await self._deliveries.forget(envelope.tenant, event.conversation_key)
        await self._claims.forget(event.conversation_key)
        log.info("conversation_forgotten", channel_id=event.channel_id, deliveries=gone)
