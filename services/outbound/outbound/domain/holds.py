"""Channels on which nothing is sent for a while, as this replica knows it.

Spares the provider a request for each waiting reply when one has shown that none would pass.
"""

from dataclasses import dataclass
from datetime import datetime

from outbound.domain.deliveries import Waiting


@dataclass(frozen=True, slots=True)
class Hold:
    """Until when, and why."""

    until: datetime
    waiting: Waiting


class Holds:
    """Mutable; one for each process."""

    def __init__(self) -> None:
        self._holds: dict[str, Hold] = {}

    def put(self, channel_id: str, hold: Hold) -> None:
        """Hold the channel; the later end of two counts."""
        known = self._holds.get(channel_id)
        if known is None or known.until < hold.until:
            self._holds[channel_id] = hold

    def of(self, channel_id: str, now: datetime) -> Hold | None:
        """The hold that stands now."""
        hold = self._holds.get(channel_id)
        if hold is not None and hold.until <= now:
            del self._holds[channel_id]
            return None
        return hold

    def lift(self, channel_id: str | None) -> None:
        """Forget the hold of one channel, or all of them."""
        if channel_id is None:
            self._holds.clear()
        else:
            self._holds.pop(channel_id, None)
