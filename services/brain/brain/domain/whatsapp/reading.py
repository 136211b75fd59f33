"""Reading the provider's JSON, in which any key may be missing and any value be anything."""

import re
from datetime import UTC, datetime
from typing import Any

LINE_CHARS = 120
"""Of one name, title or address inside a line."""
_UNSHOWABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff]+"
)
"""Controls, and what turns the direction of the text around it."""


def as_dict(value: Any) -> dict[str, Any]:
    """``value`` when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """``value`` when it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """``value`` when it is text, without white space around it, else empty."""
    return value.strip() if isinstance(value, str) else ""


def as_number(value: Any) -> float | None:
    """A finite number, also one written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e15 else None


def label(value: Any, most: int = LINE_CHARS) -> str:
    """One line that is safe to show beside others, of text that anybody may have written."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15:
        value = str(value)
    shown = " ".join(_UNSHOWABLE.sub(" ", as_text(value)).split())
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def moment(value: Any) -> datetime | None:
    """The provider's time: unix seconds as a string, milliseconds from some."""
    try:
        seconds = float(value or "")
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
