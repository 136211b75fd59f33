"""The inbound lanes: which handler a message goes to, and what is kept of one that cannot be handled."""

from collections.abc import Awaitable, Callable, Mapping

import structlog

from brain.adapters.interaction_store import InteractionStore
from brain.domain.whatsapp.notices import target_of
from brain.handlers.answering import Answering
from brain.handlers.incoming import incoming_from_whatsapp
from brain.handlers.media import Media
from brain.handlers.notices import Notices
from brain.handlers.turns import Turns
from brain.handlers.typing import Typing
from shared.bus.failures import Permanent
from shared.contracts import (
    DeliverySettled,
    Envelope,
    InboundMessageReceived,
    InboundNoticeReceived,
)
from shared.ids import event_id

log = structlog.get_logger()

Handle = Callable[[Envelope], Awaitable[None]]
WasErased = Callable[[tuple[str, ...]], Awaitable[bool]]
"""Whether one of these messages belonged to a person who is erased."""


class Messages:
    """Handles ``InboundMessageReceived``."""

    def __init__(
        self,
        turns: Turns,
        notices: Notices,
        answering: Answering,
        media: Media,
        typing: Typing,
    ) -> None:
        self._typing = typing
        self._media = media
        self._turns = turns
        self._notices = notices
        self._answering = answering

    async def handle(self, envelope: Envelope) -> None:
        """Understand, then answer: now, or when the person has paused. Safe to repeat."""
        event = envelope.payload(InboundMessageReceived)
        try:
            incoming = incoming_from_whatsapp(envelope, event)
        except ValueError:
            raise Permanent("no_sender") from None
        understood = await self._turns.understand(incoming)
        if understood.is_new:
            await self._notices.catch_up(incoming.event_id)
        if "fetch" in understood.document:
            self._media.loop.wake()
        if "due_at" in understood.document["reply"]:
            await self._answering.expect(understood.document)
        else:
            await self._typing.meanwhile(incoming, self._turns.answer(incoming, understood))


class Inbound:
    """Handles whatever comes out of the lanes."""

    def __init__(
        self,
        interactions: InteractionStore,
        *,
        messages: Handle,
        notices: Handle,
        deliveries: Handle,
        was_erased: WasErased,
    ) -> None:
        self._interactions = interactions
        self._was_erased = was_erased
        self._handlers: Mapping[str, Handle] = {
            InboundMessageReceived.TYPE: messages,
            InboundNoticeReceived.TYPE: notices,
            DeliverySettled.TYPE: deliveries,
        }

    async def handle(self, envelope: Envelope) -> None:
        """Dispatch by type. Raises Permanent for a type that has no business here."""
        handler = self._handlers.get(envelope.type)
        if handler is None:
            raise Permanent("unknown_type")
        if await self._was_erased(_about(envelope)):
            log.info("erased_message_ignored", event_id=envelope.id)
            return
        await handler(envelope)

    async def keep_dead(self, envelope: Envelope, failure: Permanent) -> None:
        """Keep the whole message in our own database: the dead letter has no text."""
        await self._interactions.keep_unprocessed(
            envelope.id, envelope.tenant, failure.reason, envelope.encode()
        )


def _about(envelope: Envelope) -> tuple[str, ...]:
    """The message itself, or the one that a notice is about: Meta repeats both for days."""
    if envelope.type != InboundNoticeReceived.TYPE:
        return (envelope.id,)
    event = envelope.payload(InboundNoticeReceived)
    target = target_of(event.message)
    return (envelope.id, event_id(event.channel_id, target)) if target else (envelope.id,)


def conversation_of(envelope: Envelope) -> str:
    """Messages of one conversation are handled one after another."""
    key = envelope.data.get("conversation_key")
    return key if isinstance(key, str) else envelope.id
