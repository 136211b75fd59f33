"""What every bus promises. Whoever passes this may stand behind ``shared.bus.port.Bus``."""

from dataclasses import replace
from uuid import uuid4

import pytest

from shared.bus.port import (
    Bus,
    BusUnavailableError,
    Delivery,
    Publication,
    TopologyError,
    UnroutableError,
)
from shared.bus.topology import (
    CONTROL,
    DEAD,
    Exchange,
    Queue,
    QueueKind,
    Topology,
    broadcast_queue,
)
from shared.contracts import Envelope, UserCreated
from tests.contract.bus.conftest import OpenBus
from tests.support.eventually import eventually


class Inbox:
    """Takes deliveries and settles none."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    def __call__(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)

    @property
    def ids(self) -> list[str]:
        return [delivery.message.id for delivery in self.deliveries]

    async def holds(self, *ids: str) -> None:
        await eventually(lambda: self.ids == list(ids), message=f"{self.ids} to become {ids}")


class Ground:
    """A work queue of this test alone, its exchange, and where its dead letters go."""

    def __init__(self) -> None:
        self.name = f"t{uuid4().hex[:10]}"
        self.work = Queue(
            f"{self.name}.work", self.name, ("go",), dead_letter_key=f"{self.name}.work"
        )
        self.dead = Queue(f"{self.name}.dead", DEAD, (f"{self.name}.*",), kind=QueueKind.DEAD)

    def topology(self, *more: Queue) -> Topology:
        exchanges = (
            Exchange(self.name, "direct"),
            Exchange(DEAD, "topic"),
            Exchange(CONTROL, "topic", broadcast=True),
        )
        return Topology(exchanges, (self.work, self.dead, *more))

    def publications(self, *ids: str) -> list[Publication]:
        return [Publication(self.name, "go", event(one)) for one in ids]


def event(event_id: str) -> Envelope:
    payload = UserCreated(user_id="eu_1", channel="sdk")
    return Envelope.of(payload, source="contract", subject="s", tenant="t", id=event_id)


@pytest.fixture
async def ground(bus: Bus) -> Ground:
    ground = Ground()
    await bus.declare(ground.topology())
    return ground


async def test_a_message_arrives_as_it_was_sent(bus: Bus, ground: Ground) -> None:
    inbox = Inbox()
    await bus.subscribe(ground.work, inbox, prefetch=10)
    sent = event("m1")
    await bus.publish(ground.name, "go", sent)
    await inbox.holds("m1")
    message = inbox.deliveries[0].message
    assert Envelope.decode(message.body) == sent
    assert (message.type, message.exchange, message.routing_key, message.redelivered) == (
        "user.created.v1",
        ground.name,
        "go",
        False,
    )


async def test_a_queue_keeps_its_order_and_what_came_before_its_consumer(
    bus: Bus, ground: Ground
) -> None:
    early, late = [f"m{n:03d}" for n in range(300)], [f"m{n:03d}" for n in range(300, 600)]
    await bus.publish_all(ground.publications(*early))
    inbox = Inbox()
    await bus.subscribe(ground.work, inbox, prefetch=1000)
    await bus.publish_all(ground.publications(*late))
    await inbox.holds(*early, *late)


async def test_topic_patterns_match_by_words(bus: Bus) -> None:
    keys = ("a", "a.b", "a.b.c", "a.x.b", "b", "interaction.processed")
    matched = {
        "#": keys,
        "a.#": ("a", "a.b", "a.b.c", "a.x.b"),
        "a.#.b": ("a.b", "a.x.b"),
        "#.b": ("a.b", "a.x.b", "b"),
        "a.*": ("a.b",),
        "*.b": ("a.b",),
        "*": ("a", "b"),
        "a.*.*": ("a.b.c", "a.x.b"),
        "#.*": keys,
        "interaction.processed.#": ("interaction.processed",),
        "a": ("a",),
    }
    exchange, last = f"t{uuid4().hex[:10]}", "the.very.last"
    queues = {
        pattern: Queue(f"{exchange}.{number}", exchange, (pattern, last))
        for number, pattern in enumerate(matched)
    }
    await bus.declare(Topology((Exchange(exchange, "topic"),), tuple(queues.values())))
    inboxes = {pattern: Inbox() for pattern in matched}
    for pattern, inbox in inboxes.items():
        await bus.subscribe(queues[pattern], inbox, prefetch=100)
    await bus.publish_all([Publication(exchange, key, event(key)) for key in (*keys, last)])
    await eventually(lambda: all(last in inbox.ids for inbox in inboxes.values()))
    assert {p: i.ids for p, i in inboxes.items()} == {p: [*m, last] for p, m in matched.items()}


async def test_every_bound_queue_gets_its_copy(bus: Bus) -> None:
    ground = Ground()
    other = Queue(f"{ground.name}.other", ground.name, ("go", "elsewhere"))
    await bus.declare(ground.topology(other))
    inboxes = [Inbox(), Inbox()]
    for queue, inbox in zip((ground.work, other), inboxes, strict=True):
        await bus.subscribe(queue, inbox, prefetch=10)
    await bus.publish(ground.name, "elsewhere", event("m1"))
    await bus.publish(ground.name, "go", event("m2"))
    await inboxes[0].holds("m2")
    await inboxes[1].holds("m1", "m2")


@pytest.mark.parametrize("routing_key", ["no", "go.on", "#", ""])
async def test_a_message_for_nobody_is_an_error(bus: Bus, ground: Ground, routing_key: str) -> None:
    with pytest.raises(UnroutableError):
        await bus.publish(ground.name, routing_key, event("m1"))
    with pytest.raises(UnroutableError):
        await bus.publish_all(
            [*ground.publications("m1"), Publication(ground.name, routing_key, event("m2"))]
        )


async def test_a_missing_exchange_is_an_error_and_the_bus_goes_on(bus: Bus, ground: Ground) -> None:
    with pytest.raises(UnroutableError):
        await bus.publish(f"{ground.name}.missing", "go", event("m1"))

    async def works_again() -> bool:
        await bus.publish(ground.name, "go", event("m2"))
        return True

    await eventually(works_again)


async def test_nothing_to_publish_is_no_error(bus: Bus) -> None:
    await bus.publish_all([])


async def test_a_broadcast_for_nobody_is_no_error(bus: Bus, ground: Ground) -> None:
    await bus.publish(CONTROL, f"{ground.name}.changed", event("m1"))


async def test_every_replica_hears_a_broadcast(open_bus: OpenBus, ground: Ground) -> None:
    publisher, inboxes = await open_bus(), [Inbox(), Inbox()]
    for number, inbox in enumerate(inboxes):
        replica = await open_bus()
        queue = broadcast_queue(f"{ground.name}.{number}", (f"{ground.name}.changed",))
        await replica.subscribe(queue, inbox, prefetch=10)
    await publisher.publish(CONTROL, f"{ground.name}.other", event("m1"))
    await publisher.publish(CONTROL, f"{ground.name}.changed", event("m2"))
    for inbox in inboxes:
        await inbox.holds("m2")


async def test_no_more_than_prefetch_are_in_hand(bus: Bus, ground: Ground) -> None:
    limited, other = Inbox(), Inbox()
    await bus.subscribe(ground.work, limited, prefetch=2)
    await bus.publish_all(ground.publications("m1", "m2", "m3", "m4", "m5"))
    await limited.holds("m1", "m2")
    # All that is left goes to another consumer, so the first was offered no more.
    await bus.subscribe(ground.work, other, prefetch=10)
    await other.holds("m3", "m4", "m5")
    await limited.deliveries[0].ack()
    await bus.publish_all(ground.publications("m6"))
    await eventually(lambda: "m6" in limited.ids + other.ids)


async def test_settling_makes_room_for_the_next(bus: Bus, ground: Ground) -> None:
    inbox = Inbox()
    await bus.subscribe(ground.work, inbox, prefetch=1)
    await bus.publish_all(ground.publications("m1", "m2", "m3"))
    await inbox.holds("m1")
    await inbox.deliveries[-1].ack()
    await inbox.holds("m1", "m2")
    await inbox.deliveries[-1].reject()
    await inbox.holds("m1", "m2", "m3")


async def test_a_returned_message_comes_back_at_its_old_place(bus: Bus, ground: Ground) -> None:
    inbox = Inbox()
    await bus.subscribe(ground.work, inbox, prefetch=1)
    await bus.publish_all(ground.publications("m1", "m2"))
    await inbox.holds("m1")
    await inbox.deliveries[0].nack()
    await inbox.holds("m1", "m1")
    assert [delivery.message.redelivered for delivery in inbox.deliveries] == [False, True]
    await inbox.deliveries[1].ack()
    await inbox.holds("m1", "m1", "m2")
    assert inbox.deliveries[2].message.redelivered is False


async def test_a_rejected_message_goes_to_the_dead_letters(bus: Bus, ground: Ground) -> None:
    inbox, dead = Inbox(), Inbox()
    await bus.subscribe(ground.work, inbox, prefetch=10)
    await bus.subscribe(ground.dead, dead, prefetch=10)
    await bus.publish_all(ground.publications("m1", "m2"))
    await inbox.holds("m1", "m2")
    await inbox.deliveries[0].reject()
    await dead.holds("m1")
    letter = dead.deliveries[0].message
    assert letter.body == inbox.deliveries[0].message.body
    assert (letter.exchange, letter.routing_key) == (DEAD, f"{ground.name}.work")


async def test_one_consumer_at_a_time_where_the_queue_says_so(open_bus: OpenBus, bus: Bus) -> None:
    ground = Ground()
    ground.work = replace(ground.work, single_active=True)
    await bus.declare(ground.topology())
    first, second = Inbox(), Inbox()
    active = await bus.subscribe(ground.work, first, prefetch=10)
    await (await open_bus()).subscribe(ground.work, second, prefetch=10)
    await bus.publish_all(ground.publications("m1", "m2", "m3"))
    await first.holds("m1", "m2", "m3")
    for delivery in first.deliveries:
        await delivery.ack()
    assert second.ids == []
    await active.cancel()
    await bus.publish_all(ground.publications("m4"))
    await second.holds("m4")
    assert first.ids == ["m1", "m2", "m3"]


async def test_after_a_cancel_what_is_in_hand_can_be_settled(bus: Bus, ground: Ground) -> None:
    first, second = Inbox(), Inbox()
    subscription = await bus.subscribe(ground.work, first, prefetch=3)
    await bus.publish_all(ground.publications("m1", "m2", "m3", "m4"))
    await first.holds("m1", "m2", "m3")
    await subscription.cancel()
    await first.deliveries[0].ack()
    await first.deliveries[1].nack()
    await subscription.close()
    await bus.subscribe(ground.work, second, prefetch=10)
    await second.holds("m2", "m3", "m4")


async def test_a_closed_subscription_hands_all_over_in_order(open_bus: OpenBus, bus: Bus) -> None:
    ground = Ground()
    ground.work = replace(ground.work, single_active=True)
    await bus.declare(ground.topology())
    first, second = Inbox(), Inbox()
    active = await bus.subscribe(ground.work, first, prefetch=3)
    await (await open_bus()).subscribe(ground.work, second, prefetch=10)
    await bus.publish_all(ground.publications("m1", "m2", "m3", "m4", "m5"))
    await first.holds("m1", "m2", "m3")
    await first.deliveries[0].ack()
    await active.close()
    await second.holds("m2", "m3", "m4", "m5")
    assert [d.message.redelivered for d in second.deliveries[:2]] == [True, True]
    await active.close()
    await active.cancel()
    for delivery in first.deliveries[1:]:
        await delivery.ack()


async def test_settling_after_the_end_raises_nothing(open_bus: OpenBus, ground: Ground) -> None:
    bus, inbox = await open_bus(), Inbox()
    subscription = await bus.subscribe(ground.work, inbox, prefetch=10)
    await bus.publish_all(ground.publications("m1", "m2", "m3"))
    await inbox.holds("m1", "m2", "m3")
    await bus.close()
    await inbox.deliveries[0].ack()
    await inbox.deliveries[1].nack()
    await inbox.deliveries[2].reject()
    await subscription.cancel()
    await subscription.close()


async def test_a_closed_bus_says_so_and_closes_twice(open_bus: OpenBus, ground: Ground) -> None:
    bus = await open_bus()
    await bus.ping()
    await bus.close()
    await bus.close()
    with pytest.raises(BusUnavailableError):
        await bus.ping()
    with pytest.raises(BusUnavailableError):
        await bus.publish(ground.name, "go", event("m1"))
    with pytest.raises(BusUnavailableError):
        await bus.publish_all(ground.publications("m1", "m2"))


async def test_declaring_again_changes_nothing(bus: Bus, ground: Ground) -> None:
    await bus.publish_all(ground.publications("m1"))
    await bus.declare(ground.topology())
    await bus.check(ground.topology())
    inbox = Inbox()
    await bus.subscribe(ground.work, inbox, prefetch=10)
    await inbox.holds("m1")


async def test_declaring_with_other_arguments_is_refused(bus: Bus, ground: Ground) -> None:
    ground.work = replace(ground.work, single_active=True)
    with pytest.raises(TopologyError):
        await bus.declare(ground.topology())
    with pytest.raises(TopologyError):
        await bus.declare(Topology((Exchange(ground.name, "topic"),)))


async def test_a_check_tells_what_is_missing_and_makes_nothing(bus: Bus, ground: Ground) -> None:
    missing = Queue(f"{ground.name}.missing", ground.name, ("go",))
    for _ in range(2):
        with pytest.raises(TopologyError, match="missing"):
            await bus.check(ground.topology(missing))
        with pytest.raises(TopologyError, match="missing"):
            await bus.check(Topology((Exchange(f"{ground.name}.missing", "direct"),)))


async def test_a_missing_queue_cannot_be_consumed_and_the_bus_goes_on(
    bus: Bus, ground: Ground
) -> None:
    inbox = Inbox()
    with pytest.raises(TopologyError, match="missing"):
        await bus.subscribe(Queue("missing", ground.name, ()), inbox, prefetch=1)
    await bus.subscribe(ground.work, inbox, prefetch=10)
    await bus.publish_all(ground.publications("m1"))
    await inbox.holds("m1")
