"""Memories in MongoDB: one record per interaction, both sides, masked text only."""

from datetime import datetime

from brain.adapters.collections import MEMORIES
from brain.domain.memory import Memory, tokenise
from shared.mongo.indexes import Database


class MemoryStore:
    """The ``memories`` collection."""

    def __init__(self, database: Database) -> None:
        self._memories = database[MEMORIES]

    async def newest(
        self, tenant: str, user_id: str, limit: int, *, but: str | None = None
    ) -> tuple[Memory, ...]:
        """The newest memories, oldest first, without the one named ``but``."""
        cursor = (
            self._memories.find({"tenant": tenant, "user_id": user_id})
            .sort("created_at", -1)
            .limit(limit)
        )
        newest_first = [
            Memory(
                id=document["_id"],
                text=document["text"],
                created_at=document["created_at"],
                importance=document["importance"],
                reply=document["reply"],
                tokens=tuple(document["tokens"].split()),
            )
            async for document in cursor
            if document["_id"] != but
        ]
        return tuple(reversed(newest_first))

    async def count(self, tenant: str, user_id: str) -> int:
        """How many memories of the person are kept."""
        return await self._memories.count_documents({"tenant": tenant, "user_id": user_id})

    async def keep(self, tenant: str, user_id: str, memory: Memory) -> None:
        """Store once; a repeat with the same id changes nothing."""
        await self._memories.update_one(
            {"_id": memory.id},
            {
                "$setOnInsert": {
                    "tenant": tenant,
                    "user_id": user_id,
                    "text": memory.text,
                    "importance": memory.importance,
                    "created_at": memory.created_at,
                    "tokens": " ".join(memory.tokens or tokenise(memory.text)),
                    "reply": None,
                }
            },
            upsert=True,
        )

    async def add_reply(self, memory_id: str, text: str) -> None:
        """The other side of the exchange."""
        await self._memories.update_one({"_id": memory_id}, {"$set": {"reply": text}})

    async def trim(self, tenant: str, user_id: str, cap: int) -> int:
        """Forget the oldest beyond ``cap``; how many."""
        boundary = (
            self._memories.find({"tenant": tenant, "user_id": user_id}, {"created_at": 1})
            .sort("created_at", -1)
            .skip(cap)
            .limit(1)
        )
        oldest: list[datetime] = [document["created_at"] async for document in boundary]
        if not oldest:
            return 0
        result = await self._memories.delete_many(
            {"tenant": tenant, "user_id": user_id, "created_at": {"$lte": oldest[0]}}
        )
        return result.deleted_count
