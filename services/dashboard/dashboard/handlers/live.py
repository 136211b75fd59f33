"""What happens, passed on to the browsers that watch: the house's first subscriber of its events.

A browser is told only *that* something changed, and reads the page again: what it shows comes from
the database, so that nothing is missing after a lost connection, whoever lost it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from shared.contracts import Envelope

log = structlog.get_logger()

WAITING = 256
"""Events that wait for one slow browser; then it is told to read everything again."""
PROBE_S = 2.0

GAP = {"type": "gap"}
"""Something may have been missed: read again."""
SUBJECTS = ("interaction_id", "user_id", "channel_id")


@dataclass(eq=False, slots=True)
class Watcher:
    """One open page."""

    tenant: str
    events: asyncio.Queue[dict[str, Any]] = field(
        default_factory=lambda: asyncio.Queue(maxsize=WAITING)
    )

    def tell(self, event: dict[str, Any]) -> None:
        """Queue ``event``; a full queue is emptied, and the page reads everything again."""
        try:
            self.events.put_nowait(event)
        except asyncio.QueueFull:
            while not self.events.empty():
                self.events.get_nowait()
            self.events.put_nowait(GAP)


class Live:
    """Passes events on by tenant, and tells when they stop coming."""

    def __init__(self, probe: Callable[[], Awaitable[None]], *, probe_s: float = PROBE_S) -> None:
        self._probe = probe
        self._probe_s = probe_s
        self._watchers: set[Watcher] = set()
        self._task: asyncio.Task[None] | None = None
        self.connected = True
        """Whether events reach us."""

    def heard(self, envelope: Envelope) -> None:
        """An event of the broker."""
        data = envelope.data
        event = {"type": envelope.type.removesuffix(".v1")}
        event |= {name: data[name] for name in SUBJECTS if data.get(name)}
        for watcher in self._watchers:
            if watcher.tenant == envelope.tenant:
                watcher.tell(event)

    def gap(self) -> None:
        """Events may have been missed."""
        self._tell_all(GAP)

    @asynccontextmanager
    async def watching(self, tenant: str) -> AsyncIterator[Watcher]:
        """A page that is open meanwhile."""
        watcher = Watcher(tenant)
        watcher.tell(self._state())
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    async def start(self) -> None:
        """Begin to look after the broker."""
        self._task = asyncio.create_task(self._look_after(), name="live")

    async def stop(self, timeout_s: float) -> bool:  # noqa: ARG002 - nothing of it is worth waiting for
        """Let every page go: it connects to another replica."""
        for watcher in self._watchers:
            watcher.tell({"type": "bye"})
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        return True

    async def _look_after(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(self._probe_s)

    async def _look(self) -> None:
        reason: str | None
        try:
            await self._probe()
        except Exception as error:  # noqa: BLE001 - whatever it is, events do not come
            reason = type(error).__name__
        else:
            reason = None
        connected = reason is None
        if connected is not self.connected:
            self.connected = connected
            log.warning("events_connection", connected=connected, reason=reason)
            self._tell_all(self._state())

    def _state(self) -> dict[str, Any]:
        return {"type": "live" if self.connected else "quiet"}

    def _tell_all(self, event: dict[str, Any]) -> None:
        for watcher in self._watchers:
            watcher.tell(event)
