"""Work that waits in documents: finds what fell due and has each piece done, once at a time.

Nothing is kept in memory that a crash could lose. Every replica runs one; whoever does the work
decides by compare-and-set which of them it was.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar

import structlog

from shared.clock import Clock

log = structlog.get_logger()

POLL_S = 1.0
"""How soon a piece is found that another replica made due or left behind."""

D = TypeVar("D")


class DueLoop(Generic[D]):
    """A part of the service.

    ``find(now, limit)`` lists what is due, longest overdue first; ``next_due_at(now)`` tells when
    the next falls due; ``step`` does one; pieces of one ``key_of`` are done one after another.
    """

    def __init__(
        self,
        name: str,
        *,
        find: Callable[[datetime, int], Awaitable[Sequence[D]]],
        next_due_at: Callable[[datetime], Awaitable[datetime | None]],
        key_of: Callable[[D], Hashable],
        step: Callable[[D], Awaitable[None]],
        clock: Clock,
        concurrency: int,
    ) -> None:
        self._name = name
        self._find = find
        self._next_due_at = next_due_at
        self._key_of = key_of
        self._step = step
        self._clock = clock
        self._concurrency = concurrency
        self._running: dict[Hashable, asyncio.Task[bool]] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Something may have fallen due."""
        self._wake.set()

    async def start(self) -> None:
        """Begin."""
        self._loop = asyncio.create_task(self._run())

    async def stop(self, timeout_s: float) -> bool:
        """Begin nothing more and let what runs end; what is cut is found again."""
        self._stopping = True
        self._wake.set()
        tasks: set[asyncio.Task[Any]] = {*self._running.values()}
        if self._loop is not None:
            tasks.add(self._loop)
        if not tasks:
            return True
        _, cut = await asyncio.wait(tasks, timeout=timeout_s)
        for task in cut:
            task.cancel()
        await asyncio.gather(*cut, return_exceptions=True)
        return not cut

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            pause_s = POLL_S
            try:
                await self._look()
                pause_s = await self._pause_s()
            except Exception as error:  # noqa: BLE001 - the queue must go on being looked at
                log.warning("look_postponed", queue=self._name, error=type(error).__name__)
            try:
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _look(self) -> None:
        # What runs may be read as it was before; its end makes us look again.
        known = frozenset(self._running)
        for piece in await self._find(self._clock(), self._concurrency):
            key = self._key_of(piece)
            if self._stopping or len(self._running) >= self._concurrency:
                return
            if key not in known and key not in self._running:
                task = asyncio.create_task(self._one(piece))
                self._running[key] = task
                task.add_done_callback(partial(self._done, key))

    async def _pause_s(self) -> float:
        now = self._clock()
        due_at = await self._next_due_at(now)
        return POLL_S if due_at is None else min(POLL_S, max(0.0, (due_at - now).total_seconds()))

    async def _one(self, piece: D) -> bool:
        """False when it failed: it stays due, and the poll comes back to it."""
        try:
            await self._step(piece)
        except Exception as error:  # noqa: BLE001 - one piece never takes the others with it
            log.error("step_failed", queue=self._name, error=type(error).__name__)
            return False
        return True

    def _done(self, key: Hashable, task: "asyncio.Task[bool]") -> None:
        del self._running[key]
        if not task.cancelled() and task.result():
            self._wake.set()
