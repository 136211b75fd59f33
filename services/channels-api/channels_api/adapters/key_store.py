"""API keys in MongoDB, by the SHA-256 of the key."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo.errors import DuplicateKeyError

from channels_api.adapters.collections import API_KEYS
from channels_api.domain.keys import ApiKey
from shared.bus.outbox import outbox_fields, outbox_push
from shared.bus.port import Publication
from shared.clock import Clock
from shared.ids import base62, secret_hash
from shared.mongo.indexes import Database
from shared.principal import Principal, Scope

USE_KEPT_EVERY = timedelta(minutes=1)
"""How coarse ``last_used_at`` is: at most one write a key in this time."""


class KeyStore:
    """The ``api_keys`` collection."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._keys = database[API_KEYS]
        self._clock = clock

    async def add(
        self,
        key: str,
        *,
        tenant: str,
        label: str,
        scopes: Iterable[Scope],
        expires_at: datetime | None = None,
    ) -> ApiKey:
        """Keep the hash of ``key``; a key that is there already is left as it is."""
        document = {
            "_id": secret_hash(key),
            "public_id": f"key_{base62(22)}",
            "tenant": tenant,
            "label": label,
            "last4": key[-4:],
            "scopes": sorted(scopes),
            "created_at": self._clock(),
            "expires_at": expires_at,
            "last_used_at": None,
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
        """Whose key it is, which counts as a use of it; None when unknown or revoked."""
        document = await self._keys.find_one({"_id": key_hash, "revoked_at": None})
        if document is None:
            return None
        key = _key(document)
        if key.state(self._clock()) == "active":
            await self._used(key)
        return Principal(
            tenant=key.tenant,
            key_hash=key.key_hash,
            label=key.label,
            scopes=key.scopes,
            expires_at=key.expires_at,
        )

    async def _used(self, key: ApiKey) -> None:
        now = self._clock()
        if key.last_used_at is None or key.last_used_at + USE_KEPT_EVERY <= now:
            await self._keys.update_one({"_id": key.key_hash}, {"$max": {"last_used_at": now}})

    async def of_tenant(self, tenant: str, *, revoked: bool = False) -> list[ApiKey]:
        """Keys that were not revoked, or with ``revoked`` all of them; oldest first."""
        query: dict[str, Any] = {"tenant": tenant}
        if not revoked:
            query["revoked_at"] = None
        return [_key(document) async for document in self._keys.find(query).sort("created_at", 1)]

    async def find(self, tenant: str, key_id: str) -> ApiKey | None:
        """One key that was not revoked, by its public id."""
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
        # A key of the time before scopes could do everything, and still can.
        scopes=frozenset(document.get("scopes", ("admin",))),
        created_at=document["created_at"],
        expires_at=document.get("expires_at"),
        last_used_at=document.get("last_used_at"),
        revoked_at=document["revoked_at"],
    )
