"""Phrases of ``data/cues.yaml``: what a message names, beside what a model feels in it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any, Self

import yaml

from brain.domain.analysis import Polarity, Trigger
from brain.domain.sieve import Sieve

MOST_TRIGGERS = 5
_NEGATED = re.compile(
    r"\b(?:not|no|never|dont|didnt|isnt|wasnt|arent|nao|nunca|ni|sin|sem)(?: \w+){0,2} $"
)
_QUESTION = re.compile(
    r"[?\u061f\u00bf]|^(?:what|when|where|who|why|how|which|is|are|do|does|did|can|should|que|como|"
    r"cuando|donde|quando|onde|kya|kab|kahan|kaise|kyu|\u0915\u094d\u092f\u093e|\u0643\u064a\u0641|\u0645\u062a\u064a|\u0647\u0644)\b"
)
_TOKEN = re.compile(r"[^\s.,!?;:]+")
_FIRST = ("human_please", "opt_out", "opt_in", "complaint", "gratitude")
"""Wishes that decide, in this order; a question or a feeling does not outrank them."""
_SUPPORT = frozenset(
    [
        "grief",
        "sadness",
        "loneliness",
        "fear",
        "shame",
        "illness",
        "tiredness",
        "disappointment",
        "nervousness",
        "remorse",
    ]
)


@dataclass(frozen=True, slots=True)
class CueReading:
    """What was named. ``intents``: all that match; ``says_nothing``: only an acknowledgement."""

    triggers: tuple[Trigger, ...]
    events: frozenset[str]
    intents: frozenset[str]
    says_nothing: bool
    is_question: bool

    def intent(self, *, valence: float, emotions: Iterable[str]) -> str:
        """The one intent of the message; ``statement`` when nothing speaks for another."""
        for name in _FIRST:
            if name in self.intents:
                return name
        if self.is_question:
            return "small_talk" if "small_talk" in self.intents else "question"
        named = {trigger.emotion for trigger in self.triggers}
        if _SUPPORT & (named | set(emotions)) or valence < -0.3:
            return "emotional_support"
        for name in ("request", "small_talk"):
            if name in self.intents:
                return name
        return "statement"


class Cues:
    """All phrases, compiled."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._acknowledgements = frozenset(data["acknowledgements"].split())
        self._sieve: Sieve[tuple[str, str, Polarity]] = Sieve([
            *(
                (_phrase(word), ("emotion", entry["name"], entry["polarity"]))
                for entry in data["emotions"]
                for word in entry["words"]
            ),
            *(
                (_phrase(word), (kind, name, "neutral"))
                for kind in ("events", "intents")
                for name, words in data[kind].items()
                for word in words
            ),
        ])  # fmt: skip

    @classmethod
    def load(cls) -> Self:
        """From this package."""
        source = resources.files("brain.domain") / "data" / "cues.yaml"
        return cls(yaml.safe_load(source.read_text(encoding="utf-8")))

    def read(self, plain: str) -> CueReading:
        """What ``plain``, a text from ``brain.domain.text.normalise``, names and does not deny."""
        triggers: dict[str, Trigger] = {}
        found: dict[str, set[str]] = {"events": set(), "intents": set()}
        for pattern, (kind, name, polarity) in self._sieve.candidates(plain):
            match = pattern.search(plain)
            if match is None:
                continue
            if kind != "emotion":
                found[kind].add(name)
            elif name not in triggers and not _NEGATED.search(plain[: match.start()]):
                triggers[name] = Trigger(match[0].strip(), name, polarity)
        words = _TOKEN.findall(plain)
        return CueReading(
            triggers=tuple(triggers.values())[:MOST_TRIGGERS],
            events=frozenset(found["events"]),
            intents=frozenset(found["intents"]),
            says_nothing=not triggers and all(word in self._acknowledgements for word in words),
            is_question=_QUESTION.search(plain) is not None,
        )


def _phrase(word: str) -> re.Pattern[str]:
    """A phrase of the file; Latin ones match whole words only, others anywhere."""
    if word.startswith("^"):
        return re.compile(re.sub(r"(?<=\w)\*", r"\\w*", word))
    body = re.sub(r"(?<=\w)\*", r"\\w*", word)
    return re.compile(rf"\b(?:{body})\b" if word.isascii() else body)
