"""How the reply should sound and when it should go out, from the state and the reading."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal

from brain.domain.analysis import Analysis
from brain.domain.safety import Action, SafetyVerdict
from brain.domain.state import EndUserState

ResponseLength = Literal["short", "medium", "long"]

FRUSTRATED_MOOD = 0.35  # P
TIRED_ENERGY = 0.30  # P
TRUSTED_TRUST = 0.70  # P
CAUTIOUS_GRUDGE = 0.4  # P

_EMPATHY = ((0.0, 0.97), (0.31, 0.93), (0.35, 0.90), (0.5, 0.6), (0.7, 0.5), (1.0, 0.45))
"""(mood, empathy), read linearly between. Published samples are mood .35 with .95 and mood .31
with .88: two different contexts, so no falling rule meets both. This one is within .05 of each."""

BASE_DELAY_MS = 800  # D: shorter than a person, longer than a reflex
LONGEST_DELAY_MS = {"whatsapp": 4_000}  # D: "within a few seconds" while the typing mark shows
LONGEST_DELAY_ELSEWHERE_MS = 8_000
JITTER_MS = 400


@dataclass(frozen=True, slots=True)
class Shape:
    """``tone`` as on the wire; ``empathy`` and ``formality`` 0..1."""

    tone: str
    empathy: float
    formality: float
    response_length: ResponseLength


@dataclass(frozen=True, slots=True)
class Timing:
    """When to answer, counted from the message; a recommendation. ``reason`` explains the sum."""

    delay_ms: int
    reason: str


def shape(state: EndUserState, analysis: Analysis, safety: SafetyVerdict, *, channel: str) -> Shape:
    """Tone, empathy, formality and length for a reply to a person in this ``state``."""
    return Shape(
        tone=_tone(state, analysis, safety),
        empathy=round(max(empathy_of(state.human.mood), 0.9 if _grave(safety) else 0.0), 2),
        formality=round(_formality(state), 2),
        response_length=_length(state, analysis, channel),
    )


def empathy_of(mood: float) -> float:
    """Never rises with the mood; 0.45..0.97."""
    for (low, high_empathy), (high, low_empathy) in pairwise(_EMPATHY):
        if mood <= high:
            part = (mood - low) / (high - low)
            return high_empathy + part * (low_empathy - high_empathy)
    return _EMPATHY[-1][1]


def timing(
    message_id: str,
    text: str,
    state: EndUserState,
    analysis: Analysis,
    safety: SafetyVerdict,
    *,
    channel: str,
    last_seen: datetime | None,
    now: datetime,
) -> Timing:
    """The sum of facts/behaviour §5, each part named in ``reason``.

    A crisis or an urgent message never waits. The jitter comes from ``message_id``: a redelivered
    message gets the same answer at the same pace. ``last_seen``: before this message.
    """
    if _grave(safety):
        return Timing(0, "crisis: no delay")
    if analysis.urgent:
        return Timing(0, "urgent: no delay")
    parts = [("base", BASE_DELAY_MS), ("reading", min(1_200, 8 * len(text)))]
    if state.human.mood < FRUSTRATED_MOOD:
        parts.append(("low mood", 600))
    weight = round(600 * abs(analysis.valence) * analysis.informativeness)
    if weight:
        parts.append(("emotional weight", weight))
    if last_seen is not None and (now - last_seen).total_seconds() < 15:
        parts.append(("quick conversation", -500))
    digest = hashlib.blake2b(message_id.encode(), digest_size=4).digest()
    parts.append(("jitter", int.from_bytes(digest) % (JITTER_MS + 1)))
    longest = LONGEST_DELAY_MS.get(channel, LONGEST_DELAY_ELSEWHERE_MS)
    total = max(0, min(longest, sum(ms for _, ms in parts)))
    return Timing(total, ", ".join(f"{name} {ms:+d} ms" for name, ms in parts))


def _grave(safety: SafetyVerdict) -> bool:
    return safety.action is not Action.PROCEED


def _tone(state: EndUserState, analysis: Analysis, safety: SafetyVerdict) -> str:
    if _grave(safety):
        return "empathetic_professional"
    if state.relation.grudge >= CAUTIOUS_GRUDGE:
        return "cautious"
    if state.human.mood < 0.45 or analysis.valence * analysis.informativeness < -0.25:
        return "empathetic_professional"
    if state.human.mood > 0.6 and state.relation.trust > TRUSTED_TRUST:
        return "warm_professional"
    return "neutral_professional"


def _formality(state: EndUserState) -> float:
    """0.7 with a stranger; familiarity and trust loosen it, a grudge stiffens it (D)."""
    relation = state.relation
    loose = 0.35 * max(0.0, relation.familiarity - 0.3) + 0.25 * max(0.0, relation.trust - 0.4)
    return min(0.95, max(0.2, 0.7 - loose + 0.3 * relation.grudge))


def _length(state: EndUserState, analysis: Analysis, channel: str) -> ResponseLength:
    if state.human.energy < TIRED_ENERGY or state.human.fatigue > 0.6:
        return "short"
    if analysis.intent in {"small_talk", "gratitude"} and analysis.valence >= 0:
        return "short"
    if analysis.intent == "question" and state.human.focus > 0.55 and channel != "whatsapp":
        return "long"
    return "medium"
