"""How a message is written, and the same message spelled out for the models.

Chat carries feeling in its spelling: stretched words, capitals, emoji, a lonely "k.". The encoder
reads lower case and knows no emoji, so that signal is kept apart in ``Voice`` while ``spelled_out``
gives the models words they know. Training applies the same function to its data.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import emoji
import yaml

from brain.domain.text import has_run

LONGEST = 2_000
"""Characters that are read; a WhatsApp text has at most 4,096 and says how it feels well before."""

_EXCITED = frozenset("🎉🎊🔥🤩😡😠🤬😱😰😆🤯💥🥳😤‼❗")
_FLAT = frozenset("😴😪😩😫🥱😔😞🥲😶😑😐💤🫠")
_IRONIC = frozenset("🙃🙄😒")
_SHOUTED = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,}(?![^\W\d_])")
_RUN = re.compile(r"([^\W\d_])\1{2,}")
_WORD = re.compile(r"[^\W_][\w'/]*")
_SARCASM = re.compile(
    r"(?:^|\s)/s\s*$|\b(?:yeah,? right|oh,? (?:great|wonderful|lovely|joy)|just (?:great|perfect|what i needed)"
    r"|thanks (?:a lot )?for nothing|big surprise|how (?:nice|lovely) of (?:you|them))\b",
    re.IGNORECASE,
)
_SARCASM_PIECES = ("/s", "yeah", "oh", "just", "thanks", "surpr", "how")
"""Every marker of sarcasm holds one of them."""
_CURT = re.compile(
    r"^\W*(?:k|ok|fine|whatever|sure|nvm|never mind|nothing|yes|no)\W*\.\W*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Voice:
    """Signs beside the words. Counts are plain counts.

    ``shouting``: at least two words of two or more letters, most of them in capitals. ``curt``: an
    acknowledgement closed by a full stop, which on a phone is cool. ``ironic``: a marker of
    sarcasm, so the words may mean the opposite.
    """

    exclamations: int
    questions: int
    stretched: bool
    shouting: bool
    excited_emoji: int
    flat_emoji: int
    curt: bool
    ironic: bool

    @property
    def push(self) -> float:
        """-0.3..+0.3: how far the signs move arousal away from what the words alone say.

        D: the models never see capitals, stretching or counts of emoji; EmoBank has too few of them
        to learn a weight.
        """
        up = 0.04 * min(3, self.exclamations) + 0.08 * self.shouting
        up += 0.04 * self.stretched + 0.05 * min(2, self.excited_emoji)
        return max(-0.3, min(0.3, up - 0.07 * min(2, self.flat_emoji) - 0.05 * self.curt))


def voice_of(text: str) -> Voice:
    """The signs in ``text`` as it was typed. Never raises."""
    text = text[:LONGEST]
    marks = () if text.isascii() else text
    return Voice(
        exclamations=text.count("!") + text.count("\u00a1"),
        questions=text.count("?") + text.count("\u061f"),
        stretched=has_run(text),
        shouting=_is_shouting(text),
        excited_emoji=sum(mark in _EXCITED for mark in marks),
        flat_emoji=sum(mark in _FLAT for mark in marks),
        curt=_CURT.match(text) is not None,
        ironic=_is_sarcastic(text) or any(mark in _IRONIC for mark in marks),
    )


def spelled_out(text: str, *, english: bool = True) -> str:
    """``text`` with slang, stretched words and emoji as words; lower case. Never raises.

    Accents, other scripts and punctuation stay: the tokenisers know what to do with them. The
    slang is English; ``english=False`` leaves it alone. The last answer is kept, because the analyser
    and the memory of one turn read the same text.
    """
    return _spelled_out(text, english)


@lru_cache(maxsize=1)
def _spelled_out(text: str, english: bool) -> str:
    text = text[:LONGEST]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = text.replace("\u2019", "'").replace("\u2018", "'")
        if _has_symbol(text):
            text = emoji.demojize(text, delimiters=(" ", " ")).replace("_", " ")
    text = text.casefold()
    if has_run(text):
        text = _WORD.sub(_unstretched, text)
    if not english:
        return text.strip()
    slang = _book().words
    if slang.keys().isdisjoint(_WORD.findall(text.replace("'", ""))):
        return text.strip()
    return _WORD.sub(lambda match: slang.get(match[0].replace("'", ""), match[0]), text).strip()


def _is_sarcastic(text: str) -> bool:
    plain = text.casefold()
    return any(map(plain.__contains__, _SARCASM_PIECES)) and _SARCASM.search(text) is not None


def _is_shouting(text: str) -> bool:
    if text.islower():
        return False
    words: list[str] = _SHOUTED.findall(text)
    loud = sum(word.isupper() for word in words)
    return loud >= 2 and len(words) < 2 * loud


def _has_symbol(text: str) -> bool:
    return any(ch > "\u2000" and unicodedata.category(ch) in {"So", "Sk", "Cs"} for ch in text)


def _unstretched(match: re.Match[str]) -> str:
    word = match[0]
    if not has_run(word):
        return word
    twice = _RUN.sub(r"\1\1", word)
    return twice if twice in _book().doubled else _RUN.sub(r"\1", word)


@dataclass(frozen=True, slots=True)
class _Book:
    words: dict[str, str]
    doubled: frozenset[str]


@lru_cache(maxsize=1)
def _book() -> _Book:
    source = resources.files("brain.domain") / "data" / "slang.yaml"
    data: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    words = {str(key).replace("'", ""): str(value) for key, value in data["words"].items()}
    return _Book(words, frozenset(data["doubled"].split()))
