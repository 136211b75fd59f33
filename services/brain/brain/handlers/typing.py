"""Shows that we type, for as long as a reply is being written; the reply itself hides it."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import structlog

from brain.handlers.emissions import typing_command
from brain.handlers.incoming import Incoming
from shared.bus.port import Bus, BusError
from shared.clock import Clock

log = structlog.get_logger()

EVERY_S = 20.0
"""Meta hides the indicator after 25 s."""

T = TypeVar("T")


class Typing:
    """Renews the indicator every ``every_s``; the first one goes out with the interaction."""

    def __init__(self, bus: Bus, clock: Clock, *, every_s: float = EVERY_S) -> None:
        self._bus = bus
        self._clock = clock
        self._every_s = every_s

    async def meanwhile(self, incoming: Incoming, work: Awaitable[T]) -> T:
        """The result of ``work``. A courtesy: it never fails for the indicator's sake."""
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=self._every_s))[0]:
                await self._show(incoming)
        except asyncio.CancelledError:
            task.cancel()
            raise
        return task.result()

    async def _show(self, incoming: Incoming) -> None:
        command = typing_command(incoming, self._clock())
        try:
            await self._bus.publish(command.exchange, command.routing_key, command.envelope)
        except BusError as error:
            log.info("typing_not_shown", error=type(error).__name__)
