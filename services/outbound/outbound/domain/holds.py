"""On what nothing is sent for a while, and how far that reaches.

Spares the provider a request for each waiting reply when one has shown that none would pass.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from outbound.domain.deliveries import Waiting
from outbound.domain.graph_codes import Scope


@dataclass(frozen=True, slots=True)
class Hold:
    """Until when, and why."""

    until: datetime
    waiting: Waiting


@dataclass(frozen=True, slots=True)
class Reach:
    """What a channel shares with others: its account and its app. Empty when we do not know."""

    channel_id: str
    waba_id: str
    app: str

    @property
    def keys(self) -> tuple[str, ...]:
        """Everything that a hold on this channel may be called by."""
        shared = (self.waba_id and f"waba:{self.waba_id}", self.app and f"app:{self.app}")
        return (channel_key(self.channel_id), *filter(None, shared))

    def key_for(self, scope: Scope | None) -> str:
        """How far a throttle reaches; the channel's own where we do not know what it shares."""
        if scope is Scope.WABA and self.waba_id:
            return f"waba:{self.waba_id}"
        if scope is Scope.APP and self.app:
            return f"app:{self.app}"
        return channel_key(self.channel_id)


def channel_key(channel_id: str) -> str:
    """What a hold on one channel, and so on its number, is called."""
    return f"channel:{channel_id}"


def longest(holds: Iterable[Hold], now: datetime) -> Hold | None:
    """The hold that ends last of those that stand."""
    return max((h for h in holds if h.until > now), key=lambda hold: hold.until, default=None)
