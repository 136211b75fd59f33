"""A limit per API key over a sliding minute, kept in the replica's memory."""

from collections import deque
from time import monotonic

from shared.http.problem import Problem

WINDOW_S = 60.0


class RateLimit:
    """At most ``per_minute`` calls of one key within any minute."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._calls: dict[str, deque[float]] = {}

    def count(self, key: str) -> None:
        """Count one call; a Problem 429 with ``Retry-After`` when it is one too many."""
        now = monotonic()
        calls = self._calls.setdefault(key, deque())
        while calls and calls[0] <= now - WINDOW_S:
            calls.popleft()
        if len(calls) >= self._per_minute:
            wait_s = max(1, round(calls[0] + WINDOW_S - now + 0.5))
            raise Problem(
                429,
                "rate-limited",
                f"At most {self._per_minute} calls a minute for this key. Try again in {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )
        calls.append(now)
