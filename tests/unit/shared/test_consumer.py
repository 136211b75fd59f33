"""The consumer's policy, on the in-process bus: order, retry, dead letters, drain."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import repeat
from typing import Any

import pytest

from shared.bus.consumer import Broadcast, Consumer, ConsumerSpec
from shared.bus.failures import Failure, Outage, Permanent, Throttled, Transient
from shared.bus.memory import MemoryBus
from shared.bus.port import Delivery, Publication
from shared.bus.topology import BRAIN_LANES, CONTROL, INBOUND, TOPOLOGY, broadcast_queue
from shared.contracts import ContractError, Envelope, InboundMessageReceived, UserCreated
from shared.telemetry.metrics import Metrics
from tests.support.eventually import eventually

LANE = BRAIN_LANES[0]
DEAD_LETTERS = next(queue for queue in TOPOLOGY.queues if queue.name == "dead.brain.v1")


def message(key: str, number: int) -> Envelope:
    payload = InboundMessageReceived(
        channel_id="mc_1",
        provider_message_id=f"wamid.{number}",
        conversation_key=key,
        phone_number_id="1",
        received_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        auto_reply=True,
        message={"text": {"body": "the planted text"}},
    )
    return Envelope.of(payload, source="ingress", subject=key, tenant="acme", id=f"{key}{number}")


class Garbage(Envelope):
    """A message that is not ours."""

    def encode(self) -> bytes:
        return b"garbage"


class Handler:
    """Handles as told, and remembers."""

    def __init__(self, handled: list[str] | None = None) -> None:
        self.begun: list[str] = []
        self.handled: list[str] = handled if handled is not None else []
        self.held: dict[str, asyncio.Event] = {}
        self.failures: dict[str, Iterator[Exception]] = {}

    async def __call__(self, envelope: Envelope) -> None:
        self.begun.append(envelope.id)
        if envelope.id in self.held:
            await self.held[envelope.id].wait()
        error = next(self.failures.get(envelope.id, iter(())), None)
        if error is not None:
            raise error
        self.handled.append(envelope.id)

    def hold(self, event_id: str) -> asyncio.Event:
        return self.held.setdefault(event_id, asyncio.Event())

    def fail(self, event_id: str, *errors: Exception) -> None:
        self.failures[event_id] = iter(errors)

    def fail_always(self, event_id: str, error: Exception) -> None:
        self.failures[event_id] = repeat(error)


def classify(error: Exception) -> Failure:
    return Permanent("value") if isinstance(error, ValueError) else Transient("other")


async def healthy() -> None:
    """A probe of dependencies that are all up."""


@pytest.fixture
async def bus() -> AsyncIterator[MemoryBus]:
    bus = MemoryBus()
    await bus.declare(TOPOLOGY)
    yield bus
    await bus.close()


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
def spec(handler: Handler) -> ConsumerSpec:
    return ConsumerSpec(
        name="inbound",
        queues=(LANE,),
        handle=handler,
        key_of=lambda envelope: str(envelope.data["conversation_key"]),
        classify=classify,
        probe=healthy,
    )


@pytest.fixture
async def run(bus: MemoryBus) -> AsyncIterator[Callable[[ConsumerSpec], Awaitable[Consumer]]]:
    consumers: list[Consumer] = []

    async def start(spec: ConsumerSpec) -> Consumer:
        consumer = Consumer(spec, bus, Metrics(), instance=f"replica-{len(consumers)}")
        await consumer.start()
        consumers.append(consumer)
        return consumer

    yield start
    for consumer in consumers:
        await consumer.stop(0.1)


@pytest.fixture
async def dead(bus: MemoryBus) -> list[bytes]:
    bodies: list[bytes] = []

    def keep(delivery: Delivery) -> None:
        bodies.append(delivery.message.body)

    await bus.subscribe(DEAD_LETTERS, keep, prefetch=100)
    return bodies


Run = Callable[[ConsumerSpec], Awaitable[Consumer]]


async def send(bus: MemoryBus, *envelopes: Envelope) -> None:
    await bus.publish_all([Publication(INBOUND, "p00", envelope) for envelope in envelopes])


async def test_a_conversation_is_handled_in_order_while_others_flow(
    bus: MemoryBus, handler: Handler, spec: ConsumerSpec, run: Run
) -> None:
    await run(spec)
    release = handler.hold("a1")
    await send(bus, message("a", 1), message("a", 2), message("b", 1), message("b", 2))
    await eventually(lambda: handler.handled == ["b1", "b2"])
    assert handler.begun[0] == "a1"
    assert "a2" not in handler.begun
    release.set()
    await eventually(lambda: handler.handled == ["b1", "b2", "a1", "a2"])


async def test_handlers_at_once_are_limited(
    bus: MemoryBus, handler: Handler, spec: ConsumerSpec, run: Run
) -> None:
    await run(replace(spec, concurrency=2))
    keys = "abcde"
    held = [handler.hold(f"{key}1") for key in keys]
    await send(bus, *(message(key, 1) for key in keys))
    for done, release in enumerate(held):
        await eventually(lambda n=done: len(handler.begun) == min(n + 2, 5))
        release.set()
    await eventually(lambda: len(handler.handled) == 5)


async def test_a_transient_failure_is_tried_again_in_its_place(
    bus: MemoryBus, handler: Handler, spec: ConsumerSpec, run: Run
) -> None:
    await run(replace(spec, concurrency=1))
    handler.fail("a1", TimeoutError())
    await send(bus, message("a", 1), message("a", 2), message("b", 1))
    await eventually(lambda: len(handler.handled) == 3)
    assert handler.begun == ["a1", "b1", "a1", "a2"]
    assert handler.handled == ["b1", "a1", "a2"]


async def test_a_throttled_message_waits_as_long_as_it_was_told(
    bus: MemoryBus, handler: Handler, spec: ConsumerSpec, run: Run
) -> None:
    await run(spec)
    handler.fail("a1", Throttled("pair_rate", after_s=0.2))
    clock = asyncio.get_running_loop().time
    began = clock()
    await send(bus, message("a", 1), message("b", 1))
    await eventually(lambda: handler.handled == ["b1"])
    assert clock() - began < 0.2
    await eventually(lambda: handler.handled == ["b1", "a1"])
    assert clock() - began >= 0.2


async def test_a_permanent_failure_is_recorded_then_dead_lettered_without_its_text(
    bus: MemoryBus, handler: Handler, spec: ConsumerSpec, run: Run, dead: list[bytes]
) -> None:
    recorded: list[tuple[str, str, int]] = []

    async def record(envelope: Envelope, failure: Permanent) -> None:
        assert envelope.data["message"]["text"]["body"] == "the planted text"
        recorded.append((envelope.id, failure.reason, len(dead)))

    await run(replace(spec, on_dead=record))
    handler.fail_always("a1", ValueError("the planted text"))
    await send(bus, message("a", 1), message("a", 2))
    await eventually(lambda: handler.handled == ["a2"] and len(dead) == 1)
    assert recorded == [("a1", "value", 0)]
    assert b"planted" not in dead[0]
    assert Envelope.decode(dead[0]).id == "a1"
    assert handler.begun == ["a1", "a2"]


async def test_a_dead_letter_that_cannot_be_recorded_is_kept_and_tried_again(
    bus: MemoryBus, handler: Handler, spec: ConsumerSpec, run: Run, dead: list[bytes]
) -> None:
    outcomes: list[Exception | None] = [ConnectionError(), None]

    async def record(envelope: Envelope, failure: Permanent) -> None:
        if (error := outcomes.pop(0)) is not None:
            raise error

    await run(replace(spec, on_dead=record))
    handler.fail_always("a1", Permanent("refused"))
    await send(bus, message("a", 1))
    await eventually(lambda: len(dead) == 1)
    assert handler.begun == ["a1", "a1"]


async def test_a_message_is_given_up_only_while_everything_else_works(
    bus: MemoryBus, handler: Handler, spec: ConsumerSpec, run: Run, dead: list[bytes]
) -> None:
    probes: Counter[str] = Counter()
    down = True

    async def probe() -> None:
        probes["asked"] += 1
        if down:
            raise ConnectionError

    reasons: list[str] = []

    async def record(envelope: Envelope, failure: Permanent) -> None:
        reasons.append(failure.reason)

    await run(replace(spec, budget_s=0.0, probe=probe, on_dead=record))
    handler.fail_always("a1", TimeoutError())
    await send(bus, message("a", 1))
    await eventually(lambda: probes["asked"] == 2)
    assert dead == []
    down = False
    await eventually(lambda: len(dead) == 1)
    assert reasons == ["exhausted_other"]


@pytest.mark.parametrize("failure", [Outage("database"), Throttled("rate", after_s=0.01)])
async def test_an_outage_or_a_throttle_never_uses_up_the_budget(
    bus: MemoryBus,
    handler: Handler,
    spec: ConsumerSpec,
    run: Run,
    dead: list[bytes],
    failure: Failure,
) -> None:
    await run(replace(spec, budget_s=0.0))
    handler.fail("a1", failure, failure)
    await send(bus, message("a", 1))
    await eventually(lambda: handler.handled == ["a1"])
    assert dead == []


async def test_a_body_that_cannot_be_read_is_rejected_and_the_next_flows(
    bus: MemoryBus, handler: Handler, spec: ConsumerSpec, run: Run, dead: list[bytes]
) -> None:
    await run(spec)
    garbage = Garbage.model_validate(message("a", 1).model_dump())
    await send(bus, garbage, message("a", 2))
    await eventually(lambda: handler.handled == ["a2"])
    await eventually(lambda: dead == [b"garbage"])


async def test_a_message_without_a_key_is_judged_by_its_handler(
    bus: MemoryBus, handler: Handler, spec: ConsumerSpec, run: Run, dead: list[bytes]
) -> None:
    async def handle(envelope: Envelope) -> None:
        envelope.payload(InboundMessageReceived)
        await handler(envelope)

    await run(replace(spec, handle=handle, classify=lambda _: Permanent("contract")))
    other = Envelope.of(
        UserCreated(user_id="eu_1", channel="sdk"), source="s", subject="s", tenant="t", id="x1"
    )
    await send(bus, other, message("a", 1))
    await eventually(lambda: handler.handled == ["a1"] and len(dead) == 1)
    assert Envelope.decode(dead[0]).id == "x1"


async def test_a_faulty_judge_condemns_nobody(
    bus: MemoryBus, handler: Handler, spec: ConsumerSpec, run: Run, dead: list[bytes]
) -> None:
    def broken(error: Exception) -> Failure:
        raise KeyError(error)

    await run(replace(spec, classify=broken))
    handler.fail("a1", ContractError("x"))
    await send(bus, message("a", 1))
    await eventually(lambda: handler.handled == ["a1"])
    assert dead == []


async def test_stop_finishes_what_runs_and_gives_back_the_rest_in_order(
    bus: MemoryBus, handler: Handler, spec: ConsumerSpec, run: Run
) -> None:
    first, successor = await run(spec), Handler(handler.handled)
    release = handler.hold("a1")
    await send(bus, *(message("a", n) for n in range(1, 6)))
    await eventually(lambda: handler.begun == ["a1"])
    await run(replace(spec, handle=successor))
    stopping = asyncio.create_task(first.stop(5))
    await send(bus, message("a", 6), message("b", 1))
    release.set()
    assert await stopping
    await eventually(lambda: len(handler.handled) == 7)
    assert handler.begun == ["a1"]
    assert [e for e in handler.handled if e != "b1"] == ["a1", "a2", "a3", "a4", "a5", "a6"]


async def test_a_handler_that_outlives_the_deadline_is_cancelled_and_its_message_given_back(
    bus: MemoryBus, handler: Handler, spec: ConsumerSpec, run: Run
) -> None:
    first, successor = await run(spec), Handler()
    handler.hold("a1")
    await send(bus, message("a", 1), message("a", 2))
    await eventually(lambda: handler.begun == ["a1"])
    await run(replace(spec, handle=successor))
    assert not await first.stop(0.05)
    await eventually(lambda: successor.handled == ["a1", "a2"])
    assert handler.handled == []


async def test_a_message_that_waits_for_its_next_attempt_does_not_hold_up_the_stop(
    bus: MemoryBus, handler: Handler, spec: ConsumerSpec, run: Run
) -> None:
    first, successor = await run(spec), Handler()
    handler.fail_always("a1", Throttled("rate", after_s=60))
    await send(bus, message("a", 1), message("a", 2))
    await eventually(lambda: handler.begun == ["a1"])
    await run(replace(spec, handle=successor))
    assert await first.stop(5)
    await eventually(lambda: successor.handled == ["a1", "a2"])


async def test_outcomes_are_counted(bus: MemoryBus, handler: Handler, spec: ConsumerSpec) -> None:
    metrics = Metrics()
    consumer = Consumer(spec, bus, metrics, instance="r")
    await consumer.start()
    handler.fail("a1", Throttled("rate", after_s=0.01))
    await send(bus, message("a", 1))
    await eventually(lambda: handler.handled == ["a1"])
    await consumer.stop(1)

    def count(outcome: str) -> float | None:
        labels = {"consumer": "inbound", "outcome": outcome}
        return metrics.registry.get_sample_value("messages_consumed_total", labels)

    assert (count("throttled"), count("handled")) == (1, 1)


class Listener:
    """Hears control events; can be made to fail."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.gaps = 0
        self.error: Exception | None = None

    def event(self, envelope: Envelope) -> None:
        if self.error is not None:
            raise self.error
        self.heard.append(envelope.id)

    def gap(self) -> None:
        self.gaps += 1


async def test_a_broadcast_reaches_every_listener(bus: MemoryBus) -> None:
    listeners = [Listener(), Listener()]
    parts = [
        Broadcast(bus, broadcast_queue(f"r{n}", ("channel.*",)), listener.event, listener.gap)
        for n, listener in enumerate(listeners)
    ]
    for part in parts:
        await part.start()
    await bus.publish(CONTROL, "channel.changed", message("a", 1))
    await bus.publish(CONTROL, "key.revoked", message("a", 2))
    await eventually(lambda: [listener.heard for listener in listeners] == [["a1"], ["a1"]])
    for part in parts:
        assert await part.stop(1)
    await bus.publish(CONTROL, "channel.changed", message("a", 3))


@pytest.mark.parametrize("unreadable", [True, False])
async def test_a_broadcast_that_cannot_be_used_counts_as_missed(
    bus: MemoryBus, unreadable: bool
) -> None:
    listener = Listener()
    part = Broadcast(bus, broadcast_queue("r"), listener.event, listener.gap)
    await part.start()
    event: Any = message("a", 1)
    if unreadable:
        event = Garbage.model_validate(event.model_dump())
    else:
        listener.error = KeyError("planted")
    await bus.publish(CONTROL, "channel.changed", event)
    await eventually(lambda: listener.gaps == 1)
    listener.error = None
    await bus.publish(CONTROL, "channel.changed", message("a", 2))
    await eventually(lambda: listener.heard == ["a2"])
    await part.stop(1)
