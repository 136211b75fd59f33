"""Pacing before the limit is hit, the 24-hour window, long texts, and channels that are paused."""

import hashlib
import hmac
from datetime import timedelta

from shared.contracts import (
    ChannelProblemEnded,
    DeliverySettled,
    Template,
)
from tests.integration.outbound.world import (
    PHONE,
    TENANT,
    Channel,
    Outbound,
    World,
    mark,
    reply,
    status_event,
)
from tests.support.eventually import eventually

HELLO = ("we_are_here", "en_US")


def refused(calls: list[dict]) -> list[int]:
    return [call["outcome"]["code"] for call in calls if call["outcome"]["code"]]


async def all_sent(outbound: Outbound, count: int, *, timeout_s: float = 60) -> None:
    async def there() -> bool:
        sent = await outbound.database["deliveries"].count_documents({"state": "sent"})
        return sent == count

    await eventually(there, timeout_s=timeout_s, every_s=0.2, message=f"{count} are sent")


async def test_fifty_replies_to_one_person_meet_no_limit(
    world: World, outbound: Outbound, channel: Channel
):
    texts = [f"part {number:02d}" for number in range(50)]
    await outbound.deliver(*(reply(channel, text=text) for text in texts))
    await all_sent(outbound, 50)
    assert await world.meta.received() == texts
    assert refused(await world.meta.requests()) == []


async def test_three_hundred_people_on_one_number_meet_no_limit(
    world: World, outbound: Outbound, channel: Channel
):
    people = [f"4477009{number:05d}" for number in range(300)]
    await outbound.deliver(*(reply(channel, phone=phone) for phone in people))
    await all_sent(outbound, 300)
    calls = await world.meta.requests()
    assert refused(calls) == []
    assert {call["body"]["to"] for call in calls} == {f"+{phone}" for phone in people}


async def test_two_replicas_share_the_limit(world: World):
    channel = await world.channel(messages_per_second=20)
    people = [f"4477008{number:05d}" for number in range(60)]
    async with world.outbound() as one, world.outbound() as other:
        for number, phone in enumerate(people):
            await (one, other)[number % 2].deliver(reply(channel, phone=phone))
        await all_sent(one, 60)
        times = sorted(call["at"] for call in await world.meta.requests())
    # The double takes four times as much; what matters is how fast we went.
    busiest = max(sum(start <= at < start + 1 for at in times) for start in times)
    assert busiest <= 23


async def test_a_cry_for_help_waits_for_no_place(
    world: World, outbound: Outbound, channel: Channel
):
    await outbound.deliver(*(reply(channel, text=f"{number}") for number in range(46)))
    urgent = reply(channel, text="urgent", urgent=True)
    await all_sent(outbound, 44)
    await outbound.deliver(urgent)
    await outbound.document(urgent.data["delivery_id"], attempts=1)
    waiting = await outbound.database["deliveries"].count_documents({"waiting": "slot"})
    assert waiting == 1


# --- the window --------------------------------------------------------------------------------


async def test_outside_the_window_the_channels_template_is_sent(world: World, outbound: Outbound):
    channel = await world.channel(window_template=HELLO)
    stale = reply(channel, user_wrote_at=world.clock() - timedelta(hours=25))
    await outbound.deliver(stale)
    await outbound.document(stale.data["delivery_id"], state="sent")
    assert await world.meta.requests() == []
    (call,) = await world.meta.requests("template")
    assert call["body"]["template"] == {"name": "we_are_here", "language": {"code": "en_US"}}
    key = world.internal.issue(TENANT)
    path = f"/api/deliveries?interaction_id={stale.data['interaction_id']}"
    _, shown = await outbound.get(path, key)
    assert shown["deliveries"][0]["template"]["name"] == "we_are_here"


async def test_a_window_that_meta_says_is_closed_gets_the_template_once(
    world: World, outbound: Outbound
):
    channel = await world.channel(window_template=HELLO)
    at_once, later = reply(channel), reply(channel, phone="447700900777")
    await world.meta.fault({"type": "error", "code": 131047}, to=PHONE)
    await outbound.deliver(at_once, later)
    for command in (at_once, later):
        await outbound.document(command.data["delivery_id"], state="sent")
    kept = await outbound.document(later.data["delivery_id"], state="sent")
    told = status_event(
        channel,
        "failed",
        delivery_id=later.data["delivery_id"],
        wamid=kept["wamid"],
        codes=(131047,),
    )
    await outbound.deliver(told, told)
    await outbound.document(later.data["delivery_id"], state="sent", outside=True)
    assert len(await world.meta.requests("template")) == 2
    assert outbound.record.events("reply.failed") == []


async def test_a_person_gets_one_template_until_they_write_again(world: World, outbound: Outbound):
    channel = await world.channel(window_template=HELLO)
    old = world.clock() - timedelta(hours=25)
    long = reply(channel, text="A sentence. " * 800, user_wrote_at=old)
    other = reply(channel, text="another", user_wrote_at=old)
    await outbound.deliver(long, other)
    await outbound.document(long.data["delivery_id"], state="sent")
    await outbound.document(f"{long.data['delivery_id']}.01", state="window_closed")
    await outbound.document(other.data["delivery_id"], state="window_closed")
    assert len(await world.meta.requests("template")) == 1
    world.clock.advance(hours=30)
    later = reply(channel, user_wrote_at=world.clock() - timedelta(hours=25))
    await outbound.deliver(later)
    await outbound.document(later.data["delivery_id"], state="sent")
    assert len(await world.meta.requests("template")) == 2


async def test_what_is_too_late_for_an_answer_waits_for_a_human(world: World, outbound: Outbound):
    channel = await world.channel(window_template=HELLO)
    ancient = reply(channel, user_wrote_at=world.clock() - timedelta(days=8))
    await outbound.deliver(ancient)
    await outbound.document(ancient.data["delivery_id"], state="window_closed")
    assert await world.meta.requests("template") == []


async def test_a_template_that_is_refused_fails(world: World, outbound: Outbound):
    channel = await world.channel(window_template=HELLO)
    await world.meta.fault({"type": "error", "code": 132001}, kind="template")
    stale = reply(channel, user_wrote_at=world.clock() - timedelta(hours=25))
    await outbound.deliver(stale)
    document = await outbound.document(stale.data["delivery_id"], state="failed")
    assert document["error"]["code"] == 132001


async def test_whoever_writes_again_opens_the_window_for_what_waits(
    world: World, outbound: Outbound, channel: Channel
):
    await world.meta.fault({"type": "error", "code": 190}, to=PHONE)
    waiting = reply(channel, text="first")
    await outbound.deliver(waiting)
    await outbound.document(waiting.data["delivery_id"], waiting="channel")
    world.clock.advance(hours=25)
    newer = reply(channel, text="second", user_wrote_at=world.clock())
    await outbound.deliver(newer)
    await outbound.changed(channel)
    for command in (waiting, newer):
        await outbound.document(command.data["delivery_id"], state="sent")


async def test_a_human_sends_a_template_at_any_time(
    world: World, outbound: Outbound, channel: Channel
):
    components = ({"type": "body", "parameters": [{"type": "text", "text": "Ann"}]},)
    command = reply(
        channel,
        text="",
        author="operator",
        template=Template(name="call_back", language="de", components=components),
        user_wrote_at=world.clock() - timedelta(days=9),
    )
    await outbound.deliver(command)
    await outbound.document(command.data["delivery_id"], state="sent")
    (call,) = await world.meta.requests("template")
    assert call["body"]["template"]["components"] == list(components)


async def test_what_waits_for_a_window_can_be_listed(
    world: World, outbound: Outbound, channel: Channel
):
    stale = [
        reply(channel, user_wrote_at=world.clock() - timedelta(hours=25 + n)) for n in range(3)
    ]
    await outbound.deliver(*stale)
    for command in stale:
        await outbound.document(command.data["delivery_id"], state="window_closed")
    key = world.internal.issue(TENANT)
    seen, cursor = [], ""
    while cursor is not None:
        path = f"/api/deliveries?state=window_closed&limit=2{cursor}"
        status, page = await outbound.get(path, key)
        assert status == 200
        seen += [item["id"] for item in page["deliveries"]]
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert sorted(seen) == sorted(command.data["delivery_id"] for command in stale)
    other = world.internal.issue("tn_other")
    _, none = await outbound.get("/api/deliveries?state=window_closed", other)
    assert none["deliveries"] == []
    assert (await outbound.get("/api/deliveries?state=nowhere", key))[0] == 422


# --- parts -------------------------------------------------------------------------------------


async def test_a_long_text_goes_in_parts_in_order(
    world: World, outbound: Outbound, channel: Channel
):
    sentences = [f"This is sentence number {number} of a long answer." for number in range(250)]
    command = reply(channel, text=" ".join(sentences), context_message_id="wamid.theirs")
    await outbound.deliver(command, command)
    await all_sent(outbound, 3)
    received = await world.meta.received()
    assert " ".join(received) == " ".join(sentences)
    assert all(len(text) <= 4096 and text.endswith(".") for text in received)
    calls = await world.meta.requests()
    assert ["context" in call["body"] for call in calls] == [True, False, False]


# --- the channel -------------------------------------------------------------------------------


async def test_a_paused_channel_keeps_its_queue(world: World, outbound: Outbound):
    channel = await world.channel(paused=True)
    command = reply(channel)
    await outbound.deliver(command, mark(channel, "wamid.theirs"))
    await outbound.document(command.data["delivery_id"], waiting="channel")
    await outbound.changed(channel, "health")
    assert await world.meta.requests() == await world.meta.requests("read") == []
    channel.paused = False
    await outbound.changed(channel)
    await outbound.document(command.data["delivery_id"], state="sent")


async def test_a_stale_reply_on_a_paused_channel_is_not_looked_at_in_a_circle(
    world: World, outbound: Outbound
):
    channel = await world.channel(paused=True, window_template=HELLO)
    stale = reply(channel, user_wrote_at=world.clock() - timedelta(hours=25))
    await outbound.deliver(stale)
    parked = await outbound.document(stale.data["delivery_id"], waiting="channel")
    assert parked["next_attempt_at"] > world.clock() + timedelta(minutes=4)
    beside = reply(channel, user_wrote_at=world.clock() - timedelta(hours=25))
    await outbound.deliver(beside)
    turn = await outbound.document(beside.data["delivery_id"], waiting="turn")
    assert turn["next_attempt_at"] > world.clock() + timedelta(seconds=20)
    assert (await outbound.document(stale.data["delivery_id"]))["version"] == parked["version"]


async def test_a_proof_that_meta_rejects_keeps_the_queue(world: World, outbound: Outbound):
    channel = await world.channel(appsecret_proof="0" * 64)
    await world.meta.require_proof(channel)
    command = reply(channel)
    await outbound.deliver(command)
    await outbound.document(command.data["delivery_id"], waiting="channel")
    (event,) = await eventually(lambda: outbound.record.events("channel.problem"))
    assert event.data["problem"] == "proof_rejected"


async def test_an_urgent_text_in_parts_keeps_their_order(
    world: World, outbound: Outbound, channel: Channel
):
    sentences = [f"This is sentence number {number} of a long answer." for number in range(250)]
    await outbound.deliver(reply(channel, text=" ".join(sentences), urgent=True))
    await all_sent(outbound, 3)
    assert " ".join(await world.meta.received()) == " ".join(sentences)


async def test_a_channel_that_needs_attention_is_not_tried_in_a_circle(
    world: World, outbound: Outbound, channel: Channel
):
    await world.meta.fault({"type": "error", "code": 190}, times=None)
    commands = [reply(channel, text="one"), reply(channel, phone="447700900777", text="two")]
    await outbound.deliver(*commands)
    await outbound.document(commands[0].data["delivery_id"], waiting="channel")
    await outbound.document(commands[1].data["delivery_id"], waiting="channel")
    tried = len(await world.meta.requests())
    for _ in range(3):
        await outbound.changed(channel, "health")
    third = reply(channel, phone="447700900778", text="three")
    await outbound.deliver(third)
    await outbound.document(third.data["delivery_id"], waiting="channel")
    assert len(await world.meta.requests()) == tried <= 2
    assert len(outbound.record.events("channel.problem")) == 1


async def test_a_reply_that_goes_out_ends_the_problem(world: World, outbound: Outbound):
    channel = await world.channel(troubled=True)
    command = reply(channel)
    await outbound.deliver(command)
    await outbound.document(command.data["delivery_id"], state="sent")
    (event,) = await eventually(lambda: outbound.record.events("channel.problem_ended"))
    assert event.type == ChannelProblemEnded.TYPE


async def test_without_read_receipts_nothing_is_shown(world: World, outbound: Outbound):
    channel = await world.channel(read_receipts=False)
    command = reply(channel)
    await outbound.deliver(mark(channel, "wamid.theirs"), command)
    await outbound.document(command.data["delivery_id"], state="sent")
    assert await world.meta.requests("read") == []


async def test_we_prove_that_we_know_the_app_secret(world: World, outbound: Outbound):
    channel = await world.channel()
    secret = await world.meta.require_proof(channel)
    proof = hmac.new(secret.encode(), channel.token.encode(), hashlib.sha256).hexdigest()
    channel.appsecret_proof = proof
    command = reply(channel)
    await outbound.deliver(command)
    await outbound.document(command.data["delivery_id"], state="sent")


# --- what brain hears --------------------------------------------------------------------------


async def test_brain_hears_what_became_of_a_reply(
    world: World, outbound: Outbound, channel: Channel
):
    sent, lost = reply(channel), reply(channel, phone="447700900777")
    await world.meta.fault({"type": "error", "code": 131026}, to="447700900777")
    await outbound.deliver(sent, lost)
    await outbound.document(sent.data["delivery_id"], state="sent", emits_pending=False)
    await outbound.document(lost.data["delivery_id"], state="failed", emits_pending=False)
    heard = {
        envelope.data["delivery_id"]: envelope.payload(DeliverySettled)
        for _, envelope in outbound.record.published
        if envelope.type == DeliverySettled.TYPE
    }
    good, bad = heard[sent.data["delivery_id"]], heard[lost.data["delivery_id"]]
    assert (good.state, good.interaction_id) == ("sent", sent.data["interaction_id"])
    assert good.provider_message_id is not None
    assert (bad.state, bad.code, bad.detail) == ("failed", 131026, "undeliverable")
    assert good.conversation_key == sent.data["conversation_key"]
