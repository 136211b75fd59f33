from collections.abc import AsyncIterator

import pytest

from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.wire import Wire


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """The server of one test."""
    server = Wire()
    async with server.serving():
        yield server


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, wire: Wire) -> Caller:
    """Either client, connected to ``wire``."""
    return Caller(request.param, wire.url)
