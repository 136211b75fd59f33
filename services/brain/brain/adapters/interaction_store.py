"""Interactions in MongoDB: one document is inbox, result and outbox (ADR 0003).

The document's ``user``, ``timing``, ``safety``, ``context``, ``analysis``, ``proactive`` and
``memory`` are the wire's own parts, so that a stored answer is the answer that was given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from brain.adapters.collections import INTERACTIONS, UNPROCESSED
from brain.adapters.delivery_records import record_delivery
from brain.adapters.user_store import older_than
from brain.domain import alerts
from brain.domain.alerts import Raised
from shared.bus.outbox import outbox_push
from shared.bus.port import Publication
from shared.clock import Clock
from shared.contracts import SafetyBlocked, SafetyHeld, SafetyRaised
from shared.mongo.indexes import Database

Document = dict[str, Any]

LISTED: dict[str, int] = {"emits": 0}
"""No reader needs the outbox."""
SAID: dict[str, int] = {"at": 1, "message.text": 1, "reply": 1, "unquotable": 1}
"""What a conversation is told from."""


@dataclass(frozen=True, slots=True)
class InteractionFilter:
    """Which interactions to list; None does not filter."""

    user_id: str | None = None
    since: datetime | None = None
    channel: str | None = None
    channel_id: str | None = None
    action: str | None = None


class InteractionStore:
    """The ``interactions`` collection."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._interactions = database[INTERACTIONS]
        self._unprocessed = database[UNPROCESSED]
        self._clock = clock

    async def get(self, tenant: str, interaction_id: str) -> Document | None:
        """One interaction."""
        return await self._interactions.find_one({"_id": interaction_id, "tenant": tenant})

    async def insert(self, document: Document) -> bool:
        """Write the result, once; False when the message was handled before, by whomever."""
        try:
            await self._interactions.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def conclude_reply(
        self,
        interaction_id: str,
        reply: Document,
        publications: Sequence[Publication],
        *,
        safety: Mapping[str, Any] | None,
        claim: str | None = None,
    ) -> Document | None:
        """Settle a pending reply and emit what follows from it; None when it was settled before.

        ``safety`` replaces the verdict when the check of the reply added to it. ``claim``: only
        while nobody else has taken the reply on.
        """
        held = {} if claim is None else {"reply.claim": claim}
        verdict = {} if safety is None else {"safety": safety}
        return await self._interactions.find_one_and_update(
            {"_id": interaction_id, "reply.status": "pending", **held},
            _emitting({"$set": {**verdict, "reply": reply}}, publications, self._clock),
            return_document=ReturnDocument.AFTER,
        )

    async def postpone(self, interaction_ids: Sequence[str], due_at: datetime) -> None:
        """The burst goes on: answer these later."""
        await self._interactions.update_many(
            {"_id": {"$in": list(interaction_ids)}, "reply.due_at": {"$exists": True}},
            {"$set": {"reply.due_at": due_at}},
        )

    async def due(self, now: datetime, limit: int) -> list[Document]:
        """Interactions whose pending reply is due, longest overdue first."""
        return await self._due("reply.due_at", now, limit)

    async def next_due_at(self, now: datetime) -> datetime | None:
        """When the next pending reply after ``now`` falls due."""
        return await self._next("reply", now)

    async def files_due(self, now: datetime, limit: int) -> list[Document]:
        """Interactions whose file is to be fetched, longest overdue first."""
        return await self._due("fetch.due_at", now, limit)

    async def next_file_due_at(self, now: datetime) -> datetime | None:
        """When the next file after ``now`` is to be fetched."""
        return await self._next("fetch", now)

    async def _due(self, field: str, now: datetime, limit: int) -> list[Document]:
        cursor = self._interactions.find({field: {"$lte": now}}, LISTED).sort(field, 1)
        return await cursor.limit(limit).to_list()

    async def _next(self, part: str, now: datetime) -> datetime | None:
        field = f"{part}.due_at"
        found = await self._interactions.find_one(
            {field: {"$gt": now}}, {field: 1}, sort=[(field, 1)]
        )
        if found is None:
            return None
        due_at: datetime = found[part]["due_at"]
        return due_at

    async def take_file(self, row: Document, until: datetime) -> bool:
        """Be the one who fetches it until then; False when somebody else is."""
        result = await self._interactions.update_one(
            {"_id": row["_id"], "fetch.due_at": row["fetch"]["due_at"]},
            {"$set": {"fetch.due_at": until}, "$inc": {"fetch.tries": 1}},
        )
        return result.modified_count == 1

    async def end_file(
        self, interaction_id: str, *, retry_at: datetime | None, problem: str | None
    ) -> None:
        """The file was dealt with; or it is tried again at ``retry_at``."""
        if retry_at is not None:
            change: Document = {"$set": {"fetch.due_at": retry_at}}
        elif problem is not None:
            change = {"$unset": {"fetch": ""}, "$set": {"message.content.media.problem": problem}}
        else:
            change = {"$unset": {"fetch": ""}}
        await self._interactions.update_one(
            {"_id": interaction_id, "fetch": {"$exists": True}}, change
        )

    async def waiting(self, tenant: str, user_id: str, channel_id: str | None) -> list[Document]:
        """A person's messages on the channel whose reply is due at some time, oldest first."""
        cursor = self._interactions.find(
            {"tenant": tenant, "user_id": user_id, "reply.due_at": {"$exists": True}}, LISTED
        )
        found = [row for row in await cursor.to_list() if row["channel_id"] == channel_id]
        return sorted(found, key=_moment_of)

    async def joined_into(self, interaction_ids: Sequence[str]) -> list[Document]:
        """Messages that were joined to one of these, oldest first."""
        cursor = self._interactions.find({"reply.into": {"$in": list(interaction_ids)}}, LISTED)
        return sorted(await cursor.to_list(), key=_moment_of)

    async def later_than(self, row: Document) -> list[Document]:
        """What the person wrote on the same channel after ``row``, oldest first."""
        cursor = self._interactions.find(
            {"tenant": row["tenant"], "user_id": row["user_id"], "at": {"$gt": row["at"]}}, LISTED
        )
        found = [one for one in await cursor.to_list() if one["channel_id"] == row["channel_id"]]
        return sorted(found, key=_moment_of)

    async def claim(self, interaction_ids: Sequence[str], claim: str, until: datetime) -> None:
        """Take pending replies on until then; an earlier claim ends."""
        await self._interactions.update_many(
            {"_id": {"$in": list(interaction_ids)}, "reply.status": "pending"},
            {"$set": {"reply.claim": claim, "reply.due_at": until}},
        )

    async def join(
        self, interaction_ids: Sequence[str], into: str, claim: str, now: datetime
    ) -> None:
        """One reply answers these too."""
        await self._interactions.update_many(
            {"_id": {"$in": list(interaction_ids)}, "reply.claim": claim},
            {"$set": {"reply": {"status": "joined", "into": into, "at": now}}},
        )

    async def change(
        self,
        tenant: str,
        interaction_id: str,
        notice_id: str,
        update: Document,
        publications: Sequence[Publication],
    ) -> bool:
        """Apply what a notice says, once; False when it was applied before."""
        marked = {**update.get("$addToSet", {}), "noticed": notice_id}
        result = await self._interactions.update_one(
            {"_id": interaction_id, "tenant": tenant, "noticed": {"$ne": notice_id}},
            _emitting({**update, "$addToSet": marked}, publications, self._clock),
        )
        return result.modified_count == 1

    async def with_reply(self, tenant: str, provider_message_id: str) -> Document | None:
        """The interaction whose reply the provider calls by this id."""
        return await self._interactions.find_one(
            {"tenant": tenant, "reply.deliveries.provider_message_id": provider_message_id}, LISTED
        )

    async def record_delivery(self, tenant: str, interaction_id: str, delivery: Document) -> bool:
        """What became of one part of the reply; False when there is no such interaction."""
        mine = {"_id": interaction_id, "tenant": tenant}
        return await record_delivery(self._interactions, mine, "reply.deliveries", delivery)

    async def unrecall(self, tenant: str, user_id: str, said_at: str) -> None:
        """Take what was said at that moment out of what later messages brought back."""
        await self._interactions.update_many(
            {
                "tenant": tenant,
                "user_id": user_id,
                "memory.relevant_memories.timestamp": said_at,
            },
            {"$pull": {"memory.relevant_memories": {"timestamp": said_at}}},
        )

    async def forget_unprocessed(self, event_id: str) -> None:
        """What was kept because it could not be handled."""
        await self._unprocessed.delete_one({"_id": event_id})

    async def stop_quoting(self, tenant: str, user_id: str, ids: tuple[str, ...]) -> None:
        """The person asked us to forget these: no prompt may hold them again."""
        if ids:
            await self._interactions.update_many(
                {"_id": {"$in": list(ids)}, "tenant": tenant, "user_id": user_id},
                {"$set": {"unquotable": True}},
            )

    async def move(self, tenant: str, from_user: str, to_user: str) -> None:
        """Two records are one person: the first one's past is the second's."""
        await self._interactions.update_many(
            {"tenant": tenant, "user_id": from_user}, {"$set": {"user_id": to_user}}
        )

    async def page(
        self,
        tenant: str,
        wanted: InteractionFilter,
        *,
        limit: int,
        after: tuple[datetime, str] | None = None,
        fields: Mapping[str, int] = LISTED,
    ) -> list[Document]:
        """Newest first; ``after`` is the last row of the page before."""
        query: Document = {"tenant": tenant}
        if wanted.user_id is not None:
            query["user_id"] = wanted.user_id
        if wanted.since is not None:
            query["at"] = {"$gt": wanted.since}
        if wanted.channel is not None:
            query["channel"] = wanted.channel
        if wanted.channel_id is not None:
            query["channel_id"] = wanted.channel_id
        if wanted.action is not None:
            query["safety.action"] = wanted.action
        if after is not None:
            query = {"$and": [query, older_than("at", after)]}
        cursor = self._interactions.find(query, fields).sort([("at", -1), ("_id", -1)]).limit(limit)
        return [document async for document in cursor]

    async def keep_unprocessed(
        self, event_id: str, tenant: str, reason: str, envelope: bytes
    ) -> None:
        """Keep what could not be handled, whole, for a person to look at and redrive."""
        await self._unprocessed.update_one(
            {"_id": event_id},
            {
                "$set": {
                    "tenant": tenant,
                    "reason": reason,
                    "envelope": envelope,
                    "at": self._clock(),
                }
            },
            upsert=True,
        )


def _emitting(update: Document, publications: Sequence[Publication], clock: Clock) -> Document:
    """``update`` with the outbox's fields in it, and the alert that the events raise."""
    raised = raised_by(publications)
    return with_outbox(
        joined(update, alerts.again(raised, clock())) if raised else update, publications, clock
    )


def with_outbox(
    update: Mapping[str, Any], publications: Sequence[Publication], clock: Clock
) -> Document:
    """``update`` with the outbox's own fields in it."""
    return joined(update, outbox_push(publications, clock))


def joined(update: Mapping[str, Any], more: Mapping[str, Any]) -> Document:
    """Two updates of different fields as one."""
    return {name: {**update.get(name, {}), **more.get(name, {})} for name in {**update, **more}}


def raised_by(publications: Sequence[Publication]) -> list[Raised]:
    """What among the events calls a human."""
    kinds: tuple[tuple[Literal["BLOCK", "HOLD"], type[SafetyRaised]], ...] = (
        ("BLOCK", SafetyBlocked),
        ("HOLD", SafetyHeld),
    )
    return [
        Raised(action, told.flags, told.risk_score)
        for publication in publications
        for action, payload in kinds
        if publication.envelope.type == payload.TYPE
        for told in [publication.envelope.payload(payload)]
    ]


def _moment_of(document: Document) -> tuple[datetime, str]:
    return document["at"], document["_id"]
