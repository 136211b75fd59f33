"""The bus on a real broker: what only RabbitMQ can show, while it stays up."""

import asyncio
from collections import defaultdict

import aio_pika
import pytest

import shared.bus.rabbit
from shared.bus.consumer import Consumer, ConsumerSpec
from shared.bus.failures import Failure, Transient
from shared.bus.port import Bus, BusUnavailableError, Delivery, Publication, TopologyError
from shared.bus.rabbit import RabbitBus
from shared.bus.topology import (
    BRAIN_LANES,
    DELIVERY_LIMIT,
    INBOUND,
    INTERACTIONS,
    INTERACTIONS_LOG,
    TOPOLOGY,
    Topology,
    broadcast_queue,
)
from shared.contracts import Envelope, UserCreated
from shared.telemetry.metrics import Metrics
from tests.integration.shared.proxy import CuttableProxy
from tests.support.eventually import eventually

pytestmark = pytest.mark.broker

LANE = BRAIN_LANES[0]
DEAD_LETTERS = next(queue for queue in TOPOLOGY.queues if queue.name == "dead.brain.v1")


def event(event_id: str, subject: str = "s") -> Envelope:
    payload = UserCreated(user_id="eu_1", channel="sdk")
    return Envelope.of(
        payload, source="brain", subject=subject, tenant="t", id=event_id, causation="c1"
    )


async def test_the_topology_can_be_made_again_and_checked(vhost: str) -> None:
    bus = await RabbitBus.open(vhost, name="test")
    with pytest.raises(TopologyError, match="missing"):
        await bus.check(TOPOLOGY)
    await bus.declare(TOPOLOGY)
    await bus.declare(TOPOLOGY)
    await bus.check(TOPOLOGY)
    await bus.close()


async def test_a_broker_that_is_not_there_is_told_at_once(unused_tcp_port: int) -> None:
    url = f"amqp://guest:guest@127.0.0.1:{unused_tcp_port}/"
    with pytest.raises(BusUnavailableError, match="connect"):
        await RabbitBus.open(url, name="test")


async def test_a_refused_password_is_told_without_it(vhost: str) -> None:
    with pytest.raises(BusUnavailableError) as caught:
        await RabbitBus.open(vhost.replace("guest:guest", "guest:planted"), name="test")
    assert "planted" not in str(caught.value)


async def test_any_program_can_follow_the_interactions(vhost: str, rabbit_bus: RabbitBus) -> None:
    async with await aio_pika.connect(vhost) as theirs:
        channel = await theirs.channel()
        queue = await channel.declare_queue("team.interactions.v1", durable=True)
        await queue.bind(INTERACTIONS, "user.#")
        sent = event("e1")
        await rabbit_bus.publish(INTERACTIONS, "user.created", sent)
        message = await queue.get(timeout=5)
        assert Envelope.decode(message.body) == sent
        assert (message.message_id, message.type, message.content_type) == (
            "e1",
            "user.created.v1",
            "application/cloudevents+json",
        )
        assert (message.app_id, message.correlation_id) == ("brain", "c1")
        assert message.delivery_mode is aio_pika.DeliveryMode.PERSISTENT
        await message.ack()


async def test_interactions_can_be_read_again_from_the_log(
    vhost: str, rabbit_bus: RabbitBus
) -> None:
    ids = [f"e{n}" for n in range(5)]
    await rabbit_bus.publish_all(
        [Publication(INTERACTIONS, "user.created", event(one)) for one in ids]
    )
    async with await aio_pika.connect(vhost) as theirs:
        for _ in range(2):
            channel = await theirs.channel()
            await channel.set_qos(prefetch_count=10)
            queue = await channel.declare_queue(INTERACTIONS_LOG.name, passive=True)
            seen: list[str | None] = []

            async def note(
                message: aio_pika.abc.AbstractIncomingMessage, seen: list[str | None] = seen
            ) -> None:
                seen.append(message.message_id)

            await queue.consume(note, arguments={"x-stream-offset": "first"})
            await eventually(lambda seen=seen: seen == ids)
            await channel.close()


async def test_a_message_that_kills_its_consumer_is_dead_lettered(
    vhost: str, rabbit_bus: RabbitBus
) -> None:
    dead: list[Delivery] = []
    await rabbit_bus.subscribe(DEAD_LETTERS, dead.append, prefetch=10)
    await rabbit_bus.publish(INBOUND, "p00", event("poison"))
    crashes = 0
    while not dead:
        assert crashes <= DELIVERY_LIMIT + 1
        taken: list[Delivery] = []
        # A consumer that dies with the message in hand.
        subscription = await rabbit_bus.subscribe(LANE, taken.append, prefetch=1)

        def arrived(taken: list[Delivery] = taken) -> list[Delivery]:
            return taken or dead

        await eventually(arrived)
        await subscription.close()
        crashes += bool(taken)
    assert crashes == DELIVERY_LIMIT + 1
    assert dead[0].message.id == "poison"


async def test_a_body_that_is_not_ours_goes_to_the_dead_letters(
    vhost: str, rabbit_bus: RabbitBus
) -> None:
    handled: list[str] = []
    consumer = consumer_on(rabbit_bus, handled)
    dead: list[Delivery] = []
    await rabbit_bus.subscribe(DEAD_LETTERS, dead.append, prefetch=10)
    await consumer.start()
    async with await aio_pika.connect(vhost) as theirs:
        channel = await theirs.channel()
        exchange = await channel.get_exchange(INBOUND)
        await exchange.publish(aio_pika.Message(b"not ours"), "p00")
    await rabbit_bus.publish(INBOUND, "p00", event("e1"))
    await eventually(lambda: handled == ["e1"] and len(dead) == 1)
    assert dead[0].message.body == b"not ours"
    assert await consumer.stop(5)


def consumer_on(bus: Bus, handled: list[str]) -> Consumer:
    async def handle(envelope: Envelope) -> None:
        handled.append(envelope.id)

    return Consumer(spec(handle), bus, Metrics(), instance="test")


def spec(handle: object) -> ConsumerSpec:
    def classify(_: Exception) -> Failure:
        return Transient("other")

    async def healthy() -> None:
        """All dependencies are up."""

    return ConsumerSpec(
        name="inbound",
        queues=(LANE,),
        handle=handle,  # type: ignore[arg-type]
        key_of=lambda envelope: envelope.subject,
        classify=classify,
        probe=healthy,
        prefetch=5,
    )


async def test_order_survives_the_handover_to_another_replica(
    vhost: str, rabbit_bus: RabbitBus
) -> None:
    handled: dict[str, list[int]] = defaultdict(list)
    busy, release = asyncio.Event(), asyncio.Event()

    async def handle(envelope: Envelope) -> None:
        key, number = envelope.id.split("-")
        if envelope.id == "a-0":
            busy.set()
            await release.wait()
        handled[key].append(int(number))

    other = await RabbitBus.open(vhost, name="other")
    replicas = [
        Consumer(spec(handle), bus, Metrics(), instance=f"r{n}")
        for n, bus in enumerate((rabbit_bus, other))
    ]
    await replicas[0].start()
    await rabbit_bus.publish_all(
        [
            Publication(INBOUND, "p00", event(f"{key}-{number}", key))
            for number in range(20)
            for key in "abc"
        ]
    )
    await busy.wait()
    await replicas[1].start()
    stopping = asyncio.create_task(replicas[0].stop(5))
    release.set()
    assert await stopping
    await eventually(lambda: sum(map(len, handled.values())) == 60)
    assert handled == {key: list(range(20)) for key in "abc"}
    assert await replicas[1].stop(5)
    await other.close()


async def test_a_killed_replica_loses_nothing(vhost: str, rabbit_bus: RabbitBus) -> None:
    doomed = await RabbitBus.open(vhost, name="doomed")
    taken: list[Delivery] = []
    await doomed.subscribe(LANE, taken.append, prefetch=3)
    ids = [f"e{n}" for n in range(6)]
    await rabbit_bus.publish_all([Publication(INBOUND, "p00", event(one)) for one in ids])
    await eventually(lambda: len(taken) == 3)
    successor: list[Delivery] = []
    await rabbit_bus.subscribe(LANE, successor.append, prefetch=10)
    await doomed.close()
    await eventually(lambda: [d.message.id for d in successor] == ids)


async def test_two_replicas_cannot_share_a_control_queue(vhost: str, rabbit_bus: RabbitBus) -> None:
    await rabbit_bus.subscribe(broadcast_queue("r1"), lambda _: None, prefetch=1)
    other = await RabbitBus.open(vhost, name="other")
    with pytest.raises(BusUnavailableError):
        await other.subscribe(broadcast_queue("r1"), lambda _: None, prefetch=1)
    await other.close()


async def test_a_connection_that_falls_silent_is_an_outage_and_no_cancellation(
    vhost: str, rabbit_bus: RabbitBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every half second, so that the silence is noticed within a test.
    monkeypatch.setattr(shared.bus.rabbit, "HEARTBEAT_S", 1)
    async with CuttableProxy(vhost) as proxy:
        bus = await RabbitBus.open(proxy.url, name="silent")
        taken: list[Delivery] = []
        await bus.subscribe(LANE, taken.append, prefetch=10)
        await bus.publish(INBOUND, "p00", event("before"))
        await eventually(lambda: len(taken) == 1)
        proxy.cut()
        async with asyncio.timeout(20):
            with pytest.raises(BusUnavailableError, match="stuck"):
                await bus.publish(INBOUND, "p00", event("lost"), timeout_s=60)
        await taken[0].ack()
        proxy.mend()

        async def works_again() -> bool:
            await bus.publish(INBOUND, "p00", event("after"))
            return True

        await eventually(works_again, timeout_s=20)
        await eventually(lambda: "after" in [d.message.id for d in taken], timeout_s=20)
        await bus.close()


async def test_a_broker_that_does_not_answer_ends_in_the_time_given(vhost: str) -> None:
    async with CuttableProxy(vhost) as proxy:
        bus = await RabbitBus.open(proxy.url, name="mute")
        await bus.declare(TOPOLOGY)
        proxy.cut()
        async with asyncio.timeout(5):
            with pytest.raises(BusUnavailableError, match=r"no confirm within 0\.2 s"):
                await bus.publish(INBOUND, "p00", event("e1"), timeout_s=0.2)
            many = [Publication(INBOUND, "p00", event(f"e{n}")) for n in range(50)]
            with pytest.raises(BusUnavailableError, match=r"no confirm within 0\.2 s"):
                await bus.publish_all(many, timeout_s=0.2)
        proxy.mend()
        await bus.close()


async def test_declaring_on_a_broker_that_is_gone_is_an_outage(vhost: str) -> None:
    async with CuttableProxy(vhost) as proxy:
        bus = await RabbitBus.open(proxy.url, name="gone")
    with pytest.raises(BusUnavailableError):
        await bus.declare(Topology())
    await bus.close()
