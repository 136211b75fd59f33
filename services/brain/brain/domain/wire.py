"""The answer of ``POST /api/sdk/process`` as facts/behaviour §1 lists it: every key, always."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from brain.domain.safety import Action, SafetyMatch, SafetyVerdict
from brain.domain.turn import Concluded, Prepared


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
) -> dict[str, Any]:
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


def safety_part(verdict: SafetyVerdict) -> dict[str, Any]:
    """The answer's ``safety``, of the verdict on the message or of both sides joined."""
    return {
        "action": verdict.action.value,
        "risk_score": _rounded(verdict.risk_score),
        "flags": list(verdict.flags),
        "matched": [{"phrase": m.phrase, "category": m.category} for m in verdict.matched],
        "override": verdict.override,
    }


def verdict_of(part: dict[str, Any]) -> SafetyVerdict:
    """The verdict that ``safety_part`` wrote, without its language."""
    return SafetyVerdict(
        action=Action(part["action"]),
        risk_score=part["risk_score"],
        flags=tuple(part["flags"]),
        matched=tuple(SafetyMatch(m["phrase"], m["category"]) for m in part["matched"]),
        override=part["override"],
    )


def _analysis(prepared: Prepared) -> dict[str, Any]:
    return {
        **reading_part(prepared),
        "mood_delta": _rounded(prepared.mood_delta),
        "energy_delta": _rounded(prepared.energy_delta),
        "signal_magnitude": prepared.signal_magnitude,
    }


def reading_part(prepared: Prepared) -> dict[str, Any]:
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
