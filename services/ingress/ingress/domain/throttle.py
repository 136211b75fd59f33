"""How often one address may be wrong. Whoever signs rightly is never refused: Meta's addresses are
shared by everybody, and one channel's wrong secret must not cost another's messages."""  # noqa: D205, D209

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WINDOW_S = 60.0
MOST_ADDRESSES = 20_000
"""Addresses that are remembered; the ones that failed longest ago are forgotten first."""


@dataclass(slots=True)
class _Failures:
    began: float
    count: int


class FailureBudget:
    """At most ``per_minute`` failures of one address in a minute, counted in this process."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def failed(self, address: str) -> None:
        """Count one failure."""
        now = self._clock()
        known = self._failures.get(address)
        if known is None or now - known.began >= WINDOW_S:
            known = self._failures[address] = _Failures(now, 0)
        known.count += 1
        self._failures.move_to_end(address)
        while len(self._failures) > MOST_ADDRESSES:
            self._failures.popitem(last=False)

    def wait_s(self, address: str) -> float:
        """How long the address is to wait; 0 while it may still be wrong."""
        known = self._failures.get(address)
        if known is None or known.count < self._per_minute:
            return 0.0
        return max(0.0, known.began + WINDOW_S - self._clock())


def caller(remote: str | None, forwarded_for: Sequence[str], hops: int) -> str:
    """The address of whoever called, with ``hops`` proxies of our own before us.

    Each proxy appends the address that it saw to ``X-Forwarded-For``; what stands further to the left
    was written by the caller and proves nothing.
    """
    addresses = [part.strip() for header in forwarded_for for part in header.split(",")]
    if hops and len(addresses) >= hops:
        return addresses[-hops][:64]
    return remote or "unknown"
