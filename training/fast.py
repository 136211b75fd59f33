"""Fit the fast tier: linear heads on word and character n-grams and the static sentence vector.

English heads learn from the gold labels and from the fine-tuned encoder's opinion of every English
text (distillation). The polyglot head reads Spanish, Portuguese, Hindi and Arabic and learns from
BRIGHTER and XED; the safety head reads all languages and learns from the authored messages, from
HateCheck and from the multilingual encoder. EmoBank's heads go into files of their own (``vad*``).
"""

import argparse
import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from brain.adapters.models import outputs
from brain.adapters.models.features import Grams
from brain.adapters.models.outputs import CATEGORIES
from training import datasets, polyglot, seeds
from training.encoder import best_thresholds, cross_fitted_f1
from training.features import CHARS, WORDS, embedder, hashes, join, known_grams, matrix
from training.linear import fit
from training.net import fit_net
from training.weights import save_array, save_columns

STATIC_SCALE, CHAR_SCALE = 1.5, 0.7
"""Relative size of the feature blocks: a larger block is penalised less."""
GO_L2, VAD_L2, POLYGLOT_L2, SAFETY_L2 = 2e-6, 4e-5, 5e-5, 1e-6
TEACHER_SHARE = 0.5
"""Of the target where a gold label exists; elsewhere the teacher is the target."""
UNRATED = 0.1
"""Weight of a text whose mood only the teacher rated, in the linear heads."""
SHARES = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
ROUGH_COPIES = 4
HARMLESS = 16_000
"""Public texts without an alarming word, as examples of PROCEED."""


@dataclass(frozen=True, slots=True)
class Features:
    """Hashes of words and of runs of characters, of the texts of one head."""

    words: list[np.ndarray]
    chars: list[np.ndarray]

    @classmethod
    def of(cls, texts: list[str], *, english: bool) -> "Features":
        """As the service makes them."""
        return cls(*hashes(texts, english=english))

    def __add__(self, other: "Features") -> "Features":
        return Features(self.words + other.words, self.chars + other.chars)


def _store(out: Path, name: str, table: np.ndarray, bias: np.ndarray) -> None:
    sizes = [len(np.load(out / f"{kind}.hashes.npy")) for kind in ("words", "chars")]
    words, chars, static = np.split(table, np.cumsum(sizes))
    save_columns(out, f"{name}-words", words)
    save_columns(out, f"{name}-chars", chars * CHAR_SCALE)
    if len(static):
        save_array(out, f"{name}-static", static * STATIC_SCALE)
    save_array(out, f"{name}-bias", bias)


def _mixed(opinions: np.ndarray, gold: np.ndarray, at: int, share: float) -> np.ndarray:
    """``opinions`` with ``share`` of them and the rest of ``gold`` in the rows from ``at``."""
    found = opinions.copy()
    found[at : at + len(gold)] = share * found[at : at + len(gold)] + (1 - share) * gold
    return found


class Fitting:
    """The heads of one folder of weights."""

    def __init__(self, data: Path, teacher: Path, out: Path, steps: int) -> None:
        self._data, self._out, self._steps = data, out, steps
        self._opinions = dict(np.load(teacher))
        self._english = {
            "emobank": datasets.emobank(data, "train"), "goemotions": datasets.go_emotions(data, "train"),
            "xed": datasets.xed(data, "en"), "brighter": datasets.brighter(data, "en", "train"),
        }  # fmt: skip
        self._english_texts = [text for rows in self._english.values() for text in rows.texts]
        self._english_features = Features.of(self._english_texts, english=True)
        self._other = polyglot.other_parts(data)
        self._other_texts = [text for part in self._other for text in part.texts]
        self._other_features = Features.of(self._other_texts, english=False)
        everything = self._english_features + self._other_features
        self._words = self._grams("words", everything.words, WORDS)
        self._chars = self._grams("chars", everything.chars, CHARS)

    def _grams(self, name: str, rows: list[np.ndarray], most: int) -> Grams:
        found, idf = known_grams(rows, most)
        np.save(self._out / f"{name}.hashes.npy", found)
        save_array(self._out, f"{name}.idf", idf)
        return Grams(found, idf)

    def _matrix(self, features: Features) -> csr_matrix:
        return join(
            matrix(features.words, self._words),
            CHAR_SCALE * matrix(features.chars, self._chars),
        )

    def english(self) -> None:
        """The 28 emotions, then valence, arousal and dominance."""
        sizes = [len(rows) for rows in self._english.values()]
        starts = dict(zip(self._english, np.cumsum([0, *sizes[:-1]]), strict=True))
        static = embedder(self._out)
        vectors = np.stack([static.embed(text) for text in self._english_texts])
        save_array(self._out, "static.centre", vectors.mean(axis=0))
        features, dense = self._matrix(self._english_features), STATIC_SCALE * vectors
        logits = np.concatenate([self._opinions[f"{name}_goemotions"] for name in self._english])
        emotions = 1 / (1 + np.exp(-logits))
        at, gold = starts["goemotions"], self._english["goemotions"].targets
        emotions[at : at + len(gold)] *= TEACHER_SHARE
        emotions[at : at + len(gold)] += (1 - TEACHER_SHARE) * gold
        table, bias = fit(
            features,
            emotions,
            loss="logistic",
            l2=GO_L2,
            dense=dense,
            steps=self._steps,
            name="emotions",
        )
        _store(self._out, "emotions", table, bias)
        mood = np.concatenate([self._opinions[f"{name}_emobank"] for name in self._english])
        at, gold = starts["emobank"], self._english["emobank"].targets
        rated = np.zeros(len(mood), dtype=bool)
        rated[at : at + len(gold)] = True
        net = fit_net(vectors, _mixed(mood, gold, at, TEACHER_SHARE), emotions, rated)
        save_array(self._out, "vad-net-hidden", net["hidden"])
        save_array(self._out, "vad-net-out", net["out"])
        table, bias = fit(
            features, _mixed(mood, gold, at, 0.0), loss="squared", l2=VAD_L2, dense=dense,
            weights=np.where(rated, 1.0, UNRATED), steps=self._steps, name="valence, arousal",
        )  # fmt: skip
        _store(self._out, "vad", table, bias)
        save_array(self._out, "vad-net-share", self._net_share())
        cuts = best_thresholds(
            self.english_scores(datasets.go_emotions(self._data, "dev").texts)[:, 3:],
            datasets.go_emotions(self._data, "dev").targets,
        )
        save_array(self._out, "fast-cuts", cuts)

    def polyglot(self) -> None:
        """Valence and six emotions in four languages."""
        targets, weights = [], []
        for part in self._other:
            six = part.targets[:, polyglot.columns("brighter")].copy()
            plutchik = part.targets[:, polyglot.columns("xed")]
            rated = np.isnan(six).all(axis=1)
            six[rated] = plutchik[rated][:, [0, 2, 3, 4, 5, 6]]
            targets.append(np.column_stack((part.targets[:, polyglot.STARTS["polarity"]], six)))
            weights += [1.0 if part.repeats > 1 else 0.3] * len(part.texts)
        table, bias = fit(
            self._matrix(self._other_features), np.concatenate(targets), loss="squared", l2=POLYGLOT_L2,
            weights=np.array(weights), steps=self._steps, name="polyglot",
        )  # fmt: skip
        _store(self._out, "polyglot", table, bias)

    def safety(self, opinions: dict[str, np.ndarray] | None) -> None:
        """HOLD, BLOCK, third person and the categories, in all languages."""
        rng = random.Random(7)
        texts: dict[bool, list[str]] = {True: [], False: []}
        targets: dict[bool, list[np.ndarray]] = {True: [], False: []}
        weights: dict[bool, list[float]] = {True: [], False: []}
        for seed in (seed for seed in seeds.load(seeds.TAUGHT) if not seed.tunes):
            english = seed.language == "en"
            for copy in range(ROUGH_COPIES):
                texts[english].append(seed.whole if not copy else seeds.rough(seed.whole, rng))
                targets[english].append(seeds.target(seed))
                weights[english].append(1.0)
        for path in sorted((self._data / "safety").glob("hatecheck-*.csv")):
            english = path.stem.endswith("-en")
            for text, hateful, threat in datasets.hate_cases(path):
                row = np.zeros(len(seeds.SAFETY), dtype=np.float32)
                row[[0, 3 + CATEGORIES.index("hate")]] = hateful
                row[1] = threat
                texts[english].append(text)
                targets[english].append(row)
                weights[english].append(0.5)
        features = Features.of(texts[True], english=True) + Features.of(texts[False], english=False)
        rows = targets[True] + targets[False]
        importance = weights[True] + weights[False]
        for pool, known in (
            (self._english_texts, self._english_features),
            (self._other_texts, self._other_features),
        ):
            quiet = [i for i, text in enumerate(pool) if not polyglot.is_alarming(text)]
            chosen = rng.sample(quiet, min(len(quiet), HARMLESS // 2))
            features = features + Features(
                [known.words[i] for i in chosen], [known.chars[i] for i in chosen]
            )
            rows += [np.zeros(len(seeds.SAFETY), dtype=np.float32)] * len(chosen)
            importance += [0.5] * len(chosen)
        if opinions is not None:
            for pool, known in (
                ("english", self._english_features),
                ("other", self._other_features),
            ):
                found = 1 / (1 + np.exp(-opinions[pool]))
                features = features + known
                rows += list(found.astype(np.float32))
                importance += [0.3] * len(found)
        table, bias = fit(
            self._matrix(features), np.stack(rows), loss="logistic", l2=SAFETY_L2,
            weights=np.array(importance), steps=self._steps, name="safety",
        )  # fmt: skip
        _store(self._out, "safety", table, bias)

    def _scores(self, texts: list[str], name: str, *, english: bool) -> np.ndarray:
        """The quantised head, as the service computes it."""
        out, features = self._out, Features.of(texts, english=english)
        found = (
            matrix(features.words, self._words) @ _dequantised(out, f"{name}-words")
            + matrix(features.chars, self._chars) @ _dequantised(out, f"{name}-chars")
            + np.load(out / f"{name}-bias.npy")
        )
        if (out / f"{name}-static.npy").exists():
            static = embedder(out)
            found = found + np.stack([static.embed(text) for text in texts]) @ np.load(
                out / f"{name}-static.npy"
            )
        return found

    def _both(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """(texts, 31) of the linear heads, and of the net."""
        linear = [self._scores(texts, name, english=True) for name in ("vad", "emotions")]
        vectors = np.stack([embedder(self._out).embed(text) for text in texts])
        return np.hstack(linear), outputs.net_scores(
            vectors,
            np.load(self._out / "vad-net-hidden.npy"),
            np.load(self._out / "vad-net-out.npy"),
        )

    def _net_share(self) -> np.ndarray:
        """(31,) How much the net counts beside the linear heads: what is best on the dev split."""
        share = np.zeros(31, dtype=np.float32)
        bank, go = datasets.emobank(self._data, "dev"), datasets.go_emotions(self._data, "dev")
        linear, net = self._both(bank.texts)
        for axis in range(3):
            share[axis] = max(
                SHARES,
                key=lambda s, a=axis: np.corrcoef(
                    (1 - s) * linear[:, a] + s * net[:, a], bank.targets[:, a]
                )[0, 1],
            )
        linear, net = self._both(go.texts)
        share[3:] = max(
            SHARES,
            key=lambda s: cross_fitted_f1((1 - s) * linear[:, 3:] + s * net[:, 3:], go.targets),
        )
        return share

    def english_scores(self, texts: list[str]) -> np.ndarray:
        """(texts, 31) as the service computes them: mood, then emotions."""
        linear, net = self._both(texts)
        share = np.load(self._out / "vad-net-share.npy")
        return (1 - share) * linear + share * net

    def measure(self) -> dict[str, float]:
        """Dev figures of the quantised heads."""
        bank, go = datasets.emobank(self._data, "dev"), datasets.go_emotions(self._data, "dev")
        vad = self.english_scores(bank.texts)
        found = {
            f"r_{n}": float(np.corrcoef(vad[:, i], bank.targets[:, i])[0, 1])
            for i, n in enumerate("VAD")
        }
        found["macro_f1"] = cross_fitted_f1(self.english_scores(go.texts)[:, 3:], go.targets)
        for language in polyglot.LANGUAGES:
            rows = datasets.brighter(self._data, language, "dev")
            table = self._scores(rows.texts, "polyglot", english=False)
            wanted = datasets.polarity_of_brighter(rows.targets)
            found[f"r_V_{language}"] = float(np.corrcoef(table[:, 0], wanted)[0, 1])
        tuning = [seed for seed in seeds.load(seeds.TAUGHT) if seed.tunes]
        risk = np.array(
            [self._scores([s.whole], "safety", english=s.language == "en")[0, 0] for s in tuning]
        )
        bad = np.array([s.action != "PROCEED" for s in tuning])
        found["safety_recall"] = float((risk[bad] > np.quantile(risk[~bad], 0.95)).mean())
        return found


def _dequantised(out: Path, name: str) -> np.ndarray:
    return np.load(out / f"{name}.i8.npy").astype(np.float32) * np.load(out / f"{name}.scale.npy")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--teacher", type=Path, required=True, help="opinions.npz of training.opinions"
    )
    parser.add_argument(
        "--safety-teacher",
        type=Path,
        help="folder with english.npy and other.npy of training.export",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of weights to write into")
    parser.add_argument("--steps", type=int, default=80, help="of L-BFGS at most")
    options = parser.parse_args()
    fitting = Fitting(options.data, options.teacher, options.out, options.steps)
    fitting.english()
    fitting.polyglot()
    opinions = None
    if options.safety_teacher:
        opinions = {n: np.load(options.safety_teacher / f"{n}.npy") for n in ("english", "other")}
    fitting.safety(opinions)
    print(json.dumps(fitting.measure()))


if __name__ == "__main__":
    main()
