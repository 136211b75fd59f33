"""What the runtime promises of the database: reachable, indexed, and told when it is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from shared.clock import utc_now
from shared.mongo.client import database_of, open_client
from shared.mongo.indexes import Index, IndexMissingError, check_indexes, ensure_indexes
from shared.runtime import Resources, Service, serving
from shared.settings import MongoSettings, ServiceSettings, load

pytestmark = pytest.mark.database

Database = AsyncDatabase[dict[str, Any]]

INDEXES = (
    Index("people", (("tenant", 1), ("external_id", 1)), name="tenant_external", unique=True),
    Index("people", (("at", -1),), name="recent", expire_after_s=60),
    Index("things", (("at", 1),), name="pending", partial={"pending": True}),
)


class Settings(MongoSettings):
    model_config = SettingsConfigDict(env_prefix="GROUND_")


def settings_for(uri: str, database: Database, **more: Any) -> Settings:
    return load(
        Settings,
        mongodb_uri=SecretStr(uri),
        mongodb_database=database.name,
        admin_host="127.0.0.1",
        admin_port=0,
        **more,
    )


@asynccontextmanager
async def build(_: ServiceSettings, resources: Resources) -> AsyncIterator[Service]:
    yield Service(indexes=INDEXES)


async def test_indexes_are_made_once_by_any_number_of_replicas(database: Database) -> None:
    await asyncio.gather(*(ensure_indexes(database, INDEXES) for _ in range(5)))
    await check_indexes(database, INDEXES)
    made = await database["people"].index_information()
    assert made["tenant_external"]["unique"] is True
    assert made["recent"]["expireAfterSeconds"] == 60
    await database["people"].insert_one({"tenant": "a", "external_id": "1"})
    with pytest.raises(DuplicateKeyError):
        await database["people"].insert_one({"tenant": "a", "external_id": "1"})


async def test_every_missing_index_is_named(database: Database) -> None:
    await ensure_indexes(database, INDEXES[:1])
    with pytest.raises(
        IndexMissingError, match=r"missing indexes: people\.recent, things\.pending"
    ):
        await check_indexes(database, INDEXES)


async def test_a_service_starts_with_its_indexes(mongodb_uri: str, database: Database) -> None:
    async with serving(settings_for(mongodb_uri, database), build) as running:
        assert await running.health.failing() == {}
    await check_indexes(database, INDEXES)


async def test_without_the_right_to_make_indexes_it_does_not_start(
    mongodb_uri: str, database: Database
) -> None:
    settings = settings_for(mongodb_uri, database, mongodb_ensure_indexes=False)
    with pytest.raises(IndexMissingError):
        async with serving(settings, build):
            raise AssertionError


async def test_it_waits_for_a_database_that_is_not_there_yet(
    unused_tcp_port: int, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.mongo.client.SERVER_SELECTION_TIMEOUT_MS", 50)
    settings = settings_for(f"mongodb://127.0.0.1:{unused_tcp_port}/", database)

    async def serve() -> None:
        async with serving(settings, build):
            raise AssertionError

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await serve()


async def test_moments_come_back_as_they_were(mongodb_uri: str, database: Database) -> None:
    client = open_client(mongodb_uri, app_name="test")
    try:
        ours = database_of(client, mongodb_uri, default=database.name)
        now = utc_now()
        await ours["dates"].insert_one({"at": now})
        document = await ours["dates"].find_one({})
        assert document is not None
        assert document["at"] == now
    finally:
        await client.close()


async def test_the_uri_may_name_the_database() -> None:
    client = open_client("mongodb://127.0.0.1:1/named", app_name="test")
    try:
        assert database_of(client, "mongodb://127.0.0.1:1/named", default="other").name == "named"
        assert database_of(client, "mongodb://127.0.0.1:1/", default="other").name == "other"
    finally:
        await client.close()
