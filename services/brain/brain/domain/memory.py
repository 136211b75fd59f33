"""What a person told us, and how a later message brings it back.

BM25 turned into a share: which part of what the query asks for does a memory hold? It beats a
small encoder on real conversations (facts/understanding §4), needs no model and no index.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from brain.domain.analysis import Analysis
from brain.domain.safety import Action, SafetyVerdict
from brain.domain.search_words import CONCEPTS, STOP_WORDS

K1, B = 1.2, 0.5  # facts/understanding §4
RECENCY_HALF_LIFE_DAYS = 30.0  # facts/understanding §4, suggested score
RECENCY_WEIGHT = IMPORTANCE_WEIGHT = 0.05  # same; more recency hurts
QUESTION_FACTOR = 0.6  # D: a question seldom answers another one
DUPLICATE_SHARE = 0.8  # D: Jaccard of the word sets
PRIOR_MEMORIES = 50  # D: keeps the rarity of words sensible for a person with three memories
UNSEEN_WEIGHT = 0.35  # D: a query word that no memory holds still counts against a match


@dataclass(frozen=True, slots=True)
class Memory:
    """One interaction as remembered: ``text`` is what the person said, ``reply`` our side.

    Both masked. ``importance`` 0..1. ``tokens``: ``tokenise(text)`` if already known, which makes
    recall several times faster; None lets recall compute it.
    """

    id: str
    text: str
    created_at: datetime
    importance: float
    said_by: Literal["user", "assistant"] = "user"
    reply: str | None = None
    tokens: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class MemoryHit:
    """A recalled memory; ``similarity`` 0..1."""

    id: str
    text: str
    similarity: float
    created_at: datetime


_TOKEN = re.compile("[^\\W_](?:[^\\W_]|[\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963'])*")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_ACCENTS = re.compile("[\u0300-\u036f\u064b-\u065f\u0670\u0640]")


def tokenise(text: str) -> tuple[str, ...]:
    """Content words, lower case, lightly stemmed; safe for scripts with vowel signs or no spaces."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    plain = unicodedata.normalize("NFC", plain).replace("\u2019", "'")
    words: list[str] = []
    for match in _TOKEN.finditer(plain):
        word = match[0].removesuffix("'s").replace("'", "")
        if _CJK.search(word):
            words += [word[i : i + 2] for i in range(max(1, len(word) - 1))]
        elif word not in STOP_WORDS:
            words.append(_stem(word))
    return tuple(words)


def recall(
    query: str, memories: Sequence[Memory], now: datetime, limit: int = 3, threshold: float = 0.3
) -> tuple[MemoryHit, ...]:
    """The memories that hold most of what ``query`` asks for, best first.

    ``similarity`` is the BM25-weighted share of the query, at least ``threshold``; recency and
    importance only order hits that are close. Near-duplicates are left out. Pure and deterministic.
    """
    wanted = _wanted(tokenise(query))
    if not wanted or not memories:
        return ()
    documents = [m.tokens if m.tokens is not None else tokenise(m.text) for m in memories]
    scored = _similarities(wanted, documents)
    ranked = sorted(
        (
            (index, min(1.0, share * (QUESTION_FACTOR if _is_question(memories[index]) else 1.0)))
            for index, share in scored
        ),
        key=lambda item: (-_score(memories[item[0]], item[1], now), memories[item[0]].id),
    )
    hits: list[MemoryHit] = []
    kept: list[frozenset[str]] = []
    for index, similarity in ranked:
        words = frozenset(documents[index])
        if similarity < threshold or any(_alike(words, other) for other in kept):
            continue
        memory = memories[index]
        kept.append(words)
        hits.append(MemoryHit(memory.id, memory.text, round(similarity, 4), memory.created_at))
        if len(hits) == limit:
            break
    return tuple(hits)


def importance_of(analysis: Analysis, safety: SafetyVerdict) -> float:
    """0..1: a plain remark .3; strong feelings, life events and danger weigh more (D)."""
    weight = 0.3 + 0.3 * abs(analysis.valence) + 0.1 * analysis.informativeness
    weight += 0.2 if analysis.life_event else 0.0
    weight += {Action.PROCEED: 0.0, Action.HOLD: 0.2, Action.BLOCK: 0.3}[safety.action]
    return round(min(1.0, weight), 3)


def _wanted(tokens: Iterable[str]) -> dict[str, frozenset[str]]:
    """Each thing the query asks for, with the words that satisfy it."""
    wanted: dict[str, frozenset[str]] = {}
    for token in tokens:
        concept = _CONCEPT_OF.get(token)
        if concept is None:
            wanted[token] = frozenset((token,))
        else:
            wanted[f"#{concept}"] = _CONCEPTS_STEMMED[concept]
    return wanted


def _similarities(
    wanted: dict[str, frozenset[str]], documents: Sequence[tuple[str, ...]]
) -> list[tuple[int, float]]:
    """(document, share 0..1) for the documents that hold anything wanted."""
    owner = {word: name for name, words in wanted.items() for word in words}
    counts = []
    for index, document in enumerate(documents):
        found = Counter(owner[word] for word in document if word in owner)
        if found:
            counts.append((index, found))
    held = Counter(name for _, found in counts for name in found)
    rarity = {name: _rarity(held[name], len(documents)) for name in wanted}
    ideal = sum(weight * (1.0 if held[name] else UNSEEN_WEIGHT) for name, weight in rarity.items())
    average = sum(map(len, documents)) / len(documents) or 1.0
    return [
        (
            index,
            sum(rarity[n] * _saturated(c, len(documents[index]), average) for n, c in found.items())
            / ideal,
        )
        for index, found in counts
    ]


def _rarity(holders: int, total: int) -> float:
    total += PRIOR_MEMORIES
    return math.log(1 + (total - holders + 0.5) / (holders + 0.5)) if holders else math.log(total)


def _saturated(count: int, length: int, average: float) -> float:
    """BM25's term weight, scaled so that one occurrence in an average memory counts 1."""
    return min(1.0, count * (K1 + 1) / (count + K1 * (1 - B + B * length / average)))


def _score(memory: Memory, similarity: float, now: datetime) -> float:
    age_days = max(0.0, (now - memory.created_at).total_seconds() / 86_400)
    recency = 2 ** (-age_days / RECENCY_HALF_LIFE_DAYS)
    return similarity + RECENCY_WEIGHT * recency + IMPORTANCE_WEIGHT * memory.importance


def _is_question(memory: Memory) -> bool:
    return memory.text.rstrip().endswith(("?", "\u061f"))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    union = len(one | other)
    return union > 0 and len(one & other) >= DUPLICATE_SHARE * union


def _stem(word: str) -> str:
    """English plural, -ing and -ed, Iberian plural; never below three letters, Latin only."""
    if len(word) <= 3 or not word.isascii():
        return word
    for ending in ("ing", "ed"):
        root = word.removesuffix(ending)
        if root != word and len(root) >= 3:
            undoubled = (
                root[:-1]
                if len(root) > 3 and root[-1] == root[-2] and root[-1] not in "ls"
                else root
            )
            return undoubled.removesuffix("e") if len(undoubled) > 3 else undoubled
    if word.endswith("ies"):
        return word[:-3] + "y"
    plain = word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
    return plain.removesuffix("e") if len(plain) > 3 else plain


_CONCEPTS_STEMMED = tuple(frozenset(_stem(word) for word in words) for words in CONCEPTS)
_CONCEPT_OF = {word: index for index, words in enumerate(_CONCEPTS_STEMMED) for word in words}
