"""What is printed: tables for people at 80 columns, JSON for programs, no control characters."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

WHOLE = frozenset({"id", "at", "when", "last used", "last seen", "until"})
"""Columns that are copied or compared, so that they stay on one line."""


def console(*, stderr: bool = False) -> Console:
    """Colour only on a terminal and without NO_COLOR; never markup in what people wrote."""
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=False)


def plain(value: object) -> str:
    """One value in a cell or a line. What people wrote cannot move the cursor or colour the screen."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
    if isinstance(value, float):
        return f"{value:.2f}"
    return "".join(ch if ch.isprintable() or ch == "\n" else "\ufffd" for ch in str(value))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Rows under headings; what is too long goes on in the next line, but for ids and times."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for column in columns:
        made.add_column(column, overflow="fold", no_wrap=column in WHOLE)
    for row in rows:
        made.add_row(*(Text(plain(value)) for value in row))
    return made


def grid(rows: Iterable[Sequence[object]]) -> Table:
    """Rows without headings; the first column stands out."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="bold")
    for row in rows:
        made.add_row(*(Text(plain(value), overflow="fold") for value in row))
    return made


def facts(pairs: Iterable[tuple[str, object]]) -> Table:
    """Names and values, one a line; what is not there is left out."""
    return grid(pair for pair in pairs if pair[1] not in (None, "", ()))


def wire(value: Any) -> Any:
    """``value`` as JSON has it: the answer as it came, where there is one."""
    raw = getattr(value, "raw", None)
    if raw:
        return raw
    if is_dataclass(value) and not isinstance(value, type):
        return {name: item for name, item in asdict(value).items() if name != "raw"}
    return value


def write_json(value: Any, *, indent: int | None = 2) -> None:
    """To standard output, with an end of line."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=_told)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _told(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return wire(value)
