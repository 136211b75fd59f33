"""Sends whose outcome is not known at once: a callback settles them, or one marked repetition."""

from datetime import timedelta
from typing import Any

import pytest

from outbound.adapters.delivery_store import DeliveryStore
from outbound.domain import deliveries
from outbound.handlers.replies import opened
from shared.contracts import Envelope
from tests.integration.outbound.world import (
    OTHER_PHONE,
    PHONE,
    TEXT,
    Channel,
    World,
    reply,
    status_event,
)

pytestmark = pytest.mark.database

SENT = {"state": "sent", "emits_pending": False}
LOST = {"type": "timeout_after", "hang_ms": 4000}
QUICK: dict[str, Any] = {"graph_timeout_s": 1.0, "settle_timeout_s": 1.0}


async def crashed_while_sending(world: World, command: Envelope) -> None:
    """A delivery as its sender left it: begun, its answer never recorded."""
    then = world.clock() - timedelta(minutes=2)
    store = DeliveryStore(world.database, world.clock)
    begun = deliveries.begin(opened(command, then)[0], then, answer_by=then + timedelta(seconds=25))
    assert await store.insert(begun)


async def test_a_lost_answer_is_settled_by_the_callback(world: World, channel: Channel):
    await world.meta.statuses({"status": "sent", "delay_ms": 1800})
    await world.meta.fault(LOST)
    async with world.outbound(graph_timeout_s=1.0, settle_timeout_s=30.0) as outbound:
        command, behind = reply(channel), reply(channel, text="behind")
        await outbound.deliver(command, behind)
        await outbound.document(command.data["delivery_id"], state="unknown")
        neighbour = reply(channel, phone=OTHER_PHONE)
        await outbound.deliver(neighbour)
        await outbound.document(neighbour.data["delivery_id"], **SENT)
        document = await outbound.document(command.data["delivery_id"], **SENT)
        await outbound.document(behind.data["delivery_id"], **SENT)
        (event, *_) = outbound.record.events("reply.sent")
    assert [step["state"] for step in document["history"]] == [
        "queued",
        "sending",
        "unknown",
        "sent",
    ]
    assert (document["attempts"], document["resent"]) == (1, False)
    assert document["wamid"].startswith("wamid.")
    assert event.data["attempts"] == 1
    assert await world.meta.received() == [TEXT, "behind"]


async def test_a_person_in_danger_does_not_wait_for_the_fate_of_an_earlier_reply(
    world: World, channel: Channel
):
    await world.meta.statuses()
    await world.meta.fault({"type": "timeout_before", "hang_ms": 4000})
    async with world.outbound(graph_timeout_s=1.0, settle_timeout_s=60.0) as outbound:
        doubtful, behind = reply(channel), reply(channel, text="behind")
        await outbound.deliver(doubtful, behind)
        await outbound.document(doubtful.data["delivery_id"], state="unknown")
        crisis = reply(channel, text="helpline", urgent=True)
        await outbound.deliver(crisis)
        await outbound.document(crisis.data["delivery_id"], **SENT)
        assert (await outbound.document(behind.data["delivery_id"]))["state"] == "queued"
    assert await world.meta.received() == ["helpline"]


@pytest.mark.parametrize("action", [LOST, {"type": "reset"}, {"type": "timeout_before"}])
async def test_without_a_callback_it_is_sent_again_once_and_marked(
    world: World, channel: Channel, action: dict[str, Any]
):
    await world.meta.fault(action)
    async with world.outbound(**QUICK) as outbound:
        command = reply(channel)
        await outbound.deliver(command)
        document = await outbound.document(command.data["delivery_id"], **SENT)
    assert (document["attempts"], document["resent"]) == (2, True)
    assert len(await world.meta.requests()) == 2


async def test_a_second_doubt_is_closed_openly_and_blocks_nobody(world: World, channel: Channel):
    await world.meta.fault(LOST, times=2)
    async with world.outbound(**QUICK) as outbound:
        command, behind = reply(channel), reply(channel, text="behind")
        await outbound.deliver(command, behind)
        await outbound.document(behind.data["delivery_id"], **SENT)
        document = await outbound.document(command.data["delivery_id"], emits_pending=False)
        assert (document["state"], document["resent"]) == ("unknown", True)
        assert "next_attempt_at" not in document
        (event,) = outbound.record.events("reply.failed")
        assert event.data["reason"] == "outcome_unknown"

        late = status_event(channel, "delivered", delivery_id=command.data["delivery_id"])
        await outbound.deliver(late)
        await outbound.document(command.data["delivery_id"], state="delivered")
    assert len(await world.meta.requests()) == 3


async def test_a_crash_before_the_record_is_settled_by_the_callback(world: World, channel: Channel):
    command = reply(channel)
    await crashed_while_sending(world, command)
    async with world.outbound(settle_timeout_s=30.0) as outbound:
        await outbound.deliver(command)
        await outbound.document(command.data["delivery_id"], state="unknown")
        delivered = status_event(
            channel, "delivered", delivery_id=command.data["delivery_id"], wamid="wamid.first"
        )
        await outbound.deliver(delivered, command)
        document = await outbound.document(command.data["delivery_id"], state="delivered")
        after = reply(channel, text="after")
        await outbound.deliver(after)
        await outbound.document(after.data["delivery_id"], **SENT)
    assert (document["wamid"], document["attempts"]) == ("wamid.first", 1)
    assert await world.meta.received() == ["after"]


async def test_a_crash_without_a_callback_is_sent_again_once_and_marked(
    world: World, channel: Channel
):
    command = reply(channel)
    await crashed_while_sending(world, command)
    async with world.outbound(**QUICK) as outbound:
        await outbound.deliver(command)
        document = await outbound.document(command.data["delivery_id"], **SENT)
    assert (document["attempts"], document["resent"]) == (2, True)
    assert await world.meta.received() == [TEXT]


async def test_a_doubt_that_outlived_a_stop_still_waits_for_callbacks_in_the_lanes(
    world: World, channel: Channel
):
    command = reply(channel)
    await crashed_while_sending(world, command)
    async with world.outbound(settle_timeout_s=30.0) as first:
        await first.document(command.data["delivery_id"], state="unknown")
    world.clock.advance(minutes=5)
    async with world.outbound(settle_timeout_s=30.0) as second:
        before = await second.document(command.data["delivery_id"])
        await second.document(
            command.data["delivery_id"], next_attempt_at={"$gt": before["next_attempt_at"]}
        )
        await second.deliver(status_event(channel, "sent", delivery_id=command.data["delivery_id"]))
        await second.document(command.data["delivery_id"], **SENT)
    assert await world.meta.requests() == []


async def test_a_send_that_was_cut_by_a_stop_is_settled_after_it(world: World, channel: Channel):
    await world.meta.statuses({"status": "sent", "delay_ms": 0})
    await world.meta.fault({"type": "timeout_after", "hang_ms": 10_000})
    command = reply(channel)
    world_settings: dict[str, Any] = {"settle_timeout_s": 30.0, "graph_timeout_s": 10.0}
    async with world.outbound(shutdown_s=0.3, **world_settings) as first:
        heard, world.meta.on_status = world.meta.on_status, None
        await first.deliver(command)
        await first.document(command.data["delivery_id"], state="sending")
    assert heard is not None
    async with world.outbound(**world_settings) as second:
        await second.document(command.data["delivery_id"], **SENT)
    assert await world.meta.received() == [TEXT]


async def test_a_callback_from_before_the_answer_is_kept(world: World, channel: Channel):
    await world.meta.statuses({"status": "delivered", "delay_ms": 0})
    await world.meta.fault({"type": "timeout_after", "hang_ms": 60})
    async with world.outbound(settle_timeout_s=30.0) as outbound:
        command = reply(channel)
        await outbound.deliver(command)
        document = await outbound.document(
            command.data["delivery_id"], state="delivered", emits_pending=False
        )
        assert document["attempts"] == 1
        assert len(outbound.record.events("reply.sent")) == 1
    assert PHONE in document["to_phone"]
