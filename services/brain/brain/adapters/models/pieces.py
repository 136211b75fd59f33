"""Tables of word-piece vectors at four bits a number, memory-mapped: a message needs a few rows."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from brain.adapters.models.weights import Weights

GROUP = 64
"""Numbers that share one scale."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PieceTable:
    """``packed`` (pieces, width / 2): the first half of a row in the low bits, the second in the high.

    ``scale`` (pieces, width / GROUP), float16. A number is (bits - 8) times its scale.
    """

    packed: NDArray[np.uint8]
    scale: NDArray[np.float16]

    @classmethod
    def load(cls, weights: Weights, name: str) -> Self:
        """``name.i4.npy`` and ``name.scale.npy``. Raises WeightsError."""
        return cls(weights.array(f"{name}.i4"), weights.array(f"{name}.scale"))

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return 2 * int(self.packed.shape[1])

    def rows(self, pieces: list[int]) -> Floats:
        """(pieces, width), float32. Raises IndexError for a number that is no piece."""
        places = np.array(pieces)
        packed = self.packed.take(places, axis=0)
        rows = np.empty((len(places), 2, packed.shape[1]), dtype=np.float32)
        np.bitwise_and(packed, 15, out=rows[:, 0])
        np.right_shift(packed, 4, out=rows[:, 1])
        rows -= 8.0
        grouped = rows.reshape(len(places), -1, GROUP)
        grouped *= self.scale.take(places, axis=0)[:, :, np.newaxis]
        return grouped.reshape(len(places), self.width)
