"""What happens to messages after they were said, and to the people who said them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.bus.topology import INBOUND, INBOUND_LANES, lane_key
from shared.contracts import DeliverySettled, Envelope, InteractionChanged, SafetyBlocked
from tests.integration.brain.world import (
    CHANNEL,
    PHONE,
    TENANT,
    Brain,
    Json,
    World,
    notice,
    on_streams,
    whatsapp,
)
from tests.support.model_double import ModelDouble

CRY = "I am going to kill myself tonight"


def edit(of: Envelope, text: str, **more: Any) -> Envelope:
    body = {
        "original_message_id": of.data["provider_message_id"],
        "message": {"type": "text", "text": {"body": text}},
    }
    return notice("edit", body, **more)


def revoke(of: Envelope, **more: Any) -> Envelope:
    return notice("revoke", {"original_message_id": of.data["provider_message_id"]}, **more)


async def told(brain: Brain, *messages: Envelope) -> list[Json]:
    """Deliver one after another; the interactions of those that are messages."""
    rows = []
    for message in messages:
        await brain.deliver(message)
        await brain.idle()
        if message.type == "inbound.message.received.v1":
            rows.append(await brain.interaction(message))
    return rows


async def stored(brain: Brain, message: Envelope) -> Json:
    found = await brain.database["interactions"].find_one({"_id": message.id}, {"emits": 0})
    assert found is not None
    return found


def changes(brain: Brain) -> list[str]:
    return [event.data["change"] for event in brain.bus.of_type(InteractionChanged.TYPE)]


# --- edits -------------------------------------------------------------------------------------


async def test_an_edit_changes_the_message_and_starts_no_turn(brain: Brain):
    message = whatsapp("I work at TechCorp")
    (before,) = await told(brain, message)
    changed = edit(message, "I work at OtherCorp")
    await told(brain, changed, changed)
    row = await stored(brain, message)
    assert row["message"]["text"] == "I work at OtherCorp"
    assert [version["text"] for version in row["message"]["versions"]] == ["I work at TechCorp"]
    assert row["user"] == before["user"]
    assert row["reply"]["text"] == before["reply"]["text"]
    assert len(brain.bus.replies) == 1
    assert changes(brain) == ["edited"]
    assert b"OtherCorp" not in on_streams(brain)
    found = await brain.get(f"/api/users/{PHONE}/memories?q=where do I work")
    assert found["memories"][0]["text"] == "I work at OtherCorp"
    user = await brain.get(f"/api/users/{PHONE}")
    values = [fact["value"] for fact in user["profile"]]
    assert "OtherCorp" in values
    assert "TechCorp" not in values


async def test_an_edit_into_a_cry_for_help_is_answered(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        message = whatsapp("good evening")
        await told(brain, message)
        changed = edit(message, CRY)
        await told(brain, changed, changed)
        row = await stored(brain, message)
        replies = brain.bus.replies
    assert row["safety"]["action"] == "BLOCK"
    assert len(brain.bus.of_type(SafetyBlocked.TYPE)) == 1
    assert len({reply.id for reply in replies}) == 2
    assert replies[-1].data["urgent"] is True
    assert replies[-1].data["interaction_id"] == message.id
    assert replies[-1].data["delivery_id"] != replies[0].data["delivery_id"]


async def test_an_edit_takes_no_danger_back(brain: Brain):
    message = whatsapp(CRY)
    await told(brain, message, edit(message, "never mind, all good"))
    row = await stored(brain, message)
    assert row["safety"]["action"] == "BLOCK"
    assert row["message"]["text"] == "never mind, all good"
    assert len(brain.bus.replies) == 1


async def test_an_edit_before_its_message_waits_for_it(brain: Brain):
    message = whatsapp("helo")
    (row,) = await told(brain, edit(message, "hello"), message)
    assert len(brain.bus.replies) == 1
    row = await stored(brain, message)
    assert row["message"]["text"] == "hello"
    assert await brain.database["notices"].count_documents({}) == 0


async def test_an_early_edit_that_cries_for_help_is_heard_at_once(brain: Brain):
    message = whatsapp("hello")
    await told(brain, edit(message, CRY))
    row = await stored(brain, message)
    assert row["safety"]["action"] == "BLOCK"
    assert len(brain.bus.replies) == 1
    await told(brain, message)
    assert len(brain.bus.replies) == 1
    assert (await stored(brain, message))["message"]["text"] == CRY


# --- deletions ---------------------------------------------------------------------------------


async def test_a_deletion_blanks_the_text_everywhere(world: World, model: ModelDouble):
    secret = whatsapp("my name is Zaphod and my favourite fruit is durian")
    question = whatsapp("which fruit do I like?")
    # Its own text says nothing of theirs: what we said stays as it was said.
    async with world.brain(**model.settings()) as brain:
        await told(brain, secret, question)
        assert (await stored(brain, question))["memory"]["relevant_memories"]
        gone = revoke(secret)
        await told(brain, gone, gone)
        everything = ""
        for name in await brain.database.list_collection_names():
            rows = await brain.database[name].find({}, {"emits": 0}).to_list()
            everything += str(rows).lower()
        assert "zaphod" not in everything
        assert "durian" not in everything
        row = await stored(brain, secret)
        assert row["message"]["text"] == ""
        assert row["message"]["revoked_at"]
        assert row["user"]["interaction_count"] == 1
        assert changes(brain) == ["revoked"]
        assert (await brain.get(f"/api/sdk/history/{PHONE}"))[0]["role"] == "assistant"


async def test_a_deletion_before_its_message_waits_for_it(brain: Brain):
    message = whatsapp("a planted sentence")
    await told(brain, revoke(message), message)
    row = await stored(brain, message)
    assert row["message"]["text"] == ""
    assert "planted" not in str(await brain.database["memories"].find({}).to_list())


async def test_a_deletion_takes_an_edit_with_it_that_waits(brain: Brain):
    message = whatsapp("helo")
    await told(brain, edit(message, "a planted sentence"), revoke(message))
    kept = await brain.database["notices"].find({}).to_list()
    assert len(kept) == 1
    assert b"planted" not in kept[0]["body"]
    await told(brain, message)
    assert (await stored(brain, message))["message"]["text"] == ""


async def test_a_message_that_was_deleted_in_time_is_not_answered(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        message = whatsapp("oops, wrong chat", debounce_ms=400)
        await brain.deliver(message, revoke(message))
        row = await brain.interaction(message)
    assert (row["reply"]["status"], row["reply"]["reason"]) == ("none", "revoked")
    assert model.prompts == []
    assert brain.bus.replies == []


async def test_what_was_deleted_is_not_put_to_the_model(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        gone = whatsapp("a planted sentence", debounce_ms=300)
        kept = whatsapp("how are you?", debounce_ms=300)
        await brain.deliver(kept, gone, revoke(gone))
        row = await brain.interaction(gone)
    assert row["reply"]["status"] == "model"
    assert "planted" not in model.everything
    assert "how are you?" in model.everything


# --- reactions ---------------------------------------------------------------------------------


def reaction(wamid: str, emoji: str | None, **more: Any) -> Envelope:
    body: Json = {"message_id": wamid}
    if emoji is not None:
        body["emoji"] = emoji
    return notice("reaction", body, **more)


def settled(message: Envelope, state: str, wamid: str, **more: Any) -> Envelope:
    key = message.data["conversation_key"]
    payload = DeliverySettled(
        interaction_id=message.id,
        delivery_id=f"{message.id}:0",
        channel_id=CHANNEL,
        conversation_key=key,
        state=state,
        at=datetime.now(UTC),
        provider_message_id=wamid,
        **more,
    )
    return Envelope.of(payload, source="outbound", subject=key, tenant=TENANT)


async def test_a_reaction_is_kept_where_it_was_put(brain: Brain):
    message = whatsapp("hello")
    await told(brain, message, settled(message, "sent", "wamid.ours"))
    own = message.data["provider_message_id"]
    await told(brain, reaction(own, "😂"), reaction("wamid.ours", "❤️"))
    row = await stored(brain, message)
    assert row["message"]["reaction"]["emoji"] == "😂"
    assert row["reply"]["reaction"]["emoji"] == "❤️"
    await told(brain, reaction(own, ""), reaction("wamid.ours", None))
    row = await stored(brain, message)
    assert "reaction" not in row["message"]
    assert "reaction" not in row["reply"]
    assert await brain.database["interactions"].count_documents({}) == 1
    assert len(brain.bus.replies) == 1


async def test_a_reaction_to_something_unknown_waits(brain: Brain):
    message = whatsapp("hello")
    await told(brain, reaction(message.data["provider_message_id"], "👍"), message)
    assert (await stored(brain, message))["message"]["reaction"]["emoji"] == "👍"


# --- deliveries --------------------------------------------------------------------------------


async def test_what_became_of_a_reply_stands_on_the_interaction(brain: Brain):
    message = whatsapp("hello")
    lost = settled(message, "failed", "wamid.ours", code=131026, detail="undeliverable")
    await told(brain, message, settled(message, "sent", "wamid.ours"), lost, lost)
    shown = await brain.get(f"/api/interactions/{message.id}")
    (delivery,) = shown["reply"]["deliveries"]
    assert (delivery["state"], delivery["code"]) == ("failed", 131026)
    assert "wamid.ours" not in str(delivery)


# --- identity ----------------------------------------------------------------------------------


def changed_number(new: str, **system: Any) -> Envelope:
    said = {"type": "user_changed_number", "wa_id": new, "body": f"from {PHONE} to {new}", **system}
    return notice("system", said)


async def one_person(brain: Brain) -> Json:
    rows = await brain.database["end_users"].find({}).to_list()
    assert len(rows) == 1, rows
    return rows[0]


async def test_a_new_number_keeps_the_person(brain: Brain):
    new = "447700900999"
    first = whatsapp("my favourite fruit is durian", user_id="GB.1")
    (row,) = await told(brain, first)
    await told(brain, changed_number(new, user_id="GB.2"), changed_number(new, user_id="GB.2"))
    later = whatsapp("which fruit do I like?", phone=new, user_id="GB.2")
    (after,) = await told(brain, later)
    assert after["user_id"] == row["user_id"]
    assert after["memory"]["relevant_memories"]
    assert after["user"]["interaction_count"] == 2
    person = await one_person(brain)
    assert set(person["aliases"]) == {f"phone:{new}", "bsuid:GB.2"}
    assert person["external_id"] == new
    # Whoever gets the old number is somebody else.
    (stranger,) = await told(brain, whatsapp("hello", user_id="GB.9"))
    assert stranger["user_id"] != row["user_id"]
    assert not stranger["memory"]["relevant_memories"]


async def test_a_new_scoped_id_keeps_the_person(brain: Brain):
    (row,) = await told(brain, whatsapp("hello", user_id="GB.1"))
    said = {
        "type": "user_changed_user_id",
        "user_id": "GB.2",
        "body": "Ann changed from GB.1 to GB.2",
    }
    await told(brain, notice("system", said, phone=None))
    (after,) = await told(brain, whatsapp("again", phone=None, user_id="GB.2"))
    assert after["user_id"] == row["user_id"]


async def test_a_new_number_that_wrote_already_joins_the_two(brain: Brain):
    new = "447700900999"
    (old,) = await told(brain, whatsapp("my favourite fruit is durian"))
    (early,) = await told(brain, whatsapp("it is me, new number", phone=new))
    assert old["user_id"] != early["user_id"]
    await told(brain, changed_number(new))
    (after,) = await told(brain, whatsapp("which fruit do I like?", phone=new))
    assert after["user_id"] == old["user_id"]
    assert after["user"]["interaction_count"] == 3
    assert after["memory"]["relevant_memories"]
    assert (await stored(brain, whatsapp("x", wamid=early["provider_message_id"])))["user_id"] == (
        old["user_id"]
    )
    await one_person(brain)


async def test_a_hidden_number_is_the_same_person(brain: Brain):
    (first,) = await told(brain, whatsapp("hello", user_id="GB.1"))
    (hidden,) = await told(brain, whatsapp("it is me", phone=None, user_id="GB.1"))
    assert hidden["user_id"] == first["user_id"]
    reply = brain.bus.replies[-1]
    assert (reply.data["to_phone"], reply.data["to_user_id"]) == (None, "GB.1")


async def test_a_number_with_another_scoped_id_has_a_new_owner(brain: Brain):
    (old,) = await told(brain, whatsapp("my favourite fruit is durian", user_id="GB.1"))
    (new,) = await told(brain, whatsapp("which fruit do I like?", user_id="GB.2"))
    assert new["user_id"] != old["user_id"]
    assert not new["memory"]["relevant_memories"]
    (hidden,) = await told(brain, whatsapp("still me", phone=None, user_id="GB.1"))
    assert hidden["user_id"] == old["user_id"]


async def test_a_scoped_id_where_the_phone_belongs_is_understood(brain: Brain):
    (row,) = await told(brain, whatsapp("hello", phone="US.13491208655302741918"))
    person = await one_person(brain)
    assert person["aliases"] == ["bsuid:US.13491208655302741918"]
    assert brain.bus.replies[-1].data["to_phone"] is None
    assert row["user"]["id"] == "US.13491208655302741918"


# --- a human is talking ------------------------------------------------------------------------


def echo(text: str, **more: Any) -> Envelope:
    return notice("echo", {"type": "text", "text": {"body": text}, "from": "15550001111"}, **more)


async def test_an_answer_from_the_phone_app_keeps_the_machine_silent(
    world: World, model: ModelDouble
):
    async with world.brain(**model.settings()) as brain:
        first = whatsapp("hello")
        await told(brain, first, echo("Hi, this is Ann from the team."))
        (held,) = await told(brain, whatsapp("hi Ann"))
        assert (held["reply"]["status"], held["reply"]["reason"]) == ("none", "held_for_human")
        (cry,) = await told(brain, whatsapp(CRY))
        assert cry["reply"]["status"] == "fixed"
        world.clock.advance(3700)
        await told(brain, whatsapp("are you there?"))
        shown = await brain.get(f"/api/users/{PHONE}/messages")
    assert [turn["content"] for turn in model.prompts[-1] if turn["role"] == "assistant"].count(
        "Hi, this is Ann from the team."
    ) == 1
    assert [(m["author"], m["text"]) for m in shown["messages"]] == [
        ("phone_app", "Hi, this is Ann from the team.")
    ]


async def test_an_old_echo_and_one_without_a_pause_hold_nobody(brain: Brain):
    old = str(int((datetime.now(UTC) - timedelta(hours=5)).timestamp()))
    await told(brain, whatsapp("hello"), echo("old", timestamp=old), echo("x", echo_pause_s=0))
    (row,) = await told(brain, whatsapp("hello again"))
    assert row["reply"]["status"] == "model"


async def test_an_echo_to_a_stranger_is_passed_over(brain: Brain):
    await told(brain, echo("hello", phone="447700900777"))
    assert await brain.database["outgoing"].count_documents({}) == 0


@pytest.mark.parametrize("kind", ["edit", "revoke", "reaction"])
@pytest.mark.parametrize("body", [{}, {"message_id": 7}, {"original_message_id": None}])
async def test_a_notice_that_says_nothing_stops_nobody(brain: Brain, kind: Any, body: Json):
    await told(brain, notice(kind, body))
    (row,) = await told(brain, whatsapp("hello"))
    assert row["reply"]["status"] == "model"


async def test_a_type_without_business_here_stops_nobody(brain: Brain):
    stray = whatsapp("hello").model_copy(update={"type": "user.created.v1"})
    lane = lane_key(stray.data["conversation_key"], INBOUND_LANES)
    await brain.bus.publish(INBOUND, lane, stray)
    (row,) = await told(brain, whatsapp("hello"))
    assert row["reply"]["status"] == "model"
