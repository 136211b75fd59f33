"""Deliveries in MongoDB. Every change is a compare-and-set on ``version``; indexes stand here.

An open delivery has ``next_attempt_at``; a closed one lacks the field, so that the partial indexes
hold open deliveries only.
"""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import structlog
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from outbound.domain.deliveries import Delivery, Step, Trouble, Waiting
from outbound.domain.lattice import State
from shared.bus.outbox import outbox_fields, outbox_index, outbox_push
from shared.bus.port import Publication
from shared.clock import Clock
from shared.mongo.indexes import Database, Index

log = structlog.get_logger()

DELIVERIES = "deliveries"
LISTED = 100
"""Deliveries shown for one interaction: far more than a reply has parts."""

Document = dict[str, Any]

_OPEN: Document = {"next_attempt_at": {"$exists": True}}

INDEXES = (
    Index(DELIVERIES, (("tenant", 1), ("interaction_id", 1)), name="tenant_interaction"),
    # Not unique: nobody promises that a provider's id is, and a refused record would send twice.
    Index(
        DELIVERIES,
        (("channel_id", 1), ("wamid", 1)),
        name="channel_wamid",
        partial={"wamid": {"$exists": True}},
    ),
    Index(
        DELIVERIES,
        (("next_attempt_at", 1), ("created_at", 1)),
        name="open_next_attempt_at",
        partial=_OPEN,
    ),
    Index(
        DELIVERIES,
        (("conversation_key", 1), ("created_at", 1), ("_id", 1)),
        name="open_conversation",
        partial=_OPEN,
    ),
    Index(
        DELIVERIES,
        (("waiting", 1), ("channel_id", 1)),
        name="open_waiting_channel",
        partial=_OPEN,
    ),
    Index(
        DELIVERIES,
        (("tenant", 1), ("state", 1), ("created_at", -1), ("_id", -1)),
        name="tenant_state_newest",
    ),
    # The newest thing the person wrote opens the window for all replies to them.
    Index(
        DELIVERIES,
        (("conversation_key", 1), ("user_wrote_at", -1)),
        name="conversation_user_wrote_at",
    ),
    outbox_index(DELIVERIES),
)

_FIXED = frozenset(
    {
        "id",
        "tenant",
        "interaction_id",
        "channel_id",
        "conversation_key",
        "to_phone",
        "to_user_id",
        "text",
        "context_message_id",
        "user_wrote_at",
        "command_id",
        "traceparent",
        "created_at",
        "urgent",
        "author",
    }
)
"""What no change touches."""
_NAMES = tuple(f.name for f in fields(Delivery))


class DeliveryStore:
    """The ``deliveries`` collection."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._deliveries = database[DELIVERIES]
        self._clock = clock

    async def insert(self, delivery: Delivery) -> bool:
        """Keep a new delivery; False when it is known already."""
        document = {k: v for k, v in _document(delivery).items() if v is not None}
        try:
            await self._deliveries.insert_one({**document, **outbox_fields((), self._clock)})
        except DuplicateKeyError:
            return False
        return True

    async def forget(self, tenant: str, conversation_key: str) -> int:
        """Delete all of a conversation; how many there were."""
        result = await self._deliveries.delete_many(
            {"conversation_key": conversation_key, "tenant": tenant}
        )
        return result.deleted_count

    async def replace(self, after: Delivery, publications: Sequence[Publication]) -> bool:
        """Write a change of the version that ``after`` was made from, and its events with it.

        False when somebody else changed the delivery first.
        """
        changed = {k: v for k, v in _document(after).items() if k not in _FIXED | {"_id"}}
        push = outbox_push(publications, self._clock)
        version = changed.pop("version")
        kept = {k: v for k, v in changed.items() if v is not None}
        update: Document = {
            **push,
            "$set": {**push.get("$set", {}), **kept},
            "$inc": {"version": 1},
        }
        dropped = changed.keys() - kept.keys()
        if dropped:
            update["$unset"] = dict.fromkeys(dropped, "")
        result = await self._deliveries.update_one({"_id": after.id, "version": version}, update)
        return result.matched_count == 1

    async def get(self, delivery_id: str) -> Delivery | None:
        """One delivery."""
        return _maybe(await self._deliveries.find_one({"_id": delivery_id}, _SHOWN))

    async def reported(
        self, tenant: str, channel_id: str, *, delivery_id: str | None, wamid: str
    ) -> Delivery | None:
        """The delivery that a callback of this channel is about: by our id, else by the provider's.

        Our id came back from outside: one of another channel must not be found by it.
        """
        channel = {"tenant": tenant, "channel_id": channel_id}
        if delivery_id is not None:
            found = await self._deliveries.find_one({"_id": delivery_id, **channel}, _SHOWN)
            if found is not None:
                return _delivery(found)
        return _maybe(await self._deliveries.find_one({**channel, "wamid": wamid}, _SHOWN))

    async def of_interactions(self, tenant: str, interaction_ids: Sequence[str]) -> list[Delivery]:
        """The parts of the interactions' replies, oldest first."""
        cursor = (
            self._deliveries.find(
                {"tenant": tenant, "interaction_id": {"$in": list(interaction_ids)}}, _SHOWN
            )
            .sort([("created_at", 1), ("_id", 1)])
            .limit(LISTED)
        )
        return [_delivery(document) async for document in cursor]

    async def page(
        self,
        tenant: str,
        state: State | None,
        *,
        limit: int,
        after: tuple[datetime, str] | None,
    ) -> list[Delivery]:
        """A tenant's deliveries, all or in one state, newest first; ``after``: the page before's last."""
        # Naming every state merges one index's parts, in place of an index more to write.
        states = [one.value for one in State] if state is None else [state.value]
        query: Document = {"tenant": tenant, "state": {"$in": states}}
        if after is not None:
            at, last_id = after
            query["$or"] = [
                {"created_at": {"$lt": at}},
                {"created_at": at, "_id": {"$lt": last_id}},
            ]
        cursor = (
            self._deliveries.find(query, _SHOWN)
            .sort([("created_at", -1), ("_id", -1)])
            .limit(limit)
        )
        return [_delivery(document) async for document in cursor]

    async def user_wrote_at(self, conversation_key: str) -> datetime | None:
        """When the person wrote last, as far as any of their deliveries tells."""
        found = await self._deliveries.find_one(
            {"conversation_key": conversation_key},
            {"user_wrote_at": 1},
            sort=[("user_wrote_at", -1)],
        )
        return None if found is None else _moment(found["user_wrote_at"])

    async def due(self, now: datetime, limit: int) -> list[Delivery]:
        """Open deliveries that somebody must look at, longest overdue first."""
        cursor = (
            self._deliveries.find({"next_attempt_at": {"$lte": now}}, _SHOWN)
            .sort([("next_attempt_at", 1), ("created_at", 1)])
            .limit(limit)
        )
        readable = (_readable(document) async for document in cursor)
        return [delivery async for delivery in readable if delivery is not None]

    async def next_due_at(self, now: datetime) -> datetime | None:
        """When the next open delivery after ``now`` falls due."""
        found = await self._deliveries.find_one(
            {"next_attempt_at": {"$gt": now}}, {"next_attempt_at": 1}, sort=[("next_attempt_at", 1)]
        )
        return None if found is None else _moment(found["next_attempt_at"])

    async def first_open(self, conversation_key: str) -> str | None:
        """Id of the conversation's oldest open delivery: whose turn it is."""
        found = await self._deliveries.find_one(
            {"conversation_key": conversation_key, **_OPEN},
            {"_id": 1},
            sort=[("created_at", 1), ("_id", 1)],
        )
        return None if found is None else str(found["_id"])

    async def release_next(self, conversation_key: str, now: datetime) -> None:
        """Make the oldest delivery that waits for its turn due at once."""
        await self._deliveries.find_one_and_update(
            {"conversation_key": conversation_key, "waiting": Waiting.TURN.value, **_OPEN},
            {"$set": {"next_attempt_at": now}, "$inc": {"version": 1}},
            sort=[("created_at", 1), ("_id", 1)],
            return_document=ReturnDocument.AFTER,
            projection={"_id": 1},
        )

    async def resume_channel(self, channel_id: str | None, now: datetime) -> int:
        """Make what waits for a channel to be mended due at once; None is every channel."""
        channel = {} if channel_id is None else {"channel_id": channel_id}
        result = await self._deliveries.update_many(
            {"waiting": Waiting.CHANNEL.value, **channel, "next_attempt_at": {"$gt": now}},
            {"$set": {"next_attempt_at": now}, "$inc": {"version": 1}},
        )
        return result.modified_count


_SHOWN = {"emits": 0, "emits_pending": 0, "emits_at": 0}
"""No reader here needs the outbox."""


def _document(delivery: Delivery) -> Document:
    document: Document = {name: getattr(delivery, name) for name in _NAMES}
    document["_id"] = document.pop("id")
    document["error"] = asdict(delivery.error) if delivery.error else None
    document["state"] = delivery.state.value
    document["waiting"] = delivery.waiting.value if delivery.waiting else None
    document["history"] = [{"state": s.state.value, "at": s.at} for s in delivery.history]
    return document


def _maybe(document: Document | None) -> Delivery | None:
    return None if document is None else _delivery(document)


def _readable(document: Document) -> Delivery | None:
    """One that a newer release wrote, and only it understands, must not hold the others."""
    try:
        return _delivery(document)
    except (KeyError, TypeError, ValueError) as error:
        log.error("delivery_unreadable", id=str(document["_id"]), error=type(error).__name__)
        return None


def _delivery(document: Document) -> Delivery:
    values: Document = {name: document.get(name) for name in _NAMES if name != "id"}
    waiting, error = document.get("waiting"), document.get("error")
    values |= {
        "state": State(document["state"]),
        "waiting": Waiting(waiting) if waiting else None,
        "error": Trouble(**error) if error else None,
        "history": tuple(Step(State(s["state"]), s["at"]) for s in document["history"]),
        "urgent": document.get("urgent", False),
        "author": document.get("author", "assistant"),
        "outside": document.get("outside", False),
        "paced": tuple(document.get("paced", ())),
    }
    return Delivery(id=document["_id"], **values)


def _moment(value: Any) -> datetime:
    assert isinstance(value, datetime)  # noqa: S101 - narrows the type
    return value
