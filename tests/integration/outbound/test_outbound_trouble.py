"""What Meta refuses: each class of error ends where it should, and hurts nobody else."""

import socket

import pytest

from tests.integration.outbound.world import (
    OTHER_PHONE,
    PHONE,
    TEXT,
    Channel,
    Outbound,
    World,
    reply,
)
from tests.support.eventually import eventually

pytestmark = pytest.mark.database

SENT = {"state": "sent", "emits_pending": False}


def error(code: int, **more: object) -> dict[str, object]:
    return {"type": "error", "code": code, **more}


@pytest.mark.parametrize(
    "action", [error(131016), error(2), {"type": "html_500"}, error(424242, status=503)]
)
async def test_trouble_of_the_moment_is_tried_again(
    world: World, outbound: Outbound, channel: Channel, action: dict[str, object]
):
    await world.meta.fault(action)
    command = reply(channel)
    await outbound.deliver(command)
    document = await outbound.document(command.data["delivery_id"], **SENT)
    assert (document["attempts"], document["resent"]) == (2, False)
    assert await world.meta.received() == [TEXT]


async def test_an_unknown_error_is_given_up_after_five_tries(
    world: World, outbound: Outbound, channel: Channel
):
    await world.meta.fault(error(131000), times=None)
    command = reply(channel)
    await outbound.deliver(command)
    for times in range(1, 5):
        await outbound.document(command.data["delivery_id"], **{"error.times": times})
        world.clock.advance(seconds=60)
    await outbound.document(command.data["delivery_id"], state="failed", emits_pending=False)
    assert len(await world.meta.requests()) == 5
    (event,) = outbound.record.events("reply.failed")
    assert (event.data["reason"], event.data["code"]) == ("permanent", 131000)


async def test_what_never_passes_is_tried_once_and_told(
    world: World, outbound: Outbound, channel: Channel
):
    await world.meta.fault(error(131026), times=None, to=PHONE)
    dead, next_one, neighbour = (
        reply(channel),
        reply(channel, text="next"),
        reply(channel, phone=OTHER_PHONE),
    )
    await outbound.deliver(dead)
    await outbound.document(dead.data["delivery_id"], state="failed", emits_pending=False)
    await world.meta.clear_faults()
    await outbound.deliver(dead, next_one, neighbour)
    await outbound.document(next_one.data["delivery_id"], **SENT)
    await outbound.document(neighbour.data["delivery_id"], **SENT)
    assert await world.meta.received() == ["next"]
    (event,) = outbound.record.events("reply.failed")
    assert event.data == {
        "interaction_id": dead.data["interaction_id"],
        "delivery_id": dead.data["delivery_id"],
        "channel_id": channel.id,
        "attempts": 1,
        "reason": "permanent",
        "code": 131026,
    }


async def test_a_closed_window_is_told_as_such(world: World, outbound: Outbound, channel: Channel):
    await world.meta.fault(error(131047))
    refused = reply(channel)
    stale = reply(channel, phone=OTHER_PHONE, user_wrote_at=world.clock().replace(year=2020))
    await outbound.deliver(refused, stale)
    for command in (refused, stale):
        document = await outbound.document(
            command.data["delivery_id"], state="window_closed", emits_pending=False
        )
        assert document["error"]["kind"] == "window_closed"
    assert len(await world.meta.requests()) == 1
    events = outbound.record.events("reply.failed")
    assert {(e.data["reason"], e.data["code"]) for e in events} == {
        ("window_closed", 131047),
        ("window_closed", None),
    }


async def test_a_pair_limit_holds_its_own_conversation_only(
    world: World, outbound: Outbound, channel: Channel
):
    await world.meta.fault(error(131056), times=3, to=PHONE)
    first, second = reply(channel, text="first"), reply(channel, text="second")
    await outbound.deliver(first, second)
    await outbound.document(first.data["delivery_id"], waiting="throttle")
    neighbours = [reply(channel, phone=f"4477001{n:05d}") for n in range(5)]
    await outbound.deliver(*neighbours)
    for neighbour in neighbours:
        await outbound.document(neighbour.data["delivery_id"], **SENT)
    held = await outbound.document(first.data["delivery_id"], state="queued")
    behind = await outbound.document(second.data["delivery_id"], state="queued")
    assert (held["waiting"], behind["waiting"]) == ("throttle", "turn")
    for times in (1, 2, 3):
        document = await outbound.document(first.data["delivery_id"], **{"error.times": times})
        wait_s = (document["next_attempt_at"] - document["updated_at"]).total_seconds()
        assert 4 ** (times - 1) <= wait_s <= 1.26 * 4 ** (times - 1)
        world.clock.advance(seconds=25)
    await outbound.document(second.data["delivery_id"], **SENT)
    assert await world.meta.received() == ["first", "second"]


async def test_a_number_limit_holds_its_own_number_only(
    world: World, outbound: Outbound, channel: Channel
):
    other = await world.channel()
    await world.meta.fault(error(4), phone_number_id=channel.phone_number_id)
    limited = reply(channel)
    await outbound.deliver(limited)
    await outbound.document(limited.data["delivery_id"], waiting="throttle")
    held, free = reply(channel, phone=OTHER_PHONE), reply(other)
    await outbound.deliver(held, free)
    await outbound.document(free.data["delivery_id"], **SENT)
    await outbound.document(held.data["delivery_id"], waiting="throttle", attempts=0)
    world.clock.advance(minutes=10)
    await outbound.document(limited.data["delivery_id"], **SENT)
    await outbound.document(held.data["delivery_id"], **SENT)


async def test_an_expired_token_keeps_the_queue_until_the_channel_changes(
    world: World, outbound: Outbound, channel: Channel
):
    await world.meta.register(channel, token="EAAG-the-new-token")
    first = reply(channel)
    await outbound.deliver(first)
    await outbound.document(first.data["delivery_id"], waiting="channel")
    others = [reply(channel, phone=f"4477001{n:05d}") for n in range(5)]
    behind = reply(channel, text="behind")
    await outbound.deliver(*others, behind)
    for other in others:
        await outbound.document(other.data["delivery_id"], waiting="channel", attempts=0)
    assert len(await world.meta.requests()) == 1
    (event,) = await eventually(lambda: outbound.record.events("channel.problem"))
    assert (event.data["problem"], event.data["code"]) == ("token_rejected", 190)
    assert event.data["channel_id"] == channel.id
    assert "access token" in event.data["detail"]

    channel.token = "EAAG-the-new-token"
    await outbound.changed(channel)
    for command in (first, *others, behind):
        await outbound.document(command.data["delivery_id"], **SENT)
    assert await world.meta.received() == [TEXT, "behind"]
    assert outbound.record.events("reply.failed") == []
    assert len(outbound.record.events("channel.problem")) == 1


async def test_a_rotated_token_is_found_without_being_told(
    world: World, outbound: Outbound, channel: Channel
):
    warm = reply(channel)
    await outbound.deliver(warm)
    await outbound.document(warm.data["delivery_id"], **SENT)
    channel.token = "EAAG-the-rotated-token"
    await world.meta.register(channel)
    command = reply(channel)
    await outbound.deliver(command)
    document = await outbound.document(command.data["delivery_id"], **SENT)
    assert document["attempts"] == 2
    assert outbound.record.events("channel.problem") == []


async def test_a_waiting_reply_fails_when_its_window_closes(
    world: World, outbound: Outbound, channel: Channel
):
    await world.meta.fault(error(190), times=None)
    command = reply(channel)
    await outbound.deliver(command)
    await outbound.document(command.data["delivery_id"], waiting="channel")
    world.clock.advance(hours=24)
    document = await outbound.document(
        command.data["delivery_id"], state="window_closed", emits_pending=False
    )
    assert document["error"]["kind"] == "window_closed"
    (event,) = outbound.record.events("reply.failed")
    assert (event.data["reason"], event.data["attempts"]) == ("window_closed", 1)


async def test_parked_replies_survive_a_restart(world: World, channel: Channel):
    await world.meta.fault(error(131042))
    command = reply(channel)
    async with world.outbound() as first:
        await first.deliver(command)
        await first.document(command.data["delivery_id"], waiting="channel")
    world.clock.advance(minutes=10)
    async with world.outbound() as second:
        await second.document(command.data["delivery_id"], **SENT)


async def test_a_refused_connection_is_no_attempt_in_doubt(world: World, channel: Channel):
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    async with world.outbound(graph_base_url=f"http://127.0.0.1:{port}") as outbound:
        command = reply(channel)
        await outbound.deliver(command)
        document = await outbound.document(command.data["delivery_id"], waiting="retry")
        assert document["error"]["detail"] == "client_connector_error"
        assert document["resent"] is False


async def test_channels_api_may_be_away_for_a_while(
    world: World, outbound: Outbound, channel: Channel
):
    world.internal.down = True
    command = reply(channel)
    await outbound.deliver(command)
    document = await outbound.document(command.data["delivery_id"], waiting="retry")
    assert (document["error"]["detail"], document["attempts"]) == ("credentials_unavailable", 0)
    world.internal.down = False
    await outbound.document(command.data["delivery_id"], **SENT)


async def test_no_reply_goes_out_for_a_deleted_or_foreign_channel(
    world: World, outbound: Outbound, channel: Channel
):
    foreign = Channel(id=channel.id, tenant="tn_other", phone_number_id=channel.phone_number_id)
    unknown = Channel()
    for wrong in (foreign, unknown):
        command = reply(wrong)
        await outbound.deliver(command)
        document = await outbound.document(command.data["delivery_id"], state="failed")
        assert document["error"]["kind"] == "channel_deleted"
    assert await world.meta.requests() == []


async def test_a_deleted_channel_is_forgotten_at_once(
    world: World, outbound: Outbound, channel: Channel
):
    warm = reply(channel)
    await outbound.deliver(warm)
    await outbound.document(warm.data["delivery_id"], **SENT)
    del world.internal.channels[channel.id]
    await outbound.changed(channel, "deleted")
    command = reply(channel)

    async def refused() -> bool:
        await outbound.deliver(command)
        document = await outbound.document(command.data["delivery_id"])
        return document["state"] == "failed"

    await eventually(refused)


async def test_neither_text_nor_phone_nor_token_is_logged(
    world: World, capfdbinary: pytest.CaptureFixture[bytes]
):
    secrets = [TEXT, PHONE]
    async with world.outbound(graph_timeout_s=0.3, settle_timeout_s=0.3) as outbound:
        for action in (
            error(131026, details=f"{TEXT} {PHONE}"),
            error(190, details=TEXT),
            {"type": "html_500"},
            {"type": "reset"},
        ):
            channel = await world.channel()
            secrets.append(channel.token)
            await world.meta.fault(action)
            command = reply(channel)
            await outbound.deliver(command)
            await outbound.document(command.data["delivery_id"], attempts={"$gte": 1})
    seen = b"".join(capfdbinary.readouterr())
    assert b"delivery_changed" in seen
    for secret in secrets:
        assert secret.encode() not in seen
