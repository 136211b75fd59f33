"""The parts of the models that are arithmetic: 4-bit tables, known n-grams, the net."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from brain.adapters.models.features import Grams, char_hashes, word_hashes, words_of
from brain.adapters.models.outputs import net_scores
from brain.adapters.models.pieces import GROUP, PieceTable
from brain.adapters.models.weights import Weights
from brain.adapters.models.wordpieces import WordPieces
from training.weights import save_pieces


@pytest.fixture
def table(tmp_path):
    """(the rows as they were, the table as it is read)"""
    rows = np.random.default_rng(3).normal(size=(50, 2 * GROUP)).astype(np.float32)
    save_pieces(tmp_path, "t", rows)
    return rows, PieceTable(np.load(tmp_path / "t.i4.npy"), np.load(tmp_path / "t.scale.npy"))


def test_four_bits_keep_the_direction_of_a_row(table):
    rows, stored = table
    read = stored.rows(list(range(50)))
    assert read.shape == rows.shape
    assert stored.width == 2 * GROUP
    assert stored.packed.nbytes * 8 == rows.size * 4
    cosine = (read * rows).sum(1) / np.linalg.norm(read, axis=1) / np.linalg.norm(rows, axis=1)
    assert cosine.min() > 0.98


def test_rows_come_in_the_order_asked_for(table):
    _, stored = table
    assert np.array_equal(stored.rows([7, 3, 7])[0], stored.rows([7])[0])
    assert np.array_equal(stored.rows([7, 3, 7])[1], stored.rows([3])[0])
    with pytest.raises(IndexError):
        stored.rows([50])


def test_unknown_grams_are_skipped_and_known_ones_have_length_one():
    known = np.sort(word_hashes(["good", "day"]))
    grams = Grams(known, np.ones(len(known), dtype=np.float32))
    rows = grams.rows(word_hashes(["good", "night"]))
    assert known[rows].tolist() == word_hashes(["good"]).tolist()
    assert grams.values(grams.rows(known)) @ grams.values(grams.rows(known)) == pytest.approx(1)
    assert grams.values(grams.rows(word_hashes(["night"]))).size == 0


@given(st.text(max_size=80))
def test_any_text_has_hashes(text):
    assert len(set(char_hashes(text).tolist())) == len(char_hashes(text))
    assert len(word_hashes(words_of(text))) <= 2 * len(words_of(text))


@pytest.fixture(scope="module")
def pieces():
    """(the tokenizer itself, the short way to the same pieces)"""
    path = str(Weights().path("english-tokenizer.json"))
    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer, WordPieces.load(Path(path))


@given(st.one_of(st.text("abdehilnorstuwy'!?. -_#3\n\t\x00", max_size=60), st.text(max_size=30)))
def test_the_short_way_gives_the_tokenizers_pieces(pieces, text):
    tokenizer, short = pieces
    spelled = text.casefold()
    assert short.of(spelled) == tokenizer.encode(spelled, add_special_tokens=False).ids


@pytest.mark.parametrize("spelled", ["q" * 100, "q" * 101, "unbelievably tireddd", "[cls] ##ing"])
def test_long_and_odd_words_too(pieces, spelled):
    tokenizer, short = pieces
    assert short.of(spelled) == tokenizer.encode(spelled, add_special_tokens=False).ids


def test_the_net_reads_one_vector_as_it_reads_rows():
    rng = np.random.default_rng(5)
    rows, hidden, out = (
        rng.normal(size=size).astype(np.float32) for size in ((4, 6), (7, 5), (6, 3))
    )
    together = net_scores(rows, hidden, out)
    assert together.shape == (4, 3)
    assert np.allclose(net_scores(rows[2], hidden, out), together[2], atol=1e-4)
