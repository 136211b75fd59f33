"""A message as the patterns of facts read it: folded, but every letter knows where it came from."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self

from brain.domain.text import fold_marks

LONGEST_TEXT = 4_096  # a WhatsApp text
SENTENCE_CHARS = 200
LETTER = "[\\w\u0900-\u0963]"
"""Regex source; Devanagari vowel signs are part of a word, which ``\\w`` denies."""
WORD = rf"{LETTER}+(?:['.&/-]{LETTER}+)*"
WORDS = re.compile(WORD)
_LEAD_CHARS = 60
"""Of a sentence that is too long, how much stays before the statement."""
_SENTENCE_END = re.compile(
    r"(?:(?<!\bdr)(?<!\bmr)(?<!\bms)(?<!\bst)(?<!\bmrs)(?<!\bsra)\.|[!?\u061f\u0964])+(?=\s|$|[\"')])|\n"
)
_MARKER = re.compile(r"\[[A-Z][A-Z_0-9]*\]")
_QUOTED = re.compile(
    r"\"[^\"\n]*\"|\u00ab[^\u00bb\n]*\u00bb|(?<!\w)'[^\n]*?'(?!\w)|(?:^|\n)>[^\n]*"
)
_QUOTES = re.compile("[\"'\u00ab>]")
_BLANKS = re.compile(r"[^\S\n]{2,}|[^\S\n ]")
_NOTHING = "\u0640"


@dataclass(frozen=True, slots=True)
class Text:
    """``plain`` is what patterns read: lower case, no accents, one spelling of each letter."""

    source: str
    plain: str
    places: Sequence[int] | None

    @classmethod
    def of(cls, text: str) -> Self:
        """Only the first ``LONGEST_TEXT`` characters are read."""
        source = text[:LONGEST_TEXT].strip()
        if _BLANKS.search(source):
            source = _BLANKS.sub(" ", source)
        if source.isascii():
            return cls(source, source.lower(), None)
        source = unicodedata.normalize("NFC", source)
        plain = source.translate(_folds())
        if _NOTHING not in plain:
            return cls(source, plain, None)
        places = [place for place, letter in enumerate(plain) if letter != _NOTHING]
        return cls(source, plain.replace(_NOTHING, ""), places)

    def original(self, start: int, end: int) -> str:
        """The source of ``plain[start:end]``, trimmed."""
        if self.places is None or start >= end:
            return self.source[start:end].strip()
        last = self.places[end] if end < len(self.places) else len(self.source)
        return self.source[self.places[start] : last].strip()

    def sentence(self, start: int, end: int) -> tuple[int, int]:
        """(begin, end) in ``plain`` of the sentence around a match, its last sign included."""
        begin = 0
        for sign in _SENTENCE_END.finditer(self.plain, 0, start):
            begin = sign.end()
        last = _SENTENCE_END.search(self.plain, end)
        return begin, last.end() if last else len(self.plain)

    def excerpt(self, bounds: tuple[int, int], start: int) -> str:
        """The sentence ``bounds``, or the part of it around ``start`` that fits; no markers."""
        begin, end = bounds
        if end - begin > SENTENCE_CHARS:
            begin = max(begin, start - _LEAD_CHARS)
        return unmarked(self.original(begin, end))[:SENTENCE_CHARS].strip()

    def is_quoted(self, place: int) -> bool:
        """Whether the writer repeats somebody's words there."""
        if _QUOTES.search(self.plain) is None:
            return False
        return any(part.start() < place < part.end() for part in _QUOTED.finditer(self.plain))


def unmarked(text: str) -> str:
    """``text`` with an ellipsis for each marker of masked personal data."""
    return _MARKER.sub("\u2026", text).strip()


@cache
def _folds() -> dict[int, str]:
    """Each letter of our scripts as patterns write it; marks become ``_NOTHING``."""
    blocks = ((0x41, 0x5B), (0xA0, 0x250), (0x300, 0x370), (0x600, 0x700), (0x900, 0x980))
    more = ((0x1E00, 0x1F00), (0x200B, 0x2065), (0xFE00, 0xFE10))
    table: dict[int, str] = {}
    for first, end in (*blocks, *more):
        for code in range(first, end):
            plain = fold_marks(chr(code)).lower()
            table[code] = plain if len(plain) == 1 else _NOTHING if not plain else chr(code)
    invisible = (0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070))
    return table | dict.fromkeys((*invisible, *range(0xFE00, 0xFE10)), _NOTHING)
