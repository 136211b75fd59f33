"""How often somebody may have us call others."""

from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW_S = 60.0
MOST_CALLERS = 10_000


class Pace:
    """At most ``per_minute`` calls of one caller in any minute, counted in this process."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._calls: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, caller: str) -> float:
        """0 and the call counts, or how long to wait."""
        now = self._clock()
        calls = self._calls.setdefault(caller, deque())
        self._calls.move_to_end(caller)
        while calls and now - calls[0] >= WINDOW_S:
            calls.popleft()
        if len(calls) >= self._per_minute:
            return calls[0] + WINDOW_S - now
        calls.append(now)
        while len(self._calls) > MOST_CALLERS:
            self._calls.popitem(last=False)
        return 0.0
