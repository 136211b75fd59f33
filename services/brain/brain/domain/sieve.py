"""Which of many patterns can match a text at all, answered in one pass.

Hundreds of regular expressions are too slow one after another. Nearly all of them need certain
literal pieces; an Aho-Corasick automaton finds all pieces that occur in a text at once, and only
their patterns are tried. The result is the same as trying all, which is a property under test.

What a pattern needs is read from the parse tree that ``re`` itself makes. A *clause* is a set of
pieces of which every match holds one at least; a *way* is all clauses of one alternative. A pattern
is tried when one of its ways has all its clauses.
"""

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any, Generic, TypeVar

from ahocorasick_rs import AhoCorasick

SHORTEST_PIECE = 2
RARE = 5
"""Letters of a way's clauses together from which more of them leave out hardly anything more."""
MOST_STRINGS = 8
"""Of one clause's spelled-out alternatives, and of a choice's ways: more of them find hardly less, and
the automaton no longer stays in the processor's cache."""

_IGNORES_CASE = re.compile(r"\(\?[aLmsux]*i")

Item = TypeVar("Item")
Clause = frozenset[str]
Way = tuple[Clause, ...]


class Sieve(Generic[Item]):
    """Items, each with the pattern that it stands for, in their given order."""

    def __init__(self, items: Iterable[tuple[re.Pattern[str], Item]]) -> None:
        self._items = tuple(items)
        self._always: list[int] = []
        self._wholes: list[int] = []
        """Of every way, all its clauses as bits."""
        self._owners: list[int] = []
        """Of every way, the place of its pattern."""
        uses: dict[str, list[tuple[int, int]]] = {}
        for place, (pattern, _) in enumerate(self._items):
            ways = ways_of(pattern.pattern)
            if not ways:
                self._always.append(place)
            for way in ways:
                for number, clause in enumerate(way):
                    for piece in clause:
                        uses.setdefault(piece, []).append((len(self._owners), 1 << number))
                self._owners.append(place)
                self._wholes.append((1 << len(way)) - 1)
        self._uses = list(uses.values())
        self._automaton = AhoCorasick(list(uses)) if uses else None

    @property
    def items(self) -> Sequence[tuple[re.Pattern[str], Item]]:
        """All of them."""
        return self._items

    def candidates(self, text: str) -> Sequence[tuple[re.Pattern[str], Item]]:
        """Those whose pattern may match ``text``; every one that does match is among them."""
        if self._automaton is None:
            return [self._items[place] for place in self._always]
        matches = self._automaton.find_matches_as_indexes(text, overlapping=True)
        if not matches:
            return [self._items[place] for place in self._always]
        seen: dict[int, int] = {}
        for piece in {piece for piece, _, _ in matches}:
            for way, clause in self._uses[piece]:
                seen[way] = seen.get(way, 0) | clause
        wholes, owners = self._wholes, self._owners
        places = {owners[way] for way, clauses in seen.items() if clauses == wholes[way]}
        places.update(self._always)
        return [self._items[place] for place in sorted(places)]


def ways_of(source: str) -> tuple[Way, ...]:
    """How a match of the pattern may come about; empty when it needs nothing.

    Only for patterns that nowhere ignore case.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree: Any = re._parser.parse(source)  # type: ignore[attr-defined]
    if tree.state.flags & re.IGNORECASE or _IGNORES_CASE.search(source):
        return ()
    ways = [_best(clauses) for clauses in _ways(list(tree))]
    return tuple(ways) if all(ways) else ()


def _best(clauses: Sequence[Clause]) -> Way:
    """The clauses that leave out most, as few as do."""
    chosen: list[Clause] = []
    letters = 0
    for clause in sorted(set(clauses), key=_worth, reverse=True):
        if letters >= RARE:
            break
        chosen.append(clause)
        letters += min(map(len, clause))
    return tuple(chosen)


def _ways(parts: list[tuple[Any, Any]]) -> list[list[Clause]]:
    """The clauses of each alternative of the widest choice in ``parts``; of them all without one."""
    widest, place = 1, None
    for number, part in enumerate(parts):
        branches = _branches(part)
        if widest < len(branches) <= MOST_STRINGS and _strings(part) is None:
            widest, place = len(branches), number
    if place is None:
        return [list(_clauses(parts))]
    around = [*_clauses(parts[:place]), *_clauses(parts[place + 1 :])]
    return [[*way, *around] for branch in _branches(parts[place]) for way in _ways(branch)]


def _branches(part: tuple[Any, Any]) -> list[list[tuple[Any, Any]]]:
    """The alternatives of a group that is nothing else; a group without any is one."""
    kind, value = part
    if str(kind) == "SUBPATTERN":
        inner = list(value[3])
        return _branches(inner[0]) if len(inner) == 1 else [inner]
    if str(kind) == "BRANCH":
        return [list(branch) for branch in value[1]]
    return []


def _clauses(parts: Iterable[tuple[Any, Any]]) -> Iterator[Clause]:
    """What all of ``parts`` in a row need, each clause by itself."""
    runs: frozenset[str] = frozenset(("",))
    for part in parts:
        kind, value = str(part[0]), part[1]
        if kind in {"AT", "ASSERT", "ASSERT_NOT"}:  # they take no characters
            continue
        strings = _strings(part)
        if strings is not None and len(runs) * len(strings) <= MOST_STRINGS:
            runs = frozenset(map("".join, product(runs, strings)))
            continue
        repeated = _joined(value[2]) if kind.endswith("_REPEAT") and value[0] >= 1 else None
        if repeated is not None and len(runs) * len(repeated) <= MOST_STRINGS:
            yield from _long(frozenset(map("".join, product(runs, repeated))))
            runs = repeated
            continue
        yield from _long(runs)
        runs = frozenset(("",)) if strings is None else strings
        if strings is None:
            yield from _of_part(kind, value)
    yield from _long(runs)


def _long(strings: frozenset[str]) -> Iterator[Clause]:
    if min(map(len, strings)) >= SHORTEST_PIECE:
        yield strings


def _strings(part: tuple[Any, Any]) -> frozenset[str] | None:
    """Everything that ``part`` can be, None when that is not a handful of plain strings."""
    kind, value = str(part[0]), part[1]
    found: frozenset[str] | None = None
    if kind == "LITERAL":
        found = frozenset((chr(value),))
    elif kind == "IN" and all(str(one[0]) == "LITERAL" for one in value):
        found = frozenset(chr(one[1]) for one in value)
    elif kind == "SUBPATTERN" and not value[1] and not value[2]:
        found = _joined(value[3])
    elif kind == "BRANCH":
        each = [_joined(branch) for branch in value[1]]
        if all(strings is not None for strings in each):
            found = frozenset().union(*(strings for strings in each if strings is not None))
    elif kind == "MAX_REPEAT" and tuple(value[:2]) == (0, 1):
        found = _joined(value[2])
        found = None if found is None else found | {""}
    return found if found is not None and len(found) <= MOST_STRINGS else None


def _joined(parts: Iterable[tuple[Any, Any]]) -> frozenset[str] | None:
    runs: frozenset[str] = frozenset(("",))
    for part in parts:
        strings = _strings(part)
        if strings is None or len(runs) * len(strings) > MOST_STRINGS:
            return None
        runs = frozenset(map("".join, product(runs, strings)))
    return runs


def _of_part(kind: str, value: Any) -> Iterator[Clause]:
    if kind == "SUBPATTERN":
        yield from _clauses(value[3])
    elif kind == "ATOMIC_GROUP":
        yield from _clauses(value)
    elif kind in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"} and value[0] >= 1:
        yield from _clauses(value[2])
    elif kind == "BRANCH":
        best = [max(_clauses(branch), key=_worth, default=None) for branch in value[1]]
        if all(clause is not None for clause in best):
            yield frozenset().union(*(clause for clause in best if clause is not None))


def _worth(clause: Clause) -> tuple[int, int, list[str]]:
    """Longer shortest piece first, then fewer pieces; the rest makes the order certain."""
    return min(map(len, clause)), -len(clause), sorted(clause)
