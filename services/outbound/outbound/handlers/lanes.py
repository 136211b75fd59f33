"""The outbound lanes: which handler a message goes to, in which order, and how it can fail."""

from collections.abc import Awaitable, Callable, Mapping

from shared.bus.failures import Permanent
from shared.contracts import (
    DeliveryStatusReceived,
    Envelope,
    ForgetConversation,
    MarkMessageRead,
    SendReply,
)

Handle = Callable[[Envelope], Awaitable[None]]


class Lanes:
    """Handles whatever comes out of the lanes."""

    def __init__(
        self, *, replies: Handle, read_marks: Handle, statuses: Handle, forgetting: Handle
    ) -> None:
        self._handlers: Mapping[str, Handle] = {
            SendReply.TYPE: replies,
            MarkMessageRead.TYPE: read_marks,
            DeliveryStatusReceived.TYPE: statuses,
            ForgetConversation.TYPE: forgetting,
        }

    async def handle(self, envelope: Envelope) -> None:
        """Dispatch by type. Raises Permanent for a type that has no business here."""
        handler = self._handlers.get(envelope.type)
        if handler is None:
            raise Permanent("unknown_type")
        await handler(envelope)


def key_of(envelope: Envelope) -> str:
    """Commands in the order of their conversation; callbacks beside them, never behind them."""
    data = envelope.data
    if envelope.type == DeliveryStatusReceived.TYPE:
        return f"status:{data.get('delivery_id') or data.get('provider_message_id')}"
    key = data.get("conversation_key")
    return key if isinstance(key, str) else envelope.id
