"""Who is being erased, how far it is, and which messages must never come back."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo.errors import BulkWriteError

from brain.adapters.collections import (
    END_USERS,
    ERASED_MESSAGES,
    ERASURES,
    FORMER_USERS,
    INTERACTIONS,
    MEMORIES,
    NOTICES,
    OUTGOING,
    UNPROCESSED,
)
from brain.adapters.file_store import FileStore
from brain.adapters.user_store import EndUser
from shared.bus.outbox import outbox_fields, outbox_push
from shared.bus.port import Publication
from shared.clock import Clock
from shared.contracts import ContractError, Envelope
from shared.mongo.indexes import Database

BATCH = 500
SETTLES = timedelta(seconds=60)
"""After so long a second round finds what was on its way while the first one went through."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One person's; ``conversations`` is empty once all is gone."""

    user_id: str
    tenant: str
    conversations: tuple[str, ...]
    erased: Mapping[str, int]
    asked_at: datetime
    told: bool
    """Whether the world was."""
    settles_at: datetime | None
    """When the second round is due; None: it was done."""


class ErasureStore:
    """Goes through every collection of ours that knows a person."""

    def __init__(self, database: Database, files: FileStore, clock: Clock) -> None:
        self._database = database
        self._erasures = database[ERASURES]
        self._messages = database[ERASED_MESSAGES]
        self._files = files
        self._clock = clock

    async def begin(self, user: EndUser, by: str, commands: Sequence[Publication]) -> Erasure:
        """Write down that it must be done, with the commands to others; once."""
        row = {
            "tenant": user.tenant,
            "asked_at": self._clock(),
            "by": by,
            "conversations": [route.conversation_key for route in user.routes.values()],
            "erased": {},
            "told": False,
            "settles_at": self._clock() + SETTLES,
            **outbox_fields(commands, self._clock),
        }
        await self._erasures.update_one({"_id": user.id}, {"$setOnInsert": row}, upsert=True)
        found = await self._erasures.find_one({"_id": user.id})
        if found is None:
            raise LookupError("an erasure that was just begun is not there")
        return _erasure(found)

    async def of(self, tenant: str, user_id: str) -> Erasure | None:
        """That of a person who is gone."""
        found = await self._erasures.find_one({"_id": user_id, "tenant": tenant})
        return None if found is None else _erasure(found)

    async def due(self, now: datetime, limit: int) -> list[Erasure]:
        """Those whose second round is due."""
        rows = self._erasures.find({"settles_at": {"$lte": now}}).sort("settles_at", 1)
        return [_erasure(row) async for row in rows.limit(limit)]

    async def next_due_at(self, now: datetime) -> datetime | None:
        """When the next one after ``now`` is due."""
        row = await self._erasures.find_one({"settles_at": {"$gt": now}}, sort=[("settles_at", 1)])
        due_at: datetime | None = None if row is None else row["settles_at"]
        return due_at

    async def erase(self, erasure: Erasure) -> dict[str, int]:
        """One round; how many of each kind went. The person first: nobody moves them any more."""
        mine = {"tenant": erasure.tenant, "user_id": erasure.user_id}
        users = await self._database[END_USERS].delete_one(
            {"_id": erasure.user_id, "tenant": erasure.tenant}
        )
        gone = {"users": users.deleted_count, "interactions": 0}
        while rows := await self._rows(mine):
            ids = [row["_id"] for row in rows]
            await self._never_again(ids)
            for row in rows:
                if (row.get("message", {}).get("content") or {}).get("media"):
                    await self._files.delete(row["_id"])
            await self._database[NOTICES].delete_many({"target": {"$in": ids}})
            result = await self._database[INTERACTIONS].delete_many({"_id": {"$in": ids}})
            gone["interactions"] += result.deleted_count
        written = [row["_id"] async for row in self._database[OUTGOING].find(mine, {"_id": 1})]
        await self._never_again(written)
        for name, collection in (("memories", MEMORIES), ("messages", OUTGOING)):
            gone[name] = (await self._database[collection].delete_many(mine)).deleted_count
        await self._database[FORMER_USERS].delete_many(
            {"tenant": erasure.tenant, "into": erasure.user_id}
        )
        gone["unprocessed"] = await self._unprocessed(erasure)
        return {name: count for name, count in gone.items() if count}

    async def _rows(self, mine: dict[str, Any]) -> list[dict[str, Any]]:
        found = self._database[INTERACTIONS].find(mine, {"message.content": 1})
        return await found.limit(BATCH).to_list()

    async def _unprocessed(self, erasure: Erasure) -> int:
        """Messages that could not be handled know no person, only a conversation; they are few."""
        collection = self._database[UNPROCESSED]
        theirs = []
        async for row in collection.find({"tenant": erasure.tenant}):
            try:
                envelope = Envelope.decode(row["envelope"])
            except ContractError:
                continue
            key = envelope.data.get("conversation_key")
            # Whoever writes from there afterwards is somebody new.
            if key in erasure.conversations and envelope.time <= erasure.asked_at:
                theirs.append(row["_id"])
        await self._never_again(theirs)
        return (await collection.delete_many({"_id": {"$in": theirs}})).deleted_count

    async def finish(
        self, erasure: Erasure, gone: Mapping[str, int], news: Sequence[Publication], *, last: bool
    ) -> dict[str, int]:
        """Keep the counts; after the last round nothing that names the person. The sum of all rounds."""
        total = {
            name: erasure.erased.get(name, 0) + gone.get(name, 0)
            for name in {*erasure.erased, *gone}
        }
        push = outbox_push(news, self._clock)
        ended: dict[str, Any] = {"conversations": []} if last else {}
        if news:
            ended["told"] = True
        await self._erasures.update_one(
            {"_id": erasure.user_id},
            {
                **push,
                "$set": {**push.get("$set", {}), "erased": total, **ended},
                **({"$unset": {"settles_at": ""}} if last else {}),
            },
        )
        return total

    async def was_erased(self, event_ids: Iterable[str]) -> bool:
        """Whether one of these messages belonged to somebody who is erased."""
        hashes = [_hash(event_id) for event_id in event_ids]
        return await self._messages.find_one({"_id": {"$in": hashes}}, {"_id": 1}) is not None

    async def _never_again(self, event_ids: Sequence[str]) -> None:
        if not event_ids:
            return
        now = self._clock()
        rows = [{"_id": _hash(event_id), "at": now} for event_id in event_ids]
        try:
            await self._messages.insert_many(rows, ordered=False)
        except BulkWriteError as error:
            # Known from an earlier round.
            if any(problem["code"] != 11000 for problem in error.details["writeErrors"]):
                raise


def _hash(event_id: str) -> str:
    return hashlib.sha256(event_id.encode()).hexdigest()


def _erasure(row: dict[str, Any]) -> Erasure:
    return Erasure(
        user_id=row["_id"],
        tenant=row["tenant"],
        conversations=tuple(row["conversations"]),
        erased=row["erased"],
        asked_at=row["asked_at"],
        told=row["told"],
        settles_at=row.get("settles_at"),
    )
