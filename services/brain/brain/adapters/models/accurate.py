"""The accurate tier: two small encoders, English and all others, int8 in ONNX."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from brain.adapters.models import outputs
from brain.adapters.models.fast import FastReader
from brain.adapters.models.outputs import Floats, ModelReading
from brain.adapters.models.pieces import PieceTable
from brain.adapters.models.weights import Weights

MOST_PIECES = 96
"""As in training. A longer message is read by its beginning and its end, half of these each."""
FAST_SHARE = 0.2
"""How much the fast tier's view counts in an English text's mood: the two err differently
(docs/model-card.md). From EmoBank's dev split; 0.1 to 0.4 do about as well."""
FEWER = 0.8
"""D: from this share of pieces on, a vocabulary fits a text clearly better than English does."""
EVEN = 2.44
"""The logit of HOLD that counts as an even chance: with it, and with the rules, at most .5 % of
20,000 everyday comments are held (docs/model-card.md)."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text, and its pieces for the encoders that read it: both, if the language is not known."""

    spelled: str
    english: list[int]
    world: list[int]

    def __len__(self) -> int:
        return len(self.english) + len(self.world)


class _Encoder:
    def __init__(self, weights: Weights, name: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        weights.path(f"{name}.onnx.data")
        self._session = onnxruntime.InferenceSession(
            str(weights.path(f"{name}.onnx")), options, providers=["CPUExecutionProvider"]
        )
        self._names = [output.name for output in self._session.get_outputs()]
        self._table = PieceTable.load(weights, f"{name}.pieces")
        self._tokenizer = Tokenizer.from_file(str(weights.path(f"{name}-tokenizer.json")))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def pieces(self, spelled: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(spelled).ids
        if len(ids) <= MOST_PIECES:
            return ids
        return ids[: MOST_PIECES // 2] + ids[-MOST_PIECES // 2 :]

    def run(self, pieces: list[int]) -> dict[str, Floats]:
        found = self._session.run(None, {"rows": self._table.rows(pieces)[np.newaxis]})
        return {name: values[0] for name, values in zip(self._names, found, strict=True)}


class AccurateReader:
    """Reads all our languages; a few milliseconds for a chat line. One thread, no state."""

    def __init__(self, weights: Weights, fast: FastReader) -> None:
        self._fast = fast
        self._english = _Encoder(weights, "english")
        self._world = _Encoder(weights, "world")
        self._cuts = weights.floats("english-cuts")

    @classmethod
    def load(cls, weights: Weights, fast: FastReader) -> Self:
        """From the shipped files. Raises WeightsError."""
        return cls(weights, fast)

    def pieces(self, spelled: str, *, english: bool | None) -> Pieces:
        """A text from ``brain.domain.voice.spelled_out``; at most ``MOST_PIECES`` for an encoder.

        ``english`` None: nobody knows what language it is.
        """
        return Pieces(
            spelled,
            [] if english is False else self._english.pieces(spelled),
            [] if english else self._world.pieces(spelled),
        )

    def read(self, pieces: Pieces) -> ModelReading:
        """The reading of the pieces; raises onnxruntime's errors.

        Of two encoders the more worried one tells the danger, and the mood the one that needs clearly
        fewer pieces: a language falls apart in the vocabulary of another.
        """
        parts = (("english", self._english, pieces.english), ("world", self._world, pieces.world))
        read = {name: encoder.run(cut) for name, encoder, cut in parts if cut}
        risk = outputs.risk_of(np.maximum.reduce([each["safety"] for each in read.values()]), EVEN)
        if not pieces.english or 0 < len(pieces.world) < FEWER * len(pieces.english):
            found = read["world"]
            return outputs.polyglot(float(found["polarity"][0]), found["six"], risk)
        found = read["english"]
        vad = found["vad"] + FAST_SHARE * (self._fast.linear_mood(pieces.spelled) - found["vad"])
        return outputs.english(vad, found["emotions"], self._cuts, risk)
