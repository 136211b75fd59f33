"""A limit per API key over a sliding minute, kept in the replica's memory."""

from collections import deque
from collections.abc import Callable
from math import ceil
from time import monotonic

from shared.http.problem import Problem

WINDOW_S = 60.0
MOST_KEYS = 10_000
"""Keys that are remembered at once; those that are idle are forgotten first."""


class RateLimit:
    """At most ``per_minute`` calls of one key within any minute."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._calls: dict[str, deque[float]] = {}

    def count(self, key: str) -> dict[str, str]:
        """Count one call; the headers that tell how many are left.

        ``RateLimit-Reset`` is in seconds, when the oldest call is forgotten. A Problem 429 with
        ``Retry-After`` when it is one too many.
        """
        now = self._clock()
        calls = self._recent(key, now)
        allowed = len(calls) < self._per_minute
        if allowed:
            calls.append(now)
        reset_s = max(1, ceil(calls[0] + WINDOW_S - now))
        headers = {
            "RateLimit-Limit": str(self._per_minute),
            "RateLimit-Remaining": str(self._per_minute - len(calls)),
            "RateLimit-Reset": str(reset_s),
        }
        if allowed:
            return headers
        raise Problem(
            429,
            "rate-limited",
            f"At most {self._per_minute} calls a minute for this key. Try again in {reset_s} s.",
            headers={**headers, "Retry-After": str(reset_s)},
        )

    def _recent(self, key: str, now: float) -> deque[float]:
        """The key's calls of the last minute."""
        if key not in self._calls and len(self._calls) >= MOST_KEYS:
            self._forget_idle(now)
        calls = self._calls.setdefault(key, deque())
        while calls and calls[0] <= now - WINDOW_S:
            calls.popleft()
        return calls

    def _forget_idle(self, now: float) -> None:
        idle = [key for key, calls in self._calls.items() if calls[-1] <= now - WINDOW_S]
        for key in idle:
            del self._calls[key]
