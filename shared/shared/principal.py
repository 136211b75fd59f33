"""Who calls, and what their key allows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Scope = Literal["process", "read", "channels", "admin"]

SCOPES: tuple[Scope, ...] = ("process", "read", "channels", "admin")
"""What a key may allow: having messages understood and answered, reading what is known, keeping
channels, and keeping keys. ``admin`` allows all of it."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The tenant that an API key belongs to, and how far the key goes."""

    tenant: str
    key_hash: str
    label: str
    scopes: frozenset[Scope]
    expires_at: datetime | None = None
    """None: never."""

    def may(self, scope: Scope) -> bool:
        """Whether the key allows it."""
        return scope in self.scopes or "admin" in self.scopes

    def expired(self, now: datetime) -> bool:
        """Whether the key's time is over."""
        return self.expires_at is not None and self.expires_at <= now
