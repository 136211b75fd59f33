"""Sealed values wherever they lie, and how far their re-wrapping is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument, UpdateOne

from channels_api.adapters.collections import CHANNELS, CREATIONS, KEYRING
from channels_api.domain.rotation import Rotation
from shared.crypto.sealing import Keyring, Place, SealError, version_of
from shared.mongo.indexes import Database

BATCH = 200
LEASE = timedelta(seconds=10)
"""A replica that says nothing for so long has died: another one goes on."""
_ROTATION = "rotation"
_WITH_SECRETS: dict[str, dict[str, Any]] = {
    CHANNELS: {"deleted": False},
    CREATIONS: {"verify_token": {"$ne": None}},
}
_FIELDS = {
    CHANNELS: ("access_token", "app_secret", "retired_app_secrets"),
    CREATIONS: ("verify_token",),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do the next batch."""

    rotation: Rotation
    collection: str
    after: str
    """Id of the last record that was done."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch came to. ``last``: none was left after it."""

    seen: int
    unreadable: tuple[str, ...]
    """Ids of records with a value that does not open."""
    last_id: str
    last: bool


class KeyringStore:
    """The one rotation there may be, and the records that it goes through."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keyring = database[KEYRING]

    async def versions(self) -> Counter[str]:
        """How many sealed values each version of the key-encryption keys opens."""
        counted: Counter[str] = Counter()
        for collection, query in _WITH_SECRETS.items():
            shown = dict.fromkeys(_FIELDS[collection], 1)
            async for record in self._database[collection].find(query, shown):
                counted.update(map(version_of, _sealed(record)))
        return counted

    async def begin(self, to_version: str, by: str, now: datetime) -> Rotation:
        """Start one, or go on with the one to this version that runs; what it is."""
        total = 0
        for collection, query in _WITH_SECRETS.items():
            total += await self._database[collection].count_documents(query)
        begun = {
            "state": "running",
            "to_version": to_version,
            "total": total,
            "done": 0,
            "unreadable": 0,
            "started_at": now,
            "started_by": by,
            "finished_at": None,
            "lease_until": now,
            **_start(),
        }
        running = {"_id": _ROTATION, "state": "running", "to_version": to_version}
        if await self._keyring.find_one(running, {"_id": 1}) is None:
            await self._keyring.replace_one({"_id": _ROTATION}, begun, upsert=True)
        rotation = await self.rotation()
        if rotation is None:
            raise LookupError("a rotation that was just begun is not there")
        return rotation

    async def rotation(self) -> Rotation | None:
        """The one that runs, or the last one."""
        found = await self._keyring.find_one({"_id": _ROTATION})
        return None if found is None else _rotation(found)

    async def claim(self, holder: str, to_version: str, now: datetime) -> Claim | None:
        """The next batch, when ``holder`` had the last one or nobody has it."""
        found = await self._keyring.find_one_and_update(
            {
                "_id": _ROTATION,
                "state": "running",
                "to_version": to_version,
                "$or": [{"holder": holder}, {"lease_until": {"$lte": now}}],
            },
            {"$set": {"holder": holder, "lease_until": now + LEASE}},
            return_document=ReturnDocument.AFTER,
        )
        return (
            None if found is None else Claim(_rotation(found), found["collection"], found["after"])
        )

    async def rewrap(self, claim: Claim, keyring: Keyring) -> Batch:
        """Wrap a batch anew; a record that somebody changed meanwhile is left to the next round."""
        collection = self._database[claim.collection]
        query = {**_WITH_SECRETS[claim.collection], "_id": {"$gt": claim.after}}
        shown = dict.fromkeys(_FIELDS[claim.collection], 1)
        records = await collection.find(query, shown).sort("_id", 1).limit(BATCH).to_list()
        writes: list[UpdateOne] = []
        unreadable: list[str] = []
        for record in records:
            try:
                changed = _rewrapped(claim.collection, record, keyring)
            except SealError:
                unreadable.append(record["_id"])
                continue
            if changed:
                writes.append(UpdateOne(record, {"$set": changed}))
        if writes:
            await collection.bulk_write(writes, ordered=False)
        last_id = records[-1]["_id"] if records else claim.after
        return Batch(len(records), tuple(unreadable), last_id, last=len(records) < BATCH)

    async def progressed(self, holder: str, claim: Claim, batch: Batch) -> bool:
        """Keep how far it is; whether every collection was gone through."""
        collections = tuple(_WITH_SECRETS)
        index = collections.index(claim.collection)
        over = batch.last and index + 1 == len(collections)
        place = {"collection": claim.collection, "after": batch.last_id}
        if batch.last and not over:
            place = {"collection": collections[index + 1], "after": ""}
        await self._keyring.update_one(
            {"_id": _ROTATION, "holder": holder},
            {
                "$set": place,
                "$inc": {"done": batch.seen, "unreadable": len(batch.unreadable)},
            },
        )
        return over

    async def finish(self, holder: str, now: datetime) -> None:
        """All of it was gone through: done, another round for what changed meanwhile, or incomplete."""
        found = await self._keyring.find_one({"_id": _ROTATION, "holder": holder})
        if found is None:
            return
        needed = await self.versions()
        left = needed.total() - needed[found["to_version"]]
        ended: dict[str, Any] = {"finished_at": now, "done": found["total"]}
        if not left:
            change = {"state": "done", **ended}
        elif found["unreadable"]:
            change = {"state": "incomplete", **ended}
        else:
            change = {"done": 0, **_start()}
        await self._keyring.update_one({"_id": _ROTATION, "holder": holder}, {"$set": change})


def _start() -> dict[str, str]:
    return {"collection": next(iter(_WITH_SECRETS)), "after": ""}


def _sealed(record: dict[str, Any]) -> Sequence[str]:
    single = [
        record[name] for name in ("access_token", "app_secret", "verify_token") if name in record
    ]
    return [*single, *(old["value"] for old in record.get("retired_app_secrets", ()))]


def _rewrapped(collection: str, record: dict[str, Any], keyring: Keyring) -> dict[str, Any]:
    """The fields of ``record`` that are another now. Raises SealError."""

    def again(field: str, sealed: str) -> str:
        if not keyring.needs_rewrap(sealed):
            return sealed
        return keyring.rewrap(sealed, Place(collection, record["_id"], field))

    changed: dict[str, Any] = {}
    for name in _FIELDS[collection]:
        if name == "retired_app_secrets":
            new: Any = [{**old, "value": again("app_secret", old["value"])} for old in record[name]]
        else:
            new = again(name, record[name])
        if new != record[name]:
            changed[name] = new
    return changed


def _rotation(found: dict[str, Any]) -> Rotation:
    return Rotation(
        to_version=found["to_version"],
        state=found["state"],
        total=found["total"],
        done=min(found["done"], found["total"]),
        unreadable=found["unreadable"],
        started_at=found["started_at"],
        started_by=found["started_by"],
        finished_at=found["finished_at"],
    )
