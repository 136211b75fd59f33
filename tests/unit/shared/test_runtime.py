"""How a service starts and stops, in process: the order, readiness, the budget."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from shared.bus.memory import MemoryBus
from shared.bus.port import Bus, BusUnavailableError, TopologyError
from shared.bus.topology import INBOUND, TOPOLOGY
from shared.contracts import Envelope, UserCreated
from shared.http.problem import json_response
from shared.http.server import application
from shared.runtime import HttpEdge, Part, Resources, Running, Service, main, serving
from shared.settings import BusSettings, ServiceSettings, load
from tests.support.eventually import eventually


class Plain(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="PLAIN_")


class OnBus(BusSettings):
    model_config = SettingsConfigDict(env_prefix="ONBUS_")


LOCAL = {"host": "127.0.0.1", "admin_host": "127.0.0.1", "port": 0, "admin_port": 0}
URL = SecretStr("amqp://unused/")


class Recorded:
    """A part that writes down what happens to it."""

    def __init__(self, name: str, happened: list[str], *, drained: bool = True) -> None:
        self.name = name
        self.happened = happened
        self.drained = drained
        self.budget_s = 0.0

    async def start(self) -> None:
        self.happened.append(f"start {self.name}")

    async def stop(self, timeout_s: float) -> bool:
        self.budget_s = timeout_s
        self.happened.append(f"stop {self.name}")
        return self.drained


def built(
    service: Callable[[Resources], Service], happened: list[str] | None = None
) -> Callable[[ServiceSettings, Resources], AbstractAsyncContextManager[Service]]:
    notes = happened if happened is not None else []

    @asynccontextmanager
    async def build(_: ServiceSettings, resources: Resources) -> AsyncIterator[Service]:
        notes.append("build")
        yield service(resources)
        notes.append("release")

    return build


async def status(running: Running, edge: str, path: str) -> int:
    url = f"http://127.0.0.1:{running.ports[edge]}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status


async def test_start_and_stop_have_one_order() -> None:
    happened: list[str] = []
    parts: list[Part] = [Recorded(name, happened) for name in ("outbox", "consumer")]

    async def prepare() -> None:
        happened.append("prepare")

    async def edge_opened(_: web.Application) -> None:
        happened.append("open edge")

    async def edge_closed(_: web.Application) -> None:
        happened.append("close edge")

    def service(resources: Resources) -> Service:
        app = application(resources.metrics)
        app.on_startup.append(edge_opened)
        app.on_cleanup.append(edge_closed)
        return Service([HttpEdge("public", app, "127.0.0.1", 0)], parts, prepare=prepare)

    async with serving(load(Plain, **LOCAL), built(service, happened)) as running:
        happened.append("ready")
        assert await status(running, "admin", "/readyz") == 200
        assert await status(running, "public", "/") == 404
    assert happened == [
        "build",
        "prepare",
        "start outbox",
        "start consumer",
        "open edge",
        "ready",
        "close edge",
        "stop consumer",
        "stop outbox",
        "release",
    ]
    assert running.drained


async def test_it_is_alive_but_not_ready_while_it_starts() -> None:
    seen: dict[str, int] = {}

    async def look(running_ports: dict[str, int]) -> None:
        async with aiohttp.ClientSession() as session:
            for path in ("/livez", "/startupz", "/readyz"):
                async with session.get(f"http://127.0.0.1:{running_ports['admin']}{path}") as r:
                    seen[path] = r.status

    settings = load(Plain, **{**LOCAL, "admin_port": await free_port()})

    async def prepare() -> None:
        await look({"admin": settings.admin_port})

    async with serving(settings, built(lambda _: Service(prepare=prepare))) as running:
        assert seen == {"/livez": 200, "/startupz": 503, "/readyz": 503}
        await look(running.ports)
        assert seen == {"/livez": 200, "/startupz": 200, "/readyz": 200}


async def free_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def test_while_it_drains_it_is_not_ready_and_finishes_requests() -> None:
    arrived, release = asyncio.Event(), asyncio.Event()
    stopping, leave = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        arrived.set()
        await release.wait()
        return json_response({"answer": "in time"})

    def service(resources: Resources) -> Service:
        app = application(resources.metrics)
        app.router.add_get("/slow", slow)
        return Service([HttpEdge("public", app, "127.0.0.1", 0)])

    ports: dict[str, int] = {}

    async def serve() -> None:
        async with serving(load(Plain, **LOCAL), built(service)) as running:
            ports.update(running.ports)
            await leave.wait()
            stopping.set()

    async with aiohttp.ClientSession() as session, asyncio.timeout(10):
        task = asyncio.create_task(serve())
        await eventually(lambda: "public" in ports)
        call = asyncio.create_task(session.get(f"http://127.0.0.1:{ports['public']}/slow"))
        await arrived.wait()
        leave.set()
        await stopping.wait()
        async with session.get(f"http://127.0.0.1:{ports['admin']}/readyz") as answer:
            assert (await answer.json())["failing"] == {"service": "draining"}
        release.set()
        async with await call as answer:
            assert await answer.json() == {"answer": "in time"}
        await task


async def test_it_says_when_it_was_cut_short() -> None:
    happened: list[str] = []
    parts = [Recorded("a", happened), Recorded("b", happened, drained=False)]
    async with serving(load(Plain, **LOCAL), built(lambda _: Service(parts=parts))) as running:
        pass
    assert not running.drained
    assert happened[-2:] == ["stop b", "stop a"]


async def test_one_budget_for_the_whole_way_down() -> None:
    happened: list[str] = []
    part = Recorded("consumer", happened)

    async def endless(_: web.Request) -> web.Response:
        happened.append("request")
        await asyncio.Event().wait()
        raise AssertionError

    def service(resources: Resources) -> Service:
        app = application(resources.metrics)
        app.router.add_get("/endless", endless)
        return Service([HttpEdge("public", app, "127.0.0.1", 0)], [part])

    async with aiohttp.ClientSession() as session, asyncio.timeout(10):
        settings = load(Plain, **LOCAL, shutdown_s=1.0)
        async with serving(settings, built(service)) as running:
            url = f"http://127.0.0.1:{running.ports['public']}/endless"
            call = asyncio.create_task(session.get(url))
            await eventually(lambda: "request" in happened)
        with pytest.raises(aiohttp.ClientError):
            await call
    assert 0.1 <= part.budget_s <= 0.5


async def test_a_part_that_cannot_start_stops_the_others() -> None:
    happened: list[str] = []

    class Broken(Recorded):
        async def start(self) -> None:
            raise ConnectionRefusedError

    parts = [Recorded("a", happened), Broken("b", happened), Recorded("c", happened)]
    with pytest.raises(ConnectionRefusedError):
        async with serving(load(Plain, **LOCAL), built(lambda _: Service(parts=parts))):
            raise AssertionError
    assert happened == ["start a", "stop a"]


async def test_the_topology_stands_before_the_service_works_and_the_bus_closes_last() -> None:
    bus = MemoryBus()

    async def open_bus() -> Bus:
        return bus

    settings = load(OnBus, **LOCAL, amqp_url=URL)
    event = Envelope.of(
        UserCreated(user_id="eu_1", channel="sdk"), source="s", subject="s", tenant="t"
    )

    class Publishes(Recorded):
        async def stop(self, timeout_s: float) -> bool:
            await bus.publish(INBOUND, "p00", event)
            return await super().stop(timeout_s)

    def service(resources: Resources) -> Service:
        assert resources.bus is bus
        return Service(parts=[Publishes("outbox", [])])

    async with serving(settings, built(service), open_bus=open_bus) as running:
        await bus.check(TOPOLOGY)
        assert await status(running, "admin", "/readyz") == 200
    with pytest.raises(BusUnavailableError):
        await bus.ping()


async def test_without_the_right_to_declare_a_missing_topology_stops_the_start() -> None:
    bus = MemoryBus()

    async def open_bus() -> Bus:
        return bus

    settings = load(OnBus, **LOCAL, amqp_url=URL, bus_declare=False)
    with pytest.raises(TopologyError):
        async with serving(settings, built(lambda _: Service()), open_bus=open_bus):
            raise AssertionError


async def test_it_waits_for_a_broker_that_is_not_there_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.runtime.CONNECT_RETRY_S", 0.01)
    attempts: list[str] = []

    async def open_bus() -> Bus:
        attempts.append("try")
        if len(attempts) < 3:
            raise BusUnavailableError("not yet")
        return MemoryBus()

    settings = load(OnBus, **LOCAL, amqp_url=URL)
    async with serving(settings, built(lambda _: Service()), open_bus=open_bus):
        assert len(attempts) == 3


async def test_asking_for_what_the_settings_do_not_name_is_a_mistake() -> None:
    def service(resources: Resources) -> Service:
        with pytest.raises(LookupError, match="BusSettings"):
            _ = resources.bus
        with pytest.raises(LookupError, match="MongoSettings"):
            _ = resources.database
        assert resources.pings() == {}
        return Service()

    async with serving(load(Plain, **LOCAL), built(service)):
        pass


async def test_the_health_check_asks_the_running_service(monkeypatch: pytest.MonkeyPatch) -> None:
    build = built(lambda _: Service())

    async def healthcheck(url: str) -> int:
        monkeypatch.setattr(sys, "argv", ["sample", "healthcheck", "--url", url])
        return await asyncio.to_thread(main, Plain, build)

    async with serving(load(Plain, **LOCAL), build) as running:
        base = f"http://127.0.0.1:{running.ports['admin']}"
        assert await healthcheck(f"{base}/readyz") == 0
        assert await healthcheck(f"{base}/absent") == 1
        running.health.draining()
        assert await healthcheck(f"{base}/readyz") == 1
    assert await healthcheck(f"{base}/readyz") == 1
    assert await healthcheck("file:///etc/passwd") == 2


def test_the_settings_command_prints_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["sample", "settings"])
    assert main(OnBus, built(lambda _: Service())) == 0
    assert "AMQP_URL" in capsys.readouterr().out
