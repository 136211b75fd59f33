"""What happens to messages after they were said: edits, deletions, reactions; and new identities.

None of it starts a turn. An edit is read again for danger, and only more danger than before is
answered. What comes before its message waits for it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from brain.adapters.notice_store import NoticeStore
from brain.adapters.outgoing_store import Outgoing
from brain.adapters.user_store import EndUser
from brain.domain.pii import scan_pii
from brain.domain.profile import Profile
from brain.domain.safety import Action, SafetyVerdict, strictest
from brain.domain.turn import FixedReply, Prepared, remember
from brain.domain.whatsapp.identity import renaming_of
from brain.domain.whatsapp.notices import Edit, echo_of, edit_of, reaction_of, revoked_id
from brain.domain.whatsapp.reading import moment
from brain.domain.wire import reading_part, safety_part, verdict_of
from brain.handlers.emissions import changed_event, reply_command, safety_events
from brain.handlers.identities import Identities
from brain.handlers.incoming import Incoming, incoming_from_edit
from brain.handlers.stores import Stores
from brain.handlers.turns import Turns
from shared.bus.failures import Permanent, Transient
from shared.bus.port import Publication
from shared.clock import Clock
from shared.contracts import Envelope, InboundNoticeReceived
from shared.ids import event_id

log = structlog.get_logger()

TRIES = 10

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Reread:
    """An edited message, read again."""

    incoming: Incoming
    prepared: Prepared
    before: SafetyVerdict

    @property
    def is_worse(self) -> bool:
        """Whether there is more danger in it than there was."""
        return self.prepared.safety.action.severity > self.before.action.severity

    @property
    def safety(self) -> SafetyVerdict:
        """A later wording takes no danger back: it was said."""
        return strictest((self.before, self.prepared.safety))


class Notices:
    """Handles ``InboundNoticeReceived``. Safe to repeat."""

    def __init__(
        self,
        stores: Stores,
        notices: NoticeStore,
        identities: Identities,
        turns: Turns,
        clock: Clock,
    ) -> None:
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
            await self._reword(envelope, event, edit, incoming, document)

    async def _early_edit(self, envelope: Envelope, incoming: Incoming) -> None:
        """An edit before its message waits; one that speaks of danger cannot, and is the message."""
        user = await self._turns.person(incoming)
        prepared = await self._turns.reconsider(incoming, user)
        if prepared.safety.action is Action.PROCEED:
            await self._notices.keep(incoming.event_id, envelope)
            return
        understood = await self._turns.understand(incoming)
        await self._turns.answer(incoming, understood)

    async def _reword(
        self,
        envelope: Envelope,
        event: InboundNoticeReceived,
        edit: Edit,
        incoming: Incoming,
        document: Document,
    ) -> None:
        user, prepared = await self._reread(incoming, document)
        reread = _Reread(incoming, prepared, verdict_of(document["safety"]))
        emissions = self._told(envelope, reread, document)
        changed = await self._interactions.change(
            envelope.tenant,
            document["_id"],
            envelope.id,
            {
                "$set": {
                    **_wording(edit, reread, moment(event.message.get("timestamp"))),
                    # A burst that waits must not wait with this in it.
                    **_at_once(reread, document, self._clock()),
                },
                "$push": {
                    "message.versions": {
                        "text": document["message"]["text"],
                        "until": event.received_at,
                    }
                },
            },
            emissions,
        )
        if not changed:
            return
        memory = remember(prepared, embedder=self._turns.embedder)
        if memory is None:
            await self._memories.forget(envelope.tenant, user.id, (document["_id"],))
        else:
            await self._memories.revise(envelope.tenant, user.id, memory)
        await self._outbox.flush(document["_id"], emissions)
        log.info("message_edited", interaction_id=document["_id"], worse=reread.is_worse)

    async def _reread(self, incoming: Incoming, document: Document) -> tuple[EndUser, Prepared]:
        """The person, told anew of what the message says of them, and the reading."""
        for _ in range(TRIES):
            user = await self._known(incoming.tenant, document["user_id"])
            bare = replace(user, profile=_without(user.profile, document["_id"]))
            prepared = await self._turns.reconsider(incoming, bare)
            if prepared.profile_after == user.profile:
                return user, prepared
            if await self._users.retell(user, prepared.profile_after):
                return user, prepared
        raise Transient("user_contended")

    def _told(self, envelope: Envelope, reread: _Reread, document: Document) -> list[Publication]:
        """Events of an edit, and the reviewed text when it turned out to be a cry for help."""
        now, incoming, prepared = self._clock(), reread.incoming, reread.prepared
        told = [changed_event(document, "edited", envelope.id, now)]
        if not reread.is_worse:
            return told
        told = [
            *safety_events(incoming, document["user_id"], prepared.safety, envelope.id),
            *told,
        ]
        waits = "due_at" in document["reply"]
        if incoming.wants_reply and not waits and isinstance(prepared.plan, FixedReply):
            told += reply_command(
                incoming,
                prepared.plan.text,
                delay_ms=0,
                urgent=True,
                now=now,
                delivery_id=f"{envelope.id}:0",
            )
        return told

    async def _revoked(self, envelope: Envelope, event: InboundNoticeReceived) -> None:
        original = revoked_id(event.message)
        if original is None:
            raise Permanent("notice_without_message")
        target = event_id(event.channel_id, original)
        document = await self._interactions.get(envelope.tenant, target)
        if document is None:
            await self._notices.keep(target, envelope)
            return
        await self._memories.forget(envelope.tenant, document["user_id"], (target,))
        await self._interactions.unrecall(
            envelope.tenant, document["user_id"], document["sent_at"].isoformat()
        )
        await self._forget_facts(envelope.tenant, document)
        await self._interactions.forget_unprocessed(target)
        emissions = [changed_event(document, "revoked", envelope.id, self._clock())]
        blank = _blanked(document, moment(event.message.get("timestamp")) or event.received_at)
        if await self._interactions.change(envelope.tenant, target, envelope.id, blank, emissions):
            await self._outbox.flush(target, emissions)
            log.info("message_revoked", interaction_id=target)

    async def _forget_facts(self, tenant: str, document: Document) -> None:
        for _ in range(TRIES):
            user = await self._known(tenant, document["user_id"])
            profile = _without(user.profile, document["_id"])
            if profile == user.profile or await self._users.retell(user, profile):
                return
        raise Transient("user_contended")

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

    async def _known(self, tenant: str, user_id: str) -> EndUser:
        user = await self._users.get(tenant, user_id)
        if user is None:
            raise Transient("user_vanished")
        return user


def _wording(edit: Edit, reread: _Reread, edited_at: datetime | None) -> Document:
    """What an edit sets on the interaction. How it moved the person stays as it was."""
    prepared, content = reread.prepared, edit.content
    message = {
        "type": content.kind,
        "text": prepared.shown,
        "pii": list(prepared.pii.kinds),
        "content": {"type": content.kind, **content.data},
        "line": prepared.message.line,
        "edited_at": edited_at or reread.incoming.received_at,
    }
    return {
        **{f"message.{name}": value for name, value in message.items()},
        **{f"analysis.{name}": value for name, value in reading_part(prepared).items()},
        "safety": safety_part(reread.safety),
    }


def _at_once(reread: _Reread, document: Document, now: datetime) -> Document:
    return {"reply.due_at": now} if reread.is_worse and "due_at" in document["reply"] else {}


def _blanked(document: Document, at: datetime) -> Document:
    """What a deletion does to the interaction: scores stay, words go."""
    matched = [{"phrase": "", "category": m["category"]} for m in document["safety"]["matched"]]
    kind = document["message"]["type"]
    return {
        "$set": {
            "message": {
                "type": kind,
                "text": "",
                "pii": [],
                "content": {"type": kind},
                "line": "",
                "revoked_at": at,
            },
            "analysis.triggers": [],
            "analysis.reasons": [],
            "analysis.safety_matched": [],
            "safety.matched": matched,
            "unquotable": True,
        }
    }


def _without(profile: Profile, source_id: str) -> Profile:
    return Profile(tuple(fact for fact in profile.facts if fact.source_id != source_id))
