"""What counts as a statement about oneself: the patterns of ``data/profile.yaml`` and their guards.

Precision comes first. A pattern only proposes; a question, a doubt, a quotation, somebody else's
words, a joke, or a word that is no name refuses. Patterns read a folded text of which every
character knows its place in the original, so that a value keeps its own spelling.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import yaml

from brain.domain.profile_dates import Calendar, Days
from brain.domain.profile_guards import Guards
from brain.domain.profile_text import SENTENCE_CHARS, WORD, WORDS, Text, unmarked
from brain.domain.profile_words import Words, phrases_in
from brain.domain.sieve import Sieve
from brain.domain.text import fold_marks

_LONGEST_OCCUPATION = 4
_OBJECT = frozenset({"like", "dislike", "employer", "work", "home"})
_TASTES = frozenset({"like", "dislike"})
_TASTE_WORDS = 4
"""A taste is a few words; more of them are an episode."""
_GROUPS = frozenset({"family", "pet", "event"})
"""Kinds whose patterns all hold a word of a list."""
_RIVALS = {"es": "pt", "pt": "es"}
"""So close that a known language rules the other one out."""
_MACROS = {
    "v": rf"(?P<v>{WORD}(?: {WORD}){{0,5}})",
    "n": rf"(?P<v>{WORD}(?: {WORD}){{0,3}})",
    "nl": rf"(?P<v>{WORD}(?: {WORD}){{0,2}}?)",
    "one": rf"(?P<v>{WORD})",
    "r": rf"(?P<r>{WORD})",
    "e": rf"(?P<e>{WORD}(?: {WORD}){{0,2}}?)",
    "w": WORD,
}


@dataclass(frozen=True, slots=True)
class Found:
    """One statement. ``denied``: it takes back ``value``, or all of ``key`` when that is empty."""

    kind: str
    key: str
    value: str
    sentence: str
    days: Days | None
    denied: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """A request to forget. ``scope``: ``last``, ``topic`` or ``everything``."""

    scope: str
    topic: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """One pattern of the file; the fields are explained at its head."""

    language: str
    kind: str
    keys: tuple[str, ...]
    pattern: re.Pattern[str]
    known: str | None
    value: str | None
    refused: frozenset[str]
    unlike: str | None
    whole: bool
    sure: bool
    capital: bool
    left: bool
    through: frozenset[str]
    denies: bool
    asks: bool


class Rules:
    """All patterns of all languages, compiled. Same text, same answer; never raises on a text."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.words = Words(data)
        self.calendar = Calendar(data["languages"])
        self._guards = {name: Guards(part) for name, part in data["languages"].items()}
        self._joke = re.compile(fold_marks(data["jokes"]))
        rules = [
            self._rule(language, entry)
            for language, part in data["languages"].items()
            for entry in part["facts"]
        ]
        self._facts = Sieve((rule.pattern, rule) for rule in rules)
        self._wishes = Sieve(
            (self._compiled(language, entry["says"]), (language, str(entry["scope"])))
            for language, part in data["languages"].items()
            for entry in part["forget"]
        )

    def statements(self, source: str, at: date, language: str | None) -> list[Found]:
        """What ``source`` says of its writer, each thing once. ``at``: the day it was said.

        When two languages read the same key out of it, ``language`` wins.
        """
        text = Text.of(source)
        rival = _RIVALS.get(language or "")
        candidates = [
            item for item in self._facts.candidates(text.plain) if item[1].language != rival
        ]
        if any(rule.kind in _GROUPS for _, rule in candidates):
            absent = _GROUPS - self.words.groups(text.plain)
            candidates = [item for item in candidates if item[1].kind not in absent]
        found: list[tuple[_Rule, tuple[int, int], Found]] = []
        for pattern, rule in sorted(candidates, key=lambda item: item[1].language != language):
            for match in pattern.finditer(text.plain):
                if found and any(_same_words(rule, match.span(), *other) for other in found):
                    continue
                found += [(rule, match.span(), one) for one in self._read(rule, match, text, at)]
        if not found or self._joke.search(text.plain):
            return []
        each = {(one.key, one.value.casefold(), one.denied): one for _, _, one in reversed(found)}
        return list(reversed(each.values()))

    def wish(self, source: str) -> Wish | None:
        """The first request to forget something in ``source``."""
        text = Text.of(source)
        for pattern, (language, scope) in self._wishes.candidates(text.plain):
            match = pattern.search(text.plain)
            if match is None or text.is_quoted(match.start()):
                continue
            if scope != "topic":
                return Wish(scope, "")
            topic = self._guards[language].without_tail(match["t"])
            if self.words.things(topic):
                start = match.start("t")
                return Wish(scope, unmarked(text.original(start, start + len(topic))))
        return None

    def _read(self, rule: _Rule, match: re.Match[str], text: Text, at: date) -> Iterator[Found]:
        """What this match states; nothing when a guard refuses it."""
        value = self._value(rule, match, text)
        if value is None:
            return
        guards = self._guards[rule.language]
        words, end = value
        start = match.start()
        bounds = text.sentence(start, end)
        has_object = rule.kind in _OBJECT
        if not guards.hold(text, bounds, (start, end), asks=rule.asks, has_object=has_object):
            return
        named = match.groupdict()
        days = None
        if "when" in named:
            days = self.calendar.resolve(match["when"], rule.language, at)
            words = f"{words} {text.original(*match.span('when'))}".strip()
        sentence = text.excerpt(bounds, start)
        for key in rule.keys:
            full = self.words.key(key, named, rule.kind)
            if full is not None:
                yield Found(
                    full.partition(":")[0],
                    full,
                    words[:SENTENCE_CHARS],
                    sentence,
                    days,
                    rule.denies,
                )

    def _value(self, rule: _Rule, match: re.Match[str], text: Text) -> tuple[str, int] | None:
        """(value, where it ends in the text); None when it is none."""
        named = match.groupdict()
        if rule.unlike is not None and rule.unlike in text.original(*match.span()).lower():
            return None
        if "r" in named and (
            match["r"] in rule.refused or self.words.relative(match["r"], rule.kind) is None
        ):
            return None
        if "e" in named:
            return self._event(match, text)
        if rule.value is not None or "v" not in named:
            bare = text.original(*match.span("r")) if "r" in named else ""
            return (rule.value if rule.value is not None else bare), match.end()
        start, end = match.span("v")
        spans = [word.span() for word in WORDS.finditer(text.plain, start, end)]
        guards = self._guards[rule.language]
        if rule.kind in {"name", "family", "pet"}:
            return self._name(rule, guards, spans, text)
        return self._phrase(rule, guards, spans, text)

    def _event(self, match: re.Match[str], text: Text) -> tuple[str, int] | None:
        """An occasion and whom it is with; the date follows."""
        length = self.words.event_end(match["e"])
        if length is None:
            return None
        start = match.start("e")
        value = text.original(start, start + length)
        if match.groupdict().get("d"):
            value = f"{value} {text.original(*match.span('d')).strip()}"
        return value, match.end()

    def _phrase(
        self, rule: _Rule, guards: Guards, spans: list[tuple[int, int]], text: Text
    ) -> tuple[str, int] | None:
        """A run of words up to one that begins something else."""
        words = [text.plain[start:end] for start, end in spans]
        low, high = guards.run(words, left=rule.left, through=rule.through)
        if low >= high or words[low] in rule.refused or guards.never(rule.kind, words[low]):
            return None
        if rule.kind in _TASTES and (
            high - low > _TASTE_WORDS
            or not guards.is_whole(text.plain, spans[low][0], spans[high - 1][1])
        ):
            return None
        if rule.known is not None:
            place = phrases_in(words[low:high], self.words.known(rule.known))
            if place is None or (rule.whole and low + place[1] < high):
                return None
            begin = low + place[0] if rule.known == "medications" else low
            if rule.known != "occupations" or high - low > _LONGEST_OCCUPATION:
                high = low + place[1]
            low = begin
        start, end = spans[low][0], spans[high - 1][1]
        value = text.original(start, end)
        if rule.kind != "age" and not any(letter.isalpha() for letter in value):
            return None
        if rule.capital and value[:1].lower() == value[:1] != value[:1].upper():
            return None
        if rule.kind == "age" and not 5 <= int(value) <= 110:
            return None
        return self.words.canonical(rule.known, value, text.plain[start:end]), end

    def _name(
        self, rule: _Rule, guards: Guards, spans: list[tuple[int, int]], text: Text
    ) -> tuple[str, int] | None:
        """A person's or an animal's name, by its capital letter, its fame or its frame."""
        plain = [text.plain[start:end] for start, end in spans]
        shown = [text.original(start, end) for start, end in spans]
        if rule.left:
            low, _ = guards.run(plain, left=True)
            spans, plain, shown = spans[low:], plain[low:], shown[low:]
        count = self.words.name_length(plain, shown, text.source, sure=rule.sure, framed=rule.left)
        if count == 0 or plain[0] in rule.refused or guards.never(rule.kind, plain[0]):
            return None
        end = spans[count - 1][1]
        if not self._is_firm(rule, shown[0]) and not guards.may_follow(text.plain, end):
            return None
        value = text.original(spans[0][0], end)
        if value == value.lower() or (len(value) > 3 and value == value.upper()):
            value = value.title()
        return value, end

    @staticmethod
    def _is_firm(rule: _Rule, name: str) -> bool:
        """Whether what follows need not be looked at."""
        capital = name[:1].lower() != name[:1]
        return rule.left or (capital and rule.sure) or (rule.kind != "name" and not rule.sure)

    def _rule(self, language: str, entry: Mapping[str, Any]) -> _Rule:
        kind = str(entry["kind"])
        return _Rule(
            language=language,
            kind=kind,
            keys=tuple(entry.get("key", kind).split()),
            pattern=self._compiled(language, entry["says"]),
            known=entry.get("known"),
            value=entry.get("value"),
            refused=frozenset(fold_marks(entry.get("not", "")).split()),
            unlike=entry.get("unlike"),
            whole=entry.get("whole", False),
            sure=entry.get("sure", False),
            capital=entry.get("capital", False),
            left=entry.get("left", False),
            through=frozenset(entry.get("through", "").split()),
            denies=entry.get("denies", False),
            asks=entry.get("asks", False),
        )

    def _compiled(self, language: str, pattern: str) -> re.Pattern[str]:
        """Raises ValueError naming the pattern at fault."""
        pattern = fold_marks(pattern)
        own = {"when": f"(?P<when>{self.calendar.pattern(language)})"}
        own |= self._guards[language].macros
        for name, part in (own | _MACROS).items():
            pattern = pattern.replace(f"%{name}%", part)
        try:
            return re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{language}: {pattern}: {error}") from error


@cache
def rules() -> Rules:
    """Those of this package. The first call reads the file; make it where the service is wired."""
    source = resources.files("brain.domain") / "data" / "profile.yaml"
    return Rules(yaml.safe_load(source.read_text(encoding="utf-8")))


def _same_words(
    rule: _Rule, span: tuple[int, int], other: _Rule, taken: tuple[int, int], _: Found
) -> bool:
    """Whether a rule of another language has read the same kind of fact out of these words."""
    alike = rule.language != other.language and rule.kind == other.kind
    return alike and rule.denies == other.denies and span[0] < taken[1] and taken[0] < span[1]
