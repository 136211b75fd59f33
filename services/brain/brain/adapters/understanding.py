"""``Analyser`` by the trained models: the accurate tier within its time box, else the fast one."""

from functools import cache
from time import thread_time
from typing import Protocol

from brain.adapters.models.accurate import Pieces
from brain.adapters.models.outputs import ModelReading
from brain.domain.analysis import Analysis, Confidence, Polarity, Tier, Trigger
from brain.domain.cues import Cues
from brain.domain.language import detect
from brain.domain.text import normalise
from brain.domain.voice import Voice, spelled_out, voice_of
from shared.telemetry.metrics import Metrics

FIRST_GUESS_S_PER_PIECE = 0.0002
LEARNING_RATE = 0.1
PROBE_EVERY = 50
"""While the accurate tier looks too slow, one message in so many tries it again."""
IRONY = 0.4
"""D: what is left of a pleasant valence beside a marker of sarcasm, and with the sign turned."""
CUE_WEIGHT = {"es": 0.2, "pt": 0.2, "hi": 0.2, "ar": 0.3, "hi-Latn": 0.5}
"""D: how much a named feeling counts beside the model; no set rates mood in Hinglish at all."""
NAMED_FEELING = 0.6
"""D: the valence that a named feeling stands for."""
NAMED_TELLS = 0.5
"""D: a message that names a feeling says at least so much of it."""
_SIGNS: dict[Polarity, float] = {"positive": 1.0, "negative": -1.0, "neutral": 0.0}


class PieceReader(Protocol):
    """The accurate tier as this module needs it."""

    def pieces(self, spelled: str, *, english: bool | None) -> Pieces:
        """The word pieces of a text."""

    def read(self, pieces: Pieces) -> ModelReading:
        """The reading of the pieces."""


class TextReader(Protocol):
    """The fast tier as this module needs it."""

    def read(self, spelled: str, *, english: bool) -> ModelReading:
        """The reading of a spelled-out text."""


class TieredAnalyser:
    """Confidence ``model`` from the accurate tier, ``heuristic`` from the fast one.

    A language other than English has confidence ``heuristic`` too: its figures are lower
    (docs/model-card.md). Holds no text.
    """

    def __init__(
        self,
        accurate: PieceReader | None,
        fast: TextReader,
        cues: Cues,
        metrics: Metrics,
        *,
        time_box_s: float,
    ) -> None:
        self._accurate = accurate
        self._fast = fast
        self._cues = cues
        self._readings = cache(metrics.readings.labels)
        """Looking for the labels' counter costs several times as much as counting."""
        self._time_box_s = time_box_s
        self._s_per_piece = FIRST_GUESS_S_PER_PIECE
        self._skipped = 0

    def warm(self) -> None:
        """Read one line in each tier, so that the first person does not wait for it."""
        for hurried in (True, False, False):
            self.analyse("hello, how are you today?", hurried=hurried)

    def analyse(self, text: str, *, hurried: bool = False) -> Analysis:
        """See ``Analyser``. Raises what a broken model raises."""
        plain = normalise(text)
        language = detect(text, plain)
        english = language in {"en", None}
        spelled = spelled_out(text, english=english)
        reading, tier = self._read(spelled, language, hurried=hurried)
        return self._joined(text, plain, language, reading, tier)

    def _read(
        self, spelled: str, language: str | None, *, hurried: bool
    ) -> tuple[ModelReading, Tier]:
        english = language in {"en", None}
        if self._accurate is None or hurried:
            self._count("fast", "hurried" if hurried else "chosen")
            return self._fast.read(spelled, english=english), "fast"
        pieces = self._accurate.pieces(spelled, english=english if language else None)
        if len(pieces) * self._s_per_piece > self._time_box_s:
            self._skipped += 1
            if self._skipped % PROBE_EVERY:
                self._count("fast", "time_box")
                return self._fast.read(spelled, english=english), "fast"
        began = thread_time()
        reading = self._accurate.read(pieces)
        taken = (thread_time() - began) / max(1, len(pieces))
        self._s_per_piece += LEARNING_RATE * (taken - self._s_per_piece)
        self._count("accurate", "chosen")
        return reading, "accurate"

    def _count(self, tier: Tier, reason: str) -> None:
        self._readings(tier, reason).inc()

    def _joined(
        self, text: str, plain: str, language: str | None, reading: ModelReading, tier: Tier
    ) -> Analysis:
        cues, voice = self._cues.read(plain), voice_of(text)
        valence = _with_cues(reading.valence, cues.triggers, language)
        valence = _ironic(valence) if voice.ironic else valence
        named = NAMED_TELLS if cues.triggers else 0.0
        informativeness = 0.0 if cues.says_nothing else max(named, reading.informativeness)
        known = language in {"en", None}
        confidence: Confidence = "model" if tier == "accurate" and known else "heuristic"
        return Analysis(
            valence=round(valence, 4),
            arousal=round(min(1.0, max(0.0, reading.arousal + voice.push)), 4),
            informativeness=round(informativeness, 4),
            emotions=reading.emotions,
            intent=cues.intent(valence=valence * informativeness, emotions=reading.emotions),
            confidence=confidence,
            triggers=cues.triggers,
            reasons=(f"{tier} model", *_signs(voice), *sorted(cues.events)),
            language=language,
            hostility=0.9 if "hostile" in cues.events else 0.0,
            life_event="life" in cues.events,
            urgent="urgent" in cues.events,
            risk=reading.risk,
            tier=tier,
        )


def _with_cues(valence: float, triggers: tuple[Trigger, ...], language: str | None) -> float:
    """A named feeling corrects a model that knows the language less well."""
    signs = [_SIGNS[trigger.polarity] for trigger in triggers]
    weight = CUE_WEIGHT.get(language or "", 0.0)
    if not signs or not weight:
        return valence
    return (1 - weight) * valence + weight * NAMED_FEELING * sum(signs) / len(signs)


def _ironic(valence: float) -> float:
    return -IRONY * valence if valence > 0 else valence


def _signs(voice: Voice) -> tuple[str, ...]:
    """What the writing itself showed, for people who want to know why."""
    signs = {
        "exclamation": voice.exclamations > 0,
        "capitals": voice.shouting,
        "stretched words": voice.stretched,
        "excited emoji": voice.excited_emoji > 0,
        "flat emoji": voice.flat_emoji > 0,
        "curt": voice.curt,
        "irony": voice.ironic,
    }
    return tuple(name for name, seen in signs.items() if seen)
