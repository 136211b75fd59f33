"""How fast we may write: Meta's limits as a generic cell rate algorithm (GCRA). Pure.

A pace has a *theoretical arrival time*: when everything reserved so far would have left at the steady
rate. A reservation moves it on by one interval and gets the moment at which it may leave: at once
while the pace is less than a burst ahead of the clock.
"""

from dataclasses import dataclass

PAIR_INTERVAL_MS = 6_000.0
PAIR_LIMIT = 45
"""One message in six seconds from a number to a person, 45 of them borrowed (Meta)."""
PAIR_BURST = PAIR_LIMIT - 1
"""One stays unused: Meta counts from when a message arrives, which is later than when it left."""
_BURST_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Pace:
    """``interval_ms`` between messages in the long run; ``burst`` of them may leave at once."""

    key: str
    interval_ms: float
    burst: int

    @property
    def tolerance_ms(self) -> float:
        """How far the theoretical arrival time may be ahead of the clock."""
        return (self.burst - 1) * self.interval_ms

    def wait_ms(self, arrival_ms: float, now_ms: float) -> float:
        """How long a reservation waits. ``arrival_ms``: the pace's time before it, from the clock on."""
        return max(0.0, max(arrival_ms, now_ms) - self.tolerance_ms - now_ms)


def pair_pace(conversation_key: str) -> Pace:
    """From one number to one person."""
    return Pace(f"pair:{conversation_key}", PAIR_INTERVAL_MS, PAIR_BURST)


def number_pace(channel_id: str, messages_per_second: int) -> Pace:
    """Of one number to everybody.

    Any second sees at most a burst and a second's worth of the rate: with 5 % as the burst and 95 %
    as the rate, that is the limit itself.
    """
    burst = max(1, int(messages_per_second * _BURST_SHARE))
    rate = max(0.5, messages_per_second - burst)
    return Pace(f"number:{channel_id}", 1000.0 / rate, burst)


class Gate:
    """Paces of this process, by its own clock.

    Places are reserved ahead of time; after a stall many would be taken at once. Whoever comes late
    goes through here again.
    """

    def __init__(self) -> None:
        self._arrivals: dict[str, float] = {}

    def wait_ms(self, pace: Pace, now_ms: float) -> float:
        """Take the next place; how long to wait for it."""
        arrival = self._arrivals.get(pace.key, 0.0)
        self._arrivals[pace.key] = max(arrival, now_ms) + pace.interval_ms
        return pace.wait_ms(arrival, now_ms)
