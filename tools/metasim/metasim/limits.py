"""Meta's throttles as token buckets on an injected clock."""

from collections.abc import Callable, Hashable

# A clock of unix seconds has steps of 2e-7 s; without slack "exactly six seconds later" may miss.
SLACK = 1e-6


class TokenBuckets:
    """One bucket for each key: full at first, ``capacity`` deep, refilled steadily."""

    def __init__(self, capacity: float, refill_per_s: float, clock: Callable[[], float]) -> None:
        self._capacity = capacity
        self._refill_per_s = refill_per_s
        self._clock = clock
        self._levels: dict[Hashable, tuple[float, float]] = {}

    def take(self, key: Hashable) -> bool:
        """Take one token; False when there is none, and then nothing is taken."""
        level = self._level(key)
        allowed = level >= 1 - SLACK
        self._levels[key] = (level - 1 if allowed else level, self._clock())
        return allowed

    def drain(self, key: Hashable) -> None:
        """Take one token if there is one: for traffic that counts but is never refused."""
        self._levels[key] = (max(0.0, self._level(key) - 1), self._clock())

    def clear(self) -> None:
        """Fill every bucket again."""
        self._levels.clear()

    def _level(self, key: Hashable) -> float:
        level, at = self._levels.get(key, (self._capacity, self._clock()))
        return min(self._capacity, level + (self._clock() - at) * self._refill_per_s)
