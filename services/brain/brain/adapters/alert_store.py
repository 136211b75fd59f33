"""Alerts in MongoDB: a part of the interaction that raised them (ADR 0018)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from brain.adapters.collections import INTERACTIONS
from brain.adapters.interaction_store import LISTED, Document, with_outbox
from brain.adapters.user_store import older_than
from shared.bus.port import Publication
from shared.clock import Clock
from shared.mongo.indexes import Database

COUNTED = 1_000


class AlertStore:
    """The ``alert`` of ``interactions``."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._interactions = database[INTERACTIONS]
        self._clock = clock

    async def page(
        self,
        tenant: str,
        *,
        is_open: bool | None,
        limit: int,
        after: tuple[datetime, str] | None,
    ) -> list[Document]:
        """Raised last first; ``is_open``: None for all; ``after``: the last row of the page before."""
        query: Document = {"tenant": tenant, "alert.raised_at": {"$exists": True}}
        if is_open is not None:
            query["alert.open"] = is_open
        if after is not None:
            query = {"$and": [query, older_than("alert.raised_at", after)]}
        cursor = self._interactions.find(query, LISTED)
        return await cursor.sort([("alert.raised_at", -1), ("_id", -1)]).limit(limit).to_list()

    async def count_open(self, tenant: str) -> int:
        """How many wait, counted up to 1,000."""
        return await self._interactions.count_documents(
            {"tenant": tenant, "alert.open": True, "alert.raised_at": {"$exists": True}},
            limit=COUNTED,
        )

    async def get(self, tenant: str, interaction_id: str) -> Document | None:
        """The interaction, when it has an alert."""
        return await self._interactions.find_one(
            {"_id": interaction_id, "tenant": tenant, "alert": {"$exists": True}}, LISTED
        )

    async def change(
        self,
        tenant: str,
        interaction_id: str,
        update: Mapping[str, Any],
        publications: Sequence[Publication],
    ) -> None:
        """What a human did, and the event that tells of it, in one write."""
        await self._interactions.update_one(
            {"_id": interaction_id, "tenant": tenant, "alert": {"$exists": True}},
            with_outbox(update, publications, self._clock),
        )
