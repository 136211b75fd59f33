"""What subscribers and log readers may see: scores and verdicts, never words or numbers of people."""

import asyncio
import sys

import orjson

from shared.bus.topology import INTERACTIONS
from shared.contracts import InteractionProcessed, SafetyBlocked, SafetyHeld, UserCreated
from tests.integration.brain.world import (
    PHONE,
    SERVICE_TOKEN,
    Brain,
    Database,
    World,
    on_streams,
    whatsapp,
)
from tests.support.model_double import ModelDouble

WORD = "xylophonic"
TEXTS = (
    f"my {WORD} aunt is sad and I feel angry",
    f"I want to kill myself, {WORD}",
    f"my friend wants to kill herself, {WORD}",
    f"mail me at {WORD}@example.org about Zanzibar street",
)


async def spoken(brain: Brain, *texts: str) -> list[dict]:
    messages = [whatsapp(text, name="Quetzalcoatl") for text in texts]
    await brain.deliver(*messages)
    return [await brain.interaction(message) for message in messages]


async def test_events_carry_no_words_and_no_numbers_of_people(world: World, model: ModelDouble):
    model.text = f"I heard about your {WORD} aunt"
    async with world.brain(**model.settings()) as brain:
        await spoken(brain, *TEXTS)
        await brain.processed(TEXTS[0], user_id="crm-quokka")
        model.behaviour = "garbage"
        await spoken(brain, TEXTS[0])
        seen = on_streams(brain).lower()
    assert len(seen) > 2000
    for planted in (WORD, PHONE, "zanzibar", "quetzalcoatl", "quokka", "aunt", "kill", "wamid"):
        assert planted.encode() not in seen, planted


async def test_an_interaction_can_be_read_when_its_event_is_told(brain: Brain):
    rows = await spoken(brain, *TEXTS)
    await brain.processed("hello there")
    told = [
        item
        for item in brain.bus.on(INTERACTIONS)
        if item.envelope.type == InteractionProcessed.TYPE
    ]
    assert [item.readable for item in told] == [True] * 5
    assert [item.routing_key for item in told[:4]] == ["interaction.processed.whatsapp"] * 4
    assert told[4].routing_key == "interaction.processed.api"
    event = told[0].envelope.payload(InteractionProcessed)
    assert event.interaction_id == rows[0]["_id"]
    assert event.user_id == rows[0]["user_id"] == told[0].envelope.subject
    assert round(event.user.mood, 4) == rows[0]["user"]["mood"]
    assert told[0].envelope.causation == rows[0]["_id"]


async def test_danger_is_told_before_statistics(brain: Brain):
    held, blocked = await spoken(brain, TEXTS[2], TEXTS[1])
    assert (held["safety"]["action"], blocked["safety"]["action"]) == ("HOLD", "BLOCK")
    types = [item.envelope.type for item in brain.bus.on(INTERACTIONS)]
    assert types == [
        *(SafetyHeld.TYPE, UserCreated.TYPE, InteractionProcessed.TYPE),
        *(SafetyBlocked.TYPE, InteractionProcessed.TYPE),
    ]
    event = brain.bus.of_type(SafetyBlocked.TYPE)[0].payload(SafetyBlocked)
    assert (event.interaction_id, event.user_id) == (blocked["_id"], blocked["user_id"])
    assert event.flags[0] == "self_harm"
    assert event.risk_score > 0.5


async def test_the_log_of_a_whole_run_says_nothing_of_people(database: Database, mongodb_uri: str):
    told = {
        "mongodb_uri": mongodb_uri,
        "database": database.name,
        "texts": TEXTS,
        "word": WORD,
        "phone": PHONE,
        "name": "Quetzalcoatl",
        "reply": f"I heard about your {WORD} aunt",
        "model_key": "sk-planted-model-key",
    }
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-W",
            "error::ResourceWarning",
            "-m",
            "tests.integration.brain.logged_run",
        ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate(orjson.dumps(told))
    assert process.returncode == 0, errors.decode()[-2000:]
    *warnings, last = errors.splitlines()
    key = orjson.loads(last)["key"]
    events = [orjson.loads(line)["event"] for line in output.splitlines()]
    assert {"service_ready", "interaction_stored", "reply_unavailable", "message_dead"} <= set(
        events
    )
    assert {"outbox_postponed", "service_stopped"} <= set(events)
    seen = b"\n".join((output, *warnings)).lower()
    private = (WORD, PHONE, "zanzibar", "quetzalcoatl", "aunt", "kill", "wamid")
    for planted in (*private, key.lower(), SERVICE_TOKEN.lower(), told["model_key"]):
        assert planted.encode() not in seen, planted
