"""Who changed what of a channel, and when. Names of fields only, never a value."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

KEPT = 500
"""Newest entries of a channel that are kept."""

Action = Literal["created", "updated", "deleted"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. ``key`` is the start of the SHA-256 of the API key that made it."""

    at: datetime
    action: Action
    fields: tuple[str, ...]
    key_label: str
    key: str
    version: int


def entry(
    action: Action,
    fields: Iterable[str],
    *,
    key_label: str,
    key_hash: str,
    version: int,
    at: datetime,
) -> Entry:
    """The entry of a change that makes ``version``."""
    return Entry(at, action, tuple(sorted(fields)), key_label, key_hash[:12], version)
