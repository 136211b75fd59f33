"""Channels in MongoDB, changed by compare-and-set, each change with its event."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from channels_api.adapters.collections import CHANNELS, CREATIONS
from channels_api.domain.audit import KEPT, Entry
from channels_api.domain.channels import Channel, ChannelSettings, Creation, Retired
from channels_api.domain.health import Health, Problem
from shared.bus.outbox import outbox_fields, outbox_push
from shared.bus.port import Publication
from shared.clock import Clock
from shared.mongo.indexes import Database

SEALED_FIELDS = ("access_token", "app_secret")
SECRET_FIELDS = (
    *SEALED_FIELDS,
    *("access_token_last4", "app_secret_last4", "verify_token_hash"),
    *("retired_app_secrets", "retired_verify_token_hashes"),
)
"""What a deleted channel does not keep."""


class ChannelStore:
    """The ``channels`` collection. A deleted channel stays as a tombstone without secrets."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._channels = database[CHANNELS]
        self._creations = database[CREATIONS]
        self._clock = clock

    async def insert(
        self, channel: Channel, publications: Sequence[Publication], audit: Entry
    ) -> bool:
        """Store a new channel; False when its id was used before."""
        document = {
            **_document(channel),
            "deleted": False,
            "audit": [_entry_document(audit)],
            **outbox_fields(publications, self._clock),
        }
        try:
            await self._channels.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def others_of_number(self, channel: Channel) -> list[str]:
        """Ids of the tenant's other channels for the same number, oldest first."""
        cursor = self._channels.find(
            {
                "tenant": channel.tenant,
                "phone_number_id": channel.phone_number_id,
                "deleted": False,
                "_id": {"$ne": channel.id},
            },
            {"_id": 1},
        ).sort("created_at", 1)
        return [document["_id"] async for document in cursor]

    async def get(self, tenant: str, channel_id: str) -> Channel | None:
        """One channel of the tenant."""
        document = await self._channels.find_one(
            {"_id": channel_id, "tenant": tenant, "deleted": False}, _READ
        )
        return None if document is None else _channel(document)

    async def get_any(self, channel_id: str) -> Channel | None:
        """One channel, whoever it belongs to: for the internal port alone."""
        document = await self._channels.find_one({"_id": channel_id, "deleted": False}, _READ)
        return None if document is None else _channel(document)

    async def of_verify_token(self, token_hash: str) -> Channel | None:
        """Whose verify token this is, whoever it belongs to: for what ingress tells alone."""
        document = await self._channels.find_one(
            {"verify_token_hash": token_hash, "deleted": False}, _READ
        )
        return None if document is None else _channel(document)

    async def page(
        self, tenant: str, *, limit: int, after: tuple[datetime, str] | None
    ) -> list[Channel]:
        """Oldest first; ``after`` is the last row of the page before."""
        query: dict[str, Any] = {"tenant": tenant, "deleted": False}
        if after is not None:
            at, last_id = after
            query["$or"] = [
                {"created_at": {"$gt": at}},
                {"created_at": at, "_id": {"$gt": last_id}},
            ]
        cursor = (
            self._channels.find(query, _READ).sort([("created_at", 1), ("_id", 1)]).limit(limit)
        )
        return [_channel(document) async for document in cursor]

    async def replace(
        self,
        before: Channel,
        after: Channel,
        publications: Sequence[Publication],
        audit: Entry | None = None,
    ) -> bool:
        """Write ``after``; False when somebody changed it since ``before`` was read.

        ``audit``: None for what no person changed.
        """
        push = outbox_push(publications, self._clock)
        fields = {key: value for key, value in _document(after).items() if key != "_id"}
        result = await self._channels.update_one(
            _unchanged(before),
            {
                "$set": {**fields, **push.get("$set", {})},
                "$push": {**push.get("$push", {}), **_audited(audit)},
            },
        )
        return result.modified_count == 1

    async def audit(self, tenant: str, channel_id: str, limit: int) -> list[dict[str, Any]] | None:
        """The newest entries, newest first, of a deleted channel too; None: no such channel."""
        found = await self._channels.find_one(
            {"_id": channel_id, "tenant": tenant}, {"audit": {"$slice": -limit}}
        )
        return None if found is None else found.get("audit", [])[::-1]

    async def tenant_audit(self, tenant: str, limit: int) -> list[dict[str, Any]]:
        """The newest entries of all channels, deleted ones too, newest first."""
        cursor = await self._channels.aggregate(
            [
                {"$match": {"tenant": tenant}},
                {"$project": {"label": 1, "audit": {"$slice": ["$audit", -limit]}}},
                {"$unwind": "$audit"},
                {"$sort": {"audit.at": -1, "audit.version": -1, "_id": 1}},
                {"$limit": limit},
            ]
        )
        return [
            {**row["audit"], "channel_id": row["_id"], "label": row["label"]}
            async for row in cursor
        ]

    async def delete(
        self, before: Channel, publications: Sequence[Publication], audit: Entry
    ) -> bool:
        """Destroy the credentials at once; the id stays taken. False when somebody changed it."""
        push = outbox_push(publications, self._clock)
        gone = {"deleted": True, "version": before.version + 1, "updated_at": self._clock()}
        result = await self._channels.update_one(
            _unchanged(before),
            {
                "$set": {**push.get("$set", {}), **gone},
                "$push": {**push.get("$push", {}), **_audited(audit)},
                "$unset": dict.fromkeys(SECRET_FIELDS, ""),
            },
        )
        return result.modified_count == 1

    async def reserve(self, creation: Creation) -> Creation:
        """``creation``, or the one that came first under the same id within a day."""
        kept: dict[str, Any] | None = None
        while kept is None:
            try:
                await self._creations.insert_one(
                    {
                        "_id": creation.id,
                        "tenant": creation.tenant,
                        "channel_id": creation.channel_id,
                        "fingerprint": creation.fingerprint,
                        "verify_token": creation.verify_token,
                        "at": self._clock(),
                    }
                )
            except DuplicateKeyError:
                # The id is made from the tenant, so it cannot be another one's.
                kept = await self._creations.find_one({"_id": creation.id})
            else:
                return creation
        return Creation(
            id=creation.id,
            tenant=creation.tenant,
            channel_id=kept["channel_id"],
            fingerprint=kept["fingerprint"],
            verify_token=kept["verify_token"],
        )

    async def forget_token(self, tenant: str, channel_id: str) -> None:
        """No retry of its creation shows the first verify token again."""
        await self._creations.update_many(
            {"tenant": tenant, "channel_id": channel_id}, {"$set": {"verify_token": None}}
        )


_READ = {"audit": 0, "emits": 0}
"""A channel is read at every step; its past only when somebody asks."""


def _audited(entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        return {}
    return {"audit": {"$each": [_entry_document(entry)], "$slice": -KEPT}}


def _entry_document(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry), "fields": list(entry.fields)}


def _unchanged(channel: Channel) -> dict[str, Any]:
    return {
        "_id": channel.id,
        "tenant": channel.tenant,
        "version": channel.version,
        "deleted": False,
    }


def _document(channel: Channel) -> dict[str, Any]:
    document = asdict(channel)
    document["_id"] = document.pop("id")
    for name in ("retired_app_secrets", "retired_verify_token_hashes"):
        document[name] = list(document[name])
    document["health"]["problems"] = list(document["health"]["problems"])
    return document


def _channel(document: dict[str, Any]) -> Channel:
    def retired(name: str) -> tuple[Retired, ...]:
        return tuple(Retired(item["value"], item["until"]) for item in document[name])

    return Channel(
        id=document["_id"],
        tenant=document["tenant"],
        label=document["label"],
        phone_number_id=document["phone_number_id"],
        waba_id=document["waba_id"],
        auto_reply=document["auto_reply"],
        state=document["state"],
        access_token=document["access_token"],
        access_token_last4=document["access_token_last4"],
        app_secret=document["app_secret"],
        app_secret_last4=document["app_secret_last4"],
        verify_token_hash=document["verify_token_hash"],
        version=document["version"],
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        settings=ChannelSettings(**document.get("settings", {})),
        health=_health(document.get("health", {})),
        retired_app_secrets=retired("retired_app_secrets"),
        retired_verify_token_hashes=retired("retired_verify_token_hashes"),
    )


def _health(document: dict[str, Any]) -> Health:
    return Health(
        problems=tuple(Problem(**problem) for problem in document.get("problems", ())),
        ended=document.get("ended", {}),
    )
