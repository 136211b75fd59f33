"""How much was said and answered: read from one index, no document is fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from brain.adapters.collections import INTERACTIONS
from shared.mongo.indexes import Database

INDEX = "tenant_at_outcome"
ANSWERED = ("fixed", "model", "joined")
TIMED = 2_000
"""Newest answers whose latency is looked at."""

Pipeline = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one bucket."""

    received: int = 0
    answered: int = 0
    held: int = 0
    blocked: int = 0


class Traffic:
    """Counts over ``interactions``."""

    def __init__(self, database: Database) -> None:
        self._interactions = database[INTERACTIONS]

    async def counts(self, tenant: str, since: datetime, bucket: timedelta) -> dict[int, Counts]:
        """By number of the bucket, the first of which begins at ``since``; empty ones are left out."""
        cursor = await self._interactions.aggregate(buckets(tenant, since, bucket), hint=INDEX)
        return {int(row.pop("_id")): Counts(**row) for row in await cursor.to_list()}

    async def people(self, tenant: str, since: datetime) -> int:
        """How many wrote."""
        cursor = await self._interactions.aggregate(
            [
                {"$match": {"tenant": tenant, "at": {"$gte": since}}},
                {"$group": {"_id": "$user_id"}},
                {"$count": "people"},
            ],
            hint=INDEX,
        )
        rows = await cursor.to_list()
        return int(rows[0]["people"]) if rows else 0

    async def latencies_ms(self, tenant: str, since: datetime) -> list[float]:
        """From a message to its answer, of the newest 2,000 answers, shortest first."""
        cursor = (
            self._interactions.find(
                {
                    "tenant": tenant,
                    "at": {"$gte": since},
                    "reply.status": {"$in": ["fixed", "model"]},
                },
                {"_id": 0, "at": 1, "reply.at": 1},
            )
            .hint(INDEX)
            .sort([("at", -1), ("_id", -1)])
            .limit(TIMED)
        )
        return sorted(
            [(row["reply"]["at"] - row["at"]) / timedelta(milliseconds=1) async for row in cursor]
        )

    async def overdue(self, tenant: str, before: datetime) -> int:
        """Replies that should have been written before then."""
        return await self._interactions.count_documents(
            {"tenant": tenant, "reply.due_at": {"$lt": before}}, hint="tenant_user_reply_due"
        )


def buckets(tenant: str, since: datetime, bucket: timedelta) -> Pipeline:
    """The aggregation of ``counts``."""
    number = {
        "$floor": {"$divide": [{"$subtract": ["$at", since]}, bucket / timedelta(milliseconds=1)]}
    }

    def of(condition: dict[str, Any]) -> dict[str, Any]:
        return {"$sum": {"$cond": [condition, 1, 0]}}

    return [
        {"$match": {"tenant": tenant, "at": {"$gte": since}}},
        {
            "$group": {
                "_id": number,
                "received": {"$sum": 1},
                "answered": of({"$in": ["$reply.status", list(ANSWERED)]}),
                "held": of({"$eq": ["$safety.action", "HOLD"]}),
                "blocked": of({"$eq": ["$safety.action", "BLOCK"]}),
            }
        },
    ]
