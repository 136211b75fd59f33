"""The last things that happened at each channel's webhook."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from channels_api.adapters.collections import ACTIVITY
from shared.mongo.indexes import Database

KEPT_PER_CHANNEL = 500
TRIM_EVERY = 50
"""Insertions between two trims; a channel may hold this many more for a while."""
WEBHOOK_KINDS = ("handshake", "handshake_astray", "delivery", "problem")
TELLING = tuple(
    f"detail.{name}"
    for name in ("outcome", "problem", "messages", "statuses", "ignored", "foreign")
)

NEWEST_FIRST = [("at", -1), ("_id", -1)]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that happened."""

    tenant: str
    channel_id: str
    at: datetime
    kind: str
    detail: dict[str, Any]


class ActivityStore:
    """The ``activity`` collection."""

    def __init__(self, database: Database) -> None:
        self._activity = database[ACTIVITY]
        self._since_trim: dict[str, int] = {}

    async def add(self, event_id: str, item: Item) -> None:
        """Keep once; a repeat changes nothing."""
        try:
            await self._activity.insert_one({"_id": event_id, **asdict(item)})
        except DuplicateKeyError:
            return
        # The first one after a start trims too: what a process left behind must not pile up.
        since = self._since_trim.get(item.channel_id, TRIM_EVERY - 1) + 1
        self._since_trim[item.channel_id] = since % TRIM_EVERY
        if since == TRIM_EVERY:
            await self._trim({"tenant": item.tenant, "channel_id": item.channel_id})

    async def _trim(self, channel: dict[str, Any]) -> None:
        oldest_kept = (
            self._activity.find(channel, {"at": 1})
            .sort(NEWEST_FIRST)
            .skip(KEPT_PER_CHANNEL - 1)
            .limit(1)
        )
        async for kept in oldest_kept:
            older = [{"at": {"$lt": kept["at"]}}, {"at": kept["at"], "_id": {"$lt": kept["_id"]}}]
            await self._activity.delete_many({**channel, "$or": older})

    async def newest(self, tenant: str, channel_id: str, limit: int) -> list[dict[str, Any]]:
        """Newest first."""
        cursor = (
            self._activity.find({"tenant": tenant, "channel_id": channel_id})
            .sort(NEWEST_FIRST)
            .limit(limit)
        )
        return [
            {"at": item["at"], "kind": item["kind"], "detail": item["detail"]}
            async for item in cursor
        ]

    async def telling(self, tenant: str, channel_id: str) -> list[dict[str, Any]]:
        """What came to the webhook, in no order: times, kinds and what kind of each."""
        query = {"tenant": tenant, "channel_id": channel_id, "kind": {"$in": list(WEBHOOK_KINDS)}}
        shown = dict.fromkeys(("at", "kind", *TELLING), 1)
        return [row async for row in self._activity.find(query, shown)]
