"""The broker goes away while people write. Runs on a node of its own, which it may kill."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.e2e.conftest import with_database
from tests.e2e.product import Product, new_phone, running_product, text_message, webhook
from tests.e2e.test_promises import interactions_known
from tests.support.eventually import eventually
from tests.support.mongod import fresh_database_name
from tests.support.rabbit import RabbitNode

MESSAGES = 60


@pytest.fixture
async def fragile(
    mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    """A product whose broker belongs to this test alone."""
    folder = tmp_path_factory.mktemp("fragile")
    node = RabbitNode(folder / "rabbit")
    await node.start()
    try:
        uri = with_database(mongodb_uri, fresh_database_name())
        async with running_product(node, node.uri("/"), uri, folder) as product:
            yield product
    finally:
        await node.close()


@pytest.mark.timeout(240)
async def test_broker_down_answers_503_and_a_restart_under_load_loses_nothing(
    fragile: Product,
) -> None:
    channel = await fragile.connect(auto_reply=False)
    phone = new_phone()
    refused = asyncio.Event()
    accepted: list[str] = []

    async def deliver(text: str) -> None:
        """As Meta: the same body again until it is accepted."""
        body = webhook(channel, text_message(phone, text))
        while True:
            status, _ = await fragile.post_webhook(channel, body)
            assert status in (200, 503), status
            if status == 200:
                accepted.append(text)
                return
            refused.set()

    async def load() -> None:
        for number in range(MESSAGES):
            await deliver(f"number {number}")

    loading = asyncio.create_task(load())
    await eventually(lambda: len(accepted) > 10, timeout_s=20)
    await fragile.rabbit.stop()
    await asyncio.wait_for(refused.wait(), 20)
    await fragile.rabbit.start()
    await asyncio.wait_for(loading, 120)

    async def complete() -> list[dict[str, Any]]:
        found = await interactions_known(fragile, phone)
        return found if len(found) >= MESSAGES else []

    found = await eventually(complete, timeout_s=60, every_s=0.5)
    assert sorted(i["message"]["text"] for i in found) == sorted(accepted)
    in_order = sorted(found, key=lambda i: i["user"]["interaction_count"])
    assert [i["message"]["text"] for i in in_order] == [f"number {n}" for n in range(MESSAGES)]
