"""What a person told us, and how a later message brings it back.

Two views are added as z-scores: BM25 over words, and the cosine of sentence vectors. On real
conversations their sum beats either alone, and reciprocal ranks do not (docs/model-card.md,
"Memory"). What was said just before or after a good match counts too: an answer seldom repeats
the words of its question. No index server: one person's memories are searched by brute force.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from brain.domain.analysis import Analysis
from brain.domain.safety import Action, SafetyVerdict
from brain.domain.terms import tokenise, wanted

K1, B = 1.2, 0.5  # facts/understanding §4
DENSE_WEIGHT = 0.5  # this and the next four: LoCoMo dev, a grid that is flat around them
BEFORE, AFTER = (0.4, 0.2), (0.2, 0.1)
"""Part of a memory's score that its neighbours get: one and two places later, and earlier."""
QUESTION_PENALTY = 0.4
LENGTH_BONUS = 0.2
"""For one standard deviation of log length: "ok, sure" answers nothing."""
RECENCY_HALF_LIFE_DAYS = 30.0  # facts/understanding §4, suggested score
RECENCY_WEIGHT = IMPORTANCE_WEIGHT = 0.05  # same; more recency hurts
SAME_TALK = timedelta(hours=8)  # D: after a longer silence the next message is no neighbour
LEAST_SPREAD = (0.5, 0.05, 0.3)
"""D: of BM25, cosine and log length, about half of what they are in long conversations; so that among
three memories a hair's breadth is not a standard deviation."""
REBUILT_AT_ONCE = 500
"""Memories up to which removing one rebuilds the archive."""
THRESHOLD = 0.3  # P
DENSE_ALONE = 0.45  # D: a cosine without a shared word; one in a hundred unrelated turns reaches it
SAME_QUESTION = 0.5  # D: Jaccard from which an earlier question is just this one again
QUESTION_FACTOR = 0.6  # D: a question seldom answers another one
DUPLICATE_SHARE = 0.8  # D: Jaccard of the word sets
PRIOR_MEMORIES = 50  # D: keeps the rarity of words sensible for a person with three memories
UNSEEN_WEIGHT = 0.35  # D: a query word that no memory holds still counts against a match

Vector = NDArray[np.float32]


class Embedder(Protocol):
    """Turns a text into a vector. Quick enough for every message."""

    @property
    def centre(self) -> Vector:
        """The mean sentence vector; taking it away makes a cosine mean something by itself."""

    def embed(self, text: str) -> Vector:
        """Unit length; zeros when no word is known."""


@dataclass(frozen=True, slots=True)
class Memory:
    """One interaction as remembered: ``text`` is what the person said, ``reply`` our side.

    Both masked. ``importance`` 0..1. ``tokens``: ``tokenise(text)`` and ``vector``: its embedding,
    if already known; None for a vector leaves the memory to its words.
    """

    id: str
    text: str
    created_at: datetime
    importance: float
    reply: str | None = None
    tokens: tuple[str, ...] | None = None
    vector: Vector | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """Its content words."""
        return tokenise(self.text) if self.tokens is None else self.tokens

    @property
    def is_question(self) -> bool:
        """Whether it ends as one."""
        return self.text.rstrip().endswith(("?", "\u061f"))


@dataclass(frozen=True, slots=True)
class MemoryHit:
    """A recalled memory; ``similarity`` 0..1."""

    id: str
    text: str
    similarity: float
    created_at: datetime


class _Postings:
    """Where one word occurs. The arrays are made anew only after the word was added again."""

    __slots__ = ("_arrays", "_places", "_times")

    def __init__(self) -> None:
        self._places: list[int] = []
        self._times: list[int] = []
        self._arrays: tuple[NDArray[np.intp], Vector] | None = None

    def add(self, place: int, times: int) -> None:
        self._places.append(place)
        self._times.append(times)
        self._arrays = None

    def arrays(self) -> tuple[NDArray[np.intp], Vector]:
        """(places, occurrences)."""
        if self._arrays is None:
            self._arrays = np.array(self._places), np.array(self._times, dtype=np.float32)
        return self._arrays


class Archive:
    """One person's memories, oldest first, ready to be searched.

    Grows by ``add`` at the cost of one memory. Holds about 1.6 KB a memory besides its text. Not
    safe to change while another thread searches it.
    """

    def __init__(self, memories: Iterable[Memory] = (), *, width: int = 384) -> None:
        self._memories: list[Memory] = []
        self._places: dict[str, int] = {}
        self._gone: set[int] = set()
        self._postings: dict[str, _Postings] = {}
        self._vectors = np.zeros((64, width), dtype=np.float32)
        self._fixed = np.zeros((5, 64), dtype=np.float32)
        self._words: list[frozenset[str]] = []
        for memory in memories:
            self.add(memory)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def memories(self) -> Sequence[Memory]:
        """Oldest first."""
        if not self._gone:
            return self._memories
        return [one for place, one in enumerate(self._memories) if place not in self._gone]

    def add(self, memory: Memory) -> None:
        """As the newest. One that is known by its id is left alone."""
        if memory.id in self._places:
            return
        place, words = len(self._memories), memory.words
        self._places[memory.id] = place
        if place == len(self._vectors):
            self._vectors = np.concatenate((self._vectors, np.zeros_like(self._vectors)))
            self._fixed = np.concatenate((self._fixed, np.zeros_like(self._fixed)), axis=1)
        if memory.vector is not None:
            self._vectors[place] = memory.vector
        for word, count in Counter(words).items():
            self._postings.setdefault(word, _Postings()).add(place, count)
        self._fixed[:, place] = (
            len(words),
            math.log1p(len(words)),
            -QUESTION_PENALTY * memory.is_question + IMPORTANCE_WEIGHT * memory.importance,
            place > 0 and memory.created_at - self._memories[-1].created_at <= SAME_TALK,
            _days(memory.created_at),
        )
        self._memories.append(memory)
        self._words.append(frozenset(words))

    def revise(self, memory: Memory) -> None:
        """As ``add``; one that is known with another text is replaced, and counts as the newest."""
        place = self._places.get(memory.id)
        if place is not None and self._memories[place].text != memory.text:
            self.remove(memory.id)
        self.add(memory)

    def remove(self, memory_id: str) -> None:
        """As if it had never been added; in a long archive it still counts in word rarities for a
        while, because adding thousands anew costs more than that matters."""  # noqa: D205, D209
        place = self._places.pop(memory_id, None)
        if place is None:
            return
        self._gone.add(place)
        if len(self._memories) <= REBUILT_AT_ONCE or len(self._gone) * 20 > len(self._memories):
            self.__init__(self.memories, width=self._vectors.shape[1])  # type: ignore[misc]

    def recall(
        self,
        query: str,
        now: datetime,
        *,
        embedder: Embedder | None = None,
        limit: int = 3,
        threshold: float = THRESHOLD,
        but: Collection[str] = (),
    ) -> tuple[MemoryHit, ...]:
        """The memories that answer ``query`` best, best first; near-duplicates are left out.

        ``but``: ids of the messages that ask, which may be memories already.

        ``similarity`` is the larger of the BM25-weighted share of the query that the memory holds
        and the centred cosine, and is at least ``threshold``. Deterministic.
        """
        said = frozenset(tokenise(query))
        asked = wanted(sorted(said))
        if not asked or not self._places:
            return ()
        vector = None if embedder is None else embedder.embed(query)
        centre = aim = None
        if embedder is not None and vector is not None and vector.any():
            centre, aim = embedder.centre, _unit(vector - embedder.centre)
        scores, shares = self._scores(asked, vector, now)
        hits: list[MemoryHit] = []
        kept: list[frozenset[str]] = []
        for place in self._best(scores, limit * 8 + len(self._gone)):
            memory, words = self._memories[place], self._words[place]
            if place in self._gone or memory.id in but:
                continue
            if memory.is_question and _share(words, said) >= SAME_QUESTION:
                continue
            similarity = self._similarity(place, float(shares[place]), centre, aim)
            if similarity < threshold or any(_share(words, one) >= DUPLICATE_SHARE for one in kept):
                continue
            kept.append(words)
            hits.append(
                MemoryHit(memory.id, memory.text, round(min(1.0, similarity), 4), memory.created_at)
            )
            if len(hits) == limit:
                break
        return tuple(hits)

    def _best(self, scores: Vector, count: int) -> list[int]:
        """Places of the highest scores, best first; the newer one of equals."""
        if len(scores) > count:
            some = np.argpartition(-scores, count)[:count]
        else:
            some = np.arange(len(scores))
        return sorted(some.tolist(), key=lambda place: (-float(scores[place]), -place))

    def _scores(
        self, asked: dict[str, frozenset[str]], vector: Vector | None, now: datetime
    ) -> tuple[Vector, Vector]:
        """(score, share of the query 0..1) of every memory."""
        count = len(self._memories)
        lengths, logs, fixed, joined, days = self._fixed[:, :count]
        lexical, shares = self._lexical(asked, lengths)
        score = (1 - DENSE_WEIGHT) * _standard(lexical, LEAST_SPREAD[0])
        if vector is not None and vector.any():
            score += DENSE_WEIGHT * _standard(self._vectors[:count] @ vector, LEAST_SPREAD[1])
        total = score + LENGTH_BONUS * _standard(logs, LEAST_SPREAD[2]) + fixed
        for distance in (1, 2):
            if count <= distance:
                break
            linked = joined[distance:] if distance == 1 else joined[2:] * joined[1:-1]
            total[distance:] += BEFORE[distance - 1] * linked * score[:-distance]
            total[:-distance] += AFTER[distance - 1] * linked * score[distance:]
        ages = np.maximum(_days(now) - days, 0.0)
        total += RECENCY_WEIGHT * np.exp2(ages / -RECENCY_HALF_LIFE_DAYS)
        return total, shares

    def _lexical(self, asked: dict[str, frozenset[str]], lengths: Vector) -> tuple[Vector, Vector]:
        """(BM25, share of the query 0..1) of every memory."""
        count = len(self._memories)
        scores, shares = np.zeros((2, count), dtype=np.float32)
        ideal = 0.0
        average = float(lengths.mean()) or 1.0
        damping = K1 * (1 - B) + (K1 * B / average) * lengths
        for words in asked.values():
            places, times = self._holders(words)
            rarity = _rarity(len(places), count)
            ideal += rarity * (1.0 if len(places) else UNSEEN_WEIGHT)
            if len(places):
                term = times * np.float32(rarity * (K1 + 1)) / (times + damping[places])
                scores[places] += term
                shares[places] += np.minimum(term, rarity)
        return scores, shares / ideal

    def _holders(self, words: frozenset[str]) -> tuple[NDArray[np.intp], Vector]:
        """(places, occurrences) of the memories that hold any of ``words``, each place once."""
        parts = [self._postings[word].arrays() for word in words if word in self._postings]
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.float32)
        places = np.concatenate([part[0] for part in parts])
        times = np.bincount(places, np.concatenate([part[1] for part in parts]))
        held = np.unique(places)
        return held, times[held].astype(np.float32)

    def _similarity(
        self, place: int, share: float, centre: Vector | None, aim: Vector | None
    ) -> float:
        """How well one memory fits, 0..1, whatever the others are."""
        if self._memories[place].is_question:
            share *= QUESTION_FACTOR
        vector = self._vectors[place]
        if centre is None or aim is None or not vector.any():
            return share
        cosine = float(_unit(vector - centre) @ aim)
        return max(share, cosine if share or cosine >= DENSE_ALONE else 0.0)


def importance_of(analysis: Analysis, safety: SafetyVerdict) -> float:
    """0..1: a plain remark .3; strong feelings, life events and danger weigh more (D)."""
    weight = 0.3 + 0.3 * abs(analysis.valence) + 0.1 * analysis.informativeness
    weight += 0.2 if analysis.life_event else 0.0
    weight += {Action.PROCEED: 0.0, Action.HOLD: 0.2, Action.BLOCK: 0.3}[safety.action]
    return round(min(1.0, weight), 3)


def _days(moment: datetime) -> float:
    """Since 2020; as float32 exact to a minute for decades."""
    return moment.timestamp() / 86_400 - 18_262


def _standard(values: Vector, least: float) -> Vector:
    """z-scores, by a standard deviation of at least ``least``."""
    away = values - np.float32(values.sum() / len(values))
    spread = max(math.sqrt(float(away @ away) / len(values)), least)
    return np.asarray(away / np.float32(spread), dtype=np.float32)


def _unit(vector: Vector) -> Vector:
    return vector / np.float32(math.sqrt(float(vector @ vector)) + 1e-9)


def _rarity(holders: int, total: int) -> float:
    total += PRIOR_MEMORIES
    return math.log(1 + (total - holders + 0.5) / (holders + 0.5)) if holders else math.log(total)


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's: what they have in common."""
    union = len(one | other)
    return len(one & other) / union if union else 0.0
