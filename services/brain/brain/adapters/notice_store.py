"""Notices that came before the message they are about: nobody promises an order (Meta)."""

from brain.adapters.collections import NOTICES
from shared.clock import Clock
from shared.contracts import Envelope
from shared.mongo.indexes import Database


class NoticeStore:
    """The ``notices`` collection. What its message never follows expires after 8 days."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._notices = database[NOTICES]
        self._clock = clock

    async def keep(self, target: str, envelope: Envelope) -> None:
        """Let it wait for the interaction ``target``."""
        await self._notices.update_one(
            {"_id": envelope.id},
            {"$setOnInsert": {"target": target, "at": self._clock(), "body": envelope.encode()}},
            upsert=True,
        )

    async def waiting(self, target: str) -> list[Envelope]:
        """Those that wait for ``target``, oldest first."""
        cursor = self._notices.find({"target": target}).sort("at", 1)
        return [Envelope.decode(document["body"]) async for document in cursor]

    async def blank(self, target: str) -> None:
        """Its author took the message back: what others said of it has no place any more."""
        await self._notices.delete_many({"target": target})

    async def drop(self, notice_id: str) -> None:
        """It was applied."""
        await self._notices.delete_one({"_id": notice_id})
