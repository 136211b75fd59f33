"""The last things that happened at each channel's webhook."""

from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from channels_api.adapters.collections import ACTIVITY
from shared.mongo.indexes import Database

KEPT_PER_CHANNEL = 500
TRIM_EVERY = 50
"""Insertions between two trims; a channel may hold this many more for a while."""


class ActivityStore:
    """The ``activity`` collection."""

    def __init__(self, database: Database) -> None:
        self._activity = database[ACTIVITY]
        self._since_trim: dict[str, int] = {}

    async def add(
        self, event_id: str, channel_id: str, *, at: datetime, kind: str, detail: dict[str, Any]
    ) -> None:
        """Keep once; a repeat changes nothing."""
        try:
            await self._activity.insert_one(
                {
                    "_id": event_id,
                    "channel_id": channel_id,
                    "at": at,
                    "kind": kind,
                    "detail": detail,
                }
            )
        except DuplicateKeyError:
            return
        self._since_trim[channel_id] = self._since_trim.get(channel_id, 0) + 1
        if self._since_trim[channel_id] >= TRIM_EVERY:
            self._since_trim[channel_id] = 0
            await self._trim(channel_id)

    async def _trim(self, channel_id: str) -> None:
        boundary = (
            self._activity.find({"channel_id": channel_id}, {"at": 1})
            .sort([("at", -1), ("_id", -1)])
            .skip(KEPT_PER_CHANNEL)
            .limit(1)
        )
        async for document in boundary:
            await self._activity.delete_many(
                {"channel_id": channel_id, "at": {"$lte": document["at"]}}
            )

    async def newest(self, channel_id: str, limit: int) -> list[dict[str, Any]]:
        """Newest first."""
        cursor = (
            self._activity.find({"channel_id": channel_id})
            .sort([("at", -1), ("_id", -1)])
            .limit(limit)
        )
        return [
            {"at": item["at"], "kind": item["kind"], "detail": item["detail"]}
            async for item in cursor
        ]
