"""How often one address may be wrong: with a verify token, a signature or an API key.

Whoever is right is never refused, from any address: Meta's are shared by everybody, an office's by
all who sit in it.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from time import monotonic

from aiohttp import web

from shared.http.problem import Problem
from shared.settings import EdgeSettings

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


class Throttle:
    """Refuses an address that was wrong too often; counts are this process's own."""

    def __init__(self, budget: FailureBudget, forwarded_hops: int) -> None:
        self._budget = budget
        self._forwarded_hops = forwarded_hops

    def address(self, request: web.Request) -> str:
        """Whose budget it is."""
        forwarded = request.headers.getall("X-Forwarded-For", [])
        return caller(request.remote, forwarded, self._forwarded_hops)

    def wait_s(self, request: web.Request) -> float:
        """How long its address is to wait; 0 while it may still be wrong."""
        return self._budget.wait_s(self.address(request))

    def failed(self, request: web.Request) -> None:
        """Its address was wrong once more."""
        self._budget.failed(self.address(request))


def throttle_of(settings: EdgeSettings) -> Throttle:
    """As the settings of an edge say."""
    return Throttle(FailureBudget(settings.failures_per_minute, monotonic), settings.forwarded_hops)


def too_many_failures(what: str, wait_s: float) -> Problem:
    """429, and when to come back."""
    return Problem(
        429,
        "too-many-failures",
        f"Too many wrong {what} from this address. Try again later.",
        headers={"Retry-After": str(ceil(wait_s))},
    )


def caller(remote: str | None, forwarded_for: Sequence[str], hops: int) -> str:
    """The address of whoever called, with ``hops`` proxies of our own before us.

    Each proxy appends the address that it saw to ``X-Forwarded-For``; what stands further to the left
    was written by the caller and proves nothing.
    """
    addresses = [part.strip() for header in forwarded_for for part in header.split(",")]
    if hops and len(addresses) >= hops:
        return addresses[-hops][:64]
    return remote or "unknown"
