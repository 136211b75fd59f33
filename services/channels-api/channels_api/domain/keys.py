"""API keys as they are known after creation: the key itself is gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.principal import Scope

State = Literal["active", "expired", "revoked"]

DEFAULT_SCOPES: tuple[Scope, ...] = ("process", "read")
"""What a program needs that talks to people; it can neither connect numbers nor make keys."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that was made."""

    id: str
    """``key_`` and 22 characters; what people name it by."""
    key_hash: str
    """SHA-256 of the key, hex."""
    tenant: str
    label: str
    last4: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    """None: never."""
    last_used_at: datetime | None
    """To the minute; None: not yet."""
    revoked_at: datetime | None = None

    def state(self, now: datetime) -> State:
        """Whether it works."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


def may_revoke(key: ApiKey, others: Sequence[ApiKey], now: datetime) -> bool:
    """Whether somebody can still make keys without ``key``; ``others`` are its tenant's.

    A key that will expire does not count: its end would lock everybody out without a word.
    """
    if not _keeps_the_door(key, now):
        return True
    return any(other.id != key.id and _keeps_the_door(other, now) for other in others)


def _keeps_the_door(key: ApiKey, now: datetime) -> bool:
    return "admin" in key.scopes and key.expires_at is None and key.state(now) == "active"
