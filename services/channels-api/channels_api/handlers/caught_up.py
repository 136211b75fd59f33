"""Tells every replica that it has heard of every change: without it caches believe little.

An event that tells of a change may be late: the broker was away, or we were. Then this is not said,
and whoever remembers a secret or a key asks again (``shared/cache``).
"""

import asyncio
from collections.abc import Sequence

import structlog
from pymongo.errors import PyMongoError

from channels_api.handlers.announce import caught_up
from shared.bus.outbox import Outbox
from shared.bus.port import Bus, BusError
from shared.clock import Clock

log = structlog.get_logger()

EVERY_S = 0.5


class TellCaughtUp:
    """A part of the service; each replica runs one."""

    def __init__(self, outboxes: Sequence[Outbox], bus: Bus, clock: Clock) -> None:
        self._outboxes = outboxes
        self._bus = bus
        self._clock = clock
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._telling = True

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def stop(self, timeout_s: float) -> bool:
        """Say it no more."""
        self._stopping.set()
        if self._task is None:
            return True
        done, _ = await asyncio.wait({self._task}, timeout=timeout_s)
        self._task.cancel()
        return bool(done)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._tell()
                self._log(telling=True)
            except (BusError, PyMongoError) as error:
                self._log(telling=False, error=type(error).__name__)
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def _tell(self) -> None:
        as_of = self._clock()
        for outbox in self._outboxes:
            if not await outbox.is_empty():
                return
        told = caught_up(as_of)
        await self._bus.publish(told.exchange, told.routing_key, told.envelope)

    def _log(self, *, telling: bool, error: str | None = None) -> None:
        if telling is not self._telling:
            self._telling = telling
            log.info("control_told" if telling else "control_not_told", error=error)
