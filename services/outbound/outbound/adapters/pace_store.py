"""Paces in MongoDB, shared by all replicas: one atomic update is one reservation."""

from datetime import timedelta
from typing import Any

from pymongo import ReturnDocument

from outbound.domain.pacing import Pace
from shared.mongo.indexes import Database, Index

PACES = "paces"
KEPT_MS = 15 * 60_000
"""A pace that nobody used for so long is as good as new."""

INDEXES = (Index(PACES, (("expires_at", 1),), name="expiry", expire_after_s=0),)


class PaceStore:
    """The ``paces`` collection. Times are the server's: replicas need not agree on theirs."""

    def __init__(self, database: Database) -> None:
        self._paces = database[PACES]

    async def reserve(self, pace: Pace) -> timedelta:
        """Take the next place; how long to wait for it."""
        now: dict[str, Any] = {"$toDouble": {"$toLong": "$$NOW"}}
        arrival = {"$add": [{"$max": ["$arrival_ms", now]}, pace.interval_ms]}
        kept = {"$add": ["$$NOW", KEPT_MS + int(pace.tolerance_ms)]}
        after = await self._paces.find_one_and_update(
            {"_id": pace.key},
            [{"$set": {"arrival_ms": arrival, "now_ms": now, "expires_at": kept}}],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        assert after is not None  # noqa: S101 - an upsert leaves a document
        before_ms = after["arrival_ms"] - pace.interval_ms
        return timedelta(milliseconds=pace.wait_ms(before_ms, after["now_ms"]))
