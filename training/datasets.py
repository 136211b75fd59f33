"""The public data sets, read as they lie in the data folder. Formats: docs/model-card.md."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brain.adapters.models.outputs import GO_EMOTIONS

PLUTCHIK = ["anger", "anticipation", "disgust", "fear", "joy", "sadness", "surprise", "trust"]
"""XED's labels 1 to 8, in its order."""
BRIGHTER = ["anger", "disgust", "fear", "joy", "sadness", "surprise"]
BRIGHTER_FILES = {
    "en": ("eng",),
    "es": ("esp",),
    "pt": ("ptbr",),
    "hi": ("hin",),
    "ar": ("arq", "ary"),
}
XED_FILES = {
    "en": "en-annotated.tsv", "es": "es-projections.tsv",
    "pt": "br-projections.tsv", "ar": "ar-projections.tsv",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """``texts`` and their ``targets``, float32 of shape (n, outputs); NaN where not labelled."""

    texts: list[str]
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)


def emobank(data: Path, split: str) -> Rows:
    """Valence, arousal, dominance on EmoBank's own scale, 1 to 5."""
    with (data / "emotion" / f"emobank-{split}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    scores = [[float(row[name]) for name in "VAD"] for row in rows]
    return Rows([row["text"] for row in rows], np.array(scores, dtype=np.float32))


def go_emotions(data: Path, split: str) -> Rows:
    """28 labels, 0 or 1, in the order of ``GO_EMOTIONS``."""
    path = data / "emotion" / f"goemotions-{split}.tsv"
    texts, labels = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        text, ids, _ = line.rsplit("\t", 2)
        texts.append(text)
        labels.append([int(i) for i in ids.split(",")])
    return Rows(texts, _multi_hot(labels, len(GO_EMOTIONS)))


def xed(data: Path, language: str) -> Rows:
    """Plutchik's eight, 0 or 1, in the order of ``PLUTCHIK``."""
    path = data / "emotion" / "xed" / XED_FILES[language]
    texts, labels = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        text, _, ids = line.rpartition("\t")
        found = [int(i) - 1 for i in ids.split(",") if i.strip().isdigit() and 1 <= int(i) <= 8]
        if text.strip():
            texts.append(text)
            labels.append(found)
    return Rows(texts, _multi_hot(labels, len(PLUTCHIK)))


def brighter(data: Path, language: str, split: str) -> Rows:
    """Six emotions, 0 to 1: intensity / 3 where it was rated, presence elsewhere.

    A language without one of the six (English has no disgust) has NaN there.
    """
    texts: list[str] = []
    targets: list[list[float]] = []
    for name in BRIGHTER_FILES[language]:
        rated = data / "emotion" / "brighter" / "b" / split / f"{name}.csv"
        present = data / "emotion" / "brighter" / "a" / split / f"{name}.csv"
        scale, path = (3.0, rated) if rated.exists() else (1.0, present)
        for row in _rows(path):
            texts.append(row["text"])
            targets.append([
                float(row[e]) / scale if row.get(e) not in {None, ""} else np.nan for e in BRIGHTER
            ])  # fmt: skip
    return Rows(texts, np.array(targets, dtype=np.float32))


def polarity_of_brighter(targets: np.ndarray) -> np.ndarray:
    """Valence -1..1 that six intensities stand for: joy less the strongest unpleasant emotion.

    Surprise has no sign. D: BRIGHTER has no valence of its own; this is what "valence correlation"
    means in docs/model-card.md for es, pt, hi and ar.
    """
    filled = np.nan_to_num(targets)
    unpleasant = filled[:, [0, 1, 2, 4]].max(axis=1)
    return np.asarray(filled[:, 3] - unpleasant, dtype=np.float32)


def polarity_of_xed(targets: np.ndarray) -> np.ndarray:
    """-1..1: share of pleasant (joy, trust) less share of unpleasant labels."""
    pleasant = targets[:, [4, 7]].sum(axis=1) + 0.25 * targets[:, 1]
    unpleasant = targets[:, [0, 2, 3, 5]].sum(axis=1)
    total = np.maximum(pleasant + unpleasant, 1.0)
    return np.asarray((pleasant - unpleasant) / total, dtype=np.float32)


def hate_cases(path: Path, *, held_out: bool = False) -> list[tuple[str, bool, bool]]:
    """(text, hateful, threatening) of a HateCheck file, one half of its templates.

    Variants of one template stay in one half, so that what is measured was not learnt.
    """
    cases = []
    for row in _rows(path):
        template = int(row["templ_id"]) // (1 if path.stem.endswith("-en") else 2)
        if (template % 2 == 1) == held_out:
            threat = row["functionality"].startswith("threat_")
            cases.append((row["test_case"], row["label_gold"] == "hateful", threat))
    return cases


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _multi_hot(labels: list[list[int]], width: int) -> np.ndarray:
    table = np.zeros((len(labels), width), dtype=np.float32)
    for row, ids in enumerate(labels):
        table[row, ids] = 1.0
    return table
