"""A virtual host on the session's broker, empty for each test."""

from collections.abc import AsyncIterator

import aio_pika
import pytest

from shared.bus.rabbit import RabbitBus
from shared.bus.topology import TOPOLOGY
from tests.support.mongod import fresh_database_name
from tests.support.rabbit import RabbitNode


@pytest.fixture(scope="session")
async def shared_vhost(rabbit: RabbitNode) -> str:
    """One for all tests of this folder: to make one takes a second."""
    name = fresh_database_name()
    await rabbit.create_vhost(name)
    return rabbit.uri(name)


@pytest.fixture
async def vhost(shared_vhost: str) -> AsyncIterator[str]:
    """An AMQP URL; its queues are deleted afterwards."""
    yield shared_vhost
    async with await aio_pika.connect(shared_vhost) as connection:
        channel = await connection.channel()
        for queue in TOPOLOGY.queues:
            await channel.queue_delete(queue.name)


@pytest.fixture
async def rabbit_bus(vhost: str) -> AsyncIterator[RabbitBus]:
    """A connection, with the whole topology."""
    bus = await RabbitBus.open(vhost, name="test")
    await bus.declare(TOPOLOGY)
    yield bus
    await bus.close()
