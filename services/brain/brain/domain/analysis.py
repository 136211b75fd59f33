"""What a message says about the person who wrote it, and the port of whoever finds out."""

from dataclasses import dataclass
from typing import Literal, Protocol

from brain.domain.state import Observation

Confidence = Literal["llm", "model", "heuristic"]
Polarity = Literal["positive", "negative", "neutral"]

CERTAINTY: dict[Confidence, float] = {"llm": 1.0, "model": 0.8, "heuristic": 0.6}
"""The factor c of facts/understanding §6: 1 for a language model, 0.6 for the plain heuristic."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A phrase of the message that led to an emotion."""

    phrase: str
    emotion: str
    polarity: Polarity


@dataclass(frozen=True, slots=True)
class Analysis:
    """The reading of one message.

    ``valence`` -1..1 (unpleasant to pleasant), ``arousal`` 0..1 (calm to excited, 0.5 neutral),
    ``informativeness`` 0..1 (0: says nothing about how the person feels, such as "ok"),
    ``hostility`` 0..1 (aimed at us). ``emotions`` strongest first, ``neutral`` alone when none.
    ``life_event``: a loss, a diagnosis, a great win is named. ``urgent``: the person says that it
    cannot wait. ``language`` as in ``brain.domain.language``, None when unsure.
    """

    valence: float
    arousal: float
    informativeness: float
    emotions: tuple[str, ...]
    intent: str
    confidence: Confidence
    triggers: tuple[Trigger, ...] = ()
    reasons: tuple[str, ...] = ()
    language: str | None = None
    hostility: float = 0.0
    life_event: bool = False
    urgent: bool = False


class Analyser(Protocol):
    """Reads one message. Bound by the CPU, synchronous, a few milliseconds at most."""

    def analyse(self, text: str) -> Analysis:
        """Reads masked text. May raise; the turn then goes on with ``unread``."""


def unread(language: str | None) -> Analysis:
    """The reading when the analyser failed: nothing is known, so nothing moves."""
    return Analysis(
        valence=0.0,
        arousal=0.5,
        informativeness=0.0,
        emotions=("neutral",),
        intent="statement",
        confidence="heuristic",
        reasons=("analyser_failed",),
        language=language,
    )


def observation_of(analysis: Analysis) -> Observation:
    """``analysis`` as the state's filter wants it, values clipped into their ranges."""
    return Observation(
        valence=min(1.0, max(-1.0, analysis.valence)),
        arousal=min(1.0, max(0.0, analysis.arousal)),
        informativeness=min(1.0, max(0.0, analysis.informativeness)),
        certainty=CERTAINTY[analysis.confidence],
        largest_drop=-0.3 if analysis.confidence == "heuristic" else -1.0,
        largest_rise=0.2 if analysis.confidence == "heuristic" else 1.0,
        hostility=min(1.0, max(0.0, analysis.hostility)),
        life_event=analysis.life_event,
    )
