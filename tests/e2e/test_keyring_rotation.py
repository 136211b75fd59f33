"""Ten thousand channels get a new key-encryption key while webhooks flow, past a kill -9."""

import asyncio
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from shared.crypto.sealing import Keyring, LocalKeys, Place
from tests.e2e.conftest import with_database
from tests.e2e.product import Channel, Product, new_phone, running_product, text_message, webhook
from tests.support.eventually import eventually
from tests.support.mongod import fresh_database_name
from tests.support.rabbit import RabbitNode

CHANNELS = 10_000
LIVE = 4
RECORDS = CHANNELS + LIVE
"""The first answers of the live channels' creations are sealed too."""


@pytest.fixture
async def big(
    rabbit: RabbitNode, mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    """A product of this test alone: its key-encryption keys change."""
    vhost = fresh_database_name()
    await rabbit.create_vhost(vhost)
    uri = with_database(mongodb_uri, fresh_database_name())
    folder = tmp_path_factory.mktemp("keyring")
    async with running_product(rabbit, rabbit.uri(vhost), uri, folder) as product:
        yield product


async def fill(product: Product, like: Channel) -> None:
    """As many channels as ``CHANNELS``, each with secrets of its own, sealed by the first key."""
    keyring = Keyring(LocalKeys.from_text({"1": product.key_encryption_key}))
    async with AsyncMongoClient[Any](product.mongodb_uri) as client:
        channels = client.get_default_database()["channels"]
        seen = await channels.find_one({"_id": like.id})
        assert seen is not None
        made = []
        for number in range(CHANNELS - LIVE):
            channel_id = f"mc_{number:022d}"
            sealed = {
                field: keyring.seal(f"{field} {number}", Place("channels", channel_id, field))
                for field in ("access_token", "app_secret")
            }
            made.append({**seen, **sealed, "_id": channel_id, "phone_number_id": f"9{number:014d}"})
        await channels.insert_many(made)


@pytest.mark.timeout(240)
async def test_ten_thousand_channels_get_a_new_key_while_webhooks_flow(big: Product) -> None:
    live = [await big.connect(auto_reply=False) for _ in range(LIVE)]
    await fill(big, live[0])
    refused: list[int] = []
    accepted = 0
    enough = asyncio.Event()

    async def flow(channel: Channel) -> None:
        nonlocal accepted
        while not enough.is_set():
            body = webhook(channel, text_message(new_phone(), "hello"))
            status, _ = await big.post_webhook(channel, body)
            if status == 200:
                accepted += 1
            else:
                refused.append(status)

    flowing = [asyncio.create_task(flow(channel)) for channel in live]
    await eventually(lambda: accepted > LIVE)
    second = urlsafe_b64encode(secrets.token_bytes(32)).decode()
    big.planted.add(second)
    keys = json.dumps({"1": big.key_encryption_key, "2": second})
    await big.restart("channels-api", CHANNELS_API_KEY_ENCRYPTION_KEYS=keys)

    async with big.client() as client:
        begun = await client.keyring.rotate()
        assert (begun.state, begun.total, begun.to_version) == ("running", RECORDS, "2")

        async def under_way() -> bool:
            rotation = (await client.keyring.status()).rotation
            assert rotation is not None
            assert rotation.state == "running", "it was over before it could be killed"
            return RECORDS * 0.1 < rotation.done < RECORDS * 0.9

        await eventually(under_way, timeout_s=30)
        await big.services["channels-api"].kill()
        before = accepted
        await eventually(lambda: accepted > before + LIVE)
        await big.start("channels-api", CHANNELS_API_KEY_ENCRYPTION_KEYS=keys)
        progress: list[int] = []

        async def over() -> bool:
            rotation = (await client.keyring.status()).rotation
            assert rotation is not None
            progress.append(rotation.done)
            return rotation.state == "done"

        await eventually(over, timeout_s=90, every_s=0.2)
        assert progress[0] > 0, "it went on where it was"
        assert len(set(progress)) > 3
        ring = await client.keyring.status()
        assert {one.version: one.secrets for one in ring.versions} == {
            "1": 0,
            "2": CHANNELS + RECORDS,
        }
    await big.restart("channels-api", CHANNELS_API_KEY_ENCRYPTION_KEYS=json.dumps({"2": second}))
    before = accepted
    await eventually(lambda: accepted > before + LIVE)
    enough.set()
    await asyncio.gather(*flowing)
    assert refused == []
