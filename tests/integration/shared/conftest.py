"""A virtual host of each test's own on the session's broker."""

from collections.abc import AsyncIterator

import pytest

from shared.bus.rabbit import RabbitBus
from shared.bus.topology import TOPOLOGY
from tests.support.mongod import fresh_database_name
from tests.support.rabbit import RabbitNode


@pytest.fixture
async def vhost(rabbit: RabbitNode) -> str:
    """An AMQP URL; empty at first. The node goes with the session, and all in it."""
    name = fresh_database_name()
    await rabbit.create_vhost(name)
    return rabbit.uri(name)


@pytest.fixture
async def rabbit_bus(vhost: str) -> AsyncIterator[RabbitBus]:
    """A connection, with the whole topology."""
    bus = await RabbitBus.open(vhost, name="test")
    await bus.declare(TOPOLOGY)
    yield bus
    await bus.close()
