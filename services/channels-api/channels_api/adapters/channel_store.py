"""Channels in MongoDB, changed by compare-and-set, each change with its event."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from channels_api.adapters.collections import CHANNELS, CREATIONS
from channels_api.domain.channels import Channel, Retired
from shared.bus.outbox import outbox_fields, outbox_push
from shared.bus.port import Publication
from shared.clock import Clock
from shared.mongo.indexes import Database

SEALED_FIELDS = ("access_token", "app_secret")


class NumberTakenError(Exception):
    """The tenant has a channel for this number: ``channel_id``."""

    def __init__(self, channel_id: str) -> None:
        super().__init__(channel_id)
        self.channel_id = channel_id


class ChannelStore:
    """The ``channels`` collection. A deleted channel stays as a tombstone without secrets."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._channels = database[CHANNELS]
        self._creations = database[CREATIONS]
        self._clock = clock

    async def insert(self, channel: Channel, publications: Sequence[Publication]) -> None:
        """Store a new channel. Raises NumberTakenError."""
        document = {
            **_document(channel),
            "deleted": False,
            **outbox_fields(publications, self._clock),
        }
        try:
            await self._channels.insert_one(document)
        except DuplicateKeyError:
            existing = await self._channels.find_one(
                {
                    "tenant": channel.tenant,
                    "phone_number_id": channel.phone_number_id,
                    "deleted": False,
                }
            )
            raise NumberTakenError(existing["_id"] if existing else "") from None

    async def get(self, tenant: str, channel_id: str) -> Channel | None:
        """One channel of the tenant."""
        document = await self._channels.find_one(
            {"_id": channel_id, "tenant": tenant, "deleted": False}
        )
        return None if document is None else _channel(document)

    async def get_any(self, channel_id: str) -> Channel | None:
        """One channel, whoever it belongs to: for the internal port alone."""
        document = await self._channels.find_one({"_id": channel_id, "deleted": False})
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
        cursor = self._channels.find(query).sort([("created_at", 1), ("_id", 1)]).limit(limit)
        return [_channel(document) async for document in cursor]

    async def replace(
        self, before: Channel, after: Channel, publications: Sequence[Publication]
    ) -> bool:
        """Write ``after``; False when somebody changed it since ``before`` was read."""
        push = outbox_push(publications, self._clock)
        fields = {key: value for key, value in _document(after).items() if key != "_id"}
        result = await self._channels.update_one(
            {"_id": before.id, "version": before.version, "deleted": False},
            {**push, "$set": {**fields, **push.get("$set", {})}},
        )
        return result.modified_count == 1

    async def delete(self, channel: Channel, publications: Sequence[Publication]) -> bool:
        """Destroy the credentials at once; the id stays taken. False when it was gone already."""
        push = outbox_push(publications, self._clock)
        secrets = (
            *SEALED_FIELDS,
            "verify_token_hash",
            "retired_app_secrets",
            "retired_verify_token_hashes",
        )
        result = await self._channels.update_one(
            {"_id": channel.id, "deleted": False},
            {
                **push,
                "$set": {**push.get("$set", {}), "deleted": True, "updated_at": self._clock()},
                "$inc": {"version": 1},
                "$unset": dict.fromkeys(secrets, ""),
            },
        )
        return result.modified_count == 1

    async def key_versions(self) -> set[str]:
        """Versions of key-encryption keys that sealed secrets still need."""
        versions: set[str] = set()
        fields = dict.fromkeys((*SEALED_FIELDS, "retired_app_secrets"), 1)
        async for document in self._channels.find({"deleted": False}, fields):
            sealed = [document[name] for name in SEALED_FIELDS]
            sealed += [old["value"] for old in document["retired_app_secrets"]]
            versions |= {text.split(".")[1] for text in sealed}
        return versions

    async def creation(self, creation_id: str) -> dict[str, Any] | None:
        """What a creation with this idempotency key led to, within a day."""
        return await self._creations.find_one({"_id": creation_id})

    async def keep_creation(self, creation_id: str, creation: dict[str, Any]) -> bool:
        """Remember it; False when a concurrent call with the same key was first."""
        try:
            await self._creations.insert_one({"_id": creation_id, **creation, "at": self._clock()})
        except DuplicateKeyError:
            return False
        return True


def _document(channel: Channel) -> dict[str, Any]:
    document = asdict(channel)
    document["_id"] = document.pop("id")
    for name in ("retired_app_secrets", "retired_verify_token_hashes"):
        document[name] = list(document[name])
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
        retired_app_secrets=retired("retired_app_secrets"),
        retired_verify_token_hashes=retired("retired_verify_token_hashes"),
    )
