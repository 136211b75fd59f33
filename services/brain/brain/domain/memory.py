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
_AROUND = np.array([*BEFORE[::-1], 1.0, *AFTER], dtype=np.float32)
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


_NOWHERE = np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.float32)


class _Spread:
    """Mean and standard deviation of numbers that come one by one."""

    __slots__ = ("_count", "_squares", "_sum")

    def __init__(self) -> None:
        self._count, self._sum, self._squares = 0, 0.0, 0.0

    def add(self, number: float) -> None:
        self._count += 1
        self._sum += number
        self._squares += number * number

    @property
    def mean(self) -> float:
        return self._sum / self._count

    @property
    def deviation(self) -> float:
        return math.sqrt(max(0.0, self._squares / self._count - self.mean**2))


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
        self._fixed = np.zeros((4, 64), dtype=np.float32)
        self._slots = np.zeros(64, dtype=np.intp)
        self._words: list[frozenset[str]] = []
        self._questions: list[bool] = []
        self._pictured: list[bool] = []
        self._lengths = _Spread()
        self._logs = _Spread()
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
            self._slots = np.concatenate((self._slots, np.zeros_like(self._slots)))
        if memory.vector is not None:
            self._vectors[place] = memory.vector
        for word, count in Counter(words).items():
            self._postings.setdefault(word, _Postings()).add(place, count)
        self._fixed[:, place] = (
            len(words),
            math.log1p(len(words)),
            IMPORTANCE_WEIGHT * memory.importance - QUESTION_PENALTY * memory.is_question,
            _days(memory.created_at) / RECENCY_HALF_LIFE_DAYS,
        )
        self._slots[place] = self._next_slot(memory)
        self._lengths.add(len(words))
        self._logs.add(math.log1p(len(words)))
        self._memories.append(memory)
        self._words.append(frozenset(words))
        self._questions.append(memory.is_question)
        self._pictured.append(memory.vector is not None and bool(memory.vector.any()))

    def _next_slot(self, memory: Memory) -> int:
        """Neighbours of one talk stand side by side; between talks nobody reaches over the gap."""
        if not self._memories:
            return len(AFTER)
        last = self._memories[-1].created_at
        gap = 1 if memory.created_at - last <= SAME_TALK else 1 + len(AFTER)
        return int(self._slots[len(self._memories) - 1]) + gap

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
        vector = aim = centre = None
        if embedder is not None:
            vector, centre = embedder.embed(query), embedder.centre
            if vector.any():
                aim = _unit(vector - centre)
            else:
                vector = None
        scores, shares = self._scores(asked, vector, now)
        hits: list[MemoryHit] = []
        kept: list[frozenset[str]] = []
        for place in _best(scores, limit * 8 + len(self._gone)):
            memory, words = self._memories[place], self._words[place]
            if place in self._gone or memory.id in but:
                continue
            if self._questions[place] and _share(words, said) >= SAME_QUESTION:
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

    def _scores(
        self, asked: dict[str, frozenset[str]], vector: Vector | None, now: datetime
    ) -> tuple[Vector, Vector]:
        """(score, share of the query 0..1) of every memory. A score means something beside others."""
        count = len(self._memories)
        _, logs, worth, half_lives = self._fixed[:, :count]
        lexical, shares = self._lexical(asked)
        score = _standard(lexical, LEAST_SPREAD[0], 1 - DENSE_WEIGHT)
        if vector is not None:
            score += _standard(self._vectors[:count] @ vector, LEAST_SPREAD[1], DENSE_WEIGHT)
        total = self._with_neighbours(score)
        total += worth
        # The mean of the lengths is left out: it is the same for all.
        total += (LENGTH_BONUS / max(self._logs.deviation, LEAST_SPREAD[2])) * logs
        ages = half_lives - np.float32(_days(now) / RECENCY_HALF_LIFE_DAYS)
        total += RECENCY_WEIGHT * np.exp2(np.minimum(ages, 0.0))
        return total, shares

    def _with_neighbours(self, score: Vector) -> Vector:
        """Every score with the parts of those around it."""
        slots = self._slots[: len(score)]
        row = np.zeros(int(slots[-1]) + 1 + len(AFTER), dtype=np.float32)
        row[slots] = score
        return np.correlate(row, _AROUND)[slots - len(AFTER)]

    def _lexical(self, asked: dict[str, frozenset[str]]) -> tuple[Vector, Vector]:
        """(BM25, share of the query 0..1) of every memory.

        All words are scored in one pass over their holders: a pass each costs more than the sums.
        """
        count = len(self._memories)
        found = [self._holders(words) for words in asked.values()]
        holders = [len(places) for places, _ in found]
        rarities = [_rarity(held, count) for held in holders]
        ideal = sum(
            rarity * (1.0 if held else UNSEEN_WEIGHT)
            for rarity, held in zip(rarities, holders, strict=True)
        )
        places = np.concatenate([part for part, _ in found])
        times = np.concatenate([part for _, part in found])
        rarity = np.array(rarities, dtype=np.float32).repeat(holders)
        average = self._lengths.mean or 1.0
        damping = (K1 * B / average) * self._fixed[0][places] + K1 * (1 - B)
        terms = (K1 + 1) * rarity * times / (times + damping)
        scores, shares = (
            np.bincount(places, each, count).astype(np.float32)
            for each in (terms, np.minimum(terms, rarity))
        )
        return scores, shares / np.float32(ideal)

    def _holders(self, words: frozenset[str]) -> tuple[NDArray[np.intp], Vector]:
        """(places, occurrences) of the memories that hold any of ``words``, each place once."""
        parts = [self._postings[word].arrays() for word in words if word in self._postings]
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return _NOWHERE
        places, times = (np.concatenate(part) for part in zip(*parts, strict=True))
        summed = np.bincount(places, times)
        held = summed.nonzero()[0]
        return held, summed[held].astype(np.float32)

    def _similarity(
        self, place: int, share: float, centre: Vector | None, aim: Vector | None
    ) -> float:
        """How well one memory fits, 0..1, whatever the others are."""
        if self._questions[place]:
            share *= QUESTION_FACTOR
        if centre is None or aim is None or not self._pictured[place]:
            return share
        cosine = float(_unit(self._vectors[place] - centre) @ aim)
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


def _standard(values: Vector, least: float, weight: float) -> Vector:
    """z-scores times ``weight``, by a standard deviation of at least ``least``."""
    away = values - values.dtype.type(values.sum() / len(values))
    spread = max(math.sqrt(float(away @ away) / len(values)), least)
    return away * (weight / spread)


def _unit(vector: Vector) -> Vector:
    return vector / np.float32(math.sqrt(vector @ vector) + 1e-9)


def _rarity(holders: int, total: int) -> float:
    total += PRIOR_MEMORIES
    return math.log(1 + (total - holders + 0.5) / (holders + 0.5)) if holders else math.log(total)


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's: what they have in common."""
    common = len(one & other)
    return common / (len(one) + len(other) - common) if one or other else 0.0


def _best(scores: Vector, count: int) -> list[int]:
    """Places of the highest scores, best first; the newer one of equals."""
    some = np.arange(len(scores))
    if len(scores) > count:
        some = scores.argpartition(-count)[-count:]
    return [
        place
        for _, place in sorted(zip(scores[some].tolist(), some.tolist(), strict=True), reverse=True)
    ]
