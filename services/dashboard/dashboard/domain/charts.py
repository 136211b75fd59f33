"""Charts as numbers: where each point of a picture lies. Templates draw them as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Point:
    """Of a line; ``x`` and ``y`` in the picture's own units, y downwards."""

    x: float
    y: float
    value: float
    at: str
    label: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over time in a frame of ``width`` by ``height``."""

    width: int
    height: int
    lines: dict[str, list[Point]]
    first: str
    last: str

    def path(self, name: str) -> str:
        """The line as an SVG path."""
        points = self.lines[name]
        return " ".join(
            f"{'M' if i == 0 else 'L'}{p.x:.1f} {p.y:.1f}" for i, p in enumerate(points)
        )


def moods(
    interactions: Sequence[dict[str, Any]], *, width: int = 640, height: int = 160
) -> Plot | None:
    """Mood and energy, each 0..1, after every message; None for fewer than two messages."""
    rows = sorted(interactions, key=lambda row: row["at"])
    if len(rows) < 2:
        return None
    times = [datetime.fromisoformat(row["at"]).timestamp() for row in rows]
    span = max(times[-1] - times[0], 1e-9)
    lines = {
        name: [
            Point(
                (at - times[0]) / span * width,
                (1 - row[name]) * height,
                row[name],
                row["at"],
                row["message"]["text"][:80],
            )
            for at, row in zip(times, rows, strict=True)
        ]
        for name in ("mood", "energy")
    }
    return Plot(width, height, lines, rows[0]["at"], rows[-1]["at"])


@dataclass(frozen=True, slots=True)
class Bar:
    """One span of time; heights in the picture's units."""

    x: float
    width: float
    received: float
    answered: float
    row: dict[str, Any]


def traffic(buckets: Sequence[dict[str, Any]], *, width: int = 640, height: int = 120) -> list[Bar]:
    """Messages in and answers out, a pair of bars a bucket."""
    most = max((max(row["received"], row["answered"]) for row in buckets), default=0) or 1
    each = width / max(len(buckets), 1)
    return [
        Bar(
            number * each,
            each,
            row["received"] / most * height,
            row["answered"] / most * height,
            row,
        )
        for number, row in enumerate(buckets)
    ]
