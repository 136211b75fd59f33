"""Distil the encoder into a table: one vector per word piece, rotated by PCA, four bits a number.

Each piece passes through the encoder on its own; smooth inverse frequency weights (a / (a + p))
then make the plain mean of a sentence's rows a sentence vector. Frequencies come from the English
training texts. Table 3.1 and §4 of the facts this design rests on are in docs/model-card.md.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import PCA
from tokenizers import Tokenizer
from tqdm import tqdm
from transformers import BertModel

from brain.domain.voice import spelled_out
from training import datasets
from training.encoder import teacher_folder
from training.weights import save_pieces

SIF = 1e-3
"""The a of a / (a + p), Arora et al. 2017."""


@torch.inference_mode()
def piece_vectors(folder: Path, pieces: list[int]) -> np.ndarray:
    """(pieces, 384): the mean state of [CLS] piece [SEP] for every piece."""
    model = BertModel.from_pretrained(
        folder, attn_implementation="sdpa", add_pooling_layer=False
    ).eval()
    found = []
    for start in tqdm(range(0, len(pieces), 512), desc="word pieces", mininterval=10):
        some = torch.tensor(pieces[start : start + 512]).unsqueeze(1)
        frame = torch.cat((torch.full_like(some, 101), some, torch.full_like(some, 102)), 1)
        found.append(model(frame).last_hidden_state.mean(1))
    return torch.cat(found).numpy()


def frequencies(tokenizer: Tokenizer, texts: list[str], size: int) -> np.ndarray:
    """Share of every piece, with half a count for those never seen."""
    counts = Counter(
        i for row in tokenizer.encode_batch([spelled_out(t) for t in texts]) for i in row.ids
    )
    table = np.full(size, 0.5)
    for piece, count in counts.items():
        table[piece] += count
    return table / table.sum()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pieces", type=Path, required=True, help="folder of training.english")
    parser.add_argument("--out", type=Path, required=True, help="folder of weights to write into")
    options = parser.parse_args()
    torch.manual_seed(7)
    folder = teacher_folder()
    tokenizer = Tokenizer.from_file(str(options.pieces / "tokenizer.json"))
    known = Tokenizer.from_file(str(folder / "tokenizer.json"))
    names = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    kept = [known.token_to_id(name) for name, _ in names]
    texts = [
        *datasets.go_emotions(options.data, "train").texts,
        *datasets.xed(options.data, "en").texts,
        *datasets.emobank(options.data, "train").texts,
    ]
    tokenizer.save(str(options.out / "english-tokenizer.json"))
    vectors = piece_vectors(folder, kept)
    reduced = PCA(random_state=7, svd_solver="full").fit_transform(vectors)
    reduced /= np.linalg.norm(reduced, axis=1, keepdims=True).clip(min=1e-6)
    shares = frequencies(tokenizer, texts, len(kept))
    weighted = reduced * (SIF / (SIF + shares))[:, None]
    weighted[[tokenizer.token_to_id(name) for name in ("[PAD]", "[CLS]", "[SEP]")]] = 0.0
    save_pieces(options.out, "static.pieces", weighted.astype(np.float32))


if __name__ == "__main__":
    main()
