"""What a person has told about themselves, kept as facts and given back when asked.

Pure functions. ``extract`` reads facts out of a message, ``updated`` merges them into the bounded
profile, ``forgetting`` and ``forgotten`` take them out again, ``relevant`` and ``answering``
choose among them. Give masked text only; a ``[MARKER]`` in it is never stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from brain.domain.memory import Memory
from brain.domain.profile_facts import (
    KINDS,
    MOST_CHARS,
    MOST_FACTS,
    NAME_KEYS,
    Fact,
    Kind,
    Profile,
    by_time,
    is_under,
    updated,
)
from brain.domain.profile_rules import rules
from brain.domain.profile_text import Text
from brain.domain.profile_words import Thing
from brain.domain.terms import tokenise

__all__ = [
    "KINDS",
    "MOST_CHARS",
    "MOST_FACTS",
    "Fact",
    "ForgetRequest",
    "Forgotten",
    "Kind",
    "Profile",
    "answering",
    "extract",
    "forgetting",
    "forgotten",
    "from_document",
    "relevant",
    "to_document",
    "updated",
    "warm",
]

_SAID_ELSEWHERE = frozenset({"name", "family", "pet", "employer", "home"})
"""Kinds whose value alone, in another message, still gives them away."""


@dataclass(frozen=True, slots=True)
class ForgetRequest:
    """``last``: what was said just before. ``topic``: everything about ``topic``, in their words."""

    scope: Literal["last", "topic", "everything"]
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a request takes away. ``everything``: also memories that were not given to search."""

    profile: Profile
    facts: tuple[Fact, ...]
    memory_ids: tuple[str, ...]
    everything: bool


def warm() -> None:
    """Read and compile the rules now, so that the first message need not wait for them."""
    rules()


def extract(text: str, *, source_id: str, at: datetime, language: str | None) -> tuple[Fact, ...]:
    """What the writer of ``text`` states about themselves; empty when in doubt. Never raises.

    ``at``: when it was said; "tomorrow" counts from it. ``language`` only breaks ties: all
    languages are read. A message that asks to forget states nothing.
    """
    found = rules().statements(text, at.date(), language)
    if not found or rules().wish(text) is not None:
        return ()
    return tuple(
        Fact(
            kind=KINDS[one.kind],
            key=one.key[:MOST_CHARS],
            value=one.value[:MOST_CHARS],
            sentence=one.sentence[:MOST_CHARS],
            source_id=source_id,
            stated_at=at,
            on=one.days.first if one.days else None,
            until=one.days.last if one.days else None,
            denied=one.denied,
        )
        for one in found
    )


def forgetting(text: str, language: str | None) -> ForgetRequest | None:  # noqa: ARG001
    """The request to forget something in ``text``, None when there is none. Never raises.

    All languages are read, whatever ``language`` says: a missed request is worse than the
    microseconds.
    """
    wish = rules().wish(text)
    if wish is None:
        return None
    if wish.scope == "topic":
        return ForgetRequest("topic", wish.topic[:MOST_CHARS])
    return ForgetRequest("everything" if wish.scope == "everything" else "last")


def forgotten(
    request: ForgetRequest,
    profile: Profile,
    memories: Sequence[Memory],
    *,
    last_id: str | None = None,
) -> Forgotten:
    """What goes. ``memories``: oldest first, without the request itself.

    ``last_id``: the message before the request when it is known; else the newest memory's. Of a
    topic go the facts about it, the messages that stated them, and the memories that mention it.
    """
    if request.scope == "everything":
        ids = tuple(memory.id for memory in memories)
        return Forgotten(Profile(), profile.facts, ids, everything=True)
    if request.scope == "last":
        last = last_id or (memories[-1].id if memories else None)
        gone = tuple(fact for fact in profile.facts if fact.source_id == last)
        return _without(profile, gone, () if last is None else (last,))
    things = rules().words.things(request.topic)
    gone = tuple(fact for fact in profile.facts if _is_about(fact, things))
    sources = {fact.source_id for fact in gone}
    told = [set(tokenise(fact.value)) for fact in gone if fact.kind in _SAID_ELSEWHERE]
    ids = tuple(
        memory.id
        for memory in memories
        if memory.id in sources or _mentions(set(memory.words), things, told)
    )
    rest = sorted(sources.difference(ids))
    return _without(profile, gone, (*ids, *rest))


def relevant(profile: Profile, query_text: str, limit: int) -> tuple[Fact, ...]:
    """At most ``limit`` facts for a prompt: the name, what the query is about, the newest others."""
    if not profile.facts:
        return ()
    asked = answering(profile, query_text)
    things = [(thing, _stems(thing)) for thing in rules().words.things(query_text)]
    places = {fact: place for place, fact in enumerate(asked)}
    newest = sorted(profile.facts, key=by_time, reverse=True)
    ranked = sorted(
        newest,
        key=lambda fact: (
            fact.kind != "name",
            places.get(fact, len(asked)),
            -_overlap(fact, things),
        ),
    )
    return tuple(ranked[: max(0, limit)])


def answering(profile: Profile, query: str) -> tuple[Fact, ...]:
    """The facts that answer a person's question about themselves, best first; else empty."""
    if not profile.facts:
        return ()
    asked = rules().words.asked(Text.of(query).plain)
    if asked is None:
        return ()
    newest = sorted(profile.facts, key=by_time, reverse=True)
    if not asked.keys:
        return tuple(fact for fact in newest if _is_named(fact, asked.words))
    keys = (*NAME_KEYS, *asked.keys) if "name" in asked.keys else asked.keys
    # A key itself before what is under it, so that a home comes before a place of origin.
    hits = {
        fact: None
        for key in keys
        for exact in (True, False)
        for fact in newest
        if is_under(fact.key, key) and (fact.key == key) is exact
    }
    closer = tuple(fact for fact in hits if _is_named(fact, asked.words))
    return closer or tuple(hits)


def to_document(profile: Profile) -> dict[str, Any]:
    """For BSON or JSON: times stay ``datetime``, days are ISO strings."""
    return {
        "facts": [
            {
                "kind": fact.kind,
                "key": fact.key,
                "value": fact.value,
                "sentence": fact.sentence,
                "source_id": fact.source_id,
                "stated_at": fact.stated_at,
                "on": fact.on.isoformat() if fact.on else None,
                "until": fact.until.isoformat() if fact.until else None,
            }
            for fact in profile.facts
        ]
    }


def from_document(document: Any) -> Profile:
    """The profile of ``to_document``. Items that make no sense are left out; never raises."""
    items = document.get("facts") if isinstance(document, dict) else None
    read = (_fact(item) for item in items) if isinstance(items, list) else ()
    facts = sorted((fact for fact in read if fact is not None), key=by_time)
    newest = {fact.identity: fact for fact in facts}
    return updated(Profile(tuple(newest.values())), ())


def _without(profile: Profile, gone: tuple[Fact, ...], ids: tuple[str, ...]) -> Forgotten:
    left = tuple(fact for fact in profile.facts if fact not in gone)
    return Forgotten(Profile(left), gone, ids, everything=False)


def _is_about(fact: Fact, things: Sequence[Thing]) -> bool:
    words = set(tokenise(f"{fact.value} {fact.sentence}"))
    whose = any(thing.is_whose for thing in things)
    return bool(things) and all(
        any(is_under(fact.key, key) for key in thing.keys)
        or (thing.is_name and whose and fact.kind in {"family", "pet"})
        or (not thing.is_topic and bool(words & thing.words))
        for thing in things
    )


def _mentions(words: set[str], things: Sequence[Thing], told: Sequence[set[str]]) -> bool:
    if any(value and value <= words for value in told):
        return True
    return bool(things) and all(words & thing.words for thing in things)


def _overlap(fact: Fact, things: Sequence[tuple[Thing, tuple[str, ...]]]) -> int:
    """How many of ``things``, each with the stems of its words, the fact is about."""
    said = fact.sentence.lower()
    if not said.isascii():
        said = Text.of(said).plain
    return sum(
        any(is_under(fact.key, key) for key in thing.keys) or any(stem in said for stem in stems)
        for thing, stems in things
    )


def _stems(thing: Thing) -> tuple[str, ...]:
    """What its words begin with; a stem that has "i" for a final "y" is cut before it."""
    return tuple(word.rstrip("i") for word in thing.words if len(word) > 2)


def _is_named(fact: Fact, words: frozenset[str]) -> bool:
    """Whether the question names the value, or what the key is about."""
    tail = fact.key.split(":")[2:]
    value = Text.of(fact.value).plain.split()
    return any(word in words for word in (*tail, *value) if len(word) > 2)


def _fact(item: Any) -> Fact | None:
    if not isinstance(item, dict):
        return None
    texts = [item.get(name) for name in ("key", "value", "sentence", "source_id")]
    kind, stated_at = item.get("kind"), _moment(item.get("stated_at"))
    if kind not in KINDS or stated_at is None or not all(isinstance(t, str) for t in texts):
        return None
    key, value, sentence, source_id = (str(text) for text in texts)
    if not key:
        return None
    return Fact(
        kind=KINDS[kind],
        key=key[:MOST_CHARS],
        value=value[:MOST_CHARS],
        sentence=sentence[:MOST_CHARS],
        source_id=source_id,
        stated_at=stated_at,
        on=_day(item.get("on")),
        until=_day(item.get("until")),
    )


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
