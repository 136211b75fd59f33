"""The outbox on a real database: written together, published after, never forgotten."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

import shared.bus.outbox
from shared.bus.memory import MemoryBus
from shared.bus.outbox import (
    SWEEP_OLDER_THAN_S,
    Outbox,
    outbox_fields,
    outbox_index,
    outbox_push,
)
from shared.bus.port import BusUnavailableError, Delivery, Publication
from shared.bus.topology import BRAIN_LANES, INBOUND, TOPOLOGY
from shared.contracts import Envelope, UserCreated
from shared.mongo.indexes import ensure_indexes
from shared.telemetry.metrics import Metrics
from tests.support.eventually import eventually

pytestmark = pytest.mark.database

Collection = AsyncCollection[dict[str, Any]]


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Broker(MemoryBus):
    """The in-process bus, with an outage and a pause at the flip of a switch."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.published = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.ids: list[str] = []

    async def publish_all(
        self, publications: Sequence[Publication], *, timeout_s: float = 10.0
    ) -> None:
        if self.down:
            raise BusUnavailableError("down")
        await super().publish_all(publications, timeout_s=timeout_s)
        self.published.set()
        await self.go_on.wait()

    def note(self, delivery: Delivery) -> None:
        self.ids.append(delivery.message.id)


def emit(event_id: str, routing_key: str = "p00") -> Publication:
    payload = UserCreated(user_id="eu_1", channel="sdk")
    envelope = Envelope.of(payload, source="brain", subject="s", tenant="t", id=event_id)
    return Publication(INBOUND, routing_key, envelope)


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    broker = Broker()
    await broker.declare(TOPOLOGY)
    await broker.subscribe(BRAIN_LANES[0], broker.note, prefetch=1000)
    yield broker
    await broker.close()


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
async def collection(database: AsyncDatabase[dict[str, Any]]) -> Collection:
    await ensure_indexes(database, [outbox_index("things")])
    return database["things"]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def outbox(collection: Collection, broker: Broker, clock: Hands, metrics: Metrics) -> Outbox:
    return Outbox(collection, broker, clock, metrics)


@pytest.fixture
def write(collection: Collection, clock: Hands) -> Callable[..., Any]:
    async def write(document_id: str, *publications: Publication) -> None:
        fields = outbox_fields(publications, clock)
        await collection.insert_one({"_id": document_id, "kept": 1, **fields})

    return write


Write = Callable[..., Any]


async def state(collection: Collection, document_id: str) -> tuple[list[str], bool]:
    document = await collection.find_one({"_id": document_id})
    assert document is not None
    assert document["kept"] == 1
    return [emitted["id"] for emitted in document["emits"]], document["emits_pending"]


async def test_a_flush_publishes_in_order_and_clears(
    outbox: Outbox, collection: Collection, broker: Broker, write: Write, metrics: Metrics
) -> None:
    publications = [emit("e1"), emit("e2"), emit("e3")]
    await write("d", *publications)
    assert await state(collection, "d") == (["e1", "e2", "e3"], True)
    assert await outbox.flush("d", publications)
    assert await state(collection, "d") == ([], False)
    await eventually(lambda: broker.ids == ["e1", "e2", "e3"])
    labels = {"collection": "things"}
    assert metrics.registry.get_sample_value("outbox_published_total", labels) == 3


async def test_a_document_without_messages_is_never_pending(
    outbox: Outbox, collection: Collection, write: Write
) -> None:
    await write("d")
    assert await outbox.flush("d", [])
    assert await state(collection, "d") == ([], False)


async def test_in_an_outage_messages_stay_until_the_sweeper_takes_them(
    outbox: Outbox, collection: Collection, broker: Broker, clock: Hands, write: Write
) -> None:
    broker.down = True
    await write("d", emit("e1"))
    assert not await outbox.flush("d", [emit("e1")])
    assert await state(collection, "d") == (["e1"], True)
    clock.pass_s(SWEEP_OLDER_THAN_S + 1)
    with pytest.raises(BusUnavailableError):
        await outbox.sweep()
    assert await state(collection, "d") == (["e1"], True)
    broker.down = False
    assert await outbox.sweep() == 1
    assert await state(collection, "d") == ([], False)
    assert await outbox.sweep() == 0
    await eventually(lambda: broker.ids == ["e1"])


async def test_after_a_crash_the_oldest_leave_first_and_the_youngest_not_yet(
    outbox: Outbox, broker: Broker, clock: Hands, write: Write
) -> None:
    for number in (2, 0, 1):
        clock.now = Hands().now + timedelta(seconds=number)
        await write(f"d{number}", emit(f"e{number}a"), emit(f"e{number}b"))
    clock.now = Hands().now + timedelta(seconds=SWEEP_OLDER_THAN_S + 1.5)
    assert await outbox.sweep() == 2
    await eventually(lambda: broker.ids == ["e0a", "e0b", "e1a", "e1b"])
    clock.pass_s(1)
    assert await outbox.sweep() == 1
    await eventually(lambda: broker.ids[4:] == ["e2a", "e2b"])


async def test_two_phases_emit_one_after_the_other(
    outbox: Outbox, collection: Collection, broker: Broker, clock: Hands, write: Write
) -> None:
    await write("d", emit("e1"))
    await outbox.flush("d", [emit("e1")])
    await collection.update_one({"_id": "d"}, outbox_push([emit("e2")], clock))
    assert await state(collection, "d") == (["e2"], True)
    await outbox.flush("d", [emit("e2")])
    assert await state(collection, "d") == ([], False)
    await eventually(lambda: broker.ids == ["e1", "e2"])


async def test_the_second_phase_does_not_forget_what_the_first_left(
    outbox: Outbox, collection: Collection, broker: Broker, clock: Hands, write: Write
) -> None:
    broker.down = True
    await write("d", emit("e1"))
    await outbox.flush("d", [emit("e1")])
    broker.down = False
    await collection.update_one({"_id": "d"}, outbox_push([emit("e2")], clock))
    await outbox.flush("d", [emit("e2")])
    assert await state(collection, "d") == (["e1"], True)
    clock.pass_s(SWEEP_OLDER_THAN_S + 1)
    assert await outbox.sweep() == 1
    assert await state(collection, "d") == ([], False)


async def test_what_is_pushed_during_a_flush_is_not_lost(
    outbox: Outbox, collection: Collection, broker: Broker, clock: Hands, write: Write
) -> None:
    await write("d", emit("e1"))
    broker.go_on.clear()
    flushing = asyncio.create_task(outbox.flush("d", [emit("e1")]))
    await broker.published.wait()
    await collection.update_one({"_id": "d"}, outbox_push([emit("e2")], clock))
    broker.go_on.set()
    assert await flushing
    assert await state(collection, "d") == (["e2"], True)


async def test_pushing_nothing_changes_nothing(clock: Hands) -> None:
    assert outbox_push([], clock) == {}


async def test_a_crash_between_publishing_and_clearing_repeats_with_the_same_id(
    outbox: Outbox, broker: Broker, clock: Hands, write: Write
) -> None:
    await write("d", emit("e1"))
    await broker.publish_all([emit("e1")])
    clock.pass_s(SWEEP_OLDER_THAN_S + 1)
    await outbox.sweep()
    await eventually(lambda: broker.ids == ["e1", "e1"])


async def test_two_sweepers_at_once_lose_nothing(
    outbox: Outbox, collection: Collection, broker: Broker, clock: Hands, write: Write
) -> None:
    for number in range(20):
        await write(f"d{number}", emit(f"e{number}"))
    clock.pass_s(SWEEP_OLDER_THAN_S + 1)
    other = Outbox(collection, broker, clock, Metrics())
    await asyncio.gather(outbox.sweep(), other.sweep())
    assert await collection.count_documents({"emits_pending": True}) == 0
    await eventually(lambda: set(broker.ids) == {f"e{number}" for number in range(20)})


async def test_a_document_that_can_never_leave_holds_no_other(
    outbox: Outbox, collection: Collection, broker: Broker, clock: Hands, write: Write
) -> None:
    await write("unroutable", emit("e1", routing_key="nowhere"))
    await write("unreadable", emit("e2"))
    await collection.update_one({"_id": "unreadable"}, {"$set": {"emits.0.body": b"garbage"}})
    await write("good", emit("e3"))
    clock.pass_s(SWEEP_OLDER_THAN_S + 1)
    assert await outbox.sweep() == 1
    await eventually(lambda: broker.ids == ["e3"])
    assert await state(collection, "unroutable") == (["e1"], True)
    assert await state(collection, "unreadable") == (["e2"], True)


async def test_the_sweeper_runs_by_itself_through_an_outage_and_stops(
    outbox: Outbox,
    broker: Broker,
    clock: Hands,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared.bus.outbox, "SWEEP_EVERY_S", 0.01)
    broker.down = True
    await write("d", emit("e1"))
    clock.pass_s(SWEEP_OLDER_THAN_S + 1)
    await outbox.start()
    broker.down = False
    await eventually(lambda: broker.ids == ["e1"])
    assert await outbox.stop(5)


async def test_an_outbox_that_never_started_stops(outbox: Outbox) -> None:
    assert await outbox.stop(1)


async def test_the_sweeper_reads_its_small_index(collection: Collection, write: Write) -> None:
    await write("pending", emit("e1"))
    found = collection.find({"emits_pending": True, "emits_at": {"$lt": datetime.now(UTC)}})
    plan = await found.sort("emits_at", 1).explain()
    assert "'indexName': 'emits_pending'" in str(plan["queryPlanner"]["winningPlan"])
    assert "SORT" not in str(plan["queryPlanner"]["winningPlan"])
