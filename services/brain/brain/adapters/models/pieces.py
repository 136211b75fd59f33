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
        packed = self.packed[pieces]
        bits = np.concatenate((packed & 15, packed >> 4), axis=1).astype(np.float32) - 8.0
        scale = self.scale[pieces].astype(np.float32)
        grouped = bits.reshape(len(pieces), -1, GROUP) * scale[:, :, None]
        return np.asarray(grouped.reshape(len(pieces), self.width), dtype=np.float32)
