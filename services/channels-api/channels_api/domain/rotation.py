"""A change of the key-encryption key: every sealed value is wrapped anew while all goes on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["running", "done", "incomplete"]


@dataclass(frozen=True, slots=True)
class Rotation:
    """How far it is. Counted are records: a channel, or the first answer of a creation."""

    to_version: str
    state: State
    total: int
    done: int
    unreadable: int
    """Records with a value that does not open: with ``incomplete``, what an operator looks into."""
    started_at: datetime
    started_by: str
    """Label of the key that asked for it."""
    finished_at: datetime | None = None
