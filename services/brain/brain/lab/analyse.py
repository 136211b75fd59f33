"""``make analyse``: JSON lines in, the pipeline's reading of each as JSON lines out.

A line is ``{"text": ...}``, optionally with ``before``: earlier messages of the same person, oldest
first. Other keys are copied to the answer. Nothing is stored or sent.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from brain.adapters.models.weights import WeightsError
from brain.adapters.shipped import shipped_pipeline
from brain.domain.analysis import Analyser, Analysis
from brain.domain.memory import Archive, Memory
from brain.domain.state import EndUserState
from brain.domain.turn import Message, Pipeline, Prepared, TurnInput, prepare
from shared.telemetry.metrics import Metrics

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class OneTier:
    """The analyser held to one tier, whatever the time box says."""

    def __init__(self, analyser: Analyser, *, fast: bool) -> None:
        self._analyser = analyser
        self._fast = fast

    def analyse(self, text: str, *, hurried: bool = False) -> Analysis:
        """See ``brain.domain.analysis.Analyser``."""
        return self._analyser.analyse(text, hurried=self._fast or hurried)


def load_pipeline(*, fast: bool) -> Pipeline:
    """The shipped pipeline without a reply model. Raises WeightsError."""
    shipped = shipped_pipeline(Metrics(), time_box_s=float("inf"))
    return replace(shipped, analyser=OneTier(shipped.analyser, fast=fast))


def understand(pipeline: Pipeline, text: str, before: Iterable[str] = ()) -> Prepared:
    """One message of a person we have never met, who wrote ``before`` a minute ago."""
    said = Archive(
        Memory(f"before-{place}", earlier, NOW - timedelta(minutes=1), 0.3)
        for place, earlier in enumerate(before)
    )
    message = Message(id="message", text=text, at=NOW, channel="api")
    return prepare(TurnInput(message, EndUserState.initial(NOW), said, (), NOW), pipeline)


def reading_of(prepared: Prepared) -> dict[str, Any]:
    """What the evaluation reads."""
    analysis, safety = prepared.analysis, prepared.safety
    return {
        "valence": analysis.valence,
        "arousal": analysis.arousal,
        "informativeness": analysis.informativeness,
        "emotions": list(analysis.emotions),
        "intent": analysis.intent,
        "safety": {
            "action": safety.action.value,
            "risk_score": safety.risk_score,
            "flags": list(safety.flags),
            "matched": [{"phrase": m.phrase, "category": m.category} for m in safety.matched],
            "override": safety.override,
        },
        "pii": list(prepared.pii.kinds),
        "language": analysis.language,
        "tier": analysis.tier,
    }


def answers(pipeline: Pipeline, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """One answer a line; a line that is no request becomes ``{"line", "error"}``."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        row = _request(line)
        if row is None:
            yield {"line": number, "error": 'not an object with a string "text"'}
            continue
        extra = {key: value for key, value in row.items() if key not in {"text", "before"}}
        yield extra | reading_of(understand(pipeline, row["text"], row.get("before", ())))


def _request(line: bytes) -> dict[str, Any] | None:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        return None
    before = row.get("before", ())
    if not isinstance(before, list | tuple) or not all(isinstance(said, str) for said in before):
        return None
    return row


def main() -> int:
    """Command line; 1 when a line could not be read, 2 when the weights are missing."""
    parser = argparse.ArgumentParser(
        prog="make analyse",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tier", choices=("accurate", "fast"), default="accurate")
    options = parser.parse_args()
    try:
        pipeline = load_pipeline(fast=options.tier == "fast")
    except WeightsError as error:
        sys.stderr.write(f"analyse: {error}\n")
        return 2
    failed = False
    if sys.stdin.isatty():
        sys.stderr.write('One {"text": ...} a line; end with Ctrl-D.\n')
    for answer in answers(pipeline, sys.stdin.buffer):
        if "error" in answer:
            failed = True
            sys.stderr.write(f"analyse: line {answer['line']}: {answer['error']}\n")
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
