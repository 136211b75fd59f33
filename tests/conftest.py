"""The parts that tests share: a real broker and a real database, started once.

Where they come from, first that works: ``TEST_AMQP_URL`` and ``TEST_MONGODB_URI``, then a private
local node. With ``REQUIRE_PARTS=1`` or ``CI`` set a missing part fails; otherwise it skips loudly.
"""

import os
from collections.abc import AsyncIterator
from typing import Any, NoReturn

import hypothesis
import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from devstack.mongod import MongodUnavailableError, embedded_mongod
from tests.support.mongod import fresh_database_name
from tests.support.rabbit import BrokerMissingError, RabbitNode

# The same examples on every machine that gates a change; new ones on a developer's own.
hypothesis.settings.register_profile("gate", derandomize=True, deadline=None)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile("gate" if os.environ.get("CI") else "explore")


def _missing(part: str, what_to_do: str) -> NoReturn:
    if os.environ.get("CI") or os.environ.get("REQUIRE_PARTS"):
        pytest.fail(f"{part} is missing: {what_to_do}", pytrace=False)
    pytest.skip(f"{part} IS MISSING, NOTHING WAS TESTED: {what_to_do}")


@pytest.fixture(scope="session")
async def _own_node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RabbitNode | None]:
    """A private RabbitMQ node; None when the environment names a broker."""
    if os.environ.get("TEST_AMQP_URL"):
        yield None
        return
    node = RabbitNode(tmp_path_factory.mktemp("rabbit"))
    try:
        await node.start()
        yield node
    except BrokerMissingError as error:
        _missing("RabbitMQ", str(error))
    finally:
        await node.close()


@pytest.fixture(scope="session")
def rabbit(_own_node: RabbitNode | None) -> RabbitNode:
    """The private node itself, for tests that make virtual hosts or restart it."""
    if _own_node is None:
        _missing("A private RabbitMQ node", "unset TEST_AMQP_URL")
    return _own_node


@pytest.fixture(scope="session")
async def amqp_uri(_own_node: RabbitNode | None) -> str:
    """An AMQP URL with a virtual host of this session's own."""
    if _own_node is None:
        return os.environ["TEST_AMQP_URL"]
    name = fresh_database_name()
    await _own_node.create_vhost(name)
    return _own_node.uri(name)


@pytest.fixture(scope="session")
async def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A mongod, single-node replica set."""
    given = os.environ.get("TEST_MONGODB_URI")
    if given:
        yield given
        return
    try:
        async with embedded_mongod(tmp_path_factory.mktemp("mongod")) as uri:
            yield uri
    except MongodUnavailableError as error:
        _missing("mongod", str(error))


@pytest.fixture
async def database(mongodb_uri: str) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    """A database of this test's own, dropped afterwards."""
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client:
        name = fresh_database_name()
        yield client[name]
        await client.drop_database(name)
