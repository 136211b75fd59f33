"""Texts as hashed n-grams: the same features in training and at run time.

Words are hashed by CRC-32, characters by a polynomial over code points, both to 32 bits. Of the
n-grams of the training texts the commonest are known, each with a row of weights; others are
skipped.
"""

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
_PRIME = np.uint32(0x01000193)


class Grams:
    """The known n-grams of one kind: their hashes, sorted, and the weight of each (smooth IDF)."""

    def __init__(self, hashes: Hashes, idf: Floats) -> None:
        self._hashes = hashes
        self._idf = idf

    @classmethod
    def load(cls, weights: Weights, name: str) -> Self:
        """``name.hashes.npy`` and ``name.idf.npy``. Raises WeightsError."""
        hashes = np.ascontiguousarray(weights.array(f"{name}.hashes"))
        return cls(hashes, weights.floats(f"{name}.idf"))

    def __len__(self) -> int:
        return len(self._hashes)

    def rows(self, hashes: Hashes) -> Rows:
        """The rows of those that are known."""
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        return np.asarray(places[self._hashes[places] == hashes], dtype=np.int64)

    def values(self, rows: Rows) -> Floats:
        """TF-IDF of the rows with length one; presence counts, not frequency."""
        values: Floats = self._idf[rows]
        norm = float(np.sqrt(values @ values))
        return values / norm if norm else values


def words_of(spelled: str) -> list[str]:
    """Words, and the punctuation that carries feeling, of a text from ``voice.spelled_out``."""
    return _WORD.findall(spelled)


def word_hashes(words: list[str]) -> Hashes:
    """Of every word and of every pair of neighbours, each once."""
    found = set()
    before = 0
    for word in words:
        raw = word.encode()
        found.add(crc32(raw))
        if before:
            found.add(crc32(raw, before))
        before = crc32(b" ", crc32(raw))
    return np.fromiter(found, dtype=np.uint32, count=len(found))


def char_hashes(spelled: str) -> Hashes:
    """Of every run of 2 to 5 characters, blanks included, each once, sorted."""
    raw = f" {spelled[:MOST_CHARS]} ".encode("utf-32-le", errors="surrogatepass")
    codes = np.frombuffer(raw, dtype=np.uint32) * np.uint32(2654435761)
    codes ^= codes >> np.uint32(15)
    parts = []
    rolling = codes
    for length in range(2, LONGEST + 1):
        if len(codes) < length:
            break
        rolling = rolling[:-1] * _PRIME + codes[length - 1 :]
        parts.append(rolling ^ (rolling >> np.uint32(16)) ^ np.uint32(length))
    if not parts:
        return np.zeros(0, dtype=np.uint32)
    found = np.concatenate(parts)
    found.sort()
    return found[np.concatenate(([True], found[1:] != found[:-1]))]
