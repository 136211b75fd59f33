"""What humans of the business wrote to people: from the API, or from the phone app beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pymongo.errors import DuplicateKeyError

from brain.adapters.collections import OUTGOING
from brain.adapters.delivery_records import record_delivery
from brain.adapters.user_store import older_than
from shared.bus.outbox import outbox_fields
from shared.bus.port import Publication
from shared.clock import Clock
from shared.mongo.indexes import Database

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message of a human. ``template`` is its name when it is no free text."""

    id: str
    tenant: str
    user_id: str
    channel_id: str
    author: Literal["operator", "phone_app"]
    text: str
    at: datetime
    template: str | None = None
    provider_message_id: str | None = None
    fingerprint: str | None = None
    """SHA-256 of the request's body when the caller gave an idempotency key."""


class OutgoingStore:
    """The ``outgoing`` collection."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._outgoing = database[OUTGOING]
        self._clock = clock

    async def insert(self, message: Outgoing, publications: Sequence[Publication] = ()) -> bool:
        """Keep it, once; False when its id is known."""
        sent = (
            []
            if message.provider_message_id is None
            else [
                {
                    "id": message.id,
                    "state": "sent",
                    "at": message.at,
                    "provider_message_id": message.provider_message_id,
                }
            ]
        )
        document = {
            "_id": message.id,
            "tenant": message.tenant,
            "user_id": message.user_id,
            "channel_id": message.channel_id,
            "author": message.author,
            "text": message.text,
            "template": message.template,
            "fingerprint": message.fingerprint,
            "at": message.at,
            "deliveries": sent,
            **outbox_fields(publications, self._clock),
        }
        try:
            await self._outgoing.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def get(self, tenant: str, message_id: str) -> Document | None:
        """One message."""
        return await self._outgoing.find_one({"_id": message_id, "tenant": tenant}, {"emits": 0})

    async def page(
        self,
        tenant: str,
        user_id: str,
        *,
        limit: int,
        after: tuple[datetime, str] | None = None,
        since: datetime | None = None,
    ) -> list[Document]:
        """Newest first; ``after`` is the last row of the page before."""
        query: Document = {"tenant": tenant, "user_id": user_id}
        if since is not None:
            query["at"] = {"$gt": since}
        if after is not None:
            query = {"$and": [query, older_than("at", after)]}
        cursor = self._outgoing.find(query, {"emits": 0}).sort([("at", -1), ("_id", -1)])
        return await cursor.limit(limit).to_list()

    async def move(self, tenant: str, from_user: str, to_user: str) -> None:
        """Two records are one person."""
        await self._outgoing.update_many(
            {"tenant": tenant, "user_id": from_user}, {"$set": {"user_id": to_user}}
        )

    async def record_delivery(self, tenant: str, message_id: str, delivery: Document) -> bool:
        """What became of one part of it; False when there is no such message."""
        mine = {"_id": message_id, "tenant": tenant}
        return await record_delivery(self._outgoing, mine, "deliveries", delivery)

    async def react(self, tenant: str, provider_message_id: str, reaction: Document | None) -> bool:
        """Keep or take away the person's reaction; False when we know no such message."""
        change = (
            {"$unset": {"reaction": ""}} if reaction is None else {"$set": {"reaction": reaction}}
        )
        result = await self._outgoing.update_one(
            {"tenant": tenant, "deliveries.provider_message_id": provider_message_id}, change
        )
        return bool(result.matched_count)
