"""From a model's numbers to values that mean something: one place for both tiers."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brain.domain.analysis import Risk

GO_EMOTIONS = [
    "admiration",
    "amusement",
    "anger",
    "annoyance",
    "approval",
    "caring",
    "confusion",
    "curiosity",
    "desire",
    "disappointment",
    "disapproval",
    "disgust",
    "embarrassment",
    "excitement",
    "fear",
    "gratitude",
    "grief",
    "joy",
    "love",
    "nervousness",
    "optimism",
    "pride",
    "realization",
    "relief",
    "remorse",
    "sadness",
    "surprise",
    "neutral",
]
SIX = ["anger", "disgust", "fear", "joy", "sadness", "surprise"]
CATEGORIES = [
    "self_harm",
    "violence",
    "abuse",
    "medical",
    "harassment",
    "hate",
    "illegal",
    "sexual_minors",
    "pii_extraction",
    "legal_advice_request",
    "financial_advice_request",
]

VALENCE_MEAN, VALENCE_SPAN = 2.98, 1.0
AROUSAL_MEAN, AROUSAL_SPAN = 3.04, 1.5
"""EmoBank's scale runs from 1 to 5 but its ratings from about 2 to 4: the mean is neutral, a span
away from it is fully pleasant or unpleasant, and half a span moves arousal to calm or excited."""
SIX_CUT = 0.35
"""A sixth emotion counts from here: between BRIGHTER's "low" (1/3) and "moderate" (2/3)."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ModelReading:
    """Ranges as in ``brain.domain.analysis.Analysis``."""

    valence: float
    arousal: float
    informativeness: float
    emotions: tuple[str, ...]
    risk: Risk


def net_scores(vectors: Floats, hidden: Floats, out: Floats) -> Floats:
    """A net of one hidden layer (ReLU) on one vector or rows of them; the last rows are biases."""
    inner = np.maximum(vectors @ hidden[:-1] + hidden[-1], 0.0)
    return np.asarray(inner @ out[:-1] + out[-1], dtype=np.float32)


def english(vad: Floats, emotions: Floats, cuts: Floats, risk: Risk) -> ModelReading:
    """From EmoBank's scale and logits of GoEmotions; ``cuts`` are logits, one a label."""
    over = dict(zip(GO_EMOTIONS, (emotions - cuts).tolist(), strict=True))
    names = [name for name, by in over.items() if by >= 0] or [max(over, key=over.__getitem__)]
    return ModelReading(
        valence=_clip((float(vad[0]) - VALENCE_MEAN) / VALENCE_SPAN, -1.0),
        arousal=_clip(0.5 + (float(vad[1]) - AROUSAL_MEAN) / AROUSAL_SPAN, 0.0),
        informativeness=1.0 - _chance(float(emotions[-1])),
        emotions=tuple(sorted(names, key=over.__getitem__, reverse=True)),
        risk=risk,
    )


def polyglot(polarity: float, six: Floats, risk: Risk) -> ModelReading:
    """From a valence -1..1 and six intensities 0..1; arousal follows from the emotions.

    D: anger, fear, joy and surprise excite, sadness calms; weights by hand, because no permissive
    set rates arousal outside English.
    """
    strength = np.clip(six, 0.0, 1.0)
    order = np.argsort(-strength)
    names = tuple(SIX[i] for i in order if strength[i] >= SIX_CUT) or ("neutral",)
    stirred = 0.3 * max(strength[[0, 2, 5]]) + 0.2 * strength[3] - 0.15 * strength[4]
    return ModelReading(
        valence=_clip(polarity, -1.0),
        arousal=_clip(0.5 + float(stirred), 0.0),
        informativeness=min(1.0, max(abs(polarity), float(strength.max()))),
        emotions=names,
        risk=risk,
    )


def risk_of(logits: Floats, even: float) -> Risk:
    """From the safety head: HOLD, BLOCK, third person, then the categories.

    ``even``: the logit of HOLD that counts as an even chance. The heads learnt from messages half of
    which are dangerous, and are too sure of themselves; each tier has its own.
    """
    against = -logits
    against[0] += np.float32(even)
    chances = (1.0 / (1.0 + np.exp(np.minimum(against, 30.0)))).tolist()
    return Risk(
        hold=chances[0],
        block=chances[1],
        third_person=chances[2],
        categories=dict(zip(CATEGORIES, chances[3:], strict=True)),
    )


def _chance(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(30.0, max(-30.0, logit))))


def _clip(value: float, low: float) -> float:
    return min(1.0, max(low, value))
