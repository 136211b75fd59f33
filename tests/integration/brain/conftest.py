"""A world for each test: its own database, keys, clock and, at need, model."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.brain.world import Brain, Database, Keys, World
from tests.support.model_double import ModelDouble


@pytest.fixture
async def world(database: Database, mongodb_uri: str) -> AsyncIterator[World]:
    async with Keys().running() as keys:
        yield World(database, mongodb_uri, keys)


@pytest.fixture
async def brain(world: World) -> AsyncIterator[Brain]:
    """A brain that answers with the offline demo responder."""
    async with world.brain() as running:
        yield running


@pytest.fixture
async def model() -> AsyncIterator[ModelDouble]:
    async with ModelDouble().running() as double:
        yield double
