"""CPU cost of understanding one message, whole turn included: `python -m benchmarks.understanding`.

A turn is everything between the stored person and the interaction that is stored next: personal
data, language, the model, safety, state, recall over 500 memories, tone, timing and the prompt.
Printed are the CPU time of this thread (milliseconds; median and 99th percentile) and its ratio to
a floor run in turns with it: parsing and writing the same message as JSON a hundred times, which
nobody can do without. Absolute times of a shared machine mean little; the ratios travel.

``--profile`` also prints where the time goes: the share that each step takes under the profiler,
and that share of the median. The profiler makes Python look dearer than NumPy.
"""

import argparse
import cProfile
import json
import pstats
from collections import Counter
from datetime import timedelta
from pathlib import Path
from time import thread_time

import numpy as np

from brain.domain.memory import Archive, Memory
from brain.domain.state import EndUserState
from brain.domain.turn import Message, Pipeline, TurnInput, prepare
from brain.lab.analyse import NOW, load_pipeline

CHAT = (
    "hey are you there?",
    "i had such a long day, my boss shouted at me in front of everyone",
    "thank you so much, that really helped",
    "can i move my appointment to friday afternoon please",
    "soooo tired 😩",
    "my daughter started school today and she loved it!!",
    "why is my order still not here, this is the third time i ask",
    "i don't know what to do anymore, everything is falling apart",
    "ok",
    "this homework is killing me lol",
    "do you remember where i work?",
    "hola, hoy estoy un poco mejor, gracias por preguntar",
    "não consegui dormir de novo, muita coisa na cabeça",
    "aaj bahut thak gaya hoon yaar, kaam khatam hi nahi hota",
    "I just got the job!!! can't believe it",
    "we had dinner with the neighbours and talked about the old times until midnight",
)
REMEMBERED = 500
STEPS = {
    "personal data": [("__init__", "scan_pii")],
    "language": [("language", "detect"), ("text", "normalise")],
    "spelling out": [("voice", "spelled_out")],
    "the model": [("fast", "read"), ("accurate", "read"), ("accurate", "pieces")],
    "cues and voice": [("cues", "read"), ("voice", "voice_of")],
    "safety": [("safety", "judge")],
    "state": [("state", "observe"), ("state", "decay")],
    "wishes to forget": [("turn", "_forgets")],
    "facts about themselves": [("turn", "_told_of_themselves")],
    "recall": [("turn", "_recalled")],
    "tone and timing": [("shaping", "shape"), ("shaping", "timing")],
    "prompt": [("turn", "_prompt")],
}
"""The functions of a turn's steps, by module and name. None calls another but ``detect``, which is
given the plain text, and ``observe``, whose ``decay`` has nothing left to do."""


def archive_of(pipeline: Pipeline) -> Archive:
    """500 memories of one talkative person."""
    texts = (
        f"{text} ({place % 37})" for place, text in enumerate(CHAT * (REMEMBERED // len(CHAT) + 1))
    )
    return Archive(
        Memory(
            f"m{place}", text, NOW - timedelta(hours=REMEMBERED - place), 0.3,
            vector=None if pipeline.embedder is None else pipeline.embedder.embed(text),
        )
        for place, text in zip(range(REMEMBERED), texts, strict=False)
    )  # fmt: skip


def floor(text: str) -> None:
    """The same message through JSON, a hundred times."""
    row = {"text": text, "user": "u" * 20, "at": "2026-01-01T12:00:00Z"}
    for _ in range(100):
        json.loads(json.dumps(row))


def measured(pipeline: Pipeline, archive: Archive, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """(seconds a turn, seconds a floor), one of each in turns."""
    turns, floors = [], []
    for number in range(rounds):
        text = CHAT[number % len(CHAT)]
        message = Message(f"b{number}", text, NOW, "whatsapp", phone="447700900123")
        began = thread_time()
        prepare(TurnInput(message, EndUserState.initial(NOW), archive, (), NOW), pipeline)
        turned = thread_time()
        floor(text)
        turns.append(turned - began)
        floors.append(thread_time() - turned)
    return np.array(turns), np.array(floors)


def shares(pipeline: Pipeline, archive: Archive, rounds: int) -> dict[str, float]:
    """The part of a turn, 0..1, that each step takes under the profiler; ``rest`` is what is left."""
    profile = cProfile.Profile()
    for number in range(rounds):
        text = CHAT[number % len(CHAT)]
        message = Message(f"p{number}", text, NOW, "whatsapp", phone="447700900123")
        turn = TurnInput(message, EndUserState.initial(NOW), archive, (), NOW)
        profile.runcall(prepare, turn, pipeline)
        floor(text)
    taken: Counter[tuple[str, str]] = Counter()
    for (file, _, name), row in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        taken[Path(file).stem, name] += row[3]
    whole = taken["turn", "prepare"]
    found = {step: sum(taken[key] for key in keys) / whole for step, keys in STEPS.items()}
    return found | {"rest": 1 - sum(found.values())}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2_000)
    parser.add_argument("--profile", action="store_true", help="also print what each step takes")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    rows = {}
    for tier in ("accurate", "fast"):
        pipeline = load_pipeline(fast=tier == "fast")
        archive = archive_of(pipeline)
        measured(pipeline, archive, 100)
        turns, floors = measured(pipeline, archive, options.rounds)
        rows[tier] = {
            "median_ms": round(float(np.median(turns)) * 1e3, 3),
            "p99_ms": round(float(np.quantile(turns, 0.99)) * 1e3, 3),
            "per_second_and_core": round(1 / float(turns.mean())),
            "ratio_to_floor": round(float(np.median(turns) / np.median(floors)), 2),
        }
        print(tier, rows[tier])
        if options.profile:
            found = shares(pipeline, archive, options.rounds)
            for step, share in sorted(found.items(), key=lambda item: -item[1]):
                print(f"  {step:24} {share:5.1%}  {share * rows[tier]['median_ms']:.3f} ms")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
