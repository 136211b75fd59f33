"""The answer of ``POST /api/sdk/process`` as facts/behaviour §1 lists it: every key, always."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, with_config
from typing_extensions import TypedDict

from brain.domain.safety import Action, SafetyMatch, SafetyVerdict
from brain.domain.turn import Concluded, Prepared

Share = Annotated[float, Field(ge=0, le=1)]
Delta = Annotated[float, Field(ge=-1, le=1)]
IsoTime = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
described = with_config(use_attribute_docstrings=True)


@described
class UserPart(TypedDict):
    """The person right after the message; each variable 0..1."""

    id: str
    """Your own id of the person, or the provider's."""
    energy: Share
    mood: Share
    trust: Share
    sentiment: Share
    familiarity: Share
    interaction_count: int


@described
class TimingPart(TypedDict):
    """A recommendation when to show the answer."""

    delay_ms: Annotated[int, Field(ge=0)]
    reason: str


class SafetyMatchPart(TypedDict):
    """A phrase and the category it speaks for."""

    phrase: str
    category: str


@described
class SafetyPart(TypedDict):
    """The verdict on the message and, once there is one, on the reply."""

    action: Literal["PROCEED", "HOLD", "BLOCK"]
    """HOLD: call a human, nothing is withheld. BLOCK: answered by a reviewed text."""
    risk_score: Share
    flags: list[str]
    """Categories, strongest first, then modifiers such as `third_person`."""
    matched: list[SafetyMatchPart]
    override: str | None
    """The idiom, negation or quotation for which a match was set aside."""


@described
class ContextPart(TypedDict):
    """How an answer should sound."""

    tone: str
    empathy: Share
    formality: Share
    response_length: Literal["short", "medium", "long"]


class TriggerPart(TypedDict):
    """A phrase of the message that led to an emotion."""

    phrase: str
    emotion: str
    polarity: Literal["positive", "negative", "neutral"]


@described
class ReadingPart(TypedDict):
    """What the message says."""

    detected_emotions: list[str]
    """Strongest first."""
    intent: str
    confidence: Literal["llm", "model", "heuristic"]
    """Who judged. `heuristic`: the fast model, or a language that is not read well."""
    triggers: list[TriggerPart]
    reasons: list[str]
    safety_matched: list[str]
    """Phrases that the safety check took note of."""


@described
class AnalysisPart(ReadingPart):
    """What the message says, and how it moved the person."""

    mood_delta: Delta
    energy_delta: Delta
    signal_magnitude: Literal["normal", "strong", "pivot"]


class RelevantMemoryPart(TypedDict):
    """Something the person said before."""

    text: str
    similarity: Share
    timestamp: IsoTime | None


class MemoryPart(TypedDict):
    """What is remembered of the person."""

    relevant_memories: list[RelevantMemoryPart]
    total_stored: int
    interaction_count: int
    known_since: IsoTime | None
    last_seen: IsoTime | None


@described
class StoredParts(TypedDict):
    """What an interaction keeps of the answer, as it is."""

    user: UserPart
    timing: TimingPart
    safety: SafetyPart
    context: ContextPart
    analysis: AnalysisPart
    proactive: list[dict[str, Any]]
    """Reasons to write to the person first; empty today."""
    memory: MemoryPart
    policy: None
    experiments: list[Any]


@described
class ProcessAnswer(StoredParts):
    """How a message was understood and what to say; every key is always there."""

    response: str | None
    """None: there is nothing to say."""
    model: str | None
    """Who wrote the response, if a language model did."""
    error: str | None
    """Why there is no response although there should be one."""
    setup_required: bool
    """There is no language model to write responses with."""


def process_answer(
    prepared: Prepared,
    concluded: Concluded,
    *,
    user_id: str,
    total_stored: int,
    model: str | None = None,
    setup_required: bool = False,
    error: str | None = None,
    proactive: Sequence[dict[str, Any]] = (),
) -> ProcessAnswer:
    """JSON-ready: times are ISO 8601 strings, numbers are rounded to four places.

    ``user_id`` is the tenant's own id. ``total_stored``: memories kept after this interaction.
    ``model``: who wrote the reply, None when none did.
    """
    state = prepared.state_after
    return {
        "response": concluded.text,
        "user": {
            "id": user_id,
            "energy": _rounded(state.human.energy),
            "mood": _rounded(state.human.mood),
            "trust": _rounded(state.relation.trust),
            "sentiment": _rounded(state.relation.sentiment),
            "familiarity": _rounded(state.relation.familiarity),
            "interaction_count": state.interaction_count,
        },
        "timing": {"delay_ms": prepared.timing.delay_ms, "reason": prepared.timing.reason},
        "safety": safety_part(concluded.safety),
        "context": {
            "tone": prepared.shape.tone,
            "empathy": prepared.shape.empathy,
            "formality": prepared.shape.formality,
            "response_length": prepared.shape.response_length,
        },
        "analysis": _analysis(prepared),
        "proactive": list(proactive),
        "memory": {
            "relevant_memories": [
                {"text": hit.text, "similarity": hit.similarity, "timestamp": _time(hit.created_at)}
                for hit in prepared.memories
            ],
            "total_stored": total_stored,
            "interaction_count": state.interaction_count,
            "known_since": _time(state.known_since),
            "last_seen": _time(state.last_seen),
        },
        "model": model if concluded.source == "model" else None,
        "experiments": [],
        "policy": None,
        "error": error,
        "setup_required": setup_required,
    }


def safety_part(verdict: SafetyVerdict) -> SafetyPart:
    """The answer's ``safety``, of the verdict on the message or of both sides joined."""
    return {
        "action": verdict.action.value,
        "risk_score": _rounded(verdict.risk_score),
        "flags": list(verdict.flags),
        "matched": [{"phrase": m.phrase, "category": m.category} for m in verdict.matched],
        "override": verdict.override,
    }


def verdict_of(part: Mapping[str, Any]) -> SafetyVerdict:
    """The verdict that ``safety_part`` wrote, without its language."""
    return SafetyVerdict(
        action=Action(part["action"]),
        risk_score=part["risk_score"],
        flags=tuple(part["flags"]),
        matched=tuple(SafetyMatch(m["phrase"], m["category"]) for m in part["matched"]),
        override=part["override"],
    )


def _analysis(prepared: Prepared) -> AnalysisPart:
    return {
        **reading_part(prepared),
        "mood_delta": _rounded(prepared.mood_delta),
        "energy_delta": _rounded(prepared.energy_delta),
        "signal_magnitude": prepared.signal_magnitude,
    }


def reading_part(prepared: Prepared) -> ReadingPart:
    """What the answer's ``analysis`` says of the text, without how it moved the person."""
    analysis = prepared.analysis
    return {
        "detected_emotions": list(analysis.emotions),
        "intent": analysis.intent,
        "confidence": analysis.confidence,
        "triggers": [
            {"phrase": t.phrase, "emotion": t.emotion, "polarity": t.polarity}
            for t in analysis.triggers
        ],
        "reasons": list(analysis.reasons),
        "safety_matched": [m.phrase for m in prepared.safety.matched],
    }


def _rounded(value: float) -> float:
    return round(value, 4)


def _time(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
