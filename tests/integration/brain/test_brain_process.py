"""``/api/sdk``: wire shape, memory, idempotency, limits, streams, history."""

import asyncio

import orjson

from brain.adapters.replies import OFFLINE_LABEL
from tests.integration.brain.world import Brain, World, whatsapp
from tests.support.eventually import eventually
from tests.support.model_double import ModelDouble

WIRE = {
    "user": {
        *("id", "energy", "mood", "trust", "sentiment", "familiarity", "interaction_count"),
    },
    "timing": {"delay_ms", "reason"},
    "safety": {"action", "risk_score", "flags", "matched", "override"},
    "context": {"tone", "empathy", "formality", "response_length"},
    "analysis": {
        *("detected_emotions", "intent", "confidence", "mood_delta", "energy_delta"),
        *("signal_magnitude", "triggers", "reasons", "safety_matched"),
    },
    "memory": {
        *("relevant_memories", "total_stored", "interaction_count", "known_since", "last_seen"),
    },
}
ALONE = {"response", "proactive", "model", "experiments", "policy", "error", "setup_required"}


def told(body: bytes) -> list[dict]:
    """The events of a stream, ``[DONE]`` checked and left out."""
    blocks = body.decode().split("\n\n")
    assert blocks.pop() == ""
    assert blocks.pop() == "data: [DONE]"
    return [orjson.loads(block.removeprefix("data: ")) for block in blocks]


async def test_the_answer_has_every_key_and_every_number_in_range(brain: Brain):
    answer = await brain.processed("I am so tired and sad today", metadata={"page": "home"})
    assert set(answer) == WIRE.keys() | ALONE | {"interaction_id"}
    for part, keys in WIRE.items():
        assert set(answer[part]) == keys, part
    assert answer["user"]["id"] == "u1"
    assert answer["user"]["interaction_count"] == 1
    for name in ("energy", "mood", "trust", "sentiment", "familiarity"):
        assert 0 <= answer["user"][name] <= 1
    assert answer["user"]["mood"] < 0.5
    assert -1 <= answer["analysis"]["mood_delta"] < 0
    assert OFFLINE_LABEL in answer["response"]
    assert answer["model"] == "offline-demo"
    assert (answer["error"], answer["setup_required"], answer["policy"]) == (None, False, None)
    assert answer["memory"]["total_stored"] == 1


async def test_a_whatsapp_message_takes_the_same_path(brain: Brain):
    text = "I lost my job yesterday and I am scared"
    answer = await brain.processed(text)
    message = whatsapp(text)
    await brain.deliver(message)
    row = await brain.interaction(message)
    assert row["analysis"] == answer["analysis"]
    assert row["safety"] == answer["safety"]
    for name in ("mood", "energy", "trust", "sentiment", "familiarity", "interaction_count"):
        assert row["user"][name] == answer["user"][name]
    assert (row["channel"], row["message"]["text"]) == ("whatsapp", text)


async def test_it_remembers_what_a_person_said(brain: Brain):
    await brain.processed("I work at TechCorp")
    answer = await brain.processed("where do I work?")
    assert [hit["text"] for hit in answer["memory"]["relevant_memories"]] == ["I work at TechCorp"]
    assert answer["memory"]["relevant_memories"][0]["similarity"] >= 0.3
    assert "TechCorp" in answer["response"]
    stranger = await brain.processed("where do I work?", user_id="u2")
    assert stranger["memory"]["relevant_memories"] == []


async def test_many_calls_of_one_person_at_once_all_count(brain: Brain):
    answers = await asyncio.gather(*(brain.process(f"message {n}") for n in range(20)))
    assert [answer.status for answer in answers] == [200] * 20
    counts = sorted(answer.json["user"]["interaction_count"] for answer in answers)
    assert counts == list(range(1, 21))


async def test_a_repeat_with_an_idempotency_key_is_the_stored_answer(brain: Brain):
    first = await brain.process("I feel great", idempotency_key="k-1")
    again = await brain.process("I feel great", idempotency_key="k-1")
    assert (first.status, again.status) == (200, 200)
    assert first.json == again.json
    other = await brain.process("I feel bad", idempotency_key="k-1")
    assert (other.status, other.problem) == (422, "idempotency-key-reused")
    assert await brain.database["interactions"].count_documents({}) == 1
    user = await brain.database["end_users"].find_one({})
    assert user["state"]["interaction_count"] == 1


async def test_the_same_key_at_once_counts_once(brain: Brain):
    answers = await asyncio.gather(
        *(brain.process("I feel great", idempotency_key="k-2") for _ in range(5))
    )
    assert {answer.status for answer in answers} <= {200, 409}
    assert any(answer.status == 200 for answer in answers)
    assert await brain.database["interactions"].count_documents({}) == 1
    user = await brain.database["end_users"].find_one({})
    assert (user["state"]["interaction_count"], user["version"]) == (1, 1)


async def test_a_key_is_the_tenants_own(brain: Brain, world: World):
    first = await brain.processed("hello there", idempotency_key="k-3")
    brain.key = world.keys.issue("tn_other")
    other = await brain.processed("something else", idempotency_key="k-3")
    assert first["interaction_id"] != other["interaction_id"]


async def test_a_repeat_of_a_running_call_is_told_to_wait(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        model.held_word = "slowly"
        running = asyncio.create_task(brain.process("think slowly", idempotency_key="k-4"))
        await eventually(lambda: model.prompts)
        again = await brain.process("think slowly", idempotency_key="k-4")
        assert (again.status, again.problem) == (409, "still-running")
        assert int(again.headers["Retry-After"]) >= 1
        model.release.set()
        first = await running
        later = await brain.process("think slowly", idempotency_key="k-4")
        assert (first.status, later.status) == (200, 200)
        assert later.json == first.json
        assert len(model.prompts) == 1


async def test_an_interrupted_call_is_finished_by_its_repeat(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        first = await brain.processed("I feel great", idempotency_key="k-5")
        # What a process leaves that died while the model wrote.
        await brain.database["interactions"].update_one(
            {}, {"$set": {"reply": {"status": "pending"}}}
        )
        world.clock.advance(61)
        again = await brain.processed("I feel great", idempotency_key="k-5")
        assert again["response"] == model.text
        assert again["user"] == first["user"]
        user = await brain.database["end_users"].find_one({})
        assert user["state"]["interaction_count"] == 1


async def test_bad_idempotency_keys_are_refused(brain: Brain):
    for key in ("x" * 256, "a b", "k\u00e4y"):
        answer = await brain.process("hello", idempotency_key=key)
        assert (answer.status, answer.problem) == (422, "invalid-request"), key


async def test_without_a_valid_key_nothing_is_done(brain: Brain):
    body = {"user_id": "u1", "message": "hello"}
    for key, slug in (("", "key-missing"), ("hx_" + "0" * 43, "key-unknown"), ("x", "key-unknown")):
        answer = await brain.call("POST", "/api/sdk/process", json=body, key=key)
        assert (answer.status, answer.problem) == (401, slug)
    assert await brain.database["interactions"].count_documents({}) == 0


async def test_bad_bodies_name_the_field(brain: Brain):
    long = "x" * 16_001
    for body, field in (
        ({"message": "hi"}, "user_id"),
        ({"user_id": "u"}, "message"),
        ({"user_id": "u", "message": "  "}, "message"),
        ({"user_id": "u", "message": long}, "message"),
        ({"user_id": " ", "message": "hi"}, "user_id"),
        ({"user_id": "u", "message": "hi", "channel": "a.b"}, "channel"),
        (
            {"user_id": "u", "message": "hi", "conversation_history": [{"role": "root"}]},
            "conversation_history.0.role",
        ),
    ):
        answer = await brain.call("POST", "/api/sdk/process", json=body)
        assert (answer.status, answer.problem) == (422, "invalid-request")
        assert field in [error["field"] for error in answer.json["errors"]]
        assert long not in answer.body.decode()


async def test_too_many_calls_are_told_when_to_come_back(world: World):
    async with world.brain(process_rate_per_minute=2) as brain:
        answers = [await brain.process("hi") for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 200]
        assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0"]
        refused = await brain.process("hi")
        assert (refused.status, refused.problem) == (429, "rate-limited")
        assert 1 <= int(refused.headers["Retry-After"]) <= 61
        brain.key = world.keys.issue("tn_other")
        assert (await brain.process("hi")).status == 200


async def test_the_callers_history_is_prompted(world: World, model: ModelDouble):
    history = [{"role": "user", "content": f"turn {n}"} for n in range(25)]
    history.append({"role": "assistant", "content": "write to me at sarah@example.org"})
    async with world.brain(**model.settings()) as brain:
        await brain.processed("and now?", conversation_history=history)
    turns = [message["content"] for message in model.prompts[0][1:-1]]
    assert turns[0] == "<message>turn 6</message>"
    assert turns[-1] == "write to me at [EMAIL]"
    assert len(turns) == 20


async def test_a_stream_tells_metadata_first_and_the_end_last(brain: Brain):
    body = {"user_id": "u1", "message": "I feel great today"}
    answer = await brain.call("POST", "/api/sdk/process/stream", json=body)
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    events = told(answer.body)
    kinds = [event["type"] for event in events]
    assert (kinds[0], kinds[-1]) == ("metadata", "final")
    assert set(kinds[1:-1]) == {"token"}
    metadata, final = events[0]["data"], events[-1]["data"]
    assert "response" not in metadata
    assert metadata["user"] == final["user"]
    text = "".join(event["data"]["content"] for event in events[1:-1])
    assert text == final["response"]
    assert OFFLINE_LABEL in text


async def test_a_stream_says_what_was_blocked_and_what_failed(world: World, model: ModelDouble):
    model.behaviour = "garbage"
    async with world.brain(**model.settings()) as brain:
        blocked = await brain.call(
            "POST",
            "/api/sdk/process/stream",
            json={"user_id": "u1", "message": "I want to kill myself tonight"},
        )
        kinds = [event["type"] for event in told(blocked.body)]
        assert kinds == ["metadata", "blocked", "final"]
        failed = await brain.call(
            "POST", "/api/sdk/process/stream", json={"user_id": "u1", "message": "hello you"}
        )
        events = told(failed.body)
        assert [event["type"] for event in events] == ["metadata", "error", "final"]
        assert events[1]["data"] == {"message": "reply_unavailable"}
        assert events[2]["data"]["response"] is None


async def test_a_stream_whose_caller_hung_up_is_answered_all_the_same(
    world: World, model: ModelDouble
):
    model.held_word = "slowly"
    async with world.brain(**model.settings()) as brain:
        call = asyncio.create_task(
            brain.call(
                "POST",
                "/api/sdk/process/stream",
                json={"user_id": "u1", "message": "think slowly"},
            )
        )
        await eventually(lambda: model.prompts)
        call.cancel()
        model.release.set()
        rows = brain.database["interactions"]
        await eventually(lambda: rows.find_one({"reply.status": "model"}))


async def test_history_is_told_oldest_first_and_can_be_cleared(brain: Brain):
    assert await brain.get("/api/sdk/history/u1") == []
    first = await brain.processed("one thing")
    await brain.processed("another thing")
    history = await brain.get("/api/sdk/history/u1")
    assert [entry["role"] for entry in history] == ["user", "assistant"] * 2
    assert history[0]["content"] == "one thing"
    assert history[1]["content"] == first["response"]
    assert all(set(entry) == {"role", "content", "at"} for entry in history)
    newest = await brain.get("/api/sdk/history/u1?limit=1")
    assert newest == history[-1:]
    cleared = await brain.call("DELETE", "/api/sdk/history/u1")
    assert (cleared.status, cleared.body) == (204, b"")
    assert await brain.get("/api/sdk/history/u1") == []
    await brain.processed("a new start")
    assert (await brain.get("/api/sdk/history/u1"))[0]["content"] == "a new start"


async def test_a_cleared_history_is_not_prompted(world: World, model: ModelDouble):
    async with world.brain(**model.settings()) as brain:
        await brain.processed("my umbrella is green")
        await brain.call("DELETE", "/api/sdk/history/u1")
        await brain.processed("shall we begin")
    assert [message["role"] for message in model.prompts[-1]] == ["system", "user"]


async def test_the_cap_on_memories_holds_after_every_message(world: World):
    async with world.brain(memory_cap=3) as brain:
        totals = [
            (await brain.processed(f"fact {n} about apples"))["memory"]["total_stored"]
            for n in range(5)
        ]
        assert totals == [1, 2, 3, 3, 3]
        kept = await brain.get("/api/users/u1/memories")
        assert [m["text"][:6] for m in kept["memories"]] == ["fact 4", "fact 3", "fact 2"]
