"""A database of its own, and a running service, for each test."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from tests.integration.channels_api.world import World, started
from tests.support.mongod import fresh_database_name


@pytest.fixture
async def uri(mongodb_uri: str) -> AsyncIterator[str]:
    host = mongodb_uri.split("//", 1)[1].split("/", 1)[0]
    name = fresh_database_name()
    yield f"mongodb://{host}/{name}?replicaSet=rs0"
    async with AsyncMongoClient[Any](mongodb_uri) as client:
        await client.drop_database(name)


@pytest.fixture
async def world(uri: str) -> AsyncIterator[World]:
    async with started(World(uri)) as running:
        yield running
