from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from metasim import SimConfig, build_app
from tests.unit.metasim.harness import FakeClock, Receiver, Sim

StartSim = Callable[..., Awaitable[Sim]]


@pytest.fixture
async def start() -> AsyncIterator[StartSim]:
    """Starts a simulator and a receiver on loopback ports; keyword arguments go to SimConfig."""
    async with AsyncExitStack() as running:

        async def begin(*, registered: bool = True, **options: Any) -> Sim:
            receiver, clock = Receiver(), FakeClock()
            server = await running.enter_async_context(TestServer(receiver.app()))
            receiver.url = str(server.make_url("/hook"))
            # Retries are quick here: the schedule's shape is what matters.
            options.setdefault("webhook_retry_delays_s", (0.0, 0.01, 0.02))
            app = build_app(SimConfig(clock=clock, **options))
            client = await running.enter_async_context(TestClient(TestServer(app)))
            sim = Sim(client, clock, receiver)
            if registered:
                await sim.register()
            return sim

        yield begin


@pytest.fixture
async def sim(start: StartSim) -> Sim:
    """A simulator with one registered number and no status callbacks."""
    return await start(statuses=())
