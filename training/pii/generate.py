"""Sentences with personal data whose place is known, and sentences that only look like it.

    python -m training.pii.generate --count 6000 --seed 7 > sentences.jsonl

Every sentence frame belongs to one half, ``dev`` or ``held-out``, by its hash: rules are tuned on
the first and measured on the second.
"""

import argparse
import json
import re
import string
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

from training.pii.values import DEVANAGARI, UNNAMED, VALUES, arabised, filler

HALVES = ("dev", "held-out")
_SLOT = re.compile(r"\{(\w+)\}")
_FEWEST_LETTERS_STRIPPED = frozenset({"es", "pt"})


@dataclass(frozen=True, slots=True)
class Sentence:
    """``kind`` is at ``start`` to ``end`` of ``text``; None where there is no personal data."""

    text: str
    language: str
    kind: str | None
    start: int
    end: int
    frame: str
    half: str


def half_of(frame: str) -> str:
    """Which half a sentence frame belongs to."""
    return HALVES[zlib.crc32(f"half:{frame}".encode()) % 2]


def book() -> dict[str, Any]:
    """``carriers.yaml``."""
    path = Path(__file__).with_name("carriers.yaml")
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def sentences(seed: int, count: int, half: str | None = None) -> Iterator[Sentence]:
    """``count`` with personal data, evenly over kinds and languages, and half as many without."""
    rng, carriers = Random(seed), book()
    pairs = [(language, kind) for language, of in carriers.items() for kind in of["kinds"]]
    for index in range(count):
        language, kind = pairs[index % len(pairs)]
        yield _positive(rng, carriers[language], language, kind, half)
    languages = list(carriers)
    for index in range((count + 1) // 2):
        language = languages[index % len(languages)]
        yield _negative(rng, carriers[language], language, half)


def _positive(
    rng: Random, of: dict[str, Any], language: str, kind: str, half: str | None
) -> Sentence:
    entry = of["kinds"][kind]
    own = [frame for frame in entry.get("carriers", []) if half in {None, half_of(frame)}]
    named = [frame for frame in of["named"] if half in {None, half_of(frame)}]
    frame = rng.choice(own) if own and rng.random() < 0.55 else rng.choice(named)
    unnamed = "{k}" not in frame
    value = (UNNAMED.get(kind, VALUES[kind]) if unnamed else VALUES[kind])(rng, language)
    if (
        language == "hi"
        and value.isascii()
        and rng.random() < 0.25
        and not any(map(str.isalpha, value))
    ):
        value = value.translate(str.maketrans(string.digits, DEVANAGARI))
    if language == "ar" and kind in {"phone", "card", "date_of_birth"}:
        value = arabised(rng, value)
    lowered = rng.random() < 0.35
    case_matters = kind in {"password", "api_key", "crypto_wallet"}
    if lowered and not case_matters and rng.random() < 0.5:
        value = value.lower()
    head, _, tail = _filled(rng, frame.replace("{k}", rng.choice(entry["names"]))).partition("{v}")
    bare = frame.strip() == "{v}"
    head = ("" if bare else rng.choice(of["openers"])) + head
    tail += "" if bare else rng.choice(of["closers"])
    if lowered:
        head, tail = head.lower(), tail.lower()
    if language in _FEWEST_LETTERS_STRIPPED and rng.random() < 0.3:
        head, tail = _bare(head), _bare(tail)
    tail = tail.replace("{v2}", "the team")
    return Sentence(
        head + value + tail,
        language,
        kind,
        len(head),
        len(head) + len(value),
        frame,
        half_of(frame),
    )


def _negative(rng: Random, of: dict[str, Any], language: str, half: str | None) -> Sentence:
    frame = rng.choice([one for one in of["negatives"] if half in {None, half_of(one)}])
    text = rng.choice(of["openers"]) + _filled(rng, frame) + rng.choice(of["closers"])
    if language == "hi" and rng.random() < 0.25:
        text = text.translate(str.maketrans(string.digits, DEVANAGARI))
    if language == "ar":
        text = arabised(rng, text)
    text = text.lower() if rng.random() < 0.35 else text
    return Sentence(text, language, None, 0, 0, frame, half_of(frame))


def _filled(rng: Random, frame: str) -> str:
    return _SLOT.sub(
        lambda slot: (
            slot[0] if slot[1][0] in "vk" and slot[1] in {"v", "v2", "k"} else filler(rng, slot[1])
        ),
        frame,
    )


def _bare(text: str) -> str:
    return "".join(ch for ch in unicodedata.normalize("NFD", text) if not unicodedata.combining(ch))


def arguments(description: str) -> argparse.ArgumentParser:
    """``--seed`` and ``--count``, which choose the sentences."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--seed", type=int, default=7, help="the same seed gives the same sentences"
    )
    parser.add_argument(
        "--count",
        type=int,
        default=6_000,
        help="sentences with personal data; half as many without are added",
    )
    return parser


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--half", choices=HALVES, help="frames of one half only")
    options = parser.parse_args()
    for sentence in sentences(options.seed, options.count, options.half):
        print(json.dumps(asdict(sentence), ensure_ascii=False))


if __name__ == "__main__":
    main()
