"""One bus for each implementation; every test of this folder runs on both."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from shared.bus.memory import MemoryBus
from shared.bus.port import Bus
from shared.bus.rabbit import RabbitBus

OpenBus = Callable[[], Awaitable[Bus]]


@pytest.fixture(params=["memory", pytest.param("rabbit", marks=pytest.mark.broker)])
def broker_url(request: pytest.FixtureRequest) -> str | None:
    """Where the broker is; None for the in-process bus. Only the former starts a node."""
    if request.param == "memory":
        return None
    if "TEST_AMQP_URL" not in os.environ:
        # Asked for here because an async fixture, as amqp_uri is, cannot set up another one.
        request.getfixturevalue("rabbit")
    url: str = request.getfixturevalue("amqp_uri")
    return url


@pytest.fixture
async def open_bus(broker_url: str | None) -> AsyncIterator[OpenBus]:
    """Opens what a process has: its own connection to the one broker of this test."""
    opened: list[Bus] = []
    in_process = MemoryBus()

    async def connect() -> Bus:
        if broker_url is None:
            opened.append(in_process)
        else:
            opened.append(await RabbitBus.open(broker_url, name=f"contract-{len(opened)}"))
        return opened[-1]

    yield connect
    for bus in opened:
        await bus.close()


@pytest.fixture
async def bus(open_bus: OpenBus) -> Bus:
    """The publisher's connection."""
    return await open_bus()
