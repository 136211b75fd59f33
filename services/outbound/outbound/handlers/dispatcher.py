"""Finds open deliveries that fell due and has each looked at; the documents are the queue.

Nothing is kept in memory that a crash could lose. Every replica runs one; compare-and-set decides
which of them moves a delivery.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import structlog

from outbound.adapters.delivery_store import DeliveryStore
from outbound.domain.deliveries import Delivery
from shared.clock import Clock
from shared.telemetry.trace import continued_trace

log = structlog.get_logger()

POLL_S = 1.0
"""How soon a delivery is found that another replica parked or left behind."""

ALL_CHANNELS = None


class Dispatcher:
    """A part of the service. ``wake`` is set by whoever makes a delivery due."""

    def __init__(
        self,
        store: DeliveryStore,
        step: Callable[[Delivery], Awaitable[None]],
        wake: asyncio.Event,
        clock: Clock,
        concurrency: int,
    ) -> None:
        self._store = store
        self._step = step
        self._wake = wake
        self._clock = clock
        self._concurrency = concurrency
        self._running: dict[str, asyncio.Task[bool]] = {}
        self._changed: set[str | None] = set()
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None

    def resume(self, channel_id: str | None) -> None:
        """A channel changed (``ALL_CHANNELS``: any may have): try its waiting replies at once."""
        self._changed.add(channel_id)
        self._wake.set()

    async def start(self) -> None:
        """Begin."""
        self._loop = asyncio.create_task(self._run())

    async def stop(self, timeout_s: float) -> bool:
        """Start no further look and let the running ones end; what is cut stays in doubt."""
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
                await self._resume_channels()
                await self._look()
                pause_s = await self._pause_s()
            except Exception as error:  # noqa: BLE001 - the queue must go on being looked at
                log.warning("dispatch_postponed", error=type(error).__name__)
            try:
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _resume_channels(self) -> None:
        for channel_id in tuple(self._changed):
            resumed = await self._store.resume_channel(channel_id, self._clock())
            self._changed.discard(channel_id)
            if resumed:
                log.info("channel_resumed", channel_id=channel_id, deliveries=resumed)

    async def _look(self) -> None:
        if len(self._running) >= self._concurrency:
            return
        # What runs may be read as it was before; its end makes us look again.
        known = frozenset(self._running)
        for delivery in await self._store.due(self._clock(), self._concurrency):
            if self._stopping or len(self._running) >= self._concurrency:
                return
            if delivery.id not in known:
                task = asyncio.create_task(self._one(delivery))
                self._running[delivery.id] = task
                task.add_done_callback(partial(self._done, delivery.id))

    async def _pause_s(self) -> float:
        now = self._clock()
        due_at = await self._store.next_due_at(now)
        return POLL_S if due_at is None else min(POLL_S, (due_at - now).total_seconds())

    async def _one(self, delivery: Delivery) -> bool:
        """False when it failed: it stays due, and the poll comes back to it."""
        with continued_trace(delivery.traceparent, delivery_id=delivery.id):
            try:
                await self._step(delivery)
            except Exception as error:  # noqa: BLE001 - one delivery never takes the others with it
                log.error("delivery_step_failed", error=type(error).__name__)
                return False
        return True

    def _done(self, delivery_id: str, task: "asyncio.Task[bool]") -> None:
        del self._running[delivery_id]
        if not task.cancelled() and task.result():
            self._wake.set()
