"""`make evaluate`: every figure of docs/model-card.md, on the dev data, from the weights that ship.

Everything goes through the pipeline as the service runs it. Intervals are 95 %: bootstrap for
correlations and F1, Wilson for shares. Writes docs/figures and prints the tables.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from sklearn.metrics import f1_score
from tqdm import tqdm

from brain.adapters.models.outputs import GO_EMOTIONS
from brain.domain.turn import Pipeline, Prepared
from brain.lab.analyse import load_pipeline, understand
from brain.lab.recall import recalls
from training import datasets, seeds
from training.pii.measure import evaluate as evaluate_pii
from training.pii.measure import wilson

mpl.use("svg")
from matplotlib import pyplot as plt

FIGURES = Path(__file__).parent.parent / "docs" / "figures"
FLAGGED = Path(__file__).parent.parent / "build" / "flagged"
"""What was flagged of the benign pool is written there, to be read by a person."""
BENIGN = 20_000
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its interval and how many rows it rests on."""

    name: str
    value: float
    low: float
    high: float
    rows: int

    def cells(self) -> str:
        """A row of a table."""
        return f"| {self.name} | {self.value:.3f} | {self.low:.3f} to {self.high:.3f} | {self.rows:,} |"


def bootstrap(name: str, score: Callable[[np.ndarray], float], rows: int) -> Figure:
    """``score`` of row numbers, with the 2.5th and 97.5th percentile of resamples."""
    rng = np.random.default_rng(7)
    found = [score(rng.integers(0, rows, rows)) for _ in range(RESAMPLES)]
    low, high = np.quantile(found, (0.025, 0.975))
    return Figure(name, score(np.arange(rows)), float(low), float(high), rows)


def share(name: str, hits: int, rows: int) -> Figure:
    """A share with Wilson's score interval."""
    if not rows:
        return Figure(name, float("nan"), float("nan"), float("nan"), 0)
    return Figure(name, hits / rows, *wilson(hits, rows), rows)


def read(pipeline: Pipeline, texts: list[str], name: str) -> list[Prepared]:
    """Every text as the first message of a stranger."""
    return [understand(pipeline, text) for text in tqdm(texts, desc=name, mininterval=10)]


def mood(pipeline: Pipeline, data: Path, tier: str) -> Iterator[Figure]:
    """Correlations and F1."""
    bank = datasets.emobank(data, "dev")
    read_bank = read(pipeline, bank.texts, "EmoBank")
    for axis, column in (("valence", 0), ("arousal", 1)):
        found = np.array([getattr(one.analysis, axis) for one in read_bank])
        wanted = bank.targets[:, column]
        yield bootstrap(
            f"EmoBank dev, {axis}, r ({tier})",
            lambda i, a=found, b=wanted: _r(a[i], b[i]),
            len(bank),
        )
    go = datasets.go_emotions(data, "dev")
    marks = np.zeros_like(go.targets, dtype=bool)
    for row, one in enumerate(read(pipeline, go.texts, "GoEmotions")):
        for emotion in one.analysis.emotions:
            if emotion in GO_EMOTIONS:
                marks[row, GO_EMOTIONS.index(emotion)] = True
    yield bootstrap(
        f"GoEmotions dev, 28 labels, macro-F1 ({tier})",
        lambda i: float(f1_score(go.targets[i], marks[i], average="macro", zero_division=0)), len(go),
    )  # fmt: skip
    for language in ("en", "es", "pt", "hi", "ar"):
        rows = datasets.brighter(data, language, "dev")
        found = np.array([one.analysis.valence for one in read(pipeline, rows.texts, language)])
        wanted = datasets.polarity_of_brighter(rows.targets)
        yield bootstrap(
            f"BRIGHTER dev, {language}, valence, r ({tier})",
            lambda i, a=found, b=wanted: _r(a[i], b[i]),
            len(rows),
        )


def _r(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def safety(pipeline: Pipeline, authors: str, tier: str) -> Iterator[Figure]:
    """Recall and false alarms on authored messages, by language."""
    rows = [seed for seed in seeds.load(authors) if authors == "b" or seed.tunes]
    found = [
        understand(pipeline, seed.text, seed.before).safety.action.value
        for seed in tqdm(rows, desc=f"author {authors}", mininterval=10)
    ]
    name = f"author {authors}" if authors == "b" else "tuning part of the taught authors"
    for language in ("all", *sorted({seed.language for seed in rows})):
        part = [(s, f) for s, f in zip(rows, found, strict=True) if language in {"all", s.language}]
        risky = [f for s, f in part if s.action != "PROCEED"]
        acute = [f for s, f in part if s.action == "BLOCK"]
        calm = [f for s, f in part if s.action == "PROCEED"]
        label = f"{name}, {language} ({tier})"
        yield share(
            f"{label}: recall of HOLD and BLOCK", sum(f != "PROCEED" for f in risky), len(risky)
        )
        yield share(
            f"{label}: BLOCK answered PROCEED", sum(f == "PROCEED" for f in acute), len(acute)
        )
        yield share(f"{label}: BLOCK found as BLOCK", sum(f == "BLOCK" for f in acute), len(acute))
        yield share(f"{label}: false alarms", sum(f != "PROCEED" for f in calm), len(calm))


def public_safety(pipeline: Pipeline, data: Path, tier: str) -> Iterator[Figure]:
    """The benign pool, and the half of HateCheck's templates that was not learnt."""
    texts = datasets.go_emotions(data, "train").texts[:BENIGN]
    found = read(pipeline, texts, "benign")
    flagged = [
        (text, one)
        for text, one in zip(texts, found, strict=True)
        if one.safety.action.value != "PROCEED"
    ]
    FLAGGED.mkdir(parents=True, exist_ok=True)
    with (FLAGGED / f"benign-{tier}.tsv").open("w", encoding="utf-8") as file:
        for text, one in flagged:
            file.write(f"{one.safety.action.value}\t{','.join(one.safety.flags)}\t{text}\n")
    yield share(f"GoEmotions train, flagged ({tier})", len(flagged), len(texts))
    yield share(
        f"GoEmotions train, BLOCK ({tier})",
        sum(o.safety.action.value == "BLOCK" for _, o in flagged),
        len(texts),
    )
    for path in sorted((data / "safety").glob("hatecheck-*.csv")):
        cases = datasets.hate_cases(path, held_out=True)
        hits = [
            understand(pipeline, case[0]).safety.action.value != "PROCEED"
            for case in tqdm(cases, desc=path.stem)
        ]
        hateful = [hit for hit, case in zip(hits, cases, strict=True) if case[1]]
        harmless = [hit for hit, case in zip(hits, cases, strict=True) if not case[1]]
        yield share(
            f"{path.stem}, unseen templates: hateful found ({tier})", sum(hateful), len(hateful)
        )
        yield share(
            f"{path.stem}, unseen templates: harmless flagged ({tier})",
            sum(harmless),
            len(harmless),
        )


def memory(pipeline: Pipeline, data: Path) -> Iterator[Figure]:
    """LoCoMo, both views and words alone."""
    conversations = json.loads((data / "memory" / "locomo-dev.json").read_text(encoding="utf-8"))
    for name, embedder in (("both views", pipeline.embedder), ("words alone", None)):
        for depth, shares in recalls(conversations, embedder).items():
            array = np.array(shares)
            yield bootstrap(
                f"LoCoMo dev, recall@{depth} ({name})",
                lambda i, a=array: float(a[i].mean()),
                len(array),
            )


def plots(data: Path, pipeline: Pipeline) -> None:
    """Gold against predicted valence and arousal."""
    bank = datasets.emobank(data, "dev")
    found = read(pipeline, bank.texts, "plots")
    figure, axes = plt.subplots(1, 2, figsize=(9, 4))
    for axis, name, column in zip(axes, ("valence", "arousal"), (0, 1), strict=True):
        axis.scatter(
            bank.targets[:, column], [getattr(one.analysis, name) for one in found], s=6, alpha=0.4
        )
        axis.set_xlabel(f"{name} as rated, 1 to 5")
        axis.set_ylabel(f"{name} as read")
    figure.tight_layout()
    figure.savefig(FIGURES / "emobank.svg", metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tier", choices=("accurate", "fast", "both"), default="both")
    parser.add_argument("--only", choices=("mood", "safety", "public", "memory", "pii"))
    options = parser.parse_args()
    FIGURES.mkdir(parents=True, exist_ok=True)
    figures: list[Figure] = []

    def wanted(part: str) -> bool:
        return options.only in {None, part}

    tiers = ("accurate", "fast") if options.tier == "both" else (options.tier,)
    for tier in tiers:
        pipeline = load_pipeline(fast=tier == "fast")
        if wanted("mood"):
            figures += mood(pipeline, options.data, tier)
        if wanted("safety"):
            figures += [*safety(pipeline, "b", tier), *safety(pipeline, seeds.TAUGHT, tier)]
        if wanted("public"):
            figures += public_safety(pipeline, options.data, tier)
    if wanted("memory"):
        figures += memory(pipeline, options.data)
    if wanted("mood"):
        plots(options.data, pipeline)
    print("| figure | value | 95 % | rows |\n|---|---|---|---|")
    for figure in figures:
        print(figure.cells())
    if wanted("pii"):
        print("\n".join(str(row) for row in evaluate_pii(seed=7, count=6_000)))
    if options.only is None:
        rows = [
            {"name": f.name, "value": f.value, "low": f.low, "high": f.high, "rows": f.rows}
            for f in figures
        ]
        (FIGURES / "figures.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
