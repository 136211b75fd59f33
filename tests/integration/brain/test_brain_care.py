"""A crisis from six places, a failing reader, silence on request, humans on request, forgetting."""

from datetime import UTC, datetime

import pytest

from brain.adapters.understanding import TieredAnalyser
from shared.contracts import SendReply
from tests.integration.brain.world import Brain, World, whatsapp
from tests.support.model_double import JUDGE, ModelDouble


async def says(brain: Brain, text: str, **message):
    envelope = whatsapp(text, **message)
    await brain.deliver(envelope)
    return await brain.interaction(envelope)


@pytest.mark.parametrize(
    ("phone", "text", "line", "start"),
    [
        ("447700900123", "I want to kill myself tonight", "116 123", "I'm really glad"),
        ("919876543210", "मैं आज आत्महत्या कर लूंगा", "14416", "अच्छा"),
        ("5511912345678", "vou me matar hoje", "188", "Fico feliz"),
        ("14155550123", "I'm going to end my life", "988", "I'm really glad"),
        ("34612345678", "esta noche me voy a suicidar", "024", "Me alegra"),
        ("999123456789", "I want to die", "findahelpline", "I'm really glad"),
    ],
)
async def test_a_crisis_is_met_in_its_language_by_its_countrys_line(
    world: World, model: ModelDouble, phone: str, text: str, line: str, start: str
):
    async with world.brain(**model.settings()) as brain:
        row = await says(brain, text, phone=phone)
        told = (datetime.now(UTC) - row["at"]).total_seconds()
        assert row["safety"]["action"] == "BLOCK"
        assert row["reply"]["text"].startswith(start)
        assert line in row["reply"]["text"]
        assert model.calls == []
        assert [event.type for event in brain.bus.of_type("safety.blocked.v1")]
        assert told < 5
    reply = brain.bus.replies[0].payload(SendReply)
    assert reply.urgent
    assert reply.not_before is None


async def test_a_failing_classifier_is_a_hold_and_an_event(
    world: World, model: ModelDouble, monkeypatch: pytest.MonkeyPatch
):
    async with world.brain(**model.settings()) as brain:

        def broken(self, text, *, hurried=False):
            raise RuntimeError(text)

        monkeypatch.setattr(TieredAnalyser, "analyse", broken)
        row = await says(brain, "hello, how are you")
        assert row["safety"]["action"] == "HOLD"
        assert "safety_check_failed" in row["safety"]["flags"]
        assert row["reply"]["status"] == "fixed"
        assert model.calls == []
        assert len(brain.bus.of_type("safety.hold.v1")) == 1
        crisis = await says(brain, "I want to kill myself")
        assert crisis["safety"]["action"] == "BLOCK"
        assert "116 123" in crisis["reply"]["text"]


async def test_stop_is_confirmed_then_kept_and_a_crisis_breaks_it(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        stopped = await says(brain, "STOP")
        assert (stopped["reply"]["status"], stopped["reply"]["reason"]) == ("fixed", "opted_out")
        silent = await says(brain, "is my parcel here?")
        assert (silent["reply"]["status"], silent["reply"]["reason"]) == ("none", "opted_out")
        assert model.calls == []
        crisis = await says(brain, "I want to kill myself")
        assert crisis["reply"]["status"] == "fixed"
        assert "116 123" in crisis["reply"]["text"]
        back = await says(brain, "start")
        assert back["reply"]["reason"] == "opted_in"
        assert (await says(brain, "is my parcel here?"))["reply"]["status"] == "model"


async def test_whoever_asks_for_a_human_gets_one_called_and_the_bot_waits(
    world: World, model: ModelDouble
):
    async with world.brain(**model.settings()) as brain:
        asked = await says(brain, "can I please talk to a real person?")
        assert (asked["reply"]["status"], asked["reply"]["reason"]) == ("fixed", "human_coming")
        events = [event.data["flags"] for event in brain.bus.of_type("safety.hold.v1")]
        assert events == [["human_requested"]]
        waiting = await says(brain, "thanks, I will wait")
        assert (waiting["reply"]["status"], waiting["reply"]["reason"]) == (
            "none",
            "held_for_human",
        )
        person = (await brain.get("/api/users"))["users"][0]
        assert person["held_until"] is not None
        world.clock.advance(13 * 3600)
        assert (await says(brain, "what are your opening hours?"))["reply"]["status"] == "model"


async def test_what_is_forgotten_reaches_no_prompt_and_no_reader(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        await says(brain, "I work at TechCorp")
        assert (await says(brain, "forget that"))["reply"]["reason"] == "forgotten"
        model.prompts.clear()
        row = await says(brain, "where do I work?")
        assert row["memory"]["relevant_memories"] == []
        assert "TechCorp" not in str(model.prompts)
        person = (await brain.get("/api/users"))["users"][0]
        assert person["profile"] == []
        kept = await brain.get(f"/api/users/{person['id']}/memories")
        assert "TechCorp" not in str(kept)
    async with world.brain(**model.settings()) as other:
        found = await other.get(f"/api/users/{person['id']}/memories?q=TechCorp")
        assert found["memories"] == []


async def test_another_replica_hears_of_what_was_forgotten(world: World):
    async with world.brain() as one, world.brain() as other:
        await one.processed("I work at TechCorp")
        path = f"/api/users/{(await one.get('/api/users'))['users'][0]['id']}/memories?q=TechCorp"
        assert len((await other.get(path, key=one.key))["memories"]) == 1
        await one.processed("please forget where I work")
        assert (await other.get(path, key=one.key))["memories"] == []


async def test_facts_are_shown_with_the_message_they_come_from(brain: Brain):
    answer = await brain.processed("my name is Sarah and I work at TechCorp")
    person = await brain.get("/api/users/u1")
    facts = {fact["kind"]: fact for fact in person["profile"]}
    assert facts["name"]["value"] == "Sarah"
    assert facts["employer"]["value"] == "TechCorp"
    assert answer["user"]["id"] == "u1"


async def test_a_second_message_can_make_the_first_acute(brain: Brain):
    first = await says(brain, "I can't do this any more")
    second = await says(brain, "I have all my grandfather's pills here")
    assert first["safety"]["action"] != "PROCEED"
    assert second["safety"]["action"] == "BLOCK"


@pytest.mark.parametrize(
    ("action", "status", "event"),
    [("HOLD", "fixed", "safety.hold.v1"), ("BLOCK", "fixed", "safety.blocked.v1")],
)
async def test_the_second_reader_sees_what_the_rules_did_not(
    world: World, model: ModelDouble, action: str, status: str, event: str
):
    model.verdict = f'{{"action": "{action}", "category": "self_harm"}}'
    async with world.brain(**model.settings(llm_safety_model=JUDGE)) as brain:
        row = await says(brain, "my balcony is on the ninth floor, lovely view")
        assert row["safety"]["action"] == action
        assert "second_reader" in row["safety"]["flags"]
        assert row["reply"]["status"] == status
        assert brain.bus.of_type(event)
    assert [call["model"] for call in model.calls] == [JUDGE]


async def test_the_second_reader_lowers_a_hold_but_is_not_asked_about_a_block(
    world: World, model: ModelDouble
):
    async with world.brain(**model.settings(llm_safety_model=JUDGE)) as brain:
        row = await says(brain, "I don't want to be here any more")
        assert row["safety"]["action"] == "PROCEED"
        assert row["safety"]["override"] == "second_reader"
        assert row["reply"]["status"] == "model"
        blocked = await says(brain, "I want to kill myself tonight")
        assert blocked["safety"]["action"] == "BLOCK"
    assert [call["model"] for call in model.calls] == [JUDGE, "asked-1"]


async def test_without_the_second_reader_the_verdict_stands(world: World, model: ModelDouble):
    model.behaviour = "hang"
    settings = model.settings(llm_safety_model=JUDGE, llm_safety_timeout_s=0.2)
    async with world.brain(**settings) as brain:
        row = await says(brain, "I don't want to be here any more")
        assert row["safety"]["action"] == "HOLD"
        assert row["reply"]["status"] == "fixed"
