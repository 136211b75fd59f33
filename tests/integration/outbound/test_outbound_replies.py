"""A reply on its way: what reaches Meta, once, in order, and what is told about it."""

import asyncio
from datetime import timedelta

import pytest

from shared.bus.topology import TOPOLOGY
from tests.integration.outbound.world import (
    OTHER_PHONE,
    PHONE,
    TENANT,
    TEXT,
    Channel,
    Outbound,
    World,
    mark,
    reply,
)
from tests.support.eventually import eventually

pytestmark = pytest.mark.database

SENT = {"state": "sent", "emits_pending": False}


async def test_a_reply_reaches_meta_with_token_context_and_our_id(
    world: World, outbound: Outbound, channel: Channel
):
    command = reply(channel, context_message_id="wamid.theirs")
    await outbound.deliver(command)
    document = await outbound.document(command.data["delivery_id"], **SENT)

    (call,) = await world.meta.requests()
    assert call["path"] == f"/v25.0/{channel.phone_number_id}/messages"
    assert call["bearer"].endswith(channel.token[-4:])
    assert call["body"] == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": f"+{PHONE}",
        "type": "text",
        "text": {"body": TEXT},
        "context": {"message_id": "wamid.theirs"},
        "biz_opaque_callback_data": command.data["delivery_id"],
    }
    assert document["wamid"] == call["outcome"]["wamid"]
    assert [step["state"] for step in document["history"]] == ["queued", "sending", "sent"]
    (event,) = outbound.record.events("reply.sent")
    assert event.data == {
        "interaction_id": command.data["interaction_id"],
        "delivery_id": command.data["delivery_id"],
        "channel_id": channel.id,
        "attempts": 1,
    }
    assert event.tenant == TENANT
    assert event.causation == command.id
    assert TEXT.encode() not in event.encode()
    assert PHONE.encode() not in event.encode()


async def test_callbacks_tick_the_delivery_off(world: World, outbound: Outbound, channel: Channel):
    steps = [{"status": s, "delay_ms": 0} for s in ("read", "sent", "delivered", "read")]
    await world.meta.statuses(*steps)
    command = reply(channel)
    await outbound.deliver(command)
    document = await outbound.document(command.data["delivery_id"], state="read")
    assert document["attempts"] == 1
    await eventually(lambda: outbound.record.events("reply.sent"))


async def test_the_same_command_three_times_is_one_message(
    world: World, outbound: Outbound, channel: Channel
):
    command = reply(channel)
    await outbound.deliver(command, command)
    await outbound.document(command.data["delivery_id"], **SENT)
    await outbound.deliver(command)
    later = reply(channel)
    await outbound.deliver(later)
    await outbound.document(later.data["delivery_id"], **SENT)
    assert len(await world.meta.requests()) == 2
    assert len(outbound.record.events("reply.sent")) == 2


async def test_the_same_command_after_a_restart_is_one_message(world: World, channel: Channel):
    command = reply(channel)
    async with world.outbound() as first:
        await first.deliver(command)
        await first.document(command.data["delivery_id"], **SENT)
    async with world.outbound() as second:
        later = reply(channel)
        await second.deliver(command, later)
        await second.document(later.data["delivery_id"], **SENT)
    assert len(await world.meta.requests()) == 2


async def test_a_person_who_hides_their_number_is_answered_by_id(
    world: World, outbound: Outbound, channel: Channel
):
    await world.meta.call(
        "POST",
        "/sim/phone/messages",
        {
            "phone_number_id": channel.phone_number_id,
            "from": f"+{PHONE}",
            "user_id": "GB.77",
            "hide_phone": True,
            "text": "hello",
        },
    )
    command = reply(channel, phone=None, to_user_id="GB.77")
    await outbound.deliver(command)
    await outbound.document(command.data["delivery_id"], **SENT)
    (call,) = await world.meta.requests()
    assert call["body"]["recipient"] == "GB.77"
    assert await world.meta.received("GB.77") == [TEXT]


async def test_a_human_pace_is_kept_and_later_replies_stay_behind(
    world: World, outbound: Outbound, channel: Channel
):
    slow = reply(channel, text="first", not_before=world.clock() + timedelta(milliseconds=400))
    quick = reply(channel, text="second")
    neighbour = reply(channel, phone=OTHER_PHONE, text="neighbour")
    began = world.clock()
    await outbound.deliver(slow, quick, neighbour)
    await outbound.document(quick.data["delivery_id"], **SENT)
    assert await world.meta.received() == ["first", "second"]
    document = await outbound.document(slow.data["delivery_id"], **SENT)
    assert document["updated_at"] - began >= timedelta(milliseconds=390)
    assert [call["body"]["text"]["body"] for call in await world.meta.requests()] == [
        "neighbour",
        "first",
        "second",
    ]


async def test_many_replies_keep_the_order_of_each_conversation(
    world: World, outbound: Outbound, channel: Channel
):
    commands = [
        reply(channel, phone=phone, text=f"part {number}")
        for number in range(12)
        for phone in (PHONE, OTHER_PHONE)
    ]
    await outbound.deliver(*commands)
    for command in commands:
        await outbound.document(command.data["delivery_id"], **SENT)
    expected = [f"part {number}" for number in range(12)]
    assert await world.meta.received(PHONE) == expected
    assert await world.meta.received(OTHER_PHONE) == expected


async def test_events_wait_in_the_document_while_the_broker_is_away(
    world: World, outbound: Outbound, channel: Channel
):
    command = reply(channel, not_before=world.clock() + timedelta(milliseconds=200))
    await outbound.deliver(command)
    outbound.record.down = True
    await outbound.document(command.data["delivery_id"], state="sent", emits_pending=True)
    outbound.record.down = False
    world.clock.advance(seconds=10)
    await outbound.document(command.data["delivery_id"], **SENT)
    assert len(outbound.record.events("reply.sent")) == 1


async def test_marking_read_shows_that_we_type(world: World, outbound: Outbound, channel: Channel):
    written = await world.meta.call(
        "POST",
        "/sim/phone/messages",
        {"phone_number_id": channel.phone_number_id, "from": f"+{PHONE}", "text": "hello"},
    )
    await outbound.deliver(mark(channel, written["wamid"]))
    (call,) = await eventually(lambda: world.meta.requests("read"))
    assert call["body"] == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": written["wamid"],
        "typing_indicator": {"type": "text"},
    }


@pytest.mark.parametrize("action", [{"type": "error", "code": 131000}, {"type": "html_500"}])
async def test_a_failed_read_mark_is_tried_once_and_holds_no_reply(
    world: World, outbound: Outbound, channel: Channel, action: dict[str, object]
):
    await world.meta.fault(action, times=None, kind="read")
    command = reply(channel)
    await outbound.deliver(mark(channel, "wamid.theirs", typing=False), command)
    await outbound.document(command.data["delivery_id"], **SENT)
    (call,) = await world.meta.requests("read")
    assert "typing_indicator" not in call["body"]


@pytest.mark.broker
async def test_replies_flow_over_a_real_broker_and_through_a_restart(
    world: World, channel: Channel, amqp_uri: str
):
    await world.meta.statuses({"status": "delivered", "delay_ms": 0})
    commands = [reply(channel, text=f"part {number}") for number in range(6)]
    async with world.outbound(amqp_url=amqp_uri) as first:
        await first.bus.declare(TOPOLOGY)
        await first.deliver(*commands[:3], commands[0])
        for command in commands[:3]:
            await first.document(command.data["delivery_id"], state="delivered")
        await first.deliver(*commands[3:])
    async with world.outbound(amqp_url=amqp_uri) as second:
        await second.deliver(*commands)
        for command in commands:
            await second.document(command.data["delivery_id"], state="delivered")
    assert await world.meta.received() == [f"part {number}" for number in range(6)]


async def test_two_replicas_on_one_database_send_once(world: World, channel: Channel):
    commands = [reply(channel, phone=f"4477009{number:05d}") for number in range(30)]
    async with world.outbound() as first, world.outbound() as second:
        for command in commands:
            await asyncio.gather(first.deliver(command), second.deliver(command))
        for command in commands:
            await first.document(command.data["delivery_id"], **SENT)
    recipients = [call["body"]["to"] for call in await world.meta.requests()]
    assert len(recipients) == len(set(recipients)) == 30
