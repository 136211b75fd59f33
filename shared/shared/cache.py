"""A small cache in front of another service: fresh for a while, stale rather than nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Generic, TypeVar

from shared.telemetry.metrics import Metrics

V = TypeVar("V")

FRESH_S = 60.0
"""How long a value is believed while we hear of every change."""
UNTOLD_FRESH_S = 1.0
"""How long it is believed otherwise."""
TOLD_S = 1.5
"""How long "you have heard of every change" is believed. With it a change counts everywhere within
two seconds, whatever became of the event that tells of it."""
RETRY_S = 1.0
"""How long a source that could not be asked is left alone, while the last value serves."""
ABSENT_FRESH_S = 2.0
"""How long "there is no such thing" is believed; short, so that a new one works at once."""
MOST_ENTRIES = 50_000


class SourceUnavailableError(Exception):
    """The other service could not be asked, and nothing is remembered."""


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V | None
    fresh_until: float
    fresh_untold_until: float


class StaleCache(Generic[V]):
    """Remembers what ``load`` says. ``None`` means: there is no such thing.

    While the source raises SourceUnavailableError, the last known value is served; one load at a
    time per key, however many wait for it. The owner says with ``told`` that no change was missed;
    unless that was said just now, values are asked for again every second.
    """

    def __init__(
        self, name: str, load: Callable[[str], Awaitable[V | None]], metrics: Metrics
    ) -> None:
        self._name = name
        self._load = load
        self._metrics = metrics
        self._entries: dict[str, _Entry[V]] = {}
        self._loading: dict[str, asyncio.Task[V | None]] = {}
        self._generation = 0
        self._told_until = 0.0

    def told(self, as_of: datetime, now: datetime) -> None:
        """Every change that was made until ``as_of`` was heard of by ``now``."""
        age_s = max(0.0, (now - as_of).total_seconds())
        self._told_until = max(self._told_until, monotonic() + TOLD_S - age_s)

    def _fresh(self, entry: _Entry[V]) -> bool:
        now = monotonic()
        return now < entry.fresh_until and (
            now < self._told_until or now < entry.fresh_untold_until
        )

    async def get(self, key: str) -> V | None:
        """The value, or None. Raises SourceUnavailableError only when nothing is remembered."""
        entry = self._entries.get(key)
        if entry is not None and self._fresh(entry):
            self._count("fresh")
            return entry.value
        try:
            value = await asyncio.shield(self._load_once(key))
        except SourceUnavailableError:
            # Looked up anew: what was forgotten in the meantime must not be served.
            entry = self._entries.get(key)
            if entry is None or entry.value is None:
                self._count("unavailable")
                raise
            self._count("stale")
            entry.fresh_until = entry.fresh_untold_until = monotonic() + RETRY_S
            return entry.value
        self._count("loaded")
        return value

    def _load_once(self, key: str) -> "asyncio.Task[V | None]":
        task = self._loading.get(key)
        if task is None:
            task = asyncio.create_task(self._load_and_keep(key))
            self._loading[key] = task
            task.add_done_callback(lambda done: self._loaded(key, done))
        return task

    def _loaded(self, key: str, task: "asyncio.Task[V | None]") -> None:
        if self._loading.get(key) is task:
            del self._loading[key]
        if not task.cancelled():
            task.exception()

    async def _load_and_keep(self, key: str) -> V | None:
        generation = self._generation
        value = await self._load(key)
        # An answer that was on its way while the key was invalidated may be the old one.
        if generation == self._generation:
            if len(self._entries) >= MOST_ENTRIES and key not in self._entries:
                self._entries.pop(next(iter(self._entries)))
            fresh_s = FRESH_S if value is not None else ABSENT_FRESH_S
            now = monotonic()
            self._entries[key] = _Entry(value, now + fresh_s, now + UNTOLD_FRESH_S)
        return value

    def expire(self, key: str) -> None:
        """Ask again at the next read; keep the old value in case nobody can be asked."""
        self._generation += 1
        self._loading.pop(key, None)
        entry = self._entries.get(key)
        if entry is not None:
            entry.fresh_until = 0.0

    def expire_all(self) -> None:
        """Ask again for everything: events may have been missed."""
        for key in tuple(self._entries):
            self.expire(key)
        self._generation += 1

    def forget(self, key: str) -> None:
        """Never serve the old value again."""
        self.expire(key)
        self._entries.pop(key, None)

    def _count(self, result: str) -> None:
        self._metrics.cache_reads.labels(self._name, result).inc()
