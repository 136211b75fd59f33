"""The two tiers: when each reads, what the shipped models make of plain cases, damaged weights."""

import json
import shutil

import pytest

from brain.adapters.models.outputs import ModelReading
from brain.adapters.models.weights import FOLDER, Weights, WeightsError
from brain.adapters.understanding import PROBE_EVERY, TieredAnalyser
from brain.domain.analysis import Risk
from brain.domain.cues import Cues
from shared.telemetry.metrics import Metrics
from tests.support.understanding import shipped

READING = ModelReading(0.6, 0.5, 0.9, ("joy",), Risk(0.0, 0.0))


class Slow:
    """An accurate tier that burns ``seconds`` of CPU per piece."""

    def __init__(self, seconds):
        self.seconds, self.calls = seconds, 0

    def pieces(self, spelled, *, english):
        return spelled.split()

    def read(self, pieces):
        from time import thread_time

        self.calls += 1
        until = thread_time() + self.seconds * len(pieces)
        while thread_time() < until:
            pass
        return READING


class Quick:
    def read(self, spelled, *, english):
        return READING


def analyser(seconds, box):
    metrics = Metrics()
    return TieredAnalyser(Slow(seconds), Quick(), Cues.load(), metrics, time_box_s=box), metrics


def readings(metrics, tier, reason):
    return metrics.readings.labels(tier, reason)._value.get()


def test_within_the_box_the_accurate_tier_reads():
    both, metrics = analyser(0, 1)
    read = both.analyse("hello there")
    assert (read.tier, read.confidence) == ("accurate", "model")
    assert readings(metrics, "accurate", "chosen") == 1


def test_over_the_box_the_fast_tier_reads_and_says_so():
    both, metrics = analyser(0.01, 0.02)
    for _ in range(10):
        both.analyse("one two three four five")
    read = both.analyse("one two three four five")
    assert (read.tier, read.confidence) == ("fast", "heuristic")
    assert readings(metrics, "fast", "time_box") >= 1


def test_a_model_that_recovers_is_used_again():
    both, _ = analyser(0.01, 0.02)
    for _ in range(10):
        both.analyse("one two three four five")
    assert both.analyse("one two three four five").tier == "fast"
    both._accurate.seconds = 0
    tiers = [both.analyse("one two three four five").tier for _ in range(60 * PROBE_EVERY)]
    assert tiers[-1] == "accurate"


def test_a_lane_that_is_behind_is_read_fast():
    both, metrics = analyser(0, 1)
    assert both.analyse("hello", hurried=True).tier == "fast"
    assert readings(metrics, "fast", "hurried") == 1
    assert both._accurate.calls == 0


def test_a_language_we_know_less_lowers_confidence():
    both, _ = analyser(0, 1)
    assert both.analyse("estoy muy cansada hoy, no puedo m\u00e1s").confidence == "heuristic"


def test_irony_turns_praise():
    both, _ = analyser(0, 1)
    assert both.analyse("what a day").valence == pytest.approx(0.6)
    assert both.analyse("oh great, what a day").valence < 0


@pytest.mark.parametrize("fast", [False, True], ids=["accurate", "fast"])
@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("I am so happy today!!", "I am so sad today"),
        ("thank you, that really helped me", "this is awful and nobody helps me"),
        ("I got the job, best day ever", "I lost my job, worst day ever"),
        ("the doctor says I am healthy", "the doctor says it is cancer"),
        ("me siento muy feliz", "me siento muy triste"),
        ("hoje foi um dia maravilhoso", "hoje foi um dia horr\u00edvel"),
        ("\u092e\u0948\u0902 \u092c\u0939\u0941\u0924 \u0916\u0941\u0936 \u0939\u0942\u0901", "\u092e\u0948\u0902 \u092c\u0939\u0941\u0924 \u0926\u0941\u0916\u0940 \u0939\u0942\u0901"),
        ("\u0623\u0646\u0627 \u0633\u0639\u064a\u062f \u062c\u062f\u0627", "\u0623\u0646\u0627 \u062d\u0632\u064a\u0646 \u062c\u062f\u0627"),
    ],
)  # fmt: skip
def test_the_shipped_models_tell_good_from_bad(fast, better, worse):
    analyse = shipped(fast=fast).analyser.analyse
    assert analyse(better).valence > analyse(worse).valence + 0.1


@pytest.mark.parametrize("fast", [False, True], ids=["accurate", "fast"])
def test_emotions_of_the_shipped_models(fast):
    analyse = shipped(fast=fast).analyser.analyse
    assert "gratitude" in analyse("thank you so much for your help").emotions
    assert {"anger", "annoyance"} & set(analyse("this makes me so angry, I am furious").emotions)
    assert "neutral" in analyse("the office is on the second floor").emotions


def test_every_shipped_file_is_the_one_of_the_manifest():
    weights = Weights()
    manifest = json.loads((FOLDER / "MANIFEST.json").read_text())
    assert {path.name for path in FOLDER.iterdir()} - {"MANIFEST.json", "NOTICE"} == set(manifest)
    for name, entry in manifest.items():
        assert weights.path(name).stat().st_size == entry["bytes"]
    assert sum(entry["bytes"] for entry in manifest.values()) <= 45_000_000
    assert all(
        entry["licence"] == "CC-BY-SA-4.0"
        for name, entry in manifest.items()
        if name.startswith(("vad", "english", "world"))
    )


def test_a_damaged_or_missing_file_is_named(tmp_path):
    shutil.copy(FOLDER / "MANIFEST.json", tmp_path)
    with pytest.raises(WeightsError, match=r"english-tokenizer\.json is missing"):
        Weights(tmp_path).path("english-tokenizer.json")
    (tmp_path / "english-tokenizer.json").write_text("{}")
    with pytest.raises(WeightsError, match=r"english-tokenizer\.json is damaged"):
        Weights(tmp_path).path("english-tokenizer.json")
    with pytest.raises(WeightsError, match="make model"):
        Weights(tmp_path / "nowhere")
