"""Events that leave with the document that caused them: written together, published after.

A document carries ``emits`` (encoded messages), ``emits_pending`` and ``emits_at``. The writer
calls ``flush`` right after its write; a sweeper finds what a crash left. A crash between the
publish and the clearing repeats a message with the same id, which every reader absorbs.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from shared.bus.port import Bus, BusError, Publication, UnroutableError
from shared.clock import Clock
from shared.contracts import ContractError, Envelope
from shared.mongo.indexes import Index
from shared.telemetry.metrics import Metrics

log = structlog.get_logger()

SWEEP_EVERY_S = 1.0
SWEEP_OLDER_THAN_S = 5.0
"""Older than any flush in progress: the sweeper takes up only what a crash or an outage left."""
SWEEP_BATCH = 100


def outbox_index(collection: str) -> Index:
    """The index that the sweeper reads; small, because it holds pending documents only."""
    return Index(
        collection,
        (("emits_at", 1),),
        name="emits_pending",
        partial={"emits_pending": True},
    )


def outbox_fields(publications: Sequence[Publication], clock: Clock) -> dict[str, Any]:
    """Fields to put into the document that is about to be written."""
    return {
        "emits": [_encoded(p) for p in publications],
        "emits_pending": bool(publications),
        "emits_at": clock(),
    }


def outbox_push(publications: Sequence[Publication], clock: Clock) -> dict[str, Any]:
    """Update operators that add messages to an existing document's outbox; none for no message."""
    if not publications:
        return {}
    return {
        "$push": {"emits": {"$each": [_encoded(p) for p in publications]}},
        "$set": {"emits_pending": True, "emits_at": clock()},
    }


def _encoded(publication: Publication) -> dict[str, Any]:
    return {
        "id": publication.envelope.id,
        "exchange": publication.exchange,
        "routing_key": publication.routing_key,
        "body": publication.envelope.encode(),
    }


def _decoded(emit: dict[str, Any]) -> Publication:
    return Publication(emit["exchange"], emit["routing_key"], Envelope.decode(emit["body"]))


class Outbox:
    """Publishes what a collection's documents carry. One for each collection that emits."""

    def __init__(
        self, collection: AsyncCollection[dict[str, Any]], bus: Bus, clock: Clock, metrics: Metrics
    ) -> None:
        self._collection = collection
        self._bus = bus
        self._clock = clock
        self._metrics = metrics
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def flush(self, document_id: Any, publications: Sequence[Publication]) -> bool:
        """Publish and clear. False when the broker or database failed: the sweeper takes over."""
        try:
            await self._publish(document_id, publications)
        except (BusError, PyMongoError) as error:
            log.warning("outbox_postponed", error=type(error).__name__)
            return False
        return True

    async def _publish(self, document_id: Any, publications: Sequence[Publication]) -> None:
        if not publications:
            return
        await self._bus.publish_all(publications)
        await self._clear(document_id, [p.envelope.id for p in publications])
        self._metrics.emitted.labels(self._collection.name).inc(len(publications))

    async def _clear(self, document_id: Any, published: Sequence[str]) -> None:
        remaining = {
            "$filter": {"input": "$emits", "cond": {"$not": [{"$in": ["$$this.id", published]}]}}
        }
        await self._collection.update_one(
            {"_id": document_id},
            [
                {"$set": {"emits": remaining}},
                {"$set": {"emits_pending": {"$gt": [{"$size": "$emits"}, 0]}}},
            ],
        )

    async def is_empty(self) -> bool:
        """Whether every message that any document carries has left. Raises PyMongoError."""
        # The lower bound lets the small index of pending documents answer.
        waiting = {"emits_pending": True, "emits_at": {"$gte": datetime(1970, 1, 1, tzinfo=UTC)}}
        return await self._collection.find_one(waiting, {"_id": 1}) is None

    async def start(self) -> None:
        """Begin to sweep in the background."""
        self._task = asyncio.create_task(self._sweep_for_ever())

    async def stop(self, timeout_s: float) -> bool:
        """Stop sweeping after the round in progress."""
        self._stopping.set()
        if self._task is None:
            return True
        done, _ = await asyncio.wait({self._task}, timeout=timeout_s)
        self._task.cancel()
        return bool(done)

    async def _sweep_for_ever(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.sweep()
            except (BusError, PyMongoError) as error:
                log.warning("outbox_sweep_failed", error=type(error).__name__)
            try:
                async with asyncio.timeout(SWEEP_EVERY_S):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def sweep(self) -> int:
        """Publish what is older than any flush in progress, oldest first; how many documents.

        A document whose messages can never leave is logged and skipped: it must not hold the
        others. Raises BusUnavailableError and PyMongoError at the first sign of an outage.
        """
        older_than = self._clock() - timedelta(seconds=SWEEP_OLDER_THAN_S)
        found = (
            self._collection.find(
                {"emits_pending": True, "emits_at": {"$lt": older_than}}, {"emits": 1}
            )
            .sort("emits_at", 1)
            .limit(SWEEP_BATCH)
        )
        swept = 0
        async for document in found:
            try:
                await self._publish(document["_id"], [_decoded(e) for e in document["emits"]])
            except (UnroutableError, ContractError) as error:
                log.error("outbox_stuck", id=str(document["_id"]), error=type(error).__name__)
                continue
            swept += 1
        if swept:
            log.info("outbox_swept", collection=self._collection.name, documents=swept)
        return swept
