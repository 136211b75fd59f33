"""The authored safety messages, their targets, and rough copies of them as people type.

Authors a and c to s wrote what may be learnt from; author b wrote what only measures. See
safety/GUIDE.md for the labels.
"""

import json
import random
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brain.adapters.models.outputs import CATEGORIES

TAUGHT = "acdefghijklmnopqrs"
"""Authors whose messages may be learnt from."""
FOLDER = Path(__file__).with_name("safety") / "seeds"
SAFETY = ("hold", "block", "third_person", *CATEGORIES)
"""Outputs of the safety head: HOLD or worse, BLOCK, about somebody else, then the categories."""

_LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7"}
_OPENERS = ("hey ", "hi ", "idk ", "so ", "ok so ", "um ", "lol ", "hello, ", "... ", "please ", "")
_CLOSERS = ("", ".", "..", "...", " lol", " idk", " pls", " 😔", " 😭", " 🙏", "!", "!!", " :(")


@dataclass(frozen=True, slots=True)
class Seed:
    """One labelled message; ``before`` are earlier messages of the same person."""

    text: str
    language: str
    action: str
    category: str
    phenomenon: str
    template: str
    before: tuple[str, ...]
    author: str

    @property
    def tunes(self) -> bool:
        """Kept out of training to choose thresholds with: every sixth template."""
        return zlib.crc32(self.template.encode()) % 6 == 0

    @property
    def whole(self) -> str:
        """All of it as one text."""
        return ". ".join((*self.before, self.text))


def load(authors: str) -> list[Seed]:
    """Rows of the given authors, one letter each."""
    seeds = []
    for path in sorted(FOLDER.glob("*.jsonl")):
        author = path.name[0]
        if author not in authors:
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.strip():
                continue
            row = json.loads(line)
            row["before"] = tuple(row.get("before", ()))
            row["template"] = f"{path.stem}:{row['template']}"
            seeds.append(Seed(author=author, **row))
    return seeds


def target(seed: Seed) -> np.ndarray:
    """The row of ``SAFETY`` outputs, 0 or 1."""
    found = np.zeros(len(SAFETY), dtype=np.float32)
    found[0] = seed.action != "PROCEED"
    found[1] = seed.action == "BLOCK"
    found[2] = seed.phenomenon == "third_person"
    if seed.category in CATEGORIES:
        found[3 + CATEGORIES.index(seed.category)] = 1
    return found


def rough(text: str, rng: random.Random) -> str:
    """``text`` as somebody else might type it; the label stays. Half of the time unchanged."""
    if rng.random() < 0.4:
        return text
    if rng.random() < 0.25:
        text = text.lower() if rng.random() < 0.8 else text.upper()
    if rng.random() < 0.25:
        text = rng.choice(_OPENERS) + text
    if rng.random() < 0.25:
        text = text.rstrip(".!") + rng.choice(_CLOSERS)
    if rng.random() < 0.25:
        text = _typo(text, rng)
    if rng.random() < 0.1:
        text = re.sub(r"[,.;:!?¿¡'’]", "", text)
    if rng.random() < 0.1:
        text = _leet(text, rng)
    return text


def _typo(text: str, rng: random.Random) -> str:
    letters = [i for i, ch in enumerate(text[:-1]) if ch.isalpha()]
    for _ in range(1 + len(text) // 60):
        if not letters:
            break
        i = rng.choice(letters)
        kind = rng.randrange(3)
        if kind == 0:
            text = text[:i] + text[i + 1 :]
        elif kind == 1:
            text = text[:i] + text[i] + text[i:]
        else:
            text = text[:i] + text[i : i + 2][::-1] + text[i + 2 :]
        letters = [i for i, ch in enumerate(text[:-1]) if ch.isalpha()]
    return text


def _leet(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    for i in rng.sample(range(len(words)), min(len(words), 1 + len(words) // 8)):
        words[i] = "".join(
            rng.choice(_LEET[c]) if c in _LEET and rng.random() < 0.6 else c for c in words[i]
        )
    return " ".join(words)
