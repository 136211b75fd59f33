"""API keys as they are known after creation: the key itself is gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that works."""

    id: str
    """``key_`` and 22 characters; what people name it by."""
    key_hash: str
    """SHA-256 of the key, hex."""
    tenant: str
    label: str
    last4: str
    created_at: datetime


def may_revoke(key: ApiKey, working: Sequence[ApiKey]) -> bool:
    """Whether somebody can still get in without ``key``; ``working`` are all keys of its tenant."""
    return any(other.id != key.id for other in working)
