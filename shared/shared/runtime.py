"""How every service starts, runs and stops: the order is here and nowhere else.

``__main__`` calls ``main``; tests and the one-process runner call ``serving``.
"""

import argparse
import asyncio
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import structlog
from aiohttp import web
from pymongo.errors import ConnectionFailure

from shared.bus.port import Bus, BusUnavailableError
from shared.bus.rabbit import RabbitBus
from shared.bus.topology import TOPOLOGY
from shared.clock import Clock, utc_now
from shared.health import Health, Ping
from shared.mongo.client import database_of, open_client
from shared.mongo.indexes import Database, Index, check_indexes, ensure_indexes
from shared.settings import (
    BusSettings,
    MongoSettings,
    ServiceSettings,
    SettingsError,
    describe,
    load,
)
from shared.telemetry.logging import configure_logging
from shared.telemetry.metrics import Metrics

log = structlog.get_logger()

CONNECT_RETRY_S = 1.0
EXIT_CONFIGURATION = 2


class Part(Protocol):
    """Something that runs beside the HTTP edges: a consumer, a sweeper, a listener."""

    async def start(self) -> None:
        """Begin."""
        ...

    async def stop(self, timeout_s: float) -> bool:
        """Take nothing new, finish within ``timeout_s``; False when it was cut short."""
        ...


@dataclass(frozen=True, slots=True)
class HttpEdge:
    """An application on a port."""

    name: str
    app: web.Application
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Service:
    """What ``build`` hands to the runtime. Parts start in order and stop in reverse order."""

    http: Sequence[HttpEdge] = ()
    parts: Sequence[Part] = ()
    indexes: Sequence[Index] = ()
    prepare: Callable[[], Awaitable[None]] | None = None
    """Runs once indexes stand, before any edge opens."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a service is built from. Asking for one that its settings do not name is a mistake."""

    metrics: Metrics
    clock: Clock = utc_now
    _bus: Bus | None = None
    _database: Database | None = None

    @property
    def bus(self) -> Bus:
        """The broker."""
        if self._bus is None:
            raise LookupError("the service's settings do not include BusSettings")
        return self._bus

    @property
    def database(self) -> Database:
        """The database."""
        if self._database is None:
            raise LookupError("the service's settings do not include MongoSettings")
        return self._database

    async def probe(self) -> None:
        """Raises while the broker or the database cannot be used."""
        for ping in self.pings().values():
            await ping()

    def pings(self) -> Mapping[str, Ping]:
        """One ping for each resource, for readiness."""
        pings: dict[str, Ping] = {}
        if self._bus is not None:
            pings["bus"] = self._bus.ping
        if self._database is not None:
            database = self._database

            async def ping_database() -> None:
                await database.command("ping")

            pings["mongodb"] = ping_database
        return pings


Build = Callable[[Any, Resources], AbstractAsyncContextManager[Service]]
OpenBus = Callable[[], Awaitable[Bus]]
T = TypeVar("T")


@dataclass(slots=True)
class Running:
    """A service that takes work. ``ports`` has the real port of each edge, admin included."""

    service: Service
    health: Health
    metrics: Metrics
    ports: dict[str, int] = field(default_factory=dict)
    drained: bool = True


@asynccontextmanager
async def serving(
    settings: ServiceSettings, build: Build, *, open_bus: OpenBus | None = None
) -> AsyncIterator[Running]:
    """Start the service, yield while it runs, stop it in order on leaving.

    ``open_bus`` replaces the broker connection; it is closed here all the same.
    """
    metrics = Metrics()
    health = Health(metrics)
    ports: dict[str, int] = {}
    admin = HttpEdge("admin", health.admin_application(), settings.admin_host, settings.admin_port)
    async with (
        _all_listening([admin], ports, drain_s=1.0),
        _bus(settings, open_bus) as bus,
        _database(settings) as database,
        build(settings, Resources(metrics, _bus=bus, _database=database)) as service,
    ):
        await _assert_ground(settings, service, bus, database)
        running = Running(service, health, metrics, ports)
        now = asyncio.get_running_loop().time
        stopping_since: float | None = None
        started: list[Part] = []
        try:
            for part in service.parts:
                await part.start()
                started.append(part)
            # Requests get half of the budget at most, so that consumers have time left to drain.
            async with _all_listening(service.http, ports, drain_s=settings.shutdown_s / 2):
                health.started(Resources(metrics, _bus=bus, _database=database).pings())
                log.info("service_ready", ports=ports)
                try:
                    yield running
                finally:
                    stopping_since = now()
                    health.draining()
                    log.info("service_draining")
        finally:
            used_s = now() - stopping_since if stopping_since is not None else 0.0
            running.drained = await _stop(started, settings.shutdown_s - used_s)
            log.info("service_stopped", drained=running.drained)


async def _assert_ground(
    settings: ServiceSettings, service: Service, bus: Bus | None, database: Database | None
) -> None:
    if bus is not None:
        declare = not isinstance(settings, BusSettings) or settings.bus_declare
        ground = bus.declare if declare else bus.check
        await _patiently(lambda: ground(TOPOLOGY))
    if database is not None and isinstance(settings, MongoSettings):
        ensure = ensure_indexes if settings.mongodb_ensure_indexes else check_indexes
        await ensure(database, service.indexes)
    if service.prepare is not None:
        await service.prepare()


async def _stop(parts: Sequence[Part], budget_s: float) -> bool:
    deadline = asyncio.get_running_loop().time() + budget_s
    drained = True
    for part in reversed(parts):
        left_s = max(0.1, deadline - asyncio.get_running_loop().time())
        drained = await part.stop(left_s) and drained
    return drained


@asynccontextmanager
async def _bus(settings: ServiceSettings, open_bus: OpenBus | None) -> AsyncIterator[Bus | None]:
    if not isinstance(settings, BusSettings):
        yield None
        return
    url = settings.amqp_url.get_secret_value()

    async def open_rabbit() -> Bus:
        return await RabbitBus.open(url, name=settings.instance)

    bus = await _patiently(open_bus or open_rabbit)
    try:
        yield bus
    finally:
        await bus.close()


async def _patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await attempt()
        except BusUnavailableError as error:
            log.warning("waiting_for_broker", error=str(error))
            await asyncio.sleep(CONNECT_RETRY_S)


@asynccontextmanager
async def _database(settings: ServiceSettings) -> AsyncIterator[Database | None]:
    if not isinstance(settings, MongoSettings):
        yield None
        return
    uri = settings.mongodb_uri.get_secret_value()
    client = open_client(uri, app_name=settings.instance)
    try:
        database = database_of(client, uri, default=settings.mongodb_database)
        await _reachable(database)
        yield database
    finally:
        await client.close()


async def _reachable(database: Database) -> None:
    while True:
        try:
            await database.command("ping")
        except ConnectionFailure as error:
            log.warning("waiting_for_database", error=type(error).__name__)
            await asyncio.sleep(CONNECT_RETRY_S)
        else:
            return


@asynccontextmanager
async def _all_listening(
    edges: Sequence[HttpEdge], ports: dict[str, int], *, drain_s: float
) -> AsyncIterator[None]:
    runners: list[web.AppRunner] = []
    try:
        for edge in edges:
            # The access log halves throughput, repeats the metrics, and would hold query strings.
            runner = web.AppRunner(edge.app, access_log=None, shutdown_timeout=drain_s)
            runners.append(runner)
            await runner.setup()
            await web.TCPSite(runner, edge.host, edge.port, backlog=1024).start()
            ports[edge.name] = runner.addresses[0][1]
        yield
    finally:
        await asyncio.gather(*(runner.cleanup() for runner in runners))


async def _run(settings: ServiceSettings, build: Build) -> int:
    """Until SIGTERM or SIGINT; a second signal, or one during start, skips the wait."""
    stop = asyncio.Event()
    started = asyncio.Event()

    async def serve() -> int:
        async with serving(settings, build) as running:
            started.set()
            await stop.wait()
        return 0 if running.drained else 1

    task = asyncio.create_task(serve())

    def on_signal() -> None:
        if stop.is_set() or not started.is_set():
            task.cancel()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        return await task
    except asyncio.CancelledError:
        log.warning("service_cut_short")
        return 1


def main(settings_class: type[ServiceSettings], build: Build) -> int:
    """The command line of a service: run it, or ``healthcheck``, or ``settings``."""
    name = settings_class.__module__.split(".")[0]
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=f"Runs {name}.")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("settings", help="print every setting with its default and meaning")
    check = commands.add_parser("healthcheck", help="exit 0 when the running service is ready")
    check.add_argument("--url", default="http://127.0.0.1:9090/readyz", help="default: %(default)s")
    arguments = parser.parse_args()
    if arguments.command == "settings":
        print(describe(settings_class))  # noqa: T201 - the answer of a command
        return 0
    if arguments.command == "healthcheck":
        return _healthcheck(arguments.url)
    return _main(settings_class, build, name)


def _healthcheck(url: str) -> int:
    # Before settings are read: a container's probe has no secrets.
    if not url.startswith(("http://", "https://")):
        return EXIT_CONFIGURATION
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310 - scheme checked above
            return 0 if answer.status == 200 else 1
    except (urllib.error.URLError, TimeoutError):
        return 1


def _main(settings_class: type[ServiceSettings], build: Build, name: str) -> int:
    try:
        settings = load(settings_class)
        configure_logging(settings.log_level, name)
        return asyncio.run(_run(settings, build))
    except SettingsError as error:
        # Also from the start itself: some settings are judged by what the database holds.
        lines = "\n".join(f"  - {problem}" for problem in error.problems)
        print(f"{name} cannot start, its settings do not stand:\n{lines}", file=sys.stderr)  # noqa: T201 - it is for the terminal, and logging may not be set up
        return EXIT_CONFIGURATION
