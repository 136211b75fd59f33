"""API keys in MongoDB, by the SHA-256 of the key."""

from collections.abc import Sequence
from typing import Any

from pymongo.errors import DuplicateKeyError

from channels_api.adapters.collections import API_KEYS
from channels_api.domain.keys import ApiKey
from shared.bus.outbox import outbox_fields, outbox_push
from shared.bus.port import Publication
from shared.clock import Clock
from shared.http.internal import Principal
from shared.ids import base62, secret_hash
from shared.mongo.indexes import Database


class KeyStore:
    """The ``api_keys`` collection."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._keys = database[API_KEYS]
        self._clock = clock

    async def add(self, key: str, *, tenant: str, label: str) -> ApiKey:
        """Keep the hash of ``key``; a key that is there already is left as it is."""
        document = {
            "_id": secret_hash(key),
            "public_id": f"key_{base62(22)}",
            "tenant": tenant,
            "label": label,
            "last4": key[-4:],
            "created_at": self._clock(),
            "revoked_at": None,
            **outbox_fields((), self._clock),
        }
        try:
            await self._keys.insert_one(document)
        except DuplicateKeyError:
            existing = await self._keys.find_one({"_id": document["_id"]})
            if existing is None:
                raise
            return _key(existing)
        return _key(document)

    async def principal(self, key_hash: str) -> Principal | None:
        """Whose key it is; None when unknown or revoked."""
        document = await self._keys.find_one({"_id": key_hash, "revoked_at": None})
        if document is None:
            return None
        return Principal(tenant=document["tenant"], key_hash=key_hash, label=document["label"])

    async def of_tenant(self, tenant: str) -> list[ApiKey]:
        """Keys that work, oldest first."""
        cursor = self._keys.find({"tenant": tenant, "revoked_at": None}).sort("created_at", 1)
        return [_key(document) async for document in cursor]

    async def find(self, tenant: str, key_id: str) -> ApiKey | None:
        """One key that works, by its public id."""
        document = await self._keys.find_one(
            {"tenant": tenant, "public_id": key_id, "revoked_at": None}
        )
        return None if document is None else _key(document)

    async def revoke(self, key: ApiKey, publications: Sequence[Publication]) -> bool:
        """Refuse it from now on; False when it was revoked already."""
        push = outbox_push(publications, self._clock)
        result = await self._keys.update_one(
            {"_id": key.key_hash, "tenant": key.tenant, "revoked_at": None},
            {**push, "$set": {**push.get("$set", {}), "revoked_at": self._clock()}},
        )
        return result.modified_count == 1

    async def is_empty(self) -> bool:
        """Whether no key was ever made."""
        return await self._keys.find_one({}, {"_id": 1}) is None


def _key(document: dict[str, Any]) -> ApiKey:
    return ApiKey(
        id=document["public_id"],
        key_hash=document["_id"],
        tenant=document["tenant"],
        label=document["label"],
        last4=document["last4"],
        created_at=document["created_at"],
    )
