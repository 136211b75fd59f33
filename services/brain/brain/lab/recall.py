"""``make recall FILE=...``: recall@3, @5 and @10 on conversations in the shape of LoCoMo.

The file is a list of ``{"conversation": {"session_1": [{"speaker", "dia_id", "text"}], ...}, "qa":
[{"question", "evidence": [dia_id], "category"}]}``. Every turn becomes a memory; a question finds
turns of its own conversation. Recall is the mean share of the evidence found among the first k.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from brain.adapters.models.static import StaticEmbedder
from brain.adapters.models.weights import Weights, WeightsError
from brain.domain.memory import Archive, Embedder, Memory

DEPTHS = (3, 5, 10)
ANSWERABLE = frozenset({1, 2, 3, 4})
"""LoCoMo's fifth category asks for what was never said."""
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
BETWEEN_TURNS, BETWEEN_SESSIONS = timedelta(seconds=30), timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the turns that answer it."""

    text: str
    evidence: frozenset[str]


def memories_of(conversation: dict[str, Any], embedder: Embedder | None) -> Iterator[Memory]:
    """Every turn with its speaker, and the caption of a picture, oldest first."""
    at, number = BEGAN, 1
    while f"session_{number}" in conversation or f"session_{number}_date_time" in conversation:
        for turn in conversation.get(f"session_{number}", []):
            text = f"{turn['speaker']}: {turn['text']} {turn.get('blip_caption') or ''}".strip()
            vector = None if embedder is None else embedder.embed(text)
            yield Memory(turn["dia_id"], text, at, 0.3, vector=vector)
            at += BETWEEN_TURNS
        at += BETWEEN_SESSIONS
        number += 1


def questions_of(rows: list[dict[str, Any]], known: frozenset[str]) -> Iterator[Question]:
    """Those that something in the conversation answers."""
    for row in rows:
        named = (part for item in row["evidence"] for part in re.split(r"[;,\s]+", item))
        evidence = frozenset(named) & known
        if row["category"] in ANSWERABLE and evidence:
            yield Question(row["question"], evidence)


def recalls(
    conversations: list[dict[str, Any]], embedder: Embedder | None
) -> dict[int, list[float]]:
    """For every depth one share per question."""
    found: dict[int, list[float]] = {depth: [] for depth in DEPTHS}
    for item in conversations:
        archive = Archive(memories_of(item["conversation"], embedder))
        now = archive.memories[-1].created_at + BETWEEN_SESSIONS
        known = frozenset(memory.id for memory in archive.memories)
        for question in questions_of(item["qa"], known):
            hits = archive.recall(
                question.text, now, embedder=embedder, limit=max(DEPTHS), threshold=float("-inf")
            )
            for depth in DEPTHS:
                first = {hit.id for hit in hits[:depth]}
                found[depth].append(len(question.evidence & first) / len(question.evidence))
    return found


def main() -> int:
    """Command line; 2 when the file or the weights cannot be read."""
    parser = argparse.ArgumentParser(
        prog="make recall",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    try:
        conversations = json.loads(options.file.read_text(encoding="utf-8"))
        embedder = StaticEmbedder.load(Weights())
        both, words = recalls(conversations, embedder), recalls(conversations, None)
    except (OSError, ValueError, KeyError, TypeError, WeightsError) as error:
        sys.stderr.write(f"recall: {options.file}: {error!r}\n")
        return 2
    count = len(both[DEPTHS[0]])
    if not count:
        sys.stderr.write(f"recall: {options.file}: no question has evidence\n")
        return 2
    print(f"{count} questions, {len(conversations)} conversations")
    for depth in DEPTHS:
        print(
            f"recall@{depth:<2} {sum(both[depth]) / count:.3f}"
            f"   words alone {sum(words[depth]) / count:.3f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
