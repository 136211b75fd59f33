"""One message on its way into the pipeline, whichever edge it came through."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import uuid4

from brain.domain.people import Address, api_address
from brain.domain.whatsapp import address_of, content_of, sent_at
from shared.contracts import Envelope, InboundMessageReceived
from shared.ids import derived_id


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
    kind: str
    text: str
    summary: str
    received_at: datetime
    sent_at: datetime
    wants_reply: bool
    route: ReplyRoute | None = None
    history: tuple[tuple[str, str], ...] | None = None
    fingerprint: str | None = None
    """SHA-256 of the request body when the caller gave an idempotency key."""


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


def incoming_from_api(request: ApiRequest, now: datetime) -> Incoming:
    """A call; with an idempotency key its id follows from the key, so that a repeat is found."""
    key = request.idempotency_key
    return Incoming(
        event_id=str(uuid4()) if key is None else derived_id("process", request.tenant, key),
        tenant=request.tenant,
        address=api_address(request.user_id),
        channel=request.channel,
        kind="text",
        text=request.message,
        summary=request.message,
        received_at=now,
        sent_at=now,
        wants_reply=True,
        history=request.history,
        fingerprint=None if key is None else sha256(request.fingerprint).hexdigest(),
    )


def incoming_from_whatsapp(envelope: Envelope, event: InboundMessageReceived) -> Incoming:
    """A WhatsApp message. Raises ValueError when it does not say who wrote."""
    content = content_of(event.message)
    return Incoming(
        event_id=envelope.id,
        tenant=envelope.tenant,
        address=address_of(event.message, event.contact),
        channel="whatsapp",
        kind=content.kind,
        text=content.text,
        summary=content.summary,
        received_at=event.received_at,
        sent_at=sent_at(event.message, event.received_at),
        wants_reply=event.auto_reply,
        route=ReplyRoute(event.channel_id, event.conversation_key, event.provider_message_id),
    )
