"""From a fine-tuned encoder to what ships: int8 ONNX, 4-bit pieces, and its opinions on safety.

The graph begins at the vectors of the word pieces: their table is a file of its own, from which a
message reads a few rows. Weights are quantised per channel, activations at run time; the weights
lie in ``NAME.onnx.data``, which the run time maps into memory.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from torch import Tensor, nn
from tqdm import tqdm

from brain.adapters.models.pieces import PieceTable
from brain.domain.voice import spelled_out
from training import datasets, e5, polyglot, seeds
from training.encoder import EMOBANK_MEAN, EMOBANK_STD, best_thresholds, cross_fitted_f1
from training.polyglot import Polyglot, columns
from training.weights import save_array, save_pieces, write_manifest

OUTPUT_NAMES = {
    "english": ("vad", "emotions", "safety"),
    "world": ("polarity", "six", "safety"),
}
"""By the name of the encoder."""


class Shipped(nn.Module):
    """Vectors of one text's pieces in, named outputs out; vad on EmoBank's own scale."""

    def __init__(self, model: Polyglot, name: str) -> None:
        super().__init__()
        self.model = model
        self.names = OUTPUT_NAMES[name]
        self.register_buffer("mean", torch.tensor(EMOBANK_MEAN))
        self.register_buffer("std", torch.tensor(EMOBANK_STD))

    def forward(self, rows: Tensor) -> tuple[Tensor, ...]:
        """(1, pieces, width) -> the outputs of ``OUTPUT_NAMES``."""
        mask = torch.ones_like(rows[:, :, 0])
        states = self.model.encoder(inputs_embeds=rows, attention_mask=mask).last_hidden_state
        found = self.model.head(self.model.shared(states.mean(1)))
        outputs = {
            "vad": found[:, columns("vad")] * self.std + self.mean,
            "emotions": found[:, columns("goemotions")],
            "polarity": found[:, columns("polarity")],
            "six": torch.sigmoid(found[:, columns("brighter")]),
            "safety": found[:, columns("safety")],
        }
        return tuple(outputs[name] for name in self.names)


def slimmed(model: Polyglot, tokenizer: Tokenizer, data: Path) -> Tokenizer:
    """Drop the pieces that only English used, single characters apart; the model changes in place.

    What the kept languages wrote falls into the same pieces as before.
    """
    texts = [*(text for part in polyglot.other_parts(data) for text in part.texts)]
    texts += [s.whole for s in seeds.load(seeds.TAUGHT) if s.language != "en"]
    rows = tokenizer.encode_batch([spelled_out(text, english=False) for text in texts])
    seen = {piece for row in rows for piece in row.ids}
    book = json.loads(tokenizer.to_str())
    vocabulary = book["model"]["vocab"]
    kept = [
        number
        for number, (piece, _) in enumerate(vocabulary)
        if number < len(e5.SPECIAL) or number in seen or len(piece.strip("\u2581")) == 1
    ]
    book["model"]["vocab"] = [vocabulary[number] for number in kept]
    table = model.encoder.embeddings.word_embeddings
    table.weight = nn.Parameter(table.weight[kept].detach())
    table.num_embeddings = len(kept)
    return Tokenizer.from_str(json.dumps(book))


def to_onnx(model: Polyglot, folder: Path, out: Path, name: str) -> None:
    """``NAME.onnx``, ``NAME.onnx.data`` and the table of pieces."""
    words = model.encoder.embeddings.word_embeddings.weight.detach().numpy()
    save_pieces(out, f"{name}.pieces", words)
    torch.onnx.export(
        Shipped(model, name).eval(), (torch.randn(1, 12, words.shape[1]),), str(folder / "float.onnx"),
        input_names=["rows"], output_names=list(OUTPUT_NAMES[name]), dynamic_axes={"rows": {1: "pieces"}},
        opset_version=17, dynamo=False,
    )  # fmt: skip
    quantize_dynamic(
        folder / "float.onnx",
        folder / "int8.onnx",
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
    )
    for old in out.glob(f"{name}.onnx*"):
        old.unlink()
    onnx.save(
        onnx.load(folder / "int8.onnx"), out / f"{name}.onnx", save_as_external_data=True,
        all_tensors_to_one_file=True, location=f"{name}.onnx.data", size_threshold=1024,
    )  # fmt: skip
    (out / f"{name}.onnx.data").chmod(0o644)


class Encoder:
    """The shipped files of one encoder, before their manifest is written."""

    def __init__(self, out: Path, name: str) -> None:
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 2
        self._name = name
        self._session = onnxruntime.InferenceSession(str(out / f"{name}.onnx"), settings)
        self._tokenizer = Tokenizer.from_file(str(out / f"{name}-tokenizer.json"))
        self._tokenizer.enable_truncation(polyglot.MAX_TOKENS)
        self._table = PieceTable(
            np.load(out / f"{name}.pieces.i4.npy"), np.load(out / f"{name}.pieces.scale.npy")
        )

    def run(self, texts: list[str], *, english: bool) -> dict[str, np.ndarray]:
        """Every output for every text, one by one as in the service."""
        rows = []
        for text in tqdm(texts, desc="int8", mininterval=10):
            pieces = self._tokenizer.encode(spelled_out(text, english=english)).ids
            rows.append(self._session.run(None, {"rows": self._table.rows(pieces)[np.newaxis]}))
        names = OUTPUT_NAMES[self._name]
        return {name: np.concatenate([row[i] for row in rows]) for i, name in enumerate(names)}


def measure_english(encoder: Encoder, data: Path, out: Path) -> dict[str, float]:
    """Dev figures of the shipped file; writes the cuts of the 28 emotions."""
    bank, go = datasets.emobank(data, "dev"), datasets.go_emotions(data, "dev")
    vad = encoder.run(bank.texts, english=True)["vad"]
    found = {
        f"r_{n}": float(np.corrcoef(vad[:, i], bank.targets[:, i])[0, 1])
        for i, n in enumerate("VAD")
    }
    logits = encoder.run(go.texts, english=True)["emotions"]
    save_array(out, "english-cuts", best_thresholds(logits, go.targets))
    return found | {"macro_f1": cross_fitted_f1(logits, go.targets)}


def measure_world(encoder: Encoder, data: Path) -> dict[str, float]:
    """Dev figures of the shipped file: valence in four languages."""
    found = {}
    for language in polyglot.LANGUAGES:
        rows = datasets.brighter(data, language, "dev")
        polarity = encoder.run(rows.texts, english=False)["polarity"][:, 0]
        wanted = datasets.polarity_of_brighter(rows.targets)
        found[f"r_V_{language}"] = float(np.corrcoef(polarity, wanted)[0, 1])
    return found


def safety_recall(encoder: Encoder, *, english: bool) -> float:
    """Recall of HOLD and BLOCK at 5 % false alarms on the authored messages kept for tuning."""
    tuning = [s for s in seeds.load(seeds.TAUGHT) if s.tunes and (s.language == "en") == english]
    risk = encoder.run([s.whole for s in tuning], english=english)["safety"][:, 0]
    bad = np.array([s.action != "PROCEED" for s in tuning])
    return float((risk[bad] > np.quantile(risk[~bad], 0.95)).mean())


def safety_opinions(
    model: Polyglot, tokenizer: Tokenizer, data: Path, path: Path, name: str
) -> None:
    """Safety logits of the public texts, in the order in which ``training.fast`` holds them."""
    english = name == "english"
    if english:
        sets = (
            datasets.emobank(data, "train"), datasets.go_emotions(data, "train"),
            datasets.xed(data, "en"), datasets.brighter(data, "en", "train"),
        )  # fmt: skip
        texts = [text for rows in sets for text in rows.texts]
    else:
        texts = [text for part in polyglot.other_parts(data) for text in part.texts]
    found = polyglot.predict(model, tokenizer, texts, english=english)[:, columns("safety")]
    np.save(path, found)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True, help="folder of training.polyglot")
    parser.add_argument("--name", choices=tuple(OUTPUT_NAMES), required=True)
    parser.add_argument("--checkpoint", default="polyglot.pt")
    parser.add_argument("--opinions", type=Path, help="the .npy of safety opinions to write")
    parser.add_argument("--out", type=Path, required=True, help="folder of weights to write into")
    options = parser.parse_args()
    torch.set_num_threads(2)
    model, tokenizer = polyglot.load(options.encoder, options.checkpoint)
    model.eval()
    if options.name == "world":
        tokenizer = slimmed(model, tokenizer, options.data)
    to_onnx(model, options.encoder, options.out, options.name)
    tokenizer.save(str(options.out / f"{options.name}-tokenizer.json"))
    encoder, english = Encoder(options.out, options.name), options.name == "english"
    if english:
        figures = measure_english(encoder, options.data, options.out)
    else:
        figures = measure_world(encoder, options.data)
    figures["safety_recall"] = safety_recall(encoder, english=english)
    print(json.dumps(figures))
    if options.opinions:
        safety_opinions(model, tokenizer, options.data, options.opinions, options.name)
    write_manifest(options.out)


if __name__ == "__main__":
    main()
