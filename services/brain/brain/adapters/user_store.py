"""End users in MongoDB: found by alias, changed by compare-and-set."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from brain.adapters.collections import END_USERS
from brain.domain.people import Address, aliases_of
from brain.domain.profile import Profile, from_document, to_document
from brain.domain.state import EndUserState, HumanState, Relation
from shared.ids import new_user_id
from shared.mongo.indexes import Database

APPLIED_RING = 16
"""Event ids remembered on the person. Only a crash between two writes needs one, and order per
conversation means that the next message comes after the redelivery."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A message that already moved the state: from what, and when."""

    event_id: str
    at: datetime
    before: EndUserState


@dataclass(frozen=True, slots=True)
class EndUser:
    """A person as stored."""

    id: str
    tenant: str
    external_id: str
    channel: str
    name: str | None
    state: EndUserState
    profile: Profile
    last_seen: datetime
    version: int
    applied: tuple[Applied, ...]
    history_cleared_at: datetime | None

    def applied_for(self, event_id: str) -> Applied | None:
        """How the state was moved by this message, if it was."""
        return next((item for item in self.applied if item.event_id == event_id), None)

    def applied_before(self, event_id: str) -> str | None:
        """The message that moved the person last before this one, None when none is known."""
        ids = [item.event_id for item in self.applied]
        if event_id in ids:
            ids = ids[: ids.index(event_id)]
        return ids[-1] if ids else None


class UserStore:
    """The ``end_users`` collection."""

    def __init__(self, database: Database) -> None:
        self._users = database[END_USERS]

    async def find_or_create(
        self, tenant: str, address: Address, channel: str, now: datetime
    ) -> EndUser:
        """The person behind ``address``, made at need. One wins a race of creators."""
        found = await self.find(tenant, address.aliases)
        if found is not None:
            return found
        document = {
            "_id": new_user_id(),
            "tenant": tenant,
            "external_id": address.external_id,
            "aliases": list(address.aliases),
            "channel": channel,
            "name": address.name,
            "state": asdict(EndUserState.initial(now)),
            "last_seen": now,
            "version": 0,
            "applied": [],
        }
        try:
            await self._users.insert_one(document)
        except DuplicateKeyError:
            winner = await self.find(tenant, address.aliases)
            if winner is None:
                raise
            return winner
        return _user(document)

    async def find(self, tenant: str, aliases: tuple[str, ...]) -> EndUser | None:
        """The person who has any of ``aliases``; of several, whoever has the earliest of them."""
        found = self._users.find({"tenant": tenant, "aliases": {"$in": list(aliases)}})
        people = {alias: document async for document in found for alias in document["aliases"]}
        return next((_user(people[alias]) for alias in aliases if alias in people), None)

    async def get(self, tenant: str, user_id: str) -> EndUser | None:
        """By our id."""
        document = await self._users.find_one({"_id": user_id, "tenant": tenant})
        return None if document is None else _user(document)

    async def named(self, tenant: str, name: str) -> EndUser | None:
        """By our id, else by the tenant's own id, the provider's id or the phone number."""
        return await self.get(tenant, name) or await self.find(tenant, aliases_of(name))

    async def page(
        self, tenant: str, *, channel: str | None, limit: int, after: tuple[datetime, str] | None
    ) -> list[EndUser]:
        """Last seen first; ``after`` is the last row of the page before."""
        query: dict[str, Any] = {"tenant": tenant}
        if channel is not None:
            query["channel"] = channel
        if after is not None:
            query |= older_than("last_seen", after)
        cursor = self._users.find(query).sort([("last_seen", -1), ("_id", -1)]).limit(limit)
        return [_user(document) async for document in cursor]

    async def move(
        self,
        user: EndUser,
        event_id: str,
        *,
        before: EndUserState,
        after: EndUserState,
        profile: Profile,
        address: Address,
        at: datetime,
    ) -> bool:
        """Set state and profile; False when somebody else moved the person first: read again, decide again."""
        changes = {
            "$set": {
                "state": asdict(after),
                "profile": to_document(profile),
                "last_seen": at,
                **({"name": address.name} if address.name else {}),
            },
            "$inc": {"version": 1},
            "$addToSet": {"aliases": {"$each": list(address.aliases)}},
            "$push": {
                "applied": {
                    "$each": [{"event_id": event_id, "at": at, "before": asdict(before)}],
                    "$slice": -APPLIED_RING,
                }
            },
        }
        try:
            result = await self._users.update_one(
                {"_id": user.id, "version": user.version}, changes
            )
        except DuplicateKeyError:
            await self._take_over(user, address.aliases)
            return False
        return result.modified_count == 1

    async def _take_over(self, user: EndUser, aliases: tuple[str, ...]) -> None:
        """Move ``aliases`` to ``user``: one signed message named two people, so they are one.

        The other record keeps its past and an alias of its own, because an empty list would
        collide with the next one in the unique index.
        """
        kept = {"$setDifference": ["$aliases", {"$literal": list(aliases)}]}
        await self._users.update_many(
            {"tenant": user.tenant, "aliases": {"$in": list(aliases)}, "_id": {"$ne": user.id}},
            [
                {
                    "$set": {
                        "aliases": {"$setUnion": [kept, [{"$concat": ["joined:", "$_id"]}]]},
                        "joined_to": user.id,
                        "version": {"$add": ["$version", 1]},
                    }
                }
            ],
        )

    async def clear_history(self, user: EndUser, now: datetime) -> None:
        """Start the conversation anew: what was said before is neither shown nor prompted."""
        await self._users.update_one({"_id": user.id}, {"$set": {"history_cleared_at": now}})


def older_than(field: str, after: tuple[datetime, str]) -> dict[str, Any]:
    """The next page of a listing sorted by ``field`` and ``_id``, both descending."""
    at, last_id = after
    return {"$or": [{field: {"$lt": at}}, {field: at, "_id": {"$lt": last_id}}]}


def _user(document: dict[str, Any]) -> EndUser:
    return EndUser(
        id=document["_id"],
        tenant=document["tenant"],
        external_id=document["external_id"],
        channel=document["channel"],
        name=document.get("name"),
        state=_state(document["state"]),
        profile=from_document(document.get("profile")),
        last_seen=document["last_seen"],
        version=document["version"],
        applied=tuple(
            Applied(item["event_id"], item["at"], _state(item["before"]))
            for item in document["applied"]
        ),
        history_cleared_at=document.get("history_cleared_at"),
    )


def _state(data: dict[str, Any]) -> EndUserState:
    return EndUserState(
        **{
            **data,
            "human": HumanState(**data["human"]),
            "relation": Relation(**data["relation"]),
        }
    )
