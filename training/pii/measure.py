"""Precision and recall of personal data detection, per kind and language, as a markdown table.

    python -m training.pii.measure --count 6000 --seed 7

A value counts as found when a find of its kind covers every digit of it and at least three fifths
of its characters. A find that is not such a hit lowers the precision of its kind, in sentences
with personal data and without. Intervals are Wilson's, 95 %.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from brain.domain.pii import find_pii, scan_pii
from brain.domain.pii.reading import Find
from training.pii.generate import HALVES, Sentence, arguments, sentences

HEADER = "| kind | language | values | recall | 95 % | masked as any kind | finds | precision | 95 % |\n|---|---|---|---|---|---|---|---|---|"
Z = 1.959964
COVERED = 0.6


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; ``str`` is its markdown. Shares are None where nothing was counted."""

    kind: str
    language: str
    values: int
    hits: int
    masked: int
    finds: int
    right: int

    @property
    def recall(self) -> float | None:
        return self.hits / self.values if self.values else None

    @property
    def precision(self) -> float | None:
        return self.right / self.finds if self.finds else None

    def __str__(self) -> str:
        return (
            f"| {self.kind} | {self.language} | {self.values:,} | {_share(self.hits, self.values)} | {_share(self.masked, self.values).split(' |')[0]} "
            f"| {self.finds:,} | {_share(self.right, self.finds)} |"
        )


class Tally(NamedTuple):
    values: Counter[tuple[str, str]]
    hits: Counter[tuple[str, str]]
    masked: Counter[tuple[str, str]]
    finds: Counter[tuple[str, str]]
    right: Counter[tuple[str, str]]


def wilson(hits: int, rows: int) -> tuple[float, float]:
    """The 95 % score interval of a share."""
    share = hits / rows
    middle = (share + Z * Z / (2 * rows)) / (1 + Z * Z / rows)
    spread = (
        Z / (1 + Z * Z / rows) * math.sqrt(share * (1 - share) / rows + Z * Z / (4 * rows * rows))
    )
    return max(0.0, middle - spread), min(1.0, middle + spread)


def _share(hits: int, rows: int) -> str:
    if not rows:
        return "– | –"
    low, high = wilson(hits, rows)
    return f"{hits / rows:.3f} | {low:.3f} to {high:.3f}"


def covers(find: Find, sentence: Sentence) -> bool:
    """Whether ``find`` leaves nothing of the value worth having."""
    start, end = max(find.start, sentence.start), min(find.end, sentence.end)
    missed = (
        sentence.text[sentence.start : start] + sentence.text[end : sentence.end]
        if start < end
        else sentence.text[sentence.start : sentence.end]
    )
    return not any(map(str.isdigit, missed)) and len(missed) <= (1 - COVERED) * (
        sentence.end - sentence.start
    )


def judged(tally: Tally, sentence: Sentence) -> bool:
    """Count one sentence; whether all was right."""
    finds = find_pii(sentence.text)
    right = [
        find
        for find in finds
        if sentence.kind is not None and find.kind == sentence.kind and covers(find, sentence)
    ]
    if sentence.kind is not None:
        key = sentence.kind, sentence.language
        tally.values[key] += 1
        tally.hits[key] += bool(right)
        tally.masked[key] += _all_masked(finds, sentence)
    for find in finds:
        tally.finds[find.kind, sentence.language] += 1
        tally.right[find.kind, sentence.language] += find in right
    return len(right) == len(finds) and bool(right) == (sentence.kind is not None)


def _all_masked(finds: list[Find], sentence: Sentence) -> bool:
    held = {
        place for place in range(sentence.start, sentence.end) if sentence.text[place].isalnum()
    }
    gone = {place for find in finds for place in range(find.start, find.end)}
    return len(held & gone) >= COVERED * len(held) and not any(
        sentence.text[place].isdigit() for place in held - gone
    )


def rows_of(tally: Tally) -> list[Row]:
    """Kinds and languages, then each kind, each language and all of them."""
    keys = sorted(set(tally.values) | set(tally.finds))
    rows = [_row(tally, kind, language, [(kind, language)]) for kind, language in keys]
    rows += [
        _row(tally, kind, "all", [key for key in keys if key[0] == kind])
        for kind in sorted({key[0] for key in keys})
    ]
    rows += [
        _row(tally, "all", language, [key for key in keys if key[1] == language])
        for language in sorted({key[1] for key in keys})
    ]
    rows.append(_row(tally, "all", "all", keys))
    return rows


def _row(tally: Tally, kind: str, language: str, keys: list[tuple[str, str]]) -> Row:
    return Row(kind, language, *(sum(counter[key] for key in keys) for counter in tally))


def evaluate(seed: int, count: int, half: str | None = "held-out") -> list[Row]:
    """The table on ``count`` values and half as many sentences without one, by default held-out."""
    tally = Tally(*(Counter() for _ in range(5)))
    for sentence in sentences(seed, count, half):
        judged(tally, sentence)
    return rows_of(tally)


def wrong(rows: Iterable[Sentence]) -> Iterable[str]:
    """What a scan gets wrong, one line each: for tuning, on the dev half."""
    tally = Tally(*(Counter() for _ in range(5)))
    for sentence in rows:
        if not judged(tally, sentence):
            yield f"{sentence.language}\t{sentence.kind}\t{sentence.text!r}\t{scan_pii(sentence.text).masked_text!r}"


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument(
        "--half", choices=HALVES, default="held-out", help="which half of the sentence frames"
    )
    parser.add_argument(
        "--wrong", action="store_true", help="print mistakes instead, of the dev half"
    )
    options = parser.parse_args()
    if options.wrong:
        print("\n".join(wrong(sentences(options.seed, options.count, "dev"))))
        return
    print(HEADER)
    for row in evaluate(options.seed, options.count, options.half):
        print(row)


if __name__ == "__main__":
    main()
