"""Long texts in parts that WhatsApp takes, cut where a reader would pause. Pure."""

import re
import unicodedata

PART_CHARACTERS = 4096
"""Meta's limit for the body of a text."""
_ENDS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"[.!?\u2026\u0964\u061f\u3002](?:[\"'\u201d\u2019)\]]*)\s+"),
    re.compile(r"[,;:]\s+"),
    re.compile(r"\s+"),
)
"""Paragraphs, lines, sentences, clauses, words: the first kind that serves is taken."""
_LEAST_SHARE = 0.3
"""A cut that leaves less than this in a part is not worth its better place."""
_JOINERS = frozenset("\u200d\ufe0e\ufe0f\u20e3")
"""Zero-width joiner, variation selectors, the keycap's frame: they belong to what stands before."""


def parts_of(text: str, most: int = PART_CHARACTERS) -> list[str]:
    """``text`` in parts of at most ``most`` characters, in order; one part when it fits.

    Nothing but white space at the cuts is lost. An emoji of several characters stays whole unless
    it is longer than a part itself.
    """
    parts: list[str] = []
    rest = text.strip()
    while len(rest) > most:
        cut = _cut(rest, most)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest or not parts else parts


def _cut(text: str, most: int) -> int:
    """Where the first part ends, 1 to ``most``."""
    least = int(most * _LEAST_SHARE)
    for pattern in _ENDS:
        ends = [m.end() for m in pattern.finditer(text, least, most + 1) if m.end() <= most]
        if ends:
            return ends[-1]
    return _before_cluster(text, most)


def _before_cluster(text: str, most: int) -> int:
    """The last place up to ``most`` that is not inside what a reader sees as one character."""
    for place in range(most, 0, -1):
        if not _continues(text, place):
            return place
    return most


def _continues(text: str, place: int) -> bool:
    """Whether the character at ``place`` belongs to the one before it."""
    after, before = text[place], text[place - 1]
    if after in _JOINERS or before == "\u200d" or unicodedata.combining(after):
        return True
    if unicodedata.category(after) in {"Mn", "Mc", "Me"} or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    return _is_regional(after) and _regionals_before(text, place) % 2 == 1


def _is_regional(character: str) -> bool:
    """Half of a flag."""
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _regionals_before(text: str, place: int) -> int:
    count = 0
    while count < place and _is_regional(text[place - 1 - count]):
        count += 1
    return count
