"""Which of many patterns can match a text at all, answered in one pass.

Hundreds of regular expressions are too slow one after another. Nearly all of them need a certain
literal piece; an Aho-Corasick automaton finds all pieces that occur in a text at once, and only
their patterns are tried. The result is the same as trying all, which is a property under test.
"""

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

from ahocorasick_rs import AhoCorasick

SHORTEST_PIECE = 2

Item = TypeVar("Item")


class Sieve(Generic[Item]):
    """Items, each with the pattern that it stands for, in their given order."""

    def __init__(self, items: Iterable[tuple[re.Pattern[str], Item]]) -> None:
        self._items = tuple(items)
        needed: dict[str, list[int]] = {}
        self._always: list[int] = []
        for place, (pattern, _) in enumerate(self._items):
            pieces = needed_pieces(pattern.pattern)
            if pieces is None:
                self._always.append(place)
                continue
            for piece in pieces:
                needed.setdefault(piece, []).append(place)
        self._places = list(needed.values())
        self._automaton = AhoCorasick(list(needed)) if needed else None

    @property
    def items(self) -> Sequence[tuple[re.Pattern[str], Item]]:
        """All of them."""
        return self._items

    def candidates(self, text: str) -> Sequence[tuple[re.Pattern[str], Item]]:
        """Those whose pattern may match ``text``; every one that does match is among them."""
        places = set(self._always)
        if self._automaton is not None:
            for piece, _, _ in self._automaton.find_matches_as_indexes(text, overlapping=True):
                places.update(self._places[piece])
        return [self._items[place] for place in sorted(places)]


def needed_pieces(source: str) -> frozenset[str] | None:
    """Strings of which every match of the pattern holds one; None when there are no such strings.

    Reads the parse tree that ``re`` itself makes. Only for case-sensitive patterns.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree: Any = re._parser.parse(source)  # type: ignore[attr-defined]
    if tree.state.flags & re.IGNORECASE:
        return None
    return _of_sequence(tree)


def _of_sequence(tree: Any) -> frozenset[str] | None:
    """The rarest-looking choice among all parts that must occur."""
    choices: list[frozenset[str]] = []
    run = ""
    for kind, value in tree:
        name = str(kind)
        if name == "LITERAL":
            run += chr(value)
            continue
        if name == "AT":  # \b and the like take no characters
            continue
        if len(run) >= SHORTEST_PIECE:
            choices.append(frozenset((run,)))
        run = ""
        found = _of_part(name, value)
        if found is not None:
            choices.append(found)
    if len(run) >= SHORTEST_PIECE:
        choices.append(frozenset((run,)))
    return max(choices, key=_worth, default=None)


def _of_part(name: str, value: Any) -> frozenset[str] | None:
    if name == "SUBPATTERN":
        return _of_sequence(value[3])
    if name == "ATOMIC_GROUP":
        return _of_sequence(value)
    if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"} and value[0] >= 1:
        return _of_sequence(value[2])
    if name == "BRANCH":
        branches = [_of_sequence(branch) for branch in value[1]]
        if all(branch is not None for branch in branches):
            return frozenset().union(*(branch for branch in branches if branch is not None))
    return None


def _worth(pieces: frozenset[str]) -> tuple[int, int]:
    """Longer shortest piece first, then fewer pieces."""
    return min(map(len, pieces)), -len(pieces)
