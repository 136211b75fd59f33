"""A text as the detectors read it: folded character by character, with the words that say what is what."""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml
from ahocorasick_rs import AhoCorasick

VOWEL_SIGNS = "\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963"
"""Parts of Devanagari words that ``\\w`` does not cover, for use inside a character class."""

WORD = re.compile(rf"[^\W\d_](?:[^\W\d_]|['{VOWEL_SIGNS}])*")
REACH = 60
"""Characters between a word such as "passport" and the number it speaks of, at most."""

_NUKTA = "\u093c"
_ARABIC_PREFIXES = ("", "ال", "و", "ب", "ل", "لل", "وال", "بال", "ف")


@dataclass(frozen=True, slots=True)
class Find:
    """Characters ``start`` to ``end`` of the text are personal data of this ``kind``."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase of ``data/pii.yaml`` in the text. One phrase may be listed under several ``names``."""

    start: int
    end: int
    names: frozenset[str]


class Words:
    """``data/pii.yaml``, folded."""

    def __init__(self, book: Mapping[str, Any]) -> None:
        names: dict[str, set[str]] = {}
        for name, phrases in book["cues"].items():
            for phrase in _spelled(phrases.split(",")):
                names.setdefault(phrase, set()).add(name)
        self.phrases = tuple(names)
        self.names = tuple(map(frozenset, names.values()))
        self.automaton = AhoCorasick(list(self.phrases))
        self.sets = {
            name: frozenset(_spelled(words.split()))
            for name, words in book.items()
            if isinstance(words, str)
        }
        self.months = {
            word: number
            for number, words in enumerate(book["months"], start=1)
            for word in _spelled(words.split())
        }


@cache
def words() -> Words:
    """Read once. The file ships with the package; a broken one raises at import of the package."""
    path = resources.files("brain.domain") / "data" / "pii.yaml"
    return Words(yaml.safe_load(path.read_text(encoding="utf-8")))


def fold(text: str) -> str:
    """``text`` in lower case with ASCII digits and plain letters; every character keeps its place."""
    if text.isascii():
        return text.lower()
    return text.translate(_PLAIN).lower()


class Line:
    """One text under scan. ``region``: ISO 3166 code of the writer's phone, or None."""

    __slots__ = ("cues", "digits", "plain", "raw", "region", "starts")

    def __init__(self, raw: str, region: str | None) -> None:
        self.raw = raw
        self.plain = fold(raw)
        self.region = region
        self.cues = _cues_in(self.plain)
        self.starts = [cue.start for cue in self.cues]
        self.digits = sum(map(self.plain.count, "0123456789"))

    def named(self, *names: str) -> Iterator[Cue]:
        """The cues with one of these names, in order."""
        wanted = frozenset(names)
        return (cue for cue in self.cues if not wanted.isdisjoint(cue.names))

    def has(self, *names: str) -> bool:
        """Whether there is such a cue anywhere."""
        return next(self.named(*names), None) is not None

    def before(self, place: int, reach: int) -> Cue | None:
        """The cue that ends nearest before ``place``, ``reach`` characters away at most."""
        index = bisect_left(self.starts, place) - 1
        if index < 0 or self.cues[index].end > place or place - self.cues[index].end > reach:
            return None
        return self.cues[index]

    def after(self, place: int, reach: int) -> Cue | None:
        """The cue that starts nearest after ``place``."""
        index = bisect_left(self.starts, place)
        if index == len(self.cues) or self.cues[index].start - place > reach:
            return None
        return self.cues[index]


def told(
    line: Line,
    names: tuple[str, ...],
    pattern: re.Pattern[str],
    holds: Callable[[re.Match[str]], bool],
    *,
    ahead: bool = True,
) -> Iterator[re.Match[str]]:
    """What ``pattern`` finds where a cue speaks of it: "my pin is 4821", and "4821 is my pin".

    Only linking words may stand between. ``ahead``: the value may also come first.
    """
    for cue in line.named(*names):
        found = _told_after(line, cue, pattern, holds)
        if found is None and ahead:
            found = _told_before(line, cue, pattern, holds)
        if found is not None:
            yield found


def _told_after(
    line: Line, cue: Cue, pattern: re.Pattern[str], holds: Callable[[re.Match[str]], bool]
) -> re.Match[str] | None:
    for match in pattern.finditer(line.plain, cue.end):
        if match.start() - cue.end > REACH:
            return None
        if not links(line.plain[cue.end : match.start()]):
            return None
        if holds(match):
            return match
    return None


def _told_before(
    line: Line, cue: Cue, pattern: re.Pattern[str], holds: Callable[[re.Match[str]], bool]
) -> re.Match[str] | None:
    last = None
    for match in pattern.finditer(line.plain, max(0, cue.start - REACH), cue.start):
        if match.end() < cue.start and holds(match):
            last = match
    if last is None or not links_back(line.plain[last.end() : cue.start]):
        return None
    owner = line.before(last.start(), REACH)
    if owner is not None and links(line.plain[owner.end : last.start()]):
        return None  # "otp 482913, pin 4821": the first number is already spoken for
    return last


def links(gap: str) -> bool:
    """Whether what stands after such a gap is what the words before it name."""
    gap_words = WORD.findall(gap)
    known = words().sets
    if all(word in known["links"] for word in gap_words):
        return len(gap_words) <= 9 and not _SENTENCE_END.search(gap)
    if len(gap_words) > 7 or _CLAUSE_END.search(gap) or not known["breaks"].isdisjoint(gap_words):
        return False
    joined = gap_words[-1] in known["joints"] or gap.rstrip(" \"'*").endswith((":", "=", "->", "-"))
    opened = gap_words[0] in known["openers"] or gap_words[0] in known["links"]
    return joined and opened


def links_back(gap: str) -> bool:
    """Whether the words after such a gap name what stands before it."""
    if _CLAUSE_END.search(gap) or len(gap) > 40:
        return False
    gap_words = WORD.findall(gap)
    if not gap_words:
        return not gap.strip(" -(:=[|\"'*") and bool(gap.strip(" "))
    known = words().sets
    return len(gap_words) <= 5 and all(word in known["links"] for word in gap_words)


_SENTENCE_END = re.compile(r"[?!]\s|[^\W\d_]{4,}\.\s+[^\W\d_]|\n\s*\n")
_CLAUSE_END = re.compile(r"[?!;,\n]|\.(?:\s|$)")


def _cues_in(plain: str) -> tuple[Cue, ...]:
    """Whole phrases only, the longest of those that overlap, from left to right."""
    book = words()
    hits = []
    for index, start, end in book.automaton.find_matches_as_indexes(plain, overlapping=True):
        if _bounded(plain, start, end):
            hits.append((start, -end, index))
    if not hits:
        return ()
    hits.sort()
    cues = []
    reached = 0
    for start, minus_end, index in hits:
        if start >= reached:
            cues.append(Cue(start, -minus_end, book.names[index]))
            reached = -minus_end
    return tuple(cues)


def _bounded(plain: str, start: int, end: int) -> bool:
    if start and _in_word(plain[start - 1]) and _in_word(plain[start]):
        return False
    return end == len(plain) or not (_in_word(plain[end]) and _in_word(plain[end - 1]))


def _in_word(ch: str) -> bool:
    return ch.isalpha() or ch == "_" or (ch > "\u08ff" and unicodedata.category(ch)[0] == "M")


def _spelled(phrases: list[str]) -> Iterator[str]:
    """Each phrase folded, without its nukta too, and an Arabic one behind each prefix."""
    for phrase in phrases:
        plain = fold(" ".join(phrase.split()))
        if not plain:
            continue
        for spelling in {plain, plain.replace(_NUKTA, "")}:
            yield spelling
            if "\u0620" <= spelling[0] <= "\u064a":
                yield from (prefix + spelling for prefix in _ARABIC_PREFIXES)


def _plain_table() -> dict[int, str]:
    table = dict.fromkeys(range(55296, 57344), "�")  # lone surrogates: no reader takes them
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base.isascii() and base.isalpha():
            table[code] = base
    for code in range(0x0100, 0x1FBFA):
        digit = unicodedata.decimal(chr(code), None)
        if digit is not None:
            table[code] = str(digit)
    table.update({code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)})
    for plain, odd in _ODD.items():
        table.update({ord(ch): plain for ch in odd})
    return table


_ODD = {
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63",
    " ": "\u00a0\u202f\u205f\u3000\u00ad\u061c\u200b\u200e\u200f\u2060\ufeff"
    + "".join(map(chr, (*range(0x2000, 0x200B), *range(0x202A, 0x202F), *range(0x2066, 0x206A)))),
    "'": "\u2018\u2019\u02bc\u00b4",
    '"': "\u201c\u201d\u00ab\u00bb",
    "\u0627": "\u0623\u0625\u0622\u0671",
    "ي": "\u0649\u06cc",
    "\u0647": "\u0629",
    "ك": "\u06a9",
    "\u0902": "\u0901",
    ".": "\u066b\u0964\u3002",
    ",": "\u066c\u060c",
    ";": "\u061b",
    "?": "\u061f",
    "o": "\u00ba\u00b0",
    "a": "\u00aa",
}
"""What keyboards put in place of a plain character."""
_PLAIN = _plain_table()
