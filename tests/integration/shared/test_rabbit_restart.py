"""The bus through a restart of the broker: nothing confirmed is lost, and everybody comes back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from shared.bus.port import BusError, BusUnavailableError, Delivery, Publication
from shared.bus.rabbit import RabbitBus
from shared.bus.topology import BRAIN_LANES, CONTROL, INBOUND, TOPOLOGY, broadcast_queue
from shared.contracts import Envelope, UserCreated
from tests.support.eventually import eventually
from tests.support.mongod import fresh_database_name
from tests.support.rabbit import RabbitNode

pytestmark = pytest.mark.broker

FOLLOWED, UNWATCHED = BRAIN_LANES[0], BRAIN_LANES[1]
BACK_WITHIN_S = 30.0
STREAM_SETTLED_S = 2.0
"""RabbitMQ 3.10.8 loses a stream that was made less than a second before a kill -9."""


def event(event_id: str) -> Envelope:
    payload = UserCreated(user_id="eu_1", channel="sdk")
    return Envelope.of(payload, source="brain", subject="s", tenant="t", id=event_id)


class Inbox:
    """Acknowledges at once and remembers."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._acks: set[asyncio.Task[None]] = set()

    def __call__(self, delivery: Delivery) -> None:
        self.ids.append(delivery.message.id)
        ack = asyncio.create_task(delivery.ack())
        self._acks.add(ack)
        ack.add_done_callback(self._acks.discard)


@dataclass
class Story:
    """What was seen before, during and after the restart."""

    bus: RabbitBus
    uri: str
    followed: Inbox = field(default_factory=Inbox)
    control: Inbox = field(default_factory=Inbox)
    in_hand: list[Delivery] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    confirmed: set[str] = field(default_factory=set)
    while_down: list[BaseException] = field(default_factory=list)
    slowest_answer_s: float = 0.0
    gaps: int = 0

    async def note_gap(self) -> None:
        self.gaps += 1

    async def publish_until(self, stop: asyncio.Event) -> None:
        """As a webhook does: one message after another, each until it is confirmed."""
        number = 0
        clock = asyncio.get_running_loop().time
        while not stop.is_set():
            began = clock()
            try:
                await self.bus.publish(INBOUND, "p00", event(f"load-{number}"))
            except BusUnavailableError:
                await asyncio.sleep(0.01)
            else:
                self.confirmed.add(f"load-{number}")
                number += 1
            self.slowest_answer_s = max(self.slowest_answer_s, clock() - began)


@pytest.fixture(scope="module")
async def story(rabbit: RabbitNode) -> AsyncIterator[Story]:
    """One restart, under load; the tests look at different sides of it."""
    vhost = fresh_database_name()
    await rabbit.create_vhost(vhost)
    bus = await RabbitBus.open(rabbit.uri(vhost), name="test")
    story = Story(bus, rabbit.uri(vhost))
    await bus.declare(TOPOLOGY)
    clock = asyncio.get_running_loop().time
    made_at = clock()
    bus.on_reconnect(story.note_gap)
    await bus.subscribe(FOLLOWED, story.followed, prefetch=20)
    await bus.subscribe(broadcast_queue("r1"), story.control, prefetch=20)
    await bus.subscribe(BRAIN_LANES[2], story.in_hand.append, prefetch=20)
    story.kept = [f"kept-{number}" for number in range(50)]
    await bus.publish_all([Publication(INBOUND, "p01", event(one)) for one in story.kept])
    await bus.publish(INBOUND, "p02", event("unsettled"))
    await eventually(lambda: len(story.in_hand) == 1)

    stop = asyncio.Event()
    load = asyncio.create_task(story.publish_until(stop))
    await eventually(lambda: len(story.confirmed) > 100 and clock() - made_at > STREAM_SETTLED_S)
    await rabbit.kill()
    for attempt in (bus.ping, lambda: bus.publish(CONTROL, "channel.changed", event("missed"))):
        await eventually(lambda attempt=attempt: raised_by(attempt, story.while_down))
    await rabbit.start()
    before = len(story.confirmed)
    await eventually(lambda: len(story.confirmed) > before + 100, timeout_s=BACK_WITHIN_S)
    await eventually(lambda: story.gaps > 0, timeout_s=BACK_WITHIN_S)
    stop.set()
    await load
    yield story
    await bus.close()


async def raised_by(attempt: object, seen: list[BaseException]) -> bool:
    try:
        await attempt()  # type: ignore[operator]
    except BusError as error:
        seen.append(error)
        return True
    return False


async def test_while_it_is_down_everybody_is_told_so(story: Story) -> None:
    assert [type(error) for error in story.while_down] == [BusUnavailableError] * 2


async def test_no_publisher_waits_longer_than_it_said(story: Story) -> None:
    assert story.slowest_answer_s < 5.5


async def test_every_confirmed_message_arrives(story: Story) -> None:
    await eventually(lambda: story.confirmed <= set(story.followed.ids))


async def test_what_was_confirmed_before_is_still_there_in_order(story: Story) -> None:
    kept = Inbox()
    subscription = await story.bus.subscribe(UNWATCHED, kept, prefetch=100)
    await eventually(lambda: kept.ids == story.kept)
    await subscription.cancel()


async def test_what_was_in_hand_is_delivered_again_and_the_old_delivery_is_harmless(
    story: Story,
) -> None:
    await eventually(lambda: len(story.in_hand) == 2)
    old, new = story.in_hand
    assert old.message.id == new.message.id == "unsettled"
    await old.ack()
    await new.ack()
    await story.bus.publish(INBOUND, "p02", event("next"))
    await eventually(lambda: [d.message.id for d in story.in_hand][2:] == ["next"])


async def test_the_control_queue_is_back_and_its_listener_knows_of_the_gap(story: Story) -> None:
    assert story.gaps == 1
    await story.bus.publish(CONTROL, "channel.changed", event("heard"))
    await eventually(lambda: story.control.ids == ["heard"])


async def test_the_bus_is_well_again(story: Story) -> None:
    await story.bus.ping()

    async def whole() -> bool:
        # The stream's leader takes a moment longer than the rest: an outage, no TopologyError.
        with contextlib.suppress(BusUnavailableError):
            await story.bus.check(TOPOLOGY)
            return True
        return False

    await eventually(whole)
