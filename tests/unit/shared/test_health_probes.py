"""The admin port: alive at once, started once, ready as long as its dependencies are."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

import shared.health
from shared.health import Health
from shared.telemetry.metrics import Metrics

Client = TestClient[web.Request, web.Application]


class Dependency:
    """Can be up, down, or silent."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.silent = False

    async def ping(self) -> None:
        if self.silent:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error


@pytest.fixture
def health() -> Health:
    return Health(Metrics())


@pytest.fixture
async def client(health: Health) -> AsyncIterator[Client]:
    async with TestClient(TestServer(health.admin_application())) as client:
        yield client


async def probe(client: Client, path: str) -> tuple[int, Any]:
    async with client.get(path) as response:
        return response.status, await response.json()


async def test_a_starting_service_is_alive_and_nothing_more(client: Client) -> None:
    assert await probe(client, "/livez") == (200, {"status": "alive"})
    assert await probe(client, "/startupz") == (503, {"status": "starting"})
    assert await probe(client, "/readyz") == (
        503,
        {"status": "not ready", "failing": {"service": "starting"}},
    )


async def test_a_started_service_is_ready_while_its_dependencies_answer(
    health: Health, client: Client
) -> None:
    bus, database = Dependency(), Dependency()
    health.started({"bus": bus.ping, "mongodb": database.ping})
    assert await probe(client, "/startupz") == (200, {"status": "started"})
    assert await probe(client, "/readyz") == (200, {"status": "ready", "failing": {}})
    bus.error = ConnectionError("with a secret in it")
    assert await probe(client, "/readyz") == (
        503,
        {"status": "not ready", "failing": {"bus": "ConnectionError"}},
    )
    assert (await probe(client, "/livez"))[0] == 200
    bus.error = None
    assert (await probe(client, "/readyz"))[0] == 200


async def test_a_silent_dependency_counts_as_failing(
    health: Health, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.health, "PING_TIMEOUT_S", 0.05)
    database = Dependency()
    database.silent = True
    health.started({"mongodb": database.ping})
    status, body = await probe(client, "/readyz")
    assert (status, body["failing"]) == (503, {"mongodb": "TimeoutError"})


async def test_a_draining_service_is_alive_and_started_and_not_ready(
    health: Health, client: Client
) -> None:
    health.started({})
    health.draining()
    assert (await probe(client, "/livez"))[0] == 200
    assert (await probe(client, "/startupz"))[0] == 200
    assert (await probe(client, "/readyz"))[1]["failing"] == {"service": "draining"}


async def test_metrics_tell_whether_it_is_ready(health: Health, client: Client) -> None:
    async def ready() -> str:
        async with client.get("/metrics") as response:
            text = await response.text()
        return next(line for line in text.splitlines() if line.startswith("service_ready"))

    assert await ready() == "service_ready 0.0"
    health.started({})
    assert await ready() == "service_ready 1.0"
    health.draining()
    assert await ready() == "service_ready 0.0"
