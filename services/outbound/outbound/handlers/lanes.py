"""The outbound lanes: which handler a message goes to, in which order, and how it can fail."""

from collections.abc import Awaitable, Callable, Mapping

from pymongo.errors import ConnectionFailure, PyMongoError

from shared.bus.failures import Failure, Outage, Permanent, Transient
from shared.contracts import (
    ContractError,
    DeliveryStatusReceived,
    Envelope,
    MarkMessageRead,
    SendReply,
)

Handle = Callable[[Envelope], Awaitable[None]]


class Lanes:
    """Handles whatever comes out of the lanes."""

    def __init__(self, *, replies: Handle, read_marks: Handle, statuses: Handle) -> None:
        self._handlers: Mapping[str, Handle] = {
            SendReply.TYPE: replies,
            MarkMessageRead.TYPE: read_marks,
            DeliveryStatusReceived.TYPE: statuses,
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


def classify(error: Exception) -> Failure:
    """The one place that says which of the four failures an error is."""
    if isinstance(error, ContractError):
        return Permanent("contract")
    if isinstance(error, ConnectionFailure):
        return Outage("database_unreachable")
    if isinstance(error, PyMongoError) and error.timeout:
        return Outage("database_timeout")
    return Transient(type(error).__name__)
