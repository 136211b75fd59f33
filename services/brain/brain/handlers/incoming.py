"""One message on its way into the pipeline, whichever edge it came through."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from brain.domain.people import Address, Route, api_address
from brain.domain.whatsapp.content import Content, content_of
from brain.domain.whatsapp.identity import address_of
from brain.domain.whatsapp.notices import Edit
from brain.domain.whatsapp.reading import moment
from shared.contracts import Envelope, InboundMessageReceived, InboundNoticeReceived
from shared.ids import derived_id, event_id


@dataclass(frozen=True, slots=True)
class ReplyRoute:
    """How an answer finds its way to a person on a messaging channel."""

    channel_id: str
    conversation_key: str
    provider_message_id: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """What the use case needs to know. ``event_id`` names everything that follows."""

    event_id: str
    tenant: str
    address: Address
    channel: str
    content: Content
    received_at: datetime
    sent_at: datetime
    wants_reply: bool
    route: ReplyRoute | None = None
    debounce_ms: int = 0
    """How long the person must be silent before they are answered; 0: at once, in order."""
    history: tuple[tuple[str, str], ...] | None = None
    fingerprint: str | None = None
    """SHA-256 of the request body when the caller gave an idempotency key."""
    model_may_write: bool = True
    """False: the caller writes the reply; only a reviewed text is said by us."""

    @property
    def channel_id(self) -> str | None:
        """Id of the messaging channel it came through."""
        return self.route.channel_id if self.route else None


def met_by(incoming: Incoming) -> tuple[str, Route] | None:
    """The channel, and how the person was met there; None for a call of the API."""
    if incoming.route is None:
        return None
    return incoming.route.channel_id, Route(
        conversation_key=incoming.route.conversation_key,
        phone=incoming.address.phone,
        provider_user_id=incoming.address.provider_user_id,
        wrote_at=incoming.sent_at,
        provider_message_id=incoming.route.provider_message_id,
    )


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A checked call of ``/api/sdk/process``."""

    tenant: str
    user_id: str
    message: str
    channel: str
    history: tuple[tuple[str, str], ...] | None
    idempotency_key: str | None
    fingerprint: bytes
    respond: bool = True


def incoming_from_api(request: ApiRequest, now: datetime) -> Incoming:
    """A call; with an idempotency key its id follows from the key, so that a repeat is found."""
    key = request.idempotency_key
    return Incoming(
        event_id=str(uuid4()) if key is None else derived_id("process", request.tenant, key),
        tenant=request.tenant,
        address=api_address(request.user_id),
        channel=request.channel,
        content=Content("text", request.message, ""),
        received_at=now,
        sent_at=now,
        wants_reply=True,
        history=request.history,
        model_may_write=request.respond,
        fingerprint=None if key is None else sha256(request.fingerprint).hexdigest(),
    )


def incoming_from_whatsapp(envelope: Envelope, event: InboundMessageReceived) -> Incoming:
    """A WhatsApp message. Raises ValueError when it does not say who wrote."""
    return Incoming(
        event_id=envelope.id,
        tenant=envelope.tenant,
        address=address_of(event.message, event.contact),
        channel="whatsapp",
        content=content_of(event.message),
        received_at=event.received_at,
        sent_at=moment(event.message.get("timestamp")) or event.received_at,
        wants_reply=event.auto_reply,
        route=ReplyRoute(event.channel_id, event.conversation_key, event.provider_message_id),
        debounce_ms=event.reply_debounce_ms,
    )


def incoming_from_edit(
    envelope: Envelope, event: InboundNoticeReceived, edit: Edit, document: dict[str, Any] | None
) -> Incoming:
    """A message as it reads now, under its own id. Raises ValueError without an author."""
    wrote_at = moment(event.message.get("timestamp")) or event.received_at
    return Incoming(
        event_id=event_id(event.channel_id, edit.original_id),
        tenant=envelope.tenant,
        address=address_of(event.message, event.contact),
        channel="whatsapp",
        content=edit.content,
        received_at=event.received_at,
        sent_at=wrote_at if document is None else document["sent_at"],
        wants_reply=event.auto_reply,
        route=ReplyRoute(event.channel_id, event.conversation_key, edit.original_id),
    )


def incoming_from_burst(rows: Sequence[dict[str, Any]]) -> Incoming:
    """Stored messages of one person, oldest first, as the one thought that they are.

    The last one carries the reply. Their words are masked already.
    """
    carrier = rows[-1]
    to = carrier["reply"]["to"]
    lines = [row["message"].get("line", "") for row in rows]
    words = [_words(row["message"]) for row in rows]
    kind = "text" if any(words) else carrier["message"]["type"]
    return Incoming(
        event_id=carrier["_id"],
        tenant=carrier["tenant"],
        address=Address(
            external_id=carrier["external_id"],
            aliases=(f"user:{carrier['user_id']}",),
            phone=to["phone"],
            provider_user_id=to["provider_user_id"],
            name=to["name"],
        ),
        channel=carrier["channel"],
        content=Content(kind, "\n".join(filter(None, words)), " ".join(filter(None, lines))),
        received_at=carrier["at"],
        sent_at=carrier["sent_at"],
        wants_reply=True,
        route=ReplyRoute(
            carrier["channel_id"], to["conversation_key"], carrier["provider_message_id"]
        ),
        debounce_ms=1,
    )


def _words(message: dict[str, Any]) -> str:
    text: str = message["text"]
    return text.removeprefix(message.get("line", "")).strip()
