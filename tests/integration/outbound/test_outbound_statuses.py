"""Callbacks of Meta: late, twice, out of order, about others' messages."""

import pytest

from tests.integration.outbound.world import Channel, Outbound, World, reply, status_event
from tests.support.eventually import eventually

pytestmark = pytest.mark.database

SENT = {"state": "sent", "emits_pending": False}


async def sent(outbound: Outbound, channel: Channel) -> tuple[str, str]:
    """Delivery id and Meta's id of a fresh reply."""
    command = reply(channel)
    await outbound.deliver(command)
    document = await outbound.document(command.data["delivery_id"], **SENT)
    return document["_id"], document["wamid"]


async def test_out_of_order_and_repeated_callbacks_end_at_the_highest(
    outbound: Outbound, channel: Channel
):
    delivery_id, wamid = await sent(outbound, channel)
    for status in ("read", "delivered", "sent", "failed", "read", "played", "read", "typo"):
        await outbound.deliver(status_event(channel, status, delivery_id=delivery_id, wamid=wamid))
    document = await outbound.document(delivery_id, state="played")
    states = [step["state"] for step in document["history"]]
    assert states == ["queued", "sending", "sent", "read", "played"]
    assert outbound.record.events("reply.failed") == []
    assert len(outbound.record.events("reply.sent")) == 1


async def test_a_callback_without_our_id_is_found_by_metas(outbound: Outbound, channel: Channel):
    delivery_id, wamid = await sent(outbound, channel)
    await outbound.deliver(status_event(channel, "delivered", delivery_id=None, wamid=wamid))
    await outbound.document(delivery_id, state="delivered")


async def test_a_late_failure_is_recorded_and_told(
    world: World, outbound: Outbound, channel: Channel
):
    await world.meta.fault({"type": "fails_later", "code": 131049})
    command = reply(channel)
    await outbound.deliver(command)
    document = await outbound.document(
        command.data["delivery_id"], state="failed", emits_pending=False
    )
    assert document["error"]["detail"] == "ecosystem_limit"
    (event,) = outbound.record.events("reply.failed")
    assert (event.data["reason"], event.data["code"]) == ("permanent", 131049)
    assert len(await world.meta.requests()) == 1


@pytest.mark.parametrize(
    ("codes", "reason", "code"),
    [((131047,), "window_closed", 131047), ((), "permanent", None), ((7,), "permanent", 7)],
)
async def test_a_late_failure_says_why(
    outbound: Outbound,
    channel: Channel,
    codes: tuple[int, ...],
    reason: str,
    code: int | None,
):
    delivery_id, wamid = await sent(outbound, channel)
    failed = status_event(channel, "failed", delivery_id=delivery_id, wamid=wamid, codes=codes)
    await outbound.deliver(failed, failed)
    state = "window_closed" if reason == "window_closed" else "failed"
    await outbound.document(delivery_id, state=state, emits_pending=False)
    (event,) = outbound.record.events("reply.failed")
    assert (event.data["reason"], event.data["code"]) == (reason, code)


async def test_a_late_failure_of_the_channel_calls_its_operator(
    outbound: Outbound, channel: Channel
):
    delivery_id, wamid = await sent(outbound, channel)
    await outbound.deliver(
        status_event(channel, "failed", delivery_id=delivery_id, wamid=wamid, codes=(131042,))
    )
    (event,) = await eventually(lambda: outbound.record.events("channel.problem"))
    assert (event.data["problem"], event.data["code"]) == ("payment_missing", 131042)


async def test_another_channel_cannot_move_our_delivery(
    world: World, outbound: Outbound, channel: Channel
):
    delivery_id, wamid = await sent(outbound, channel)
    sibling = await world.channel()
    stranger = await world.channel(tenant="tn_other")
    for other in (sibling, stranger):
        forged = status_event(other, "failed", delivery_id=delivery_id, wamid=wamid)
        await outbound.deliver(forged)
    await outbound.deliver(status_event(channel, "read", delivery_id=delivery_id, wamid=wamid))
    document = await outbound.document(delivery_id, state="read")
    assert "failed" not in [step["state"] for step in document["history"]]
    assert outbound.record.events("reply.failed") == []


async def test_callbacks_about_messages_of_others_are_passed_over(
    outbound: Outbound, channel: Channel
):
    await outbound.deliver(
        status_event(channel, "read", delivery_id="somebody-elses", wamid="wamid.else"),
        status_event(channel, "failed", delivery_id=None, wamid="wamid.else", codes=(131026,)),
    )
    delivery_id, wamid = await sent(outbound, channel)
    await outbound.deliver(status_event(channel, "read", delivery_id=delivery_id, wamid=wamid))
    await outbound.document(delivery_id, state="read")
    assert await outbound.database["deliveries"].count_documents({}) == 1
