"""Facts of one person, and how a newer one takes the place of an older one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, get_args

from brain.domain.profile_rules import rules
from brain.domain.profile_text import Text

Kind = Literal[
    "name",
    "age",
    "work",
    "employer",
    "home",
    "family",
    "pet",
    "event",
    "like",
    "dislike",
    "health",
    "language",
]
KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
MOST_FACTS = 64  # D: fits a prompt and a document; people state a handful a week
MOST_CHARS = 200  # D: of a value and of a sentence
NAME_KEYS = ("name:called", "name")
"""How they want to be called comes before what they are called."""
_OPPOSITE = {"like": "dislike", "dislike": "like"}
_IMPORTANCE = {"like": 1, "dislike": 1, "event": 2, "pet": 3, "health": 5, "name": 6}
_ORDINARY = 4
"""D: what is evicted last when a profile is full; a name and an allergy matter most."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing a person said of themselves.

    ``key``: what it is about, such as ``employer`` or ``family:daughter``. ``value``: in their own
    spelling; for an unnamed relative or animal, the word for it. ``sentence``: how they put it.
    ``on`` to ``until``: the days of an event when they are certain, in the zone of ``stated_at``.
    ``denied``: not a fact but the taking back of one: of ``value``, or of the whole key when that
    is empty. A denied one is never kept.
    """

    kind: Kind
    key: str
    value: str
    sentence: str
    source_id: str
    stated_at: datetime
    on: date | None = None
    until: date | None = None
    denied: bool = False

    @property
    def identity(self) -> tuple[str, str]:
        """What a newer fact must share to replace this one."""
        several = rules().words.is_several(self.key)
        return self.key, self.value.casefold() if several else ""


@dataclass(frozen=True, slots=True)
class Profile:
    """At most ``MOST_FACTS`` facts, oldest first, none of them denied or superseded."""

    facts: tuple[Fact, ...] = field(default=())

    def of_key(self, key: str) -> tuple[Fact, ...]:
        """The facts of exactly this key."""
        return tuple(fact for fact in self.facts if fact.key == key)

    @property
    def name(self) -> str | None:
        """How to address the person."""
        return next((fact.value for key in NAME_KEYS for fact in self.of_key(key)), None)


def updated(profile: Profile, facts: Iterable[Fact]) -> Profile:
    """``profile`` with ``facts`` in the order they were said. Applying them again changes nothing.

    The later of two facts of one identity stays, and of a like and a dislike of one thing. A
    denial removes what is not newer than itself; what it removed may have hidden a fact of the same
    message, so it is looked at until nothing changes.
    """
    said = tuple(facts)
    for _ in range(1 + len(said)):
        after = _once(profile, said)
        if after == profile:
            break
        profile = after
    return profile


def _once(profile: Profile, facts: Sequence[Fact]) -> Profile:
    kept = list(profile.facts)
    for fact in facts:
        if fact.denied:
            kept = [known for known in kept if not _takes_back(fact, known)]
        elif not any(_outlives(known, fact) for known in kept):
            kept = [known for known in kept if not _replaces(fact, known)]
            kept.append(fact)
    if len(kept) > MOST_FACTS:
        kept = sorted(kept, key=_worth)[-MOST_FACTS:]
    kept.sort(key=by_time)
    return profile if tuple(kept) == profile.facts else Profile(tuple(kept))


def by_time(fact: Fact) -> tuple[datetime, str, str, str]:
    """Sorts oldest first, the same way every time."""
    return fact.stated_at, fact.key, fact.value, fact.source_id


def _worth(fact: Fact) -> tuple[int, datetime, str, str, str]:
    """What is evicted first compares lowest."""
    return (_IMPORTANCE.get(fact.kind, _ORDINARY), *by_time(fact))


def _is_bare(fact: Fact) -> bool:
    """Whether a relative or an animal is only mentioned, not named."""
    if fact.kind not in {"family", "pet"}:
        return False
    return rules().words.relative(Text.of(fact.value).plain, fact.kind) is not None


def _clashes(one: Fact, other: Fact) -> bool:
    opposite = _OPPOSITE.get(one.kind)
    if opposite is not None and other.kind == opposite:
        return one.value.casefold() == other.value.casefold()
    return one.identity == other.identity


def _replaces(new: Fact, known: Fact) -> bool:
    return _clashes(new, known) or (new.key == known.key and _is_bare(known) and not _is_bare(new))


def _outlives(known: Fact, new: Fact) -> bool:
    """Whether ``known`` makes ``new`` needless: it is newer, or it has the name."""
    if known.key == new.key and _is_bare(new) and not _is_bare(known):
        return True
    return _clashes(known, new) and known.stated_at > new.stated_at


def _takes_back(denial: Fact, known: Fact) -> bool:
    if known.stated_at > denial.stated_at or not is_under(known.key, denial.key):
        return False
    said, kept = (set(Text.of(fact.value).plain.split()) for fact in (denial, known))
    return denial.kind == "event" or said <= kept or kept <= said


def is_under(key: str, prefix: str) -> bool:
    """``family:daughter`` is under ``family`` and under itself."""
    return key == prefix or key.startswith(f"{prefix}:")
