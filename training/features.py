"""The run-time features of many texts as one sparse matrix."""

from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, hstack
from tqdm import tqdm

from brain.adapters.models import features
from brain.adapters.models.features import Grams
from brain.adapters.models.pieces import PieceTable
from brain.adapters.models.static import StaticEmbedder
from brain.adapters.models.wordpieces import WordPieces
from brain.domain.voice import spelled_out

WORDS, CHARS = 70_000, 40_000
"""How many n-grams of each kind are known at most: the commonest, in all languages together."""
RAREST = 2
"""Texts that an n-gram occurs in at least."""


def hashes(texts: list[str], *, english: bool) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(word hashes, character hashes) of every text."""
    spelled = [spelled_out(text, english=english) for text in texts]
    words = [features.word_hashes(features.words_of(text)) for text in spelled]
    return words, [
        features.char_hashes(text) for text in tqdm(spelled, desc="n-grams", mininterval=10)
    ]


def known_grams(rows: list[np.ndarray], most: int) -> tuple[np.ndarray, np.ndarray]:
    """(hashes, sorted; log((1 + n) / (1 + df)) + 1 of each, as in scikit-learn's smooth IDF)."""
    found, counts = np.unique(np.concatenate(rows), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    kept = np.sort(order[counts[order] >= RAREST])
    idf = np.log((1 + len(rows)) / (1 + counts[kept])) + 1
    return found[kept], idf.astype(np.float32)


def matrix(rows: list[np.ndarray], grams: Grams) -> csr_matrix:
    """TF-IDF rows of length one, as ``features.Grams.values`` makes them."""
    known = [grams.rows(row) for row in rows]
    starts = np.concatenate(([0], np.cumsum([len(row) for row in known])))
    values = [grams.values(row) for row in known]
    return csr_matrix(
        (np.concatenate(values), np.concatenate(known).astype(np.int32), starts),
        shape=(len(rows), len(grams)), dtype=np.float32,
    )  # fmt: skip


def embedder(folder: Path) -> StaticEmbedder:
    """The static table of a folder of weights whose manifest is not written yet."""
    words = WordPieces.load(folder / "english-tokenizer.json")
    table = PieceTable(
        np.load(folder / "static.pieces.i4.npy"), np.load(folder / "static.pieces.scale.npy")
    )
    centre = folder / "static.centre.npy"
    known = np.load(centre) if centre.exists() else np.zeros(table.width, dtype=np.float32)
    return StaticEmbedder(words, table, known)


def join(*blocks: csr_matrix | np.ndarray) -> csr_matrix:
    """Side by side."""
    return hstack([csr_matrix(block) for block in blocks], format="csr", dtype=np.float32)
