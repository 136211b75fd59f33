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

    tenant: str
    channel_id: str
    waba_id: str
    app: str

    @property
    def keys(self) -> tuple[str, ...]:
        """Everything that a hold on this channel may be called by."""
        shared = (self._account, self.app and f"app:{self.app}")
        return (channel_key(self.channel_id), self._number, *filter(None, shared))

    @property
    def _number(self) -> str:
        return f"number:{self.channel_id}"

    @property
    def _account(self) -> str:
        """Of one tenant: anybody may claim an account's id."""
        return self.waba_id and f"waba:{self.tenant}:{self.waba_id}"

    def key_for(self, scope: Scope | None) -> str:
        """How far a throttle reaches; the number alone where we do not know what it shares.

        None is a problem of the channel, which ends when the channel is changed.
        """
        if scope is None:
            return channel_key(self.channel_id)
        if scope is Scope.WABA and self.waba_id:
            return self._account
        if scope is Scope.APP and self.app:
            return f"app:{self.app}"
        return self._number


def channel_key(channel_id: str) -> str:
    """What a hold on a channel that must be mended is called."""
    return f"channel:{channel_id}"


def longest(holds: Iterable[Hold], now: datetime) -> Hold | None:
    """The hold that ends last of those that stand."""
    return max((h for h in holds if h.until > now), key=lambda hold: hold.until, default=None)
