"""Memories in MongoDB: one record per interaction, both sides, masked text only."""

from brain.adapters.collections import MEMORIES
from brain.domain.memory import Memory, tokenise
from shared.mongo.indexes import Database

NEWEST_FIRST = (("created_at", -1), ("_id", -1))


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
            .sort(NEWEST_FIRST)
            .limit(limit)
            .batch_size(limit)
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
            for document in await cursor.to_list()
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
        return result.deleted_count
