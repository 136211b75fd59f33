"""Lay the fine-tuned MiniLM out like the multilingual encoder, over the pieces that English chat uses.

``training.polyglot`` then goes on from it with the opinions of both encoders and the authored
safety messages. Pieces that no training text holds are dropped, single characters apart: a rare
word falls into smaller pieces.
"""

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from training import datasets, seeds
from training.encoder import MAX_TOKENS, encode, load_tokenizer, teacher_folder
from training.polyglot import OUTPUTS, columns

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def training_texts(data: Path) -> list[str]:
    """Every English text that anything learns from."""
    sets = (
        datasets.emobank(data, "train"), datasets.go_emotions(data, "train"),
        datasets.xed(data, "en"), datasets.brighter(data, "en", "train"),
    )  # fmt: skip
    authored = [seed.whole for seed in seeds.load(seeds.TAUGHT) if seed.language == "en"]
    return [*(text for rows in sets for text in rows.texts), *authored]


def pruned(folder: Path, texts: list[str]) -> tuple[Tokenizer, list[int]]:
    """The tokeniser over the kept pieces, and the old number of each."""
    book = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = book["model"]["vocab"]
    seen = {i for row in encode(load_tokenizer(folder), texts) for i in row}
    kept = [
        number
        for piece, number in sorted(vocabulary.items(), key=lambda item: item[1])
        if number in seen or piece in SPECIAL or len(piece.removeprefix("##")) == 1
    ]
    renumbered = {old: new for new, old in enumerate(kept)}
    names = {number: piece for piece, number in vocabulary.items()}
    book["model"]["vocab"] = {names[old]: new for old, new in renumbered.items()}
    for token in book["added_tokens"]:
        token["id"] = renumbered[token["id"]]
    processor = book["post_processor"]
    for name in ("sep", "cls"):
        if name in processor:
            processor[name][1] = renumbered[processor[name][1]]
    for token in processor.get("special_tokens", {}).values():
        token["ids"] = [renumbered[old] for old in token["ids"]]
    book["truncation"] = book["padding"] = None
    return Tokenizer.from_str(json.dumps(book)), kept


def laid_out(reader: dict[str, Tensor], kept: list[int]) -> dict[str, Tensor]:
    """The state of ``training.encoder.Reader`` as one of ``training.polyglot.Polyglot``."""
    state = {name: value for name, value in reader.items() if not name.startswith("heads.")}
    prefix = "encoder.embeddings."
    state[f"{prefix}word_embeddings.weight"] = reader[f"{prefix}word_embeddings.weight"][kept]
    types = reader[f"{prefix}token_type_embeddings.weight"]
    positions = reader[f"{prefix}position_embeddings.weight"][:MAX_TOKENS]
    state[f"{prefix}position_embeddings.weight"] = positions + types[0]
    state[f"{prefix}token_type_embeddings.weight"] = torch.zeros(1, types.shape[1])
    weight, bias = torch.zeros(OUTPUTS, types.shape[1]), torch.zeros(OUTPUTS)
    for group, head in (
        ("vad", "emobank"), ("goemotions", "goemotions"), ("xed", "xed"), ("brighter", "brighter"),
    ):  # fmt: skip
        weight[columns(group)] = reader[f"heads.{head}.weight"]
        bias[columns(group)] = reader[f"heads.{head}.bias"]
    return state | {"head.weight": weight, "head.bias": bias}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True, help="folder of training.encoder")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    tokenizer, kept = pruned(teacher_folder(), training_texts(options.data))
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(options.out / "tokenizer.json"))
    reader = torch.load(options.encoder / "encoder.pt", weights_only=True)
    torch.save(laid_out(reader, kept), options.out / "polyglot.pt")
    print(f"{len(kept):,} pieces kept")


if __name__ == "__main__":
    main()
