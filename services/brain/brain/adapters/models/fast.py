"""The fast tier: linear heads on hashed n-grams and the static sentence vector, in NumPy."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from brain.adapters.models import outputs
from brain.adapters.models.features import Grams, char_hashes, to_unit, word_hashes, words_of
from brain.adapters.models.outputs import Floats, ModelReading
from brain.adapters.models.static import StaticEmbedder
from brain.adapters.models.weights import Weights

EVEN = 1.1
"""As in ``brain.adapters.models.accurate``, for this tier."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The known n-grams of a text: words first, then characters."""

    rows: NDArray[np.int64]
    values: Floats
    words: int


class _Heads:
    """Several heads side by side, so that a text's rows are fetched once.

    int8 rows per n-gram, the words' above the characters'; one scale per kind and output.
    """

    def __init__(self, weights: Weights, *names: str) -> None:
        kinds = ("words", "chars")
        self._table = np.vstack(
            [np.hstack([weights.array(f"{n}-{kind}.i8") for n in names]) for kind in kinds]
        )
        self._word_scale, self._char_scale = (
            np.concatenate([weights.floats(f"{n}-{kind}.scale") for n in names]) for kind in kinds
        )
        self._bias = np.concatenate([weights.floats(f"{n}-bias") for n in names])

    def scores(self, grams: _Found) -> Floats:
        """Of all heads, in their order."""
        rows = self._table.take(grams.rows, axis=0).astype(np.float32)
        words = self._word_scale * (grams.values[: grams.words] @ rows[: grams.words])
        chars = self._char_scale * (grams.values[grams.words :] @ rows[grams.words :])
        return np.asarray(self._bias + words + chars, dtype=np.float32)


class FastReader:
    """Reads every language that we serve; about 0.2 ms for a chat line."""

    def __init__(self, weights: Weights, embedder: StaticEmbedder) -> None:
        self._embedder = embedder
        self._words = Grams.load(weights, "words")
        self._chars = Grams.load(weights, "chars")
        self._idf = np.concatenate((self._words.idf, self._chars.idf))
        self._english = _Heads(weights, "vad", "emotions", "safety")
        self._mood = _Heads(weights, "vad")
        self._other = _Heads(weights, "polyglot", "safety")
        self._static = np.hstack([weights.floats(f"{n}-static") for n in ("vad", "emotions")])
        self._hidden = weights.floats("vad-net-hidden")
        self._out = weights.floats("vad-net-out")
        self._net_share = weights.floats("vad-net-share")
        self._cuts = weights.floats("fast-cuts")

    @classmethod
    def load(cls, weights: Weights, embedder: StaticEmbedder) -> Self:
        """From the shipped files. Raises WeightsError."""
        return cls(weights, embedder)

    def read(self, spelled: str, *, english: bool) -> ModelReading:
        """``spelled``: from ``brain.domain.voice.spelled_out``."""
        grams = self._grams(spelled)
        if not english:
            found = self._other.scores(grams)
            return outputs.polyglot(float(found[0]), found[1:7], outputs.risk_of(found[7:], EVEN))
        read, safety = self._read(spelled, grams)
        return outputs.english(read[:3], read[3:], self._cuts, outputs.risk_of(safety, EVEN))

    def linear_mood(self, spelled: str) -> Floats:
        """Valence, arousal and dominance of an English text on EmoBank's scale, without the net."""
        vector = self._embedder.of_spelled(spelled)
        return self._mood.scores(self._grams(spelled)) + vector @ self._static[:, :3]

    def _read(self, spelled: str, grams: _Found) -> tuple[Floats, Floats]:
        """Mood and emotions of the linear heads and the net together, and safety."""
        vector = self._embedder.of_spelled(spelled)
        found = self._english.scores(grams)
        linear, safety = found[: len(self._net_share)], found[len(self._net_share) :]
        linear = linear + vector @ self._static
        net = outputs.net_scores(vector, self._hidden, self._out)
        return linear + self._net_share * (net - linear), safety

    def _grams(self, spelled: str) -> _Found:
        words = self._words.rows(word_hashes(words_of(spelled)))
        chars = self._chars.rows(char_hashes(spelled))
        chars += len(self._words)
        rows = np.concatenate((words, chars))
        values = self._idf.take(rows)
        to_unit(values[: len(words)])
        to_unit(values[len(words) :])
        return _Found(rows, values, len(words))
