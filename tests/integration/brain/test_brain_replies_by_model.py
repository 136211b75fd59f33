"""A reply model at a loopback address: what it is told, and what happens when it fails."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.contracts import MarkMessageRead, SendReply
from tests.integration.brain.world import Brain, World, commands, whatsapp
from tests.support.eventually import eventually
from tests.support.model_double import ModelDouble

EMAIL, CARD = "sarah.connor@example.org", "4111 1111 1111 1111"


async def spoken(brain: Brain, *texts: str, **message: Any) -> list[dict]:
    rows = []
    for text in texts:
        envelope = whatsapp(text, **message)
        await brain.deliver(envelope)
        rows.append(await brain.interaction(envelope))
    return rows


async def test_the_prompt_carries_state_tone_length_memories_and_turns(
    world: World, model: ModelDouble
):
    async with world.brain(**model.settings()) as brain:
        rows = await spoken(brain, "I work at TechCorp", "I am so sad today, where do I work?")
    system = model.system()
    assert f"Mood {rows[1]['user']['mood']:.2f}" in system
    assert f"energy {rows[1]['user']['energy']:.2f}" in system
    assert "sadness" in system or "sad" in system
    assert rows[1]["context"]["tone"].replace("_", " ") in system
    assert "two to four sentences" in system
    assert "<memory>I work at TechCorp</memory>" in system
    assert "<name>Sarah</name>" in system
    assert [(turn["role"], turn["content"]) for turn in model.prompts[1][1:]] == [
        ("user", "<message>I work at TechCorp</message>"),
        ("assistant", model.text),
        ("user", "<message>I am so sad today, where do I work?</message>"),
    ]
    assert model.calls[0]["model"] == "asked-1"
    assert rows[0]["reply"]["model"] == "double-1"


async def test_only_masked_text_leaves_for_the_model(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        rows = await spoken(
            brain,
            f"my mail is {EMAIL} and I like apples",
            f"my card is {CARD}",
            "what is my mail and which card do I have?",
            name=f"Sarah {EMAIL}",
        )
    assert rows[1]["reply"]["status"] == "fixed"
    assert rows[1]["safety"]["action"] == "BLOCK"
    assert len(model.calls) == 2
    assert "[EMAIL]" in model.everything
    assert "[CARD]" in model.everything
    for planted in (EMAIL, CARD, CARD.replace(" ", ""), "447700900123"):
        assert planted not in model.everything
    stored = str([row async for row in world.database["interactions"].find({}, {"emits": 0})])
    stored += str([row async for row in world.database["memories"].find({})])
    assert EMAIL not in stored
    assert CARD not in stored


async def test_a_model_that_answers_is_announced_by_typing(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        await spoken(brain, "hello there, how are you")
        assert commands(brain) == [MarkMessageRead.TYPE, SendReply.TYPE]
        assert brain.bus.of_type(MarkMessageRead.TYPE)[0].data["typing"] is True


@pytest.mark.parametrize("behaviour", ["error", "garbage", "odd_json", "hang"])
async def test_a_failing_model_is_met_honestly(world: World, model: ModelDouble, behaviour: str):
    model.behaviour = behaviour
    timeout_s = 0.3 if behaviour == "hang" else 10.0
    async with world.brain(**model.settings(llm_timeout_s=timeout_s)) as brain:
        row = (await spoken(brain, "I feel lonely today"))[0]
        assert (row["reply"]["status"], row["reply"]["reason"]) == ("fixed", "reply_unavailable")
        reply = brain.bus.replies[0].payload(SendReply)
        assert "A member of our team will look at it" in reply.text
        assert "Samaritans" in reply.text
        held = brain.bus.of_type("safety.hold.v1")
        assert [event.data["flags"] for event in held] == [["reply_unavailable"]]
        answer = await brain.processed("I feel lonely today")
        assert (answer["response"], answer["error"]) == (None, "reply_unavailable")
        assert answer["setup_required"] is False
        assert len(brain.bus.of_type("safety.hold.v1")) == 1


async def test_without_any_model_the_caller_is_told_to_set_one_up(world: World):
    async with world.brain(offline_replies=False) as brain:
        answer = await brain.processed("I feel great")
        assert (answer["response"], answer["setup_required"]) == (None, True)
        assert answer["error"] is None
        row = (await spoken(brain, "I feel great"))[0]
        assert (row["reply"]["status"], row["reply"]["reason"]) == ("none", "setup_required")
        assert commands(brain) == []
        told = [event.data["reply"] for event in brain.bus.of_type("interaction.processed.v1")]
        assert told == ["none", "none"]


async def test_who_asks_to_understand_only_gets_no_reply_written(world: World, model: ModelDouble):
    text = "I feel lonely today"
    async with world.brain(**model.settings()) as brain:
        answer, again = [
            await brain.processed(text, respond=False, idempotency_key="one") for _ in range(2)
        ]
        assert model.calls == []
        assert answer == again
        assert (answer["response"], answer["error"], answer["setup_required"]) == (
            None,
            None,
            False,
        )
        assert answer["analysis"]["detected_emotions"]
        assert answer["user"]["interaction_count"] == 1
        assert answer["memory"]["total_stored"] == 1
        assert commands(brain) == []
        row = await world.database["interactions"].find_one({"_id": answer["interaction_id"]})
        assert (row["reply"]["status"], row["reply"]["reason"]) == ("none", "not_asked")
        replied = await brain.process(text, idempotency_key="one")
        assert replied.status == 422, "another body under the same key"


async def test_a_reviewed_text_comes_to_who_asked_to_understand_only(
    world: World, model: ModelDouble
):
    async with world.brain(**model.settings()) as brain:
        danger = await brain.processed("I want to kill myself tonight", respond=False)
        assert model.calls == []
        assert danger["safety"]["action"] == "BLOCK"
        assert danger["response"]
        held = brain.bus.of_type("safety.blocked.v1")
        assert [event.data["interaction_id"] for event in held] == [danger["interaction_id"]]


async def test_a_self_harm_message_never_reaches_the_model(world: World, model: ModelDouble):
    texts = ("I want to kill myself tonight", "my friend wants to kill herself", "quiero matarme")
    async with world.brain(**model.settings()) as brain:
        rows = await spoken(brain, *texts)
        answer = await brain.processed(texts[0])
        assert model.calls == []
        assert [row["reply"]["status"] for row in rows] == ["fixed"] * 3
        assert rows[0]["safety"]["action"] == answer["safety"]["action"] == "BLOCK"
        assert "116 123" in rows[0]["reply"]["text"]
        replies = [reply.payload(SendReply) for reply in brain.bus.replies]
        assert [(reply.not_before, reply.urgent) for reply in replies] == [(None, True)] * 3
        marks = [mark.data["typing"] for mark in brain.bus.of_type(MarkMessageRead.TYPE)]
        assert marks == [False] * 3


async def test_what_the_output_gate_refuses_is_replaced_and_told(world: World, model: ModelDouble):
    model.text = (
        "As your therapist I am your therapist: you have depression. Take 50 mg sertraline."
    )
    async with world.brain(**model.settings()) as brain:
        row = (await spoken(brain, "I feel low since Monday"))[0]
        assert (row["reply"]["status"], row["reply"]["reason"]) == ("fixed", "output_blocked")
        assert row["reply"]["text"] == brain.bus.replies[0].data["text"]
        assert "sertraline" not in row["reply"]["text"]
        assert (row["safety"]["action"], row["safety"]["flags"][0]) == ("BLOCK", "values_boundary")
        blocked = brain.bus.of_type("safety.blocked.v1")
        assert [event.data["interaction_id"] for event in blocked] == [row["_id"]]
        answer = await brain.processed("I feel low since Monday")
        assert answer["safety"]["action"] == "BLOCK"
        assert answer["response"] == row["reply"]["text"]
        assert answer["model"] is None


@pytest.mark.parametrize("half", [{"llm_base_url": "http://model"}, {"llm_model": "m"}])
async def test_half_a_model_is_refused_at_start(world: World, half: dict):
    with pytest.raises(ValidationError, match="LLM_BASE_URL and LLM_MODEL are set together"):
        world.settings(**half)


async def test_a_human_pace_is_told_to_the_sender_within_its_cap(world: World, model: ModelDouble):
    async with world.brain(**model.settings(reply_delay_cap_ms=300)) as brain:
        await spoken(brain, "I had a long day and would like to talk about it")
        reply = await eventually(lambda: brain.bus.replies[0].payload(SendReply))
        row = await world.database["interactions"].find_one({})
        assert (reply.not_before - row["reply"]["at"]).total_seconds() == pytest.approx(0.3)
