"""Humans of the business: they take a conversation over, answer in it, and hand it back."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts import DeliverySettled, Envelope
from tests.integration.brain.world import CHANNEL, PHONE, TENANT, Brain, World, whatsapp
from tests.support.model_double import ModelDouble

MESSAGES = f"/api/users/{PHONE}/messages"
USER = f"/api/users/{PHONE}"


async def wrote(brain: Brain, text: str = "hello", **message) -> Envelope:
    envelope = whatsapp(text, **message)
    await brain.deliver(envelope)
    await brain.interaction(envelope)
    return envelope


async def test_a_human_answers_in_the_conversation(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        first = await wrote(brain, user_id="GB.1")
        said = await brain.call("POST", MESSAGES, json={"text": "Hi, Ann here. How can I help?"})
        assert said.status == 202
        command = brain.bus.replies[-1]
        assert command.data["text"] == "Hi, Ann here. How can I help?"
        assert command.data["author"] == "operator"
        assert command.data["conversation_key"] == first.data["conversation_key"]
        assert (command.data["to_phone"], command.data["to_user_id"]) == (PHONE, "GB.1")
        assert command.data["interaction_id"] == said.json["id"]
        # The machine is silent while a human talks, and knows later what was said.
        held = await brain.interaction(await wrote(brain, "thanks Ann"))
        assert held["reply"]["reason"] == "held_for_human"
        world.clock.advance(3700)
        await wrote(brain, "and another thing")
    assert "Ann here" in str(model.prompts[-1])


async def test_the_list_tells_how_each_message_fares(brain: Brain):
    await wrote(brain)
    said = (await brain.call("POST", MESSAGES, json={"text": "hi"})).json
    settled = DeliverySettled(
        interaction_id=said["id"],
        delivery_id=f"{said['id']}:0",
        channel_id=CHANNEL,
        conversation_key=f"{CHANNEL}:{PHONE}",
        state="failed",
        at=datetime.now(UTC),
        code=131026,
        detail="undeliverable",
    )
    await brain.deliver(Envelope.of(settled, source="outbound", subject="s", tenant=TENANT))
    await brain.idle()
    (shown,) = (await brain.get(MESSAGES))["messages"]
    assert (shown["text"], shown["author"], shown["channel_id"]) == ("hi", "operator", CHANNEL)
    assert (shown["deliveries"][0]["state"], shown["deliveries"][0]["code"]) == ("failed", 131026)


async def test_outside_the_window_only_a_template_is_taken(world: World):
    async with world.brain() as brain:
        await wrote(brain)
        world.clock.advance(timedelta(hours=24).total_seconds())
        refused = await brain.call("POST", MESSAGES, json={"text": "hi"})
        assert (refused.status, refused.problem) == (409, "window-closed")
        template = {"name": "we_are_here", "language": "en_US"}
        sent = await brain.call("POST", MESSAGES, json={"template": template})
        assert (sent.status, sent.json["template"]) == (202, "we_are_here")
        assert brain.bus.replies[-1].data["template"]["name"] == "we_are_here"


async def test_a_repeat_sends_once(brain: Brain):
    await wrote(brain)
    before = len(brain.bus.replies)
    first = await brain.call("POST", MESSAGES, json={"text": "hi"}, Idempotency_Key="k")
    again = await brain.call("POST", MESSAGES, json={"text": "hi"}, Idempotency_Key="k")
    assert first.json == again.json
    assert len(brain.bus.replies) == before + 1
    other = await brain.call("POST", MESSAGES, json={"text": "ho"}, Idempotency_Key="k")
    assert (other.status, other.problem) == (422, "idempotency-key-reused")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "   "},
        {"text": "hi", "template": {"name": "a"}},
        {"template": {"name": "Not A Name"}},
        {"text": "hi", "pause_s": -1},
        {"text": "hi", "unheard_of": 1},
    ],
)
async def test_what_cannot_be_sent_is_refused(brain: Brain, body):
    await wrote(brain)
    refused = await brain.call("POST", MESSAGES, json=body)
    assert (refused.status, refused.problem) == (422, "invalid-request")


async def test_there_must_be_a_conversation(brain: Brain):
    await brain.processed("hello", user_id="u1")
    refused = await brain.call("POST", "/api/users/u1/messages", json={"text": "hi"})
    assert (refused.status, refused.problem) == (409, "no-conversation")
    await wrote(brain)
    elsewhere = {"text": "hi", "channel_id": "mc_other"}
    refused = await brain.call("POST", MESSAGES, json=elsewhere)
    assert (refused.status, refused.problem) == (409, "no-conversation")
    assert (
        await brain.call("POST", "/api/users/nobody/messages", json={"text": "hi"})
    ).status == 404


async def test_another_tenant_reaches_nobody(world: World):
    async with world.brain() as brain:
        await wrote(brain)
        key = world.keys.issue("tn_other")
        for method, path, body in (
            ("POST", MESSAGES, {"text": "hi"}),
            ("GET", MESSAGES, None),
            ("PATCH", USER, {"auto_reply": "paused"}),
        ):
            assert (await brain.call(method, path, json=body, key=key)).status == 404


async def test_a_conversation_is_handed_over_and_back(brain: Brain):
    await wrote(brain)
    paused = await brain.call("PATCH", USER, json={"auto_reply": "paused"})
    assert paused.json["held_until"].startswith("9999")
    silent = await brain.interaction(await wrote(brain, "anybody there?"))
    assert silent["reply"]["reason"] == "held_for_human"
    back = await brain.call("PATCH", USER, json={"auto_reply": "on"})
    assert back.json["held_until"] is None
    answered = await brain.interaction(await wrote(brain, "anybody there?"))
    assert answered["reply"]["status"] == "model"
    until = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    later = await brain.call("PATCH", USER, json={"auto_reply": {"paused_until": until}})
    assert later.status == 200
    silent = await brain.interaction(await wrote(brain, "anybody there?"))
    assert silent["reply"]["reason"] == "held_for_human"


@pytest.mark.parametrize("value", [None, "off?", {"paused_until": "soon"}, {}, 7])
async def test_a_pause_must_be_understood(brain: Brain, value):
    await wrote(brain)
    refused = await brain.call("PATCH", USER, json={"auto_reply": value})
    assert (refused.status, refused.problem) == (422, "invalid-request")
