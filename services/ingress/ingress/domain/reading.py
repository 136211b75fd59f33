"""Reading JSON that may be anything: the value when it has the form, an empty one when not."""

from typing import Any

LONGEST_ID = 512
"""Of an id or address that we take over; Meta's are shorter."""


def as_id(value: Any) -> str:
    """An identifier as text; empty when it is none, or too long to be one."""
    return value if isinstance(value, str) and len(value) <= LONGEST_ID else ""


def as_dict(value: Any) -> dict[str, Any]:
    """``value`` when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """``value`` when it is a list, else an empty one."""
    return value if isinstance(value, list) else []
