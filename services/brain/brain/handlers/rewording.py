"""A stored message reads otherwise now: its author edited it, or a voice note was heard.

It is read again. The verdict may only rise, and only more danger than before is answered at once.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from brain.adapters.user_store import EndUser
from brain.domain.profile import Profile
from brain.domain.safety import SafetyVerdict, strictest
from brain.domain.turn import FixedReply, Prepared, remember
from brain.domain.whatsapp.content import Content
from brain.domain.wire import reading_part, safety_part, verdict_of
from brain.handlers.emissions import changed_event, reply_command, safety_events
from brain.handlers.incoming import Incoming
from brain.handlers.stores import Stores
from brain.handlers.turns import Turns
from shared.bus.failures import Transient
from shared.bus.port import Publication
from shared.clock import Clock

log = structlog.get_logger()

TRIES = 10

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wording:
    """What a message says now. ``cause`` names the change: applied twice, it counts once.

    ``marks`` are set beside the text, such as ``edited_at``. ``keeps_old``: the text before stays
    readable for those who look. ``moves_person``: the words are new to us, not a correction.
    """

    cause: str
    marks: Document
    keeps_old: bool
    moves_person: bool


@dataclass(frozen=True, slots=True)
class _Reread:
    """The message, read again."""

    incoming: Incoming
    user: EndUser
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


class Rewording:
    """Gives stored messages new words."""

    def __init__(self, stores: Stores, turns: Turns, clock: Clock) -> None:
        self._users = stores.users
        self._interactions = stores.interactions
        self._memories = stores.memories
        self._outbox = stores.outbox
        self._turns = turns
        self._clock = clock

    async def apply(self, incoming: Incoming, document: Document, wording: Wording) -> bool:
        """Let ``incoming`` be what the stored message says; False when it was applied before.

        Raises Transient.
        """
        reread = await self._reread(incoming, document, wording)
        emissions = self._told(reread, document, wording)
        update: Document = {"$set": {**_fields(reread, wording), **self._waiting(reread, document)}}
        if wording.keeps_old:
            old = {"text": document["message"]["text"], "until": self._clock()}
            update["$push"] = {"message.versions": old}
        if not await self._interactions.change(
            incoming.tenant, document["_id"], wording.cause, update, emissions
        ):
            return False
        await self._remember(reread, document)
        await self._outbox.flush(document["_id"], emissions)
        log.info("message_reworded", interaction_id=document["_id"], worse=reread.is_worse)
        return True

    async def forget_facts(self, tenant: str, document: Document) -> None:
        """Drop what the message told of its author. Raises Transient."""
        for _ in range(TRIES):
            user = await self._users.existing(tenant, document["user_id"])
            profile = _without(user.profile, document["_id"])
            if profile == user.profile or await self._users.retell(user, profile):
                return
        raise Transient("user_contended")

    async def _reread(self, incoming: Incoming, document: Document, wording: Wording) -> _Reread:
        before = verdict_of(document["safety"])
        for _ in range(TRIES):
            user = await self._users.existing(incoming.tenant, document["user_id"])
            bare = replace(user, profile=_without(user.profile, document["_id"]))
            prepared = await self._turns.reconsider(incoming, bare)
            reread = _Reread(incoming, user, prepared, before)
            if wording.moves_person and user.applied_for(wording.cause) is None:
                if await self._moved(reread, wording):
                    return reread
            elif prepared.profile_after == user.profile or await self._users.retell(
                user, prepared.profile_after
            ):
                return reread
        raise Transient("user_contended")

    async def _moved(self, reread: _Reread, wording: Wording) -> bool:
        """The words move the person; the message was counted when it came."""
        prepared = reread.prepared
        count = prepared.state_before.interaction_count
        return await self._users.move(
            reread.user,
            wording.cause,
            before=prepared.state_before,
            after=replace(prepared.state_after, interaction_count=count),
            profile=prepared.profile_after,
            address=reread.incoming.address,
            at=prepared.now,
            action=prepared.safety.action.value,
        )

    def _told(self, reread: _Reread, document: Document, wording: Wording) -> list[Publication]:
        """Events of the change, and the reviewed text when it turned out to be a cry for help."""
        now, incoming, prepared = self._clock(), reread.incoming, reread.prepared
        told = [changed_event(document, "edited", wording.cause, now)]
        if not reread.is_worse:
            return told
        told = [
            *safety_events(incoming, document["user_id"], prepared.safety, wording.cause),
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
                delivery_id=f"{wording.cause}:0",
            )
        return told

    def _waiting(self, reread: _Reread, document: Document) -> Document:
        """A burst must not go on waiting with a cry for help in it."""
        waits = reread.is_worse and "due_at" in document["reply"]
        return {"reply.due_at": self._clock()} if waits else {}

    async def _remember(self, reread: _Reread, document: Document) -> None:
        tenant, user_id = reread.incoming.tenant, reread.user.id
        memory = remember(reread.prepared, embedder=self._turns.embedder)
        if memory is None:
            await self._memories.forget(tenant, user_id, (document["_id"],))
        else:
            await self._memories.keep(tenant, user_id, memory)
            await self._memories.revise(tenant, user_id, memory)


def _fields(reread: _Reread, wording: Wording) -> Document:
    """What changes on the interaction. How the message moved the person stays as it was."""
    prepared, content = reread.prepared, reread.incoming.content
    message = {
        "type": content.kind,
        "text": prepared.shown,
        "pii": list(prepared.pii.kinds),
        "content": content_document(content),
        "line": prepared.message.line,
        **wording.marks,
    }
    return {
        **{f"message.{name}": value for name, value in message.items()},
        **{f"analysis.{name}": value for name, value in reading_part(prepared).items()},
        "safety": safety_part(reread.safety),
    }


def content_document(content: Content) -> Document:
    """The typed object as it is stored."""
    return {"type": content.kind, **content.data}


def blanked(document: Document, at: datetime) -> Document:
    """The update that a deletion is: scores stay, words go."""
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
        },
        "$unset": {"fetch": ""},
    }


def _without(profile: Profile, source_id: str) -> Profile:
    return Profile(tuple(fact for fact in profile.facts if fact.source_id != source_id))
