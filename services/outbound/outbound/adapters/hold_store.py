"""Holds in MongoDB: what one replica learnt, the others need not ask the provider again."""

from datetime import datetime, timedelta

from outbound.domain.deliveries import Waiting
from outbound.domain.holds import Hold, longest
from shared.clock import Clock
from shared.mongo.indexes import Database, Index

HOLDS = "holds"
FRESH = timedelta(seconds=1)
"""How old our picture of the others' holds may be."""

INDEXES = (Index(HOLDS, (("until", 1),), name="expiry", expire_after_s=0),)


class HoldStore:
    """The ``holds`` collection, a handful of documents, read at most once a second."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._holds = database[HOLDS]
        self._clock = clock
        self._known: dict[str, Hold] = {}
        self._read_at: datetime | None = None
        self._lifted = 0

    async def put(self, key: str, hold: Hold) -> None:
        """Hold it; the later end of two counts."""
        known = self._known.get(key)
        if known is None or known.until < hold.until:
            self._known[key] = hold
        await self._holds.update_one(
            {"_id": key},
            {"$max": {"until": hold.until}, "$set": {"waiting": hold.waiting.value}},
            upsert=True,
        )

    async def of(self, keys: tuple[str, ...]) -> Hold | None:
        """The hold on any of ``keys`` that ends last."""
        now = self._clock()
        if self._read_at is None or now - self._read_at >= FRESH:
            self._read_at = now
            lifted = self._lifted
            rows = await self._holds.find({"until": {"$gt": now}}).to_list()
            if lifted == self._lifted:
                # Else a hold that was lifted while we read would come back.
                self._known = {
                    row["_id"]: Hold(row["until"], Waiting(row["waiting"])) for row in rows
                }
        return longest((self._known[key] for key in keys if key in self._known), now)

    async def lift(self, key: str | None) -> None:
        """It holds no longer; None is everything that waits for a channel to be mended."""
        self._lifted += 1
        if key is None:
            self._known.clear()
            await self._holds.delete_many({"waiting": Waiting.CHANNEL.value})
        else:
            self._known.pop(key, None)
            await self._holds.delete_one({"_id": key})
