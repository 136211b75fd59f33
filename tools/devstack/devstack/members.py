"""One service as a member of the one-process runner: its own task, log name and settings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from shared.bus.memory import MemoryBus
from shared.bus.port import Bus
from shared.runtime import Build, serving
from shared.settings import MongoSettings, ServiceSettings, load

LOOPBACK = "127.0.0.1"


class CommonBus(MemoryBus):
    """The in-process bus that all members use; one member's stop must not close it for others."""

    async def close(self) -> None:
        """Stays open: it goes with the process, after the last member has drained."""


@dataclass(slots=True)
class Embedded:
    """What the members share."""

    mongodb_uri: str
    amqp_url: str | None
    internal_token: str
    internal_api_url: str = ""
    bus: CommonBus = field(default_factory=CommonBus)

    def overrides(self, settings_class: type[ServiceSettings]) -> dict[str, Any]:
        """Settings that follow from sharing a process; everything else comes from outside."""
        common: dict[str, Any] = {
            "host": LOOPBACK,
            "port": 0,
            "admin_host": LOOPBACK,
            "admin_port": 0,
            "amqp_url": self.amqp_url or "amqp://in-process",
        }
        if issubclass(settings_class, MongoSettings):
            common["mongodb_uri"] = self.mongodb_uri
        if "internal_api_url" in settings_class.model_fields:
            common["internal_api_url"] = self.internal_api_url
            common["internal_api_token"] = self.internal_token
        return common

    async def open_bus(self) -> Bus:
        """The common bus."""
        return self.bus


@asynccontextmanager
async def member(
    name: str,
    settings_class: type[ServiceSettings],
    build: Build,
    embedded: Embedded,
    **overrides: Any,
) -> AsyncIterator[dict[str, int]]:
    """Run the service until the caller leaves; yields its ports by edge.

    In a task of its own, so that log lines of whatever it starts carry its name.
    """
    settings = load(settings_class, **embedded.overrides(settings_class), **overrides)
    ports: dict[str, int] = {}
    started = asyncio.Event()
    stop = asyncio.Event()

    async def run() -> None:
        structlog.contextvars.bind_contextvars(service=name)
        open_bus = None if embedded.amqp_url else embedded.open_bus
        async with serving(settings, build, open_bus=open_bus) as running:
            ports.update(running.ports)
            started.set()
            await stop.wait()

    task = asyncio.create_task(run(), name=name)
    try:
        await _started_or_failed(task, started)
        yield ports
    finally:
        stop.set()
        await task


async def _started_or_failed(task: asyncio.Task[None], started: asyncio.Event) -> None:
    """Return once it takes work; raise what kept it from starting."""
    waiting = asyncio.create_task(started.wait())
    try:
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if task.done():
        await task
