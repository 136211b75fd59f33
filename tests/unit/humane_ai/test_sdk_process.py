"""``process`` and history: what is sent, and what comes back typed."""

from datetime import datetime

import pytest

from humane_ai import APIError, InvalidArgumentError, ProcessResult, UserState
from humane_ai._reading import read
from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.wire import ANSWER, API_KEY, Wire, says


async def test_every_part_of_the_answer_is_typed(call: Caller) -> None:
    result = await call(lambda c: c.process("sarah", "I got the job, it was killing me"))
    assert result.response == "I am glad to hear it."
    assert (result.user.id, result.user.mood, result.user.interaction_count) == ("sarah", 0.72, 7)
    assert (result.timing.delay_ms, result.timing.reason) == (1800, "base 1500, jitter 300")
    assert (result.safety.action, result.safety.override) == ("PROCEED", "idiom")
    assert result.safety.flags == ("overclaim",)
    assert result.safety.matched[0].category == "self_harm"
    assert (result.context.tone, result.context.empathy) == ("empathetic_professional", 0.88)
    assert (result.context.formality, result.context.response_length) == (0.4, "short")
    assert result.analysis.detected_emotions == ("joy",)
    assert (result.analysis.mood_delta, result.analysis.energy_delta) == (0.2, -0.1)
    assert result.analysis.triggers[0].polarity == "positive"
    assert result.analysis.safety_matched == ("killing me",)
    assert result.proactive[0].trigger == "mood_drop"
    memory = result.memory.relevant_memories[0]
    assert (memory.text, memory.similarity) == ("My name is Sarah.", 0.83)
    assert memory.timestamp == datetime.fromisoformat("2026-02-01T08:30:00.250000+00:00")
    assert (result.memory.total_stored, result.memory.last_seen) == (12, None)
    assert (result.model, result.experiments, result.policy) == ("gpt-x", (), None)
    assert (result.error, result.setup_required) == (None, False)
    assert result.interaction_id == "0197-1"
    assert result.raw == ANSWER


async def test_the_request_is_the_wires(call: Caller, wire: Wire) -> None:
    turns = [{"role": "user", "content": "before"}]
    await call(lambda c: c.process("sarah", "hi", turns, channel="web", metadata={"a": 1}))
    (seen,) = wire.seen
    assert (seen.method, seen.path) == ("POST", "/api/sdk/process")
    assert seen.headers["x-api-key"] == API_KEY
    assert seen.headers["user-agent"].startswith("humane-ai-python/")
    assert seen.headers["content-type"] == "application/json"
    assert seen.body == {
        "user_id": "sarah",
        "message": "hi",
        "conversation_history": turns,
        "channel": "web",
        "metadata": {"a": 1},
    }


async def test_what_is_not_given_is_not_sent(call: Caller, wire: Wire) -> None:
    await call(lambda c: c.process("sarah", "hi"))
    assert wire.seen[0].body == {"user_id": "sarah", "message": "hi"}


async def test_an_answer_with_holes_reads_with_defaults(call: Caller, wire: Wire) -> None:
    holes = '{"response": null, "user": {"mood": null, "energy": "?", "trust": 0.9}, "memory": 3,'
    holes += '"safety": {"matched": [1, {"phrase": "p"}]}, "timing": {"delay_ms": 1.0}, "new": 1}'
    wire.faults.append(says(holes, content_type="application/json"))
    result = await call(lambda c: c.process("sarah", "hi"))
    assert result.response is None
    assert (result.user.mood, result.user.energy, result.user.trust) == (0.5, 0.5, 0.9)
    assert result.memory.relevant_memories == ()
    assert [match.phrase for match in result.safety.matched] == ["p"]
    assert result.timing.delay_ms == 1
    assert result.raw["new"] == 1


def test_no_verdict_is_not_all_clear() -> None:
    assert read(ProcessResult, {"response": "x"}).safety.action == "HOLD"


@pytest.mark.parametrize("body", ["<html>sign in</html>", "[]", '"text"', ""])
async def test_an_answer_that_is_no_object_says_what_to_check(
    call: Caller, wire: Wire, body: str
) -> None:
    wire.faults.append(says(body))
    with pytest.raises(APIError, match=r"Unreadable answer: .*base_url"):
        await call(lambda c: c.process("sarah", "hi"))
    assert len(wire.seen) == 1


@pytest.mark.parametrize(
    ("mood", "energy", "trust", "expected"),
    [(0.349, 0.299, 0.701, (True, True, True)), (0.35, 0.30, 0.70, (False, False, False))],
)
def test_thresholds(
    mood: float, energy: float, trust: float, expected: tuple[bool, bool, bool]
) -> None:
    user = UserState(mood=mood, energy=energy, trust=trust)
    assert (user.is_frustrated, user.is_tired, user.is_trusted) == expected


@pytest.mark.parametrize("metadata", [{"x": object()}, {"x": float("nan")}])
async def test_what_is_not_json_is_refused_here(
    call: Caller, wire: Wire, metadata: dict[str, object]
) -> None:
    with pytest.raises(InvalidArgumentError, match="JSON"):
        await call(lambda c: c.process("sarah", "hi", metadata=metadata))
    assert wire.seen == []


async def test_history_is_read_and_cleared(call: Caller, wire: Wire) -> None:
    await call(lambda c: c.process("sarah", "hi"))
    entries = await call(lambda c: c.get_history("sarah"))
    assert [(entry.role, entry.content) for entry in entries] == [
        ("user", "hi"),
        ("assistant", "I am glad to hear it."),
    ]
    assert entries[0].at == datetime.fromisoformat("2026-03-01T10:00:00+00:00")
    assert [entry.role for entry in await call(lambda c: c.get_history("sarah", 1))] == [
        "assistant"
    ]
    assert await call(lambda c: c.clear_history("sarah")) is None
    assert await call(lambda c: c.get_history("sarah")) == []
    assert wire.seen[1].path == "/api/sdk/history/sarah?limit=200"


@pytest.mark.parametrize(
    ("user_id", "piece"),
    [("a/b?c#d", "a%2Fb%3Fc%23d"), ("+49 170", "%2B49%20170"), ("é", "%C3%A9")],
)
async def test_any_user_id_is_one_piece_of_the_path(
    call: Caller, wire: Wire, user_id: str, piece: str
) -> None:
    await call(lambda c: c.get_history(user_id))
    assert wire.seen[0].path == f"/api/sdk/history/{piece}?limit=200"


@pytest.mark.parametrize("user_id", ["", ".", ".."])
async def test_an_id_that_would_change_the_path_is_refused(
    call: Caller, wire: Wire, user_id: str
) -> None:
    with pytest.raises(InvalidArgumentError, match="user_id"):
        await call(lambda c: c.clear_history(user_id))
    assert wire.seen == []
