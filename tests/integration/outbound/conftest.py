"""A world for each test: its own database, channels, keys, clock and Meta."""

import os
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.integration.outbound.world import (
    Channel,
    Database,
    Internal,
    Meta,
    Outbound,
    World,
)


@pytest.fixture
async def world(database: Database, mongodb_uri: str) -> AsyncIterator[World]:
    async with (
        aiohttp.ClientSession() as http,
        Internal().running() as internal,
        Meta(http).running() as meta,
    ):
        yield World(database, mongodb_uri, internal, meta)


@pytest.fixture
async def outbound(world: World) -> AsyncIterator[Outbound]:
    async with world.outbound() as running:
        yield running


@pytest.fixture
async def channel(world: World) -> Channel:
    return await world.channel()


@pytest.fixture
def broker_url(request: pytest.FixtureRequest) -> str:
    """A real broker. Started from here, because an async fixture cannot start another."""
    if not os.environ.get("TEST_AMQP_URL"):
        request.getfixturevalue("rabbit")
    url: str = request.getfixturevalue("amqp_uri")
    return url
