"""A world for each test: its own database, channels, keys, clock and Meta."""

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
