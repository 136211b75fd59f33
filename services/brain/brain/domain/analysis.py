"""What a message says about the person who wrote it, and the port of whoever finds out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from brain.domain.state import Observation

Confidence = Literal["llm", "model", "heuristic"]
Polarity = Literal["positive", "negative", "neutral"]
Tier = Literal["accurate", "fast", "none"]

CERTAINTY: dict[Confidence, float] = {"llm": 1.0, "model": 0.8, "heuristic": 0.6}
"""The factor c of facts/understanding §6: 1 for a language model, 0.6 for the plain heuristic."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A phrase of the message that led to an emotion."""

    phrase: str
    emotion: str
    polarity: Polarity


@dataclass(frozen=True, slots=True)
class Risk:
    """The trained classifier's opinion on safety, probabilities 0..1.

    ``hold``: a person should look. ``block``: acute. ``third_person``: about somebody else.
    ``categories``: as in ``brain.domain.safety``.
    """

    hold: float
    block: float
    third_person: float = 0.0
    categories: Mapping[str, float] = field(default_factory=dict)

    @property
    def category(self) -> str:
        """The likeliest one."""
        return max(self.categories, key=lambda name: self.categories[name], default="self_harm")


@dataclass(frozen=True, slots=True)
class Analysis:
    """The reading of one message.

    ``valence`` -1..1 (unpleasant to pleasant), ``arousal`` 0..1 (calm to excited, 0.5 neutral),
    ``informativeness`` 0..1 (0: says nothing about how the person feels, such as "ok"),
    ``hostility`` 0..1 (aimed at us). ``emotions`` strongest first. ``life_event``: a loss, a
    diagnosis, a great win is named. ``urgent``: the person says that it cannot wait. ``language``
    as in ``brain.domain.language``, None when unsure. ``risk`` None: the classifier did not answer.
    ``tier``: which model read it.
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
    risk: Risk | None = None
    tier: Tier = "none"


class Analyser(Protocol):
    """Reads one message. Bound by the CPU, synchronous, a few milliseconds at most."""

    def analyse(self, text: str, *, hurried: bool = False) -> Analysis:
        """Reads masked text; ``hurried`` asks for the fastest model.

        May raise; the turn then goes on with ``unread`` and HOLD.
        """


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
