"""People send one thought in four messages: each is an interaction, one reply answers them."""

import asyncio
from datetime import timedelta

import pytest

from shared.contracts import MarkMessageRead, SafetyBlocked, SendReply
from tests.integration.brain.world import Brain, World, commands, whatsapp
from tests.support.eventually import eventually
from tests.support.model_double import ModelDouble

PAUSE_MS = 150
THOUGHT = ("hi", "I had an awful day", "my boss shouted at me", "and now I cannot sleep")


def burst(*texts: str, **message):
    return [whatsapp(text, debounce_ms=PAUSE_MS, **message) for text in texts]


async def test_one_reply_answers_four_messages(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        messages = burst(*THOUGHT)
        await brain.deliver(*messages)
        rows = [await brain.interaction(message) for message in messages]
        await brain.idle()
    assert [row["message"]["text"] for row in rows] == list(THOUGHT)
    assert [row["reply"]["status"] for row in rows] == ["joined", "joined", "joined", "model"]
    assert {row["reply"]["into"] for row in rows[:3]} == {messages[3].id}
    assert len(model.prompts) == 1
    assert model.prompts[0][-1]["content"] == "<message>" + "\n".join(THOUGHT) + "</message>"
    assert len(model.prompts[0]) == 2
    # What is said now is not remembered as something said before.
    assert "## memories" not in model.prompts[0][0]["content"]
    (reply,) = brain.bus.replies
    assert reply.data["context_message_id"] == messages[3].data["provider_message_id"]
    assert rows[3]["user"]["interaction_count"] == 4


async def test_what_comes_while_the_model_writes_is_answered_with_the_rest(
    world: World, model: ModelDouble
):
    model.held_word = "awful"
    async with world.brain(**model.settings()) as brain:
        first = burst("I had an awful day")
        await brain.deliver(*first)
        await eventually(lambda: model.prompts, message="the model was asked")
        model.held_word = None
        second = burst("and I am alone")
        await brain.deliver(*second)
        await eventually(
            lambda: world.database["interactions"].find_one({"_id": second[0].id}),
            message="the second message is stored",
        )
        model.release.set()
        rows = [await brain.interaction(message) for message in (*first, *second)]
    assert [row["reply"]["status"] for row in rows] == ["joined", "model"]
    assert "awful day\nand I am alone" in model.prompts[-1][-1]["content"]
    assert len(brain.bus.replies) == 1


async def test_a_talker_is_answered_at_last(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        first = burst("it all began on monday")[0]
        await brain.deliver(first)
        await eventually(
            lambda: world.database["interactions"].find_one({"_id": first.id}), message="stored"
        )
        world.clock.advance(9.95)
        second = burst("and then on tuesday")[0]
        await brain.deliver(second)
        row = await brain.interaction(second)
    stored = await world.database["interactions"].find_one({"_id": first.id})
    assert (row["reply"]["status"], stored["reply"]["status"]) in {
        ("model", "joined"),
        ("model", "model"),
    }
    waited = row["reply"]["at"] - row["at"]
    assert waited < timedelta(seconds=2)


async def test_a_cry_for_help_does_not_wait_and_ends_the_burst(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        calm = whatsapp("good evening", debounce_ms=600)
        cry = whatsapp("I am going to kill myself tonight", debounce_ms=600)
        await brain.deliver(calm, cry)
        answered = await brain.interaction(cry)
        assert answered["reply"]["status"] == "fixed"
        row = await brain.interaction(calm)
    assert (row["reply"]["status"], row["reply"]["into"]) == ("joined", cry.id)
    assert model.prompts == []
    assert len(brain.bus.replies) == 1


async def test_a_cry_for_help_in_pieces_is_heard(world: World, model: ModelDouble):
    pieces = ("I am going to", "kill", "myself", "tonight")
    async with world.brain(**model.settings()) as brain:
        messages = burst(*pieces)
        await brain.deliver(*messages)
        rows = [await brain.interaction(message) for message in messages]
    assert rows[-1]["reply"]["status"] == "fixed"
    assert rows[-1]["safety"]["action"] == "BLOCK"
    assert model.prompts == []
    assert brain.bus.of_type(SafetyBlocked.TYPE)


async def test_an_album_gets_one_honest_line(brain: Brain):
    album = [whatsapp(type="image", image={"id": f"m{n}"}, debounce_ms=PAUSE_MS) for n in range(3)]
    await brain.deliver(*album)
    rows = [await brain.interaction(message) for message in album]
    assert [row["reply"]["status"] for row in rows] == ["joined", "joined", "fixed"]
    assert rows[2]["reply"]["reason"] == "not_seen"
    assert len(brain.bus.replies) == 1


async def test_two_channels_are_two_conversations(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        one, other = burst("on one number")[0], burst("on another", channel_id="mc_other")[0]
        await brain.deliver(one, other)
        rows = [await brain.interaction(message) for message in (one, other)]
    assert [row["reply"]["status"] for row in rows] == ["model", "model"]
    assert {reply.data["channel_id"] for reply in brain.bus.replies} == {
        row["channel_id"] for row in rows
    }


async def test_a_burst_that_a_crash_left_is_answered_by_the_next_replica(
    world: World, model: ModelDouble
):
    model.behaviour = "hang"
    async with world.brain(**model.settings(), shutdown_s=0.2) as brain:
        messages = burst(*THOUGHT)
        await brain.deliver(*messages)
        await eventually(lambda: model.prompts, message="the model was asked")
    model.behaviour = "normal"
    model.release.set()
    world.clock.advance(120)
    async with world.brain(**model.settings()) as other:
        rows = [await other.interaction(message) for message in messages]
    assert [row["reply"]["status"] for row in rows] == ["joined", "joined", "joined", "model"]
    assert len([*brain.bus.replies, *other.bus.replies]) == 1


async def test_two_replicas_answer_once(world: World, model: ModelDouble):
    async with (
        world.brain(**model.settings()) as one,
        world.brain(**model.settings()) as other,
    ):
        messages = burst(*THOUGHT)
        await asyncio.gather(
            *(brain.deliver(message) for brain in (one, other) for message in messages)
        )
        rows = [await one.interaction(message) for message in messages]
        await one.idle()
        await other.idle()
        replies = [*one.bus.replies, *other.bus.replies]
    assert sorted(row["reply"]["status"] for row in rows) == ["joined"] * 3 + ["model"]
    assert len({reply.id for reply in replies}) == 1


async def test_we_type_from_the_first_message_on(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        messages = burst("hello there")
        await brain.deliver(*messages)
        await brain.interaction(messages[0])
    assert commands(brain) == [MarkMessageRead.TYPE, SendReply.TYPE]


@pytest.mark.parametrize("debounce_ms", [0, PAUSE_MS])
async def test_without_auto_reply_nothing_waits(world: World, model: ModelDouble, debounce_ms: int):
    async with world.brain(**model.settings()) as brain:
        message = whatsapp("hello", debounce_ms=debounce_ms, auto_reply=False)
        await brain.deliver(message)
        row = await brain.interaction(message)
    assert row["reply"]["reason"] == "auto_reply_off"
    assert commands(brain) == []
