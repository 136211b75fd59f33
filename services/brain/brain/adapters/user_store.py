"""End users in MongoDB: found by alias, changed by compare-and-set."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from re import escape
from typing import Any

from pymongo.errors import DuplicateKeyError

from brain.adapters.collections import END_USERS, FORMER_USERS
from brain.domain.people import Address, Route, aliases_of, is_somebody_else, joined
from brain.domain.profile import Profile, from_document, to_document, updated
from brain.domain.state import EndUserState, HumanState, Relation
from brain.domain.whatsapp.identity import Renaming
from shared.bus.failures import Transient
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
    aliases: tuple[str, ...]
    channel: str
    name: str | None
    username: str | None
    routes: dict[str, Route]
    """By channel id."""
    state: EndUserState
    profile: Profile
    last_seen: datetime
    version: int
    applied: tuple[Applied, ...]
    history_cleared_at: datetime | None
    last_action: str | None = None
    """The verdict on the last message; None before the first."""

    def applied_for(self, event_id: str) -> Applied | None:
        """How the state was moved by this message, if it was."""
        return next((item for item in self.applied if item.event_id == event_id), None)

    def applied_before(self, event_id: str) -> str | None:
        """The message that moved the person last before this one, None when none is known."""
        ids = [item.event_id for item in self.applied]
        if event_id in ids:
            ids = ids[: ids.index(event_id)]
        return ids[-1] if ids else None


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which people to list; None does not filter."""

    channel: str | None = None
    action: str | None = None
    """The verdict on their last message."""
    mood: tuple[float, float] | None = None
    """Lowest and highest after the last message, each 0..1."""
    words: tuple[str, ...] = ()
    """Each begins a word of the person's names; casefolded."""
    seen_since: datetime | None = None


class SamePersonError(Exception):
    """Two records hold the names of one person, as one signed payload proves."""


class UserStore:
    """The ``end_users`` collection."""

    def __init__(self, database: Database) -> None:
        self._users = database[END_USERS]
        self._former = database[FORMER_USERS]

    async def find_or_create(
        self,
        tenant: str,
        address: Address,
        channel: str,
        now: datetime,
        *,
        channel_id: str | None = None,
    ) -> EndUser:
        """The person behind ``address``, made at need. One wins a race of creators."""
        while True:
            found = await self.find(tenant, address.aliases)
            if found is None:
                found = await self._created(tenant, address, channel, now)
            if found is None:
                continue
            if not is_somebody_else(address, found.aliases, found.routes.get(channel_id or "")):
                return found
            await self._disown(found, address.aliases)

    async def _created(
        self, tenant: str, address: Address, channel: str, now: datetime
    ) -> EndUser | None:
        """None when somebody else was first, with any of the aliases."""
        document = {
            "_id": new_user_id(),
            "tenant": tenant,
            "external_id": address.external_id,
            "aliases": list(address.aliases),
            "channel": channel,
            "name": address.name,
            "username": address.username,
            "search": search_words(address.name, address.username, address.aliases),
            "routes": {},
            "state": asdict(EndUserState.initial(now)),
            "last_seen": now,
            "version": 0,
            "applied": [],
        }
        try:
            await self._users.insert_one(document)
        except DuplicateKeyError:
            return None
        return _user(document)

    async def find(self, tenant: str, aliases: tuple[str, ...]) -> EndUser | None:
        """The person who has any of ``aliases``; of several, whoever has the earliest of them."""
        found = self._users.find({"tenant": tenant, "aliases": {"$in": list(aliases)}})
        people = {alias: document async for document in found for alias in document["aliases"]}
        return next((_user(people[alias]) for alias in aliases if alias in people), None)

    async def get(self, tenant: str, user_id: str) -> EndUser | None:
        """By our id, also by that of a record which was joined to another."""
        document = await self._users.find_one({"_id": user_id, "tenant": tenant})
        if document is not None:
            return _user(document)
        former = await self._former.find_one({"_id": user_id, "tenant": tenant})
        return None if former is None else await self.get(tenant, former["into"])

    async def existing(self, tenant: str, user_id: str) -> EndUser:
        """As ``get``, for somebody who was there a moment ago. Raises Transient."""
        user = await self.get(tenant, user_id)
        if user is None:
            raise Transient("user_vanished")
        return user

    async def named(self, tenant: str, name: str) -> EndUser | None:
        """By our id, else by the tenant's own id, the provider's id or the phone number."""
        return await self.get(tenant, name) or await self.find(tenant, aliases_of(name))

    async def page(
        self,
        tenant: str,
        wanted: UserFilter,
        *,
        limit: int,
        after: tuple[datetime, str] | None,
    ) -> list[EndUser]:
        """Last seen first; ``after`` is the last row of the page before."""
        query: dict[str, Any] = {"tenant": tenant}
        if wanted.channel is not None:
            query["channel"] = wanted.channel
        if wanted.action is not None:
            query["last_action"] = wanted.action
        if wanted.mood is not None:
            low, high = wanted.mood
            query["state.human.mood"] = {"$gte": low, "$lte": high}
        if wanted.words:
            query["$and"] = [{"search": {"$regex": f"^{escape(word)}"}} for word in wanted.words]
        if wanted.seen_since is not None:
            query["last_seen"] = {"$gte": wanted.seen_since}
        if after is not None:
            query = {"$and": [query, older_than("last_seen", after)]}
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
        action: str,
        met: tuple[str, Route] | None = None,
    ) -> bool:
        """Set state and profile; False when somebody else moved the person first: read again, decide again.

        ``action``: the verdict on the message. ``met``: the channel's id, and how the person was met there. Raises SamePersonError when one
        of the aliases belongs to another record, which must be joined to this one first.
        """
        channel_id, route = met or (None, None)
        changes = {
            "$set": {
                "state": asdict(after),
                "profile": to_document(profile),
                "last_seen": at,
                "last_action": action,
                "search": search_words(
                    address.name or user.name,
                    address.username or user.username,
                    (*user.aliases, *address.aliases),
                ),
                **({"name": address.name} if address.name else {}),
                **({"username": address.username} if address.username else {}),
                **({f"routes.{channel_id}": asdict(route)} if route else {}),
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
            raise SamePersonError from None
        return result.modified_count == 1

    async def holders(self, user: EndUser, aliases: tuple[str, ...]) -> list[EndUser]:
        """Other records that have any of ``aliases``."""
        found = self._users.find(
            {"tenant": user.tenant, "aliases": {"$in": list(aliases)}, "_id": {"$ne": user.id}}
        )
        return [_user(document) async for document in found]

    async def disown(self, user: EndUser, aliases: tuple[str, ...]) -> None:
        """Take aliases from a person; they belong to somebody else now."""
        await self._disown(user, aliases)

    async def _disown(self, user: EndUser, aliases: tuple[str, ...]) -> None:
        kept = [alias for alias in user.aliases if alias not in aliases]
        # An empty list would collide with the next one in the unique index.
        await self._users.update_one(
            {"_id": user.id, "version": user.version},
            {"$set": {"aliases": kept or [f"former:{user.id}"]}, "$inc": {"version": 1}},
        )

    async def absorb(self, kept: EndUser, gone: EndUser) -> bool:
        """Make ``kept`` the person that ``gone`` was too: state, profile and where they were met.

        False when one of them changed meanwhile. Doing it twice counts once.
        """
        state, profile = joined(kept.state, gone.state), updated(kept.profile, gone.profile.facts)
        routes = {**gone.routes, **kept.routes}
        result = await self._users.update_one(
            {"_id": kept.id, "version": kept.version},
            {
                "$set": {
                    "state": asdict(state),
                    "profile": to_document(profile),
                    "routes": {name: asdict(route) for name, route in routes.items()},
                    "last_seen": max(kept.last_seen, gone.last_seen),
                },
                "$addToSet": {"absorbed": gone.id},
                "$inc": {"version": 1},
            },
        )
        return result.modified_count == 1

    async def has_absorbed(self, kept: EndUser, gone: EndUser) -> bool:
        """Whether ``absorb`` was done."""
        found = await self._users.find_one({"_id": kept.id, "absorbed": gone.id}, {"_id": 1})
        return found is not None

    async def retire(self, kept: EndUser, gone: EndUser) -> None:
        """``gone`` is ``kept`` from now on, under its old id too. Its names are free."""
        await self._former.update_one(
            {"_id": gone.id}, {"$set": {"tenant": gone.tenant, "into": kept.id}}, upsert=True
        )
        await self._users.delete_one({"_id": gone.id})

    async def rename(self, user: EndUser, renaming: Renaming, channel_id: str) -> bool:
        """Exchange names for new ones; False when the person changed meanwhile.

        An old number is given up: the network hands it to somebody else. Raises SamePersonError when
        a new name belongs to another record.
        """
        route = user.routes.get(channel_id)
        gone = _names(renaming.old_phone if renaming.new_phone else None, None)
        if renaming.new_user_id:
            known = route.provider_user_id if route else None
            gone += _names(None, renaming.old_user_id) + _names(None, known)
        new = _names(renaming.new_phone, renaming.new_user_id)
        external = {
            renaming.old_phone: renaming.new_phone,
            renaming.old_user_id: renaming.new_user_id,
        }.get(user.external_id)
        changes: dict[str, Any] = {
            "aliases": [*(name for name in user.aliases if name not in {*gone, *new}), *new],
            "external_id": external or user.external_id,
        }
        changes["search"] = search_words(user.name, user.username, changes["aliases"])
        if route is not None:
            changes[f"routes.{channel_id}.phone"] = renaming.new_phone or route.phone
            changes[f"routes.{channel_id}.provider_user_id"] = (
                renaming.new_user_id or route.provider_user_id
            )
        try:
            result = await self._users.update_one(
                {"_id": user.id, "version": user.version},
                {"$set": changes, "$inc": {"version": 1}},
            )
        except DuplicateKeyError:
            raise SamePersonError from None
        return result.modified_count == 1

    async def hold(self, user: EndUser, until: datetime | None) -> bool:
        """Keep the machine silent until then, None: let it answer again. False: read again."""
        result = await self._users.update_one(
            {"_id": user.id, "version": user.version},
            {"$set": {"state.held_until": until}, "$inc": {"version": 1}},
        )
        return result.modified_count == 1

    async def retell(self, user: EndUser, profile: Profile) -> bool:
        """Set what is known of the person; False when they changed meanwhile: read again."""
        result = await self._users.update_one(
            {"_id": user.id, "version": user.version},
            {"$set": {"profile": to_document(profile)}, "$inc": {"version": 1}},
        )
        return result.modified_count == 1

    async def take_floor(self, tenant: str, user_id: str, now: datetime, until: datetime) -> bool:
        """Be the only one who answers this person until then; False when somebody else is."""
        result = await self._users.update_one(
            {
                "_id": user_id,
                "tenant": tenant,
                "$or": [{"floor_until": {"$lte": now}}, {"floor_until": None}],
            },
            {"$set": {"floor_until": until}},
        )
        return result.modified_count == 1

    async def leave_floor(self, tenant: str, user_id: str, until: datetime) -> None:
        """Let others answer, unless our time was over and somebody took it."""
        await self._users.update_one(
            {"_id": user_id, "tenant": tenant, "floor_until": until},
            {"$unset": {"floor_until": ""}},
        )

    async def clear_history(self, user: EndUser, now: datetime) -> None:
        """Start the conversation anew: what was said before is neither shown nor prompted."""
        await self._users.update_one({"_id": user.id}, {"$set": {"history_cleared_at": now}})


def search_words(name: str | None, username: str | None, aliases: Iterable[str]) -> list[str]:
    """What a person is found by: the words of the name, and each name whole, casefolded."""
    ids = [alias.partition(":")[2] for alias in aliases]
    names = [*(name or "").split(), username or "", *ids]
    return sorted({word.casefold().lstrip("@+") for word in names} - {""})


def older_than(field: str, after: tuple[datetime, str]) -> dict[str, Any]:
    """The next page of a listing sorted by ``field`` and ``_id``, both descending."""
    at, last_id = after
    return {"$or": [{field: {"$lt": at}}, {field: at, "_id": {"$lt": last_id}}]}


def _user(document: dict[str, Any]) -> EndUser:
    return EndUser(
        id=document["_id"],
        tenant=document["tenant"],
        external_id=document["external_id"],
        aliases=tuple(document["aliases"]),
        channel=document["channel"],
        name=document.get("name"),
        username=document.get("username"),
        routes={name: Route(**route) for name, route in document.get("routes", {}).items()},
        state=_state(document["state"]),
        profile=from_document(document.get("profile")),
        last_seen=document["last_seen"],
        version=document["version"],
        applied=tuple(
            Applied(item["event_id"], item["at"], _state(item["before"]))
            for item in document["applied"]
        ),
        history_cleared_at=document.get("history_cleared_at"),
        last_action=document.get("last_action"),
    )


def _names(phone: str | None, user_id: str | None) -> tuple[str, ...]:
    names = [f"bsuid:{user_id}"] if user_id else []
    return (*names, f"phone:{phone}") if phone else tuple(names)


def _state(data: dict[str, Any]) -> EndUserState:
    return EndUserState(
        **{
            **data,
            "human": HumanState(**data["human"]),
            "relation": Relation(**data["relation"]),
        }
    )
