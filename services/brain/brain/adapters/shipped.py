"""The pipeline from the files that ship with brain: models, rules, texts and helplines."""

from dataclasses import dataclass
from functools import cache

from brain.adapters.models.accurate import AccurateReader
from brain.adapters.models.fast import FastReader
from brain.adapters.models.static import StaticEmbedder
from brain.adapters.models.weights import Weights
from brain.adapters.understanding import TieredAnalyser
from brain.domain import profile
from brain.domain.crisis import CrisisBook, load_crisis_book
from brain.domain.cues import Cues
from brain.domain.output_safety import OutputGates
from brain.domain.safety_rules import Rules, load_rules
from brain.domain.turn import Pipeline
from shared.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class _Shipped:
    embedder: StaticEmbedder
    fast: FastReader
    accurate: AccurateReader
    cues: Cues
    rules: Rules
    crisis: CrisisBook
    gates: OutputGates


@cache
def _shipped() -> _Shipped:
    """Takes about a second and never changes: brains that share a process share it."""
    profile.warm()
    weights = Weights()
    embedder = StaticEmbedder.load(weights)
    fast = FastReader.load(weights, embedder)
    return _Shipped(
        embedder=embedder,
        fast=fast,
        accurate=AccurateReader.load(weights, fast),
        cues=Cues.load(),
        rules=Rules(load_rules()),
        crisis=load_crisis_book(),
        gates=OutputGates.load(),
    )


def shipped_pipeline(metrics: Metrics, *, time_box_s: float) -> Pipeline:
    """A pipeline, warmed up, with its own notion of how fast it reads. Raises WeightsError."""
    parts = _shipped()
    analyser = TieredAnalyser(
        parts.accurate, parts.fast, parts.cues, metrics, time_box_s=time_box_s
    )
    analyser.warm()
    return Pipeline(analyser, parts.rules, parts.crisis, parts.gates, parts.embedder)
