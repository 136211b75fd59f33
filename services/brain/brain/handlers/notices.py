"""What happens to messages after they were said: edits, deletions, reactions; and new identities.

None of it starts a turn. An edit is read again for danger, and only more danger than before is
answered. What comes before its message waits for it.
"""

from datetime import timedelta

import structlog

from brain.adapters.file_store import FileStore
from brain.adapters.notice_store import NoticeStore
from brain.adapters.outgoing_store import Outgoing
from brain.domain.pii import scan_pii
from brain.domain.safety import Action
from brain.domain.whatsapp.identity import renaming_of
from brain.domain.whatsapp.notices import echo_of, edit_of, reaction_of, revoked_id
from brain.domain.whatsapp.reading import moment
from brain.handlers.emissions import changed_event
from brain.handlers.identities import Identities
from brain.handlers.incoming import Incoming, incoming_from_edit
from brain.handlers.rewording import Rewording, Wording, blanked
from brain.handlers.stores import Stores
from brain.handlers.turns import Turns
from shared.bus.failures import Permanent, Transient
from shared.clock import Clock
from shared.contracts import Envelope, InboundNoticeReceived
from shared.ids import event_id

log = structlog.get_logger()

TRIES = 10


class Notices:
    """Handles ``InboundNoticeReceived``. Safe to repeat."""

    def __init__(
        self,
        stores: Stores,
        notices: NoticeStore,
        files: FileStore,
        identities: Identities,
        turns: Turns,
        rewording: Rewording,
        clock: Clock,
    ) -> None:
        self._files = files
        self._rewording = rewording
        self._users = stores.users
        self._interactions = stores.interactions
        self._memories = stores.memories
        self._outgoing = stores.outgoing
        self._outbox = stores.outbox
        self._notices = notices
        self._identities = identities
        self._turns = turns
        self._clock = clock

    async def handle(self, envelope: Envelope) -> None:
        """Do what the notice says. Raises Permanent for one that says nothing, and Transient."""
        event = envelope.payload(InboundNoticeReceived)
        match event.notice:
            case "edit":
                await self._edited(envelope, event)
            case "revoke":
                await self._revoked(envelope, event)
            case "reaction":
                await self._reacted(envelope, event)
            case "system":
                await self._renamed(envelope, event)
            case "echo":
                await self._echoed(envelope, event)

    async def catch_up(self, interaction_id: str) -> None:
        """Do what notices said that came before their message."""
        for envelope in await self._notices.waiting(interaction_id):
            await self.handle(envelope)
            await self._notices.drop(envelope.id)

    async def _edited(self, envelope: Envelope, event: InboundNoticeReceived) -> None:
        edit = edit_of(event.message)
        if edit is None:
            raise Permanent("notice_without_message")
        target = event_id(event.channel_id, edit.original_id)
        document = await self._interactions.get(envelope.tenant, target)
        try:
            incoming = incoming_from_edit(envelope, event, edit, document)
        except ValueError:
            raise Permanent("no_sender") from None
        if document is None:
            await self._early_edit(envelope, incoming)
        elif "revoked_at" not in document["message"]:
            edited_at = moment(event.message.get("timestamp")) or event.received_at
            wording = Wording(
                cause=envelope.id,
                marks={"edited_at": edited_at},
                keeps_old=True,
                moves_person=False,
            )
            await self._rewording.apply(incoming, document, wording)

    async def _early_edit(self, envelope: Envelope, incoming: Incoming) -> None:
        """An edit before its message waits; one that speaks of danger cannot, and is the message."""
        user = await self._turns.person(incoming)
        prepared = await self._turns.reconsider(incoming, user)
        if prepared.safety.action is Action.PROCEED:
            await self._notices.keep(incoming.event_id, envelope)
            return
        understood = await self._turns.understand(incoming)
        await self._turns.answer(incoming, understood)

    async def _revoked(self, envelope: Envelope, event: InboundNoticeReceived) -> None:
        original = revoked_id(event.message)
        if original is None:
            raise Permanent("notice_without_message")
        target = event_id(event.channel_id, original)
        document = await self._interactions.get(envelope.tenant, target)
        if document is None:
            # An edit that waits here holds the text that was taken back.
            await self._notices.blank(target)
            await self._notices.keep(target, envelope)
            return
        await self._memories.forget(envelope.tenant, document["user_id"], (target,))
        await self._interactions.unrecall(
            envelope.tenant, document["user_id"], document["sent_at"].isoformat()
        )
        await self._rewording.forget_facts(envelope.tenant, document)
        await self._files.delete(target)
        await self._interactions.forget_unprocessed(target)
        emissions = [changed_event(document, "revoked", envelope.id, self._clock())]
        blank = blanked(document, moment(event.message.get("timestamp")) or event.received_at)
        if await self._interactions.change(envelope.tenant, target, envelope.id, blank, emissions):
            await self._outbox.flush(target, emissions)
            log.info("message_revoked", interaction_id=target)

    async def _reacted(self, envelope: Envelope, event: InboundNoticeReceived) -> None:
        reaction = reaction_of(event.message)
        if reaction is None:
            raise Permanent("notice_without_message")
        at = moment(event.message.get("timestamp")) or event.received_at
        kept = None if reaction.emoji is None else {"emoji": reaction.emoji, "at": at}
        theirs = event_id(event.channel_id, reaction.message_id)
        document = await self._interactions.get(envelope.tenant, theirs)
        field = "message.reaction"
        if document is None:
            document = await self._interactions.with_reply(envelope.tenant, reaction.message_id)
            field = "reply.reaction"
        if document is None:
            if not await self._outgoing.react(envelope.tenant, reaction.message_id, kept):
                await self._notices.keep(theirs, envelope)
            return
        update = {"$unset": {field: ""}} if kept is None else {"$set": {field: kept}}
        emissions = [changed_event(document, "reaction", envelope.id, self._clock())]
        if await self._interactions.change(
            envelope.tenant, document["_id"], envelope.id, update, emissions
        ):
            await self._outbox.flush(document["_id"], emissions)

    async def _renamed(self, envelope: Envelope, event: InboundNoticeReceived) -> None:
        renaming = renaming_of(event.message)
        if renaming is not None:
            await self._identities.rename(envelope.tenant, renaming, event.channel_id)

    async def _echoed(self, envelope: Envelope, event: InboundNoticeReceived) -> None:
        """A human is talking: keep their words for the conversation, and the machine silent."""
        echo = echo_of(event.message)
        at = moment(event.message.get("timestamp")) or event.received_at
        until = at + timedelta(seconds=event.echo_pause_s)
        for _ in range(TRIES):
            user = await self._users.find(envelope.tenant, echo.aliases)
            if user is None:
                return
            held = user.state.held_until
            if until <= self._clock() or (held is not None and held >= until):
                break
            if await self._users.hold(user, until):
                break
        else:
            raise Transient("user_contended")
        await self._outgoing.insert(
            Outgoing(
                id=envelope.id,
                tenant=envelope.tenant,
                user_id=user.id,
                channel_id=event.channel_id,
                author="phone_app",
                text=scan_pii(echo.content.text).masked_text,
                at=at,
                provider_message_id=event.provider_message_id,
            )
        )
        log.info("human_wrote_from_the_phone_app", user_id=user.id)
