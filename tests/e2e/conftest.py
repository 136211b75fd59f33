"""One product for the whole end-to-end session; its broker is its own, so that it may be killed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.leaks import leaks_in_database, leaks_in_logs
from tests.e2e.product import Channel, Product, running_product
from tests.support.mongod import fresh_database_name
from tests.support.rabbit import RabbitNode


@pytest.fixture(scope="session")
async def product(
    rabbit: RabbitNode, mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    """Every service as its own process."""
    folder: Path = tmp_path_factory.mktemp("product")
    vhost = fresh_database_name()
    await rabbit.create_vhost(vhost)
    uri = with_database(mongodb_uri, fresh_database_name())
    async with running_product(rabbit, rabbit.uri(vhost), uri, folder) as running:
        yield running
        assert leaks_in_logs(running) == []
        assert await leaks_in_database(running) == []


@pytest.fixture
async def channel(product: Product) -> Channel:
    """A fresh channel that answers by itself, verified as Meta does."""
    return await product.connect()


def with_database(uri: str, name: str) -> str:
    """``uri`` with this database in its path."""
    base, _, options = uri.partition("?")
    host = base.split("//", 1)[1].split("/", 1)[0]
    return f"mongodb://{host}/{name}?{options}"
