"""``Analyser`` by VADER and word lists: honest about being a heuristic, quick, no model.

VADER knows English and emoji; other languages are read by their emotion words only, so they
move the state less. Arousal has no lexicon of its own here: it comes from emotion words,
exclamation, capitals, stretched words and emoji, and correlates weakly with people's ratings
(facts/understanding, table 3.1).
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from brain.domain.analysis import Analysis, Polarity, Trigger
from brain.domain.language import detect
from brain.domain.text import normalise

_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_SHOUTED = re.compile(r"\b[A-Z]{3,}\b")
_EXCITED = re.compile(
    "[\U0001f389\U0001f38a\U0001f525\U0001f929\U0001f621\U0001f620\U0001f92c\U0001f631\U0001f630]"
)
_FLAT = re.compile(
    "[\U0001f634\U0001f62a\U0001f629\U0001f62b\U0001f971\U0001f614\U0001f61e\U0001f972]"
)
_EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")
_NEGATED = re.compile(r"\b(?:not|no|never|dont|didnt|isnt|wasnt|arent|nao|nunca|ni)(?: \w+){0,2} $")
_QUESTION = re.compile(
    r"[?\u061f\u00bf]|^(?:what|when|where|who|why|how|which|is|are|do|does|did|can|should|que|como|"
    r"cuando|donde|quando|onde|kya|kab|kahan|kaise|kyu)\b"
)


@dataclass(frozen=True, slots=True)
class _Emotion:
    name: str
    polarity: Polarity
    valence: float
    arousal: float
    pattern: re.Pattern[str]


class LexiconAnalyser:
    """``brain.domain.analysis.Analyser`` with confidence ``heuristic``. Holds no text."""

    def __init__(self) -> None:
        source = resources.files("brain.domain") / "data" / "lexicon.toml"
        data: dict[str, Any] = tomllib.loads(source.read_text(encoding="utf-8"))
        self._vader = SentimentIntensityAnalyzer()
        self._acknowledgements = frozenset(normalise(data["acknowledgements"]).split())
        self._emotions = tuple(
            _Emotion(e["name"], e["polarity"], e["valence"], e["arousal"], _any_of(e["words"]))
            for e in data["emotion"]
        )
        self._events = {name: _any_of(words) for name, words in data["events"].items()}
        self._intents = {name: _any_of(words) for name, words in data["intents"].items()}

    def analyse(self, text: str) -> Analysis:
        """Valence and arousal from words and signs; informativeness 0 for a bare "ok"."""
        plain = normalise(text)
        language = detect(text)
        found = self._found(plain)
        emotions = list(dict.fromkeys(emotion.name for emotion, _ in found))
        valence, how = self._valence(text, language, [emotion for emotion, _ in found])
        events = {name: bool(pattern.search(plain)) for name, pattern in self._events.items()}
        arousal, signs = _arousal(text, [emotion for emotion, _ in found])
        informativeness = self._informativeness(plain, valence, arousal, found)
        return Analysis(
            valence=round(valence, 4),
            arousal=round(arousal, 4),
            informativeness=round(informativeness, 4),
            emotions=tuple(emotions[:4]) or ("neutral",),
            intent=self._intent(plain, valence * informativeness, emotions),
            confidence="heuristic",
            triggers=tuple(Trigger(phrase, e.name, e.polarity) for e, phrase in found[:5]),
            reasons=(how, *signs, *(name for name, hit in events.items() if hit)),
            language=language,
            hostility=0.9 if events["hostile"] else 0.0,
            life_event=events["life"],
            urgent=events["urgent"],
        )

    def _found(self, plain: str) -> list[tuple[_Emotion, str]]:
        """Emotions that the text names and does not deny, strongest first."""
        hits = []
        for emotion in self._emotions:
            match = emotion.pattern.search(plain)
            if match and not _NEGATED.search(plain[: match.start()]):
                hits.append((emotion, match[0]))
        return sorted(hits, key=lambda hit: -abs(hit[0].valence))

    def _valence(
        self, text: str, language: str | None, emotions: Sequence[_Emotion]
    ) -> tuple[float, str]:
        words = sum(e.valence for e in emotions) / len(emotions) if emotions else 0.0
        if language == "en" or (language is None and text.isascii()):
            compound = self._compound(text)
            if emotions and compound:
                return 0.6 * compound + 0.4 * words, "sentiment and emotion words"
            return (compound, "sentiment words") if compound else (words, "emotion words")
        signs = self._compound(" ".join(_EMOJI.findall(text)))
        if emotions and signs:
            return (signs + words) / 2, "emotion words and emoji"
        return (words, "emotion words") if emotions else (signs, "emoji")

    def _compound(self, text: str) -> float:
        return float(self._vader.polarity_scores(text)["compound"]) if text.strip() else 0.0

    def _informativeness(
        self, plain: str, valence: float, arousal: float, found: Sequence[tuple[_Emotion, str]]
    ) -> float:
        words = re.findall(r"[^\s.,!?;:]+", plain)
        if not found and all(word in self._acknowledgements for word in words):
            return 0.0
        named = 0.5 + 0.1 * len(found) if found else 0.0
        return min(1.0, max(named, abs(valence), 2 * abs(arousal - 0.5) * 0.5))

    def _intent(self, plain: str, feeling: float, emotions: Iterable[str]) -> str:
        for name in ("human_please", "opt_out", "complaint", "gratitude"):
            if self._intents[name].search(plain):
                return name
        if _QUESTION.search(plain):
            return "small_talk" if self._intents["small_talk"].search(plain) else "question"
        negative = {"grief", "sadness", "loneliness", "fear", "shame", "illness", "tiredness"}
        if negative.intersection(emotions) or feeling < -0.3:
            return "emotional_support"
        for name in ("request", "small_talk"):
            if self._intents[name].search(plain):
                return name
        return "statement"


def _arousal(text: str, emotions: Sequence[_Emotion]) -> tuple[float, tuple[str, ...]]:
    """0..1 and the signs that led there. Signs push away from calm, or deeper into a flat mood."""
    base = sum(e.arousal for e in emotions) / len(emotions) if emotions else 0.5
    signs = {
        "exclamation": min(3, text.count("!")) * 0.06,
        "capitals": 0.1 if len(_SHOUTED.findall(text)) >= 2 else 0.0,
        "stretched words": 0.06 if _STRETCHED.search(text) else 0.0,
        "excited emoji": 0.1 if _EXCITED.search(text) else 0.0,
    }
    flat = 0.1 if _FLAT.search(text) else 0.0
    push = sum(signs.values())
    if base < 0.4:  # "soooo tired!!" is more tired, not more awake
        push = -push / 2
    names = tuple(name for name, weight in signs.items() if weight)
    if flat:
        names = (*names, "flat emoji")
    return min(1.0, max(0.0, base + push - flat)), names


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """One pattern for a list of words; Latin ones only match whole, others anywhere."""
    parts = []
    for word in words:
        body = (
            word.replace("*", r"\w*")
            if not word.startswith("^")
            else re.sub(r"(?<=\w)\*", r"\\w*", word)
        )
        parts.append(rf"\b(?:{body})\b" if word.isascii() and word[:1] != "^" else body)
    return re.compile("|".join(parts))
