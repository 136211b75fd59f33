"""Interactions in MongoDB: one document is inbox, result and outbox (ADR 0003).

The document's ``user``, ``timing``, ``safety``, ``context``, ``analysis``, ``proactive`` and
``memory`` are the wire's own parts, so that a stored answer is the answer that was given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from brain.adapters.collections import INTERACTIONS, UNPROCESSED
from brain.adapters.user_store import older_than
from shared.bus.outbox import outbox_push
from shared.bus.port import Publication
from shared.clock import Clock
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
        safety: Document | None,
    ) -> Document | None:
        """Settle a pending reply and emit what follows from it; None when it was settled before.

        ``safety`` replaces the verdict when the check of the reply added to it.
        """
        push = outbox_push(publications, self._clock) if publications else {}
        verdict = {} if safety is None else {"safety": safety}
        return await self._interactions.find_one_and_update(
            {"_id": interaction_id, "reply.status": "pending"},
            {**push, "$set": {**push.get("$set", {}), **verdict, "reply": reply}},
            return_document=ReturnDocument.AFTER,
        )

    async def stop_quoting(self, tenant: str, user_id: str, ids: tuple[str, ...]) -> None:
        """The person asked us to forget these: no prompt may hold them again."""
        if ids:
            await self._interactions.update_many(
                {"_id": {"$in": list(ids)}, "tenant": tenant, "user_id": user_id},
                {"$set": {"unquotable": True}},
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
