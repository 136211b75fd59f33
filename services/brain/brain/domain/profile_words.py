"""The vocabulary of facts: relatives, animals, occasions, conditions, first names, and topics."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brain.domain.profile_text import WORDS
from brain.domain.terms import tokenise, wanted
from brain.domain.text import fold_marks

_PARTICLES = frozenset(
    [
        "de",
        "del",
        "la",
        "las",
        "los",
        "da",
        "das",
        "do",
        "dos",
        "van",
        "von",
        "der",
        "bin",
        "bint",
        "al",
        "el",
        "ibn",
        "di",
        "du",
        "e",
        "y",
    ]
)
_LONGEST_PHRASE = 3
_LONGEST_NAME = 4

Phrases = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that a topic is about: ``words`` for it, as search splits them.

    ``keys``: the facts it stands for and all under them; empty for an ordinary word.
    """

    keys: tuple[str, ...]
    words: frozenset[str]
    is_topic: bool = False
    is_name: bool = False

    @property
    def is_whose(self) -> bool:
        """Whether it is a relative or an animal, whose name may be meant."""
        return any(key.startswith(("family:", "pet:")) for key in self.keys)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question wants to know: facts under ``keys``; ``words`` are its own, folded."""

    keys: tuple[str, ...]
    words: frozenset[str]


class Words:
    """Word lists of ``data/profile.yaml``, all languages together."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._lists = {
            name: _phrases(data[name]) for name in ("conditions", "medications", "occupations")
        }
        self._tongues = _inverted(data["tongues"])
        self._lists["tongues"] = frozenset((word,) for word in self._tongues)
        self._relatives = _inverted(data["relatives"])
        self._pets = _inverted(data["pets"])
        self._events = _inverted(data["events"])
        self._several = frozenset(data["several"].split())
        self._first_names = frozenset(fold_marks(data["first_names"]).lower().split())
        self._no_names = frozenset(fold_marks(data["no_names"]).split())
        self._fillers = frozenset(_tokens(data["fillers"]))
        self._asking = re.compile(fold_marks(data["asking"]))
        self._own = frozenset(fold_marks(data["own_words"]).split())
        self._topics = _Topics(data["topics"])
        self._things = _things(data)

    def known(self, name: str) -> Phrases:
        """The list of that name."""
        return self._lists[name]

    def canonical(self, known: str | None, value: str, plain: str) -> str:
        """A language by its English name, anything else as written."""
        return self._tongues[plain] if known == "tongues" else value

    def relative(self, word: str, kind: str) -> str | None:
        """``daughter`` for "hija"; animals when ``kind`` is ``pet``."""
        return (self._pets if kind == "pet" else self._relatives).get(word.removesuffix("'s"))

    def groups(self, plain: str) -> frozenset[str]:
        """Which of family, pet and event a text has a word for; their patterns need one."""
        words = {word.removesuffix("'s") for word in WORDS.findall(plain)}
        lists = (("family", self._relatives), ("pet", self._pets), ("event", self._events))
        return frozenset(name for name, known in lists if not words.isdisjoint(known))

    def event_end(self, phrase: str) -> int | None:
        """How many characters of ``phrase`` name an occasion; None when it names none."""
        end = None
        for match in re.finditer(r"\S+", phrase):
            if match[0] in self._events:
                end = match.end()
            elif end is not None:
                break
        return end

    def key(self, key: str, named: Mapping[str, str | None], kind: str) -> str | None:
        """``family:daughter`` and the like; None when a word of it is unknown."""
        if key in {"family", "pet"}:
            relative = self.relative(named["r"] or "", kind)
            return None if relative is None else f"{key}:{relative}"
        if key == "event":
            return self._event_key((named["e"] or "").split(), (named.get("d") or "").split())
        if "%x%" in key:
            return key.replace("%x%", (named.get("x") or "").strip())
        return key

    def _event_key(self, phrase: Sequence[str], details: Sequence[str]) -> str | None:
        """``event:appointment:dentist``: the occasion, and what sets it apart from others."""
        places = [place for place, word in enumerate(phrase) if word in self._events]
        if not places:
            return None
        before = [word for word in phrase[: places[0]] if word not in self._events]
        apart = before[-1:] or list(details[-1:])
        return ":".join(["event", self._events[phrase[places[-1]]], *apart])

    def is_several(self, key: str) -> bool:
        """Whether a person may have more than one of these: sons, dogs, dishes they like."""
        return key in self._several or key.partition(":")[0] in self._several

    def name_length(
        self, plain: Sequence[str], shown: Sequence[str], source: str, *, sure: bool, framed: bool
    ) -> int:
        """How many of the words are a name; 0 when none.

        ``framed``: the words of a script without capitals end where the name does.

        ``sure``: the words before say that a name comes; elsewhere a capital letter must show it
        in a text that uses them, or the name must be a common one.
        """
        if not plain or not self._may_be_name(plain[0]):
            return 0
        first = shown[0]
        cased = first[:1].lower() != first[:1].upper()
        if not cased:
            if framed and sure:
                return len(plain) if all(map(self._may_be_name, plain)) else 0
            return 1 if sure or plain[0] in self._first_names else 0
        telling = _capitals_tell(source)
        if not (first[0].isupper() and telling):
            return 1 if sure or plain[0] in self._first_names else 0
        if not sure and len(first) > 2 and first.isupper() and plain[0] not in self._first_names:
            return 0
        count = 1
        for place in range(1, len(plain)):
            if shown[place][:1].isupper() and self._may_be_name(plain[place]):
                count = place + 1
            elif plain[place] not in _PARTICLES:
                break
        return min(count, _LONGEST_NAME)

    def things(self, text: str) -> list[Thing]:
        """What a topic is about, each thing once; words that say nothing are left out."""
        found: dict[frozenset[str], Thing] = {}
        for token in _tokens(text):
            if token in self._fillers:
                continue
            known = self._things.get(token)
            for words in wanted((token,)).values():
                thing = known or Thing((), words)
                found[thing.words] = thing
        return list(found.values())

    def asked(self, plain: str) -> Asked | None:
        """What ``plain`` asks about its writer; None when it is no such question."""
        if not self._asking.search(plain):
            return None
        # In the order of the question: the order of a set changes from one start to the next.
        said = tuple(dict.fromkeys(word.removesuffix("'s") for word in WORDS.findall(plain)))
        words = frozenset(said)
        whose = [f"family:{self._relatives[word]}" for word in said if word in self._relatives]
        whose += [f"pet:{self._pets[word]}" for word in said if word in self._pets]
        if not words & self._own and not whose:
            return Asked((), words)
        events = [f"event:{self._events[word]}" for word in said if word in self._events]
        topics = [] if whose or events else self._topics.keys(plain, said)
        return Asked((*whose, *events, *topics), words)

    def _may_be_name(self, word: str) -> bool:
        return (
            len(word) > 1
            and word not in self._no_names
            and not word.endswith("'s")
            and not any(letter.isdigit() or letter in "/&_" for letter in word)
        )


class _Topics:
    """Which facts "where do I live" is about."""

    def __init__(self, data: Mapping[str, Mapping[str, str]]) -> None:
        self._of_word: dict[str, tuple[str, ...]] = {}
        self._of_phrase: dict[str, tuple[str, ...]] = {}
        for topic in data.values():
            keys = tuple(topic["keys"].split())
            self._of_word.update(dict.fromkeys(fold_marks(topic["words"]).split(), keys))
            phrases = fold_marks(topic.get("phrases", "")).split(",")
            self._of_phrase.update({part.strip(): keys for part in phrases if part.strip()})

    def keys(self, plain: str, words: Sequence[str]) -> list[str]:
        """Of the facts that a question with these words asks for."""
        found = [key for word in words for key in self._of_word.get(word, ())]
        found += [
            key for phrase, keys in self._of_phrase.items() if phrase in plain for key in keys
        ]
        if "dislike" in found:
            found = [key for key in found if key != "like"]
        return list(dict.fromkeys(found))


def phrases_in(words: Sequence[str], known: Phrases) -> tuple[int, int] | None:
    """(first, end) of the first known phrase, the longest that begins there."""
    for first in range(len(words)):
        for length in range(_LONGEST_PHRASE, 0, -1):
            if tuple(words[first : first + length]) in known:
                return first, min(len(words), first + length)
    return None


def _things(data: Mapping[str, Any]) -> dict[str, Thing]:
    """By every word that names it."""
    found: dict[str, Thing] = {}
    for group, lists in (
        ("event", data["events"]),
        ("pet", data["pets"]),
        ("family", data["relatives"]),
    ):
        for name, words in lists.items():
            tokens = frozenset(_tokens(words))
            found |= dict.fromkeys(tokens, Thing((f"{group}:{name}",), tokens))
    for name, topic in data["topics"].items():
        tokens = frozenset(_tokens(topic["words"]))
        keys = tuple(topic["keys"].split())
        found |= dict.fromkeys(tokens, Thing(keys, tokens, is_topic=True, is_name=name == "name"))
    return found


def _tokens(text: str) -> tuple[str, ...]:
    return tokenise(fold_marks(text).lower())


def _phrases(source: str) -> Phrases:
    parts = (part.split() for part in fold_marks(source).replace("\n", " ").split(","))
    return frozenset(tuple(part) for part in parts if part)


def _inverted(lists: Mapping[str, str]) -> dict[str, str]:
    return {word: name for name, words in lists.items() for word in fold_marks(words).split()}


def _capitals_tell(source: str) -> bool:
    """Whether the writer's capital letters mean something: not all shouted, Not All Titled."""
    words = [word for word in source.split() if word[:1].isalpha()]
    if len(words) > 1 and source.upper() == source:
        return False
    return len(words) < 5 or any(word[0].islower() for word in words)
