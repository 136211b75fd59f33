"""Texts as hashed n-grams: the same features in training and at run time.

Words are hashed by CRC-32, characters by a polynomial over code points, both to 32 bits. Of the
n-grams of the training texts the commonest are known, each with a row of weights; others are
skipped.
"""

import math
import re
from typing import Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from brain.adapters.models.weights import Weights

LONGEST = 5
"""Characters of an n-gram, from two."""
MOST_CHARS = 600
"""Characters read for character n-grams; the words of the whole text count."""

Hashes = NDArray[np.uint32]
Rows = NDArray[np.int64]
Floats = NDArray[np.float32]

_WORD = re.compile(
    "[^\\W_](?:[^\\W_]|['\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963])*|[!?]+|[.]{2,}|[:;][\\w()]"
)
_PRIME = 0x01000193
_SPREAD = np.uint32(2654435761)
_HALF_CODE, _HALF_HASH = np.uint32(15), np.uint32(16)
_LENGTHS = np.arange(2, LONGEST + 1, dtype=np.uint32)
_POWERS = np.array(
    [
        [
            _PRIME ** (length - 1 - place) % 2**32 if place < length else 0
            for length in _LENGTHS.tolist()
        ]
        for place in range(LONGEST)
    ],
    dtype=np.uint32,
)
"""The polynomial of a run of each length, one a column."""


class Grams:
    """The known n-grams of one kind: their hashes, sorted, and the weight of each (smooth IDF)."""

    def __init__(self, hashes: Hashes, idf: Floats) -> None:
        self._count = len(hashes)
        # Once more the last one, so that a larger hash than all has a place too, which is not its own.
        self._hashes = np.concatenate((hashes, hashes[-1:]))
        self.idf = idf

    @classmethod
    def load(cls, weights: Weights, name: str) -> Self:
        """``name.hashes.npy`` and ``name.idf.npy``. Raises WeightsError."""
        hashes = np.ascontiguousarray(weights.array(f"{name}.hashes"))
        return cls(hashes, weights.floats(f"{name}.idf"))

    def __len__(self) -> int:
        return self._count

    def rows(self, hashes: Hashes) -> Rows:
        """The rows of those that are known."""
        places: Rows = self._hashes[:-1].searchsorted(hashes)
        known: Rows = places[self._hashes.take(places) == hashes]
        return known

    def values(self, rows: Rows) -> Floats:
        """TF-IDF of the rows with length one; presence counts, not frequency."""
        values: Floats = self.idf.take(rows)
        to_unit(values)
        return values


def to_unit(values: Floats) -> None:
    """Length one, in place; zeros stay."""
    norm = math.sqrt(values @ values)
    if norm:
        values /= norm


def words_of(spelled: str) -> list[str]:
    """Words, and the punctuation that carries feeling, of a text from ``voice.spelled_out``."""
    return _WORD.findall(spelled)


def word_hashes(words: list[str]) -> Hashes:
    """Of every word and of every pair of neighbours, each once."""
    found = set()
    before = 0
    for raw in " ".join(words).encode().split(b" ") if words else ():
        found.add(crc32(raw))
        if before:
            found.add(crc32(raw, before))
        before = crc32(raw + b" ")
    return np.fromiter(found, dtype=np.uint32, count=len(found))


def char_hashes(spelled: str) -> Hashes:
    """Of every run of 2 to 5 characters, blanks included, each once, sorted."""
    # As many blanks more as the longest run needs to begin at the last character.
    raw = f" {spelled[:MOST_CHARS]} {' ' * (LONGEST - 2)}".encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(raw, dtype=np.uint32) * _SPREAD
    codes ^= codes >> _HALF_CODE
    runs = np.ndarray((len(codes) - LONGEST + 1, LONGEST), np.uint32, codes, 0, codes.strides * 2)
    found = runs @ _POWERS
    found ^= found >> _HALF_HASH
    found ^= _LENGTHS
    for beyond in range(1, len(_LENGTHS)):  # no run reaches over the end
        found[-beyond:, beyond] = found[0, 0]
    hashes = found.ravel()
    hashes.sort()
    first = np.empty(len(hashes), dtype=bool)
    first[0] = True
    np.not_equal(hashes[1:], hashes[:-1], out=first[1:])
    return hashes[first]
