"""Memories in MongoDB: one record per interaction, both sides, masked text only."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brain.adapters.collections import MEMORIES
from brain.adapters.user_store import older_than
from brain.domain.memory import Archive, Memory
from shared.clock import Clock
from shared.mongo.indexes import Database

NEWEST_FIRST = (("created_at", -1), ("_id", -1))
CLOCKS_DIFFER = timedelta(minutes=1)
"""How far the clocks of two replicas may be apart without one missing what the other stored."""
SLACK = 1.2
"""An archive may outgrow its window by so much before it is read anew."""


@dataclass
class _Cached:
    archive: Archive
    seen_until: datetime | None


class MemoryStore:
    """The ``memories`` collection, with the archives of the people who wrote last kept in memory.

    An archive is brought up to date by what was stored or forgotten since it was read, in any
    replica. ``window``: newest memories of a person that are searched. ``cached``: memories of all
    cached people together; about 3 KB each.
    """

    def __init__(self, database: Database, clock: Clock, *, window: int, cached: int) -> None:
        self._memories = database[MEMORIES]
        self._clock = clock
        self._window = window
        self._most_cached = cached
        self._cache: OrderedDict[tuple[str, str], _Cached] = OrderedDict()
        self._held = 0

    async def archive(self, tenant: str, user_id: str) -> Archive:
        """Everything remembered of a person within the window, oldest first."""
        key = (tenant, user_id)
        cached = self._cache.get(key)
        if cached is None or len(cached.archive) > self._window * SLACK:
            return await self._read(key)
        since = cached.seen_until
        changed = self._memories.find(
            {"tenant": tenant, "user_id": user_id}
            | ({} if since is None else {"stored_at": {"$gte": since - CLOCKS_DIFFER}})
        ).sort([("created_at", 1), ("_id", 1)])
        for document in await changed.to_list():
            self._take(cached, document)
        self._cache.move_to_end(key)
        return cached.archive

    async def _read(self, key: tuple[str, str]) -> Archive:
        cursor = (
            self._memories.find({"tenant": key[0], "user_id": key[1]})
            .sort(NEWEST_FIRST)
            .limit(self._window)
            .batch_size(self._window)
        )
        fresh = _Cached(Archive(), None)
        for document in reversed(await cursor.to_list()):
            self._take(fresh, document)
        self._forget_cached(key)
        self._cache[key] = fresh
        self._held += len(fresh.archive)
        while self._held > self._most_cached and len(self._cache) > 1:
            self._forget_cached(next(iter(self._cache)))
        return fresh.archive

    def _take(self, cached: _Cached, document: dict[str, Any]) -> None:
        stored_at = document.get("stored_at", document["created_at"])
        if cached.seen_until is None or stored_at > cached.seen_until:
            cached.seen_until = stored_at
        before = len(cached.archive)
        if "forgotten_at" in document:
            cached.archive.remove(document["_id"])
        else:
            cached.archive.revise(_memory(document))
        self._held += len(cached.archive) - before

    def _forget_cached(self, key: tuple[str, str]) -> None:
        old = self._cache.pop(key, None)
        if old is not None:
            self._held -= len(old.archive)

    def drop(self, tenant: str, user_id: str) -> None:
        """Keep nothing of the person in this process."""
        self._forget_cached((tenant, user_id))

    async def count(self, tenant: str, user_id: str) -> int:
        """How many memories of the person are kept."""
        return await self._memories.count_documents(
            {"tenant": tenant, "user_id": user_id, "forgotten_at": {"$exists": False}}
        )

    async def page(
        self, tenant: str, user_id: str, *, limit: int, after: tuple[datetime, str] | None
    ) -> list[Memory]:
        """Newest first, those beyond the window too; ``after`` is the last row of the page before."""
        query: dict[str, Any] = {
            "tenant": tenant,
            "user_id": user_id,
            "forgotten_at": {"$exists": False},
        }
        if after is not None:
            query |= older_than("created_at", after)
        found = self._memories.find(query).sort(NEWEST_FIRST).limit(limit)
        return [_memory(document) async for document in found]

    async def keep(self, tenant: str, user_id: str, memory: Memory) -> None:
        """Store once; a repeat with the same id changes nothing, not even after "forget that"."""
        await self._memories.update_one(
            {"_id": memory.id},
            {
                "$setOnInsert": {
                    "tenant": tenant,
                    "user_id": user_id,
                    "text": memory.text,
                    "importance": memory.importance,
                    "created_at": memory.created_at,
                    "stored_at": self._clock(),
                    "tokens": " ".join(memory.words),
                    "vector": None if memory.vector is None else _packed(memory.vector),
                    "reply": None,
                }
            },
            upsert=True,
        )

    async def revise(self, tenant: str, user_id: str, memory: Memory) -> None:
        """What was said reads otherwise now; one that was forgotten, or never kept, stays so."""
        await self._memories.update_one(
            {
                "_id": memory.id,
                "tenant": tenant,
                "user_id": user_id,
                "forgotten_at": {"$exists": False},
            },
            {
                "$set": {
                    "text": memory.text,
                    "importance": memory.importance,
                    "stored_at": self._clock(),
                    "tokens": " ".join(memory.words),
                    "vector": None if memory.vector is None else _packed(memory.vector),
                }
            },
        )

    async def move(self, tenant: str, from_user: str, to_user: str) -> int:
        """Two records are one person: everything remembered of the first becomes the second's."""
        moved = await self._memories.update_many(
            {"tenant": tenant, "user_id": from_user},
            {"$set": {"user_id": to_user, "stored_at": self._clock()}},
        )
        for user_id in (from_user, to_user):
            self._forget_cached((tenant, user_id))
        return moved.modified_count

    async def add_reply(self, memory_id: str, text: str) -> None:
        """The other side of the exchange, unless it was forgotten meanwhile."""
        await self._memories.update_one(
            {"_id": memory_id, "forgotten_at": {"$exists": False}}, {"$set": {"reply": text}}
        )

    async def forget(self, tenant: str, user_id: str, ids: tuple[str, ...]) -> None:
        """Blank what was said. The empty record tells other replicas, then expires by itself."""
        now = self._clock()
        await self._memories.update_many(
            {"_id": {"$in": list(ids)}, "tenant": tenant, "user_id": user_id},
            {
                "$set": {"forgotten_at": now, "stored_at": now, "text": "", "tokens": ""},
                "$unset": {"vector": "", "reply": ""},
            },
        )

    async def trim(self, tenant: str, user_id: str, cap: int) -> int:
        """Delete the oldest beyond ``cap``; how many."""
        beyond = (
            self._memories.find({"tenant": tenant, "user_id": user_id}, {"_id": 1})
            .sort(NEWEST_FIRST)
            .skip(cap)
        )
        # By id: the provider's times are whole seconds, so that a time is no boundary.
        ids = [document["_id"] async for document in beyond]
        if not ids:
            return 0
        result = await self._memories.delete_many({"_id": {"$in": ids}})
        cached = self._cache.get((tenant, user_id))
        if cached is not None:
            before = len(cached.archive)
            for memory_id in ids:
                cached.archive.remove(memory_id)
            self._held += len(cached.archive) - before
        return result.deleted_count


def _memory(document: dict[str, Any]) -> Memory:
    packed = document.get("vector")
    return Memory(
        id=document["_id"],
        text=document["text"],
        created_at=document["created_at"],
        importance=document["importance"],
        reply=document.get("reply"),
        tokens=tuple(document["tokens"].split()),
        vector=None if packed is None else _unpacked(packed),
    )


def _packed(vector: NDArray[np.float32]) -> bytes:
    """A unit vector as int8: a quarter of the size, and recall does not suffer."""
    return np.round(vector * 127).astype(np.int8).tobytes()


def _unpacked(packed: bytes) -> NDArray[np.float32]:
    return np.frombuffer(packed, dtype=np.int8).astype(np.float32) / np.float32(127)
