"""Promise 10: a rotated secret works within two seconds, and the old one for a grace period.

The same holds for a key that is revoked, in every replica, and when the broker was away meanwhile.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from tests.e2e.conftest import with_database
from tests.e2e.product import (
    Channel,
    Product,
    new_phone,
    running_product,
    sign,
    text_message,
    webhook,
)
from tests.e2e.test_channel_doctor import number_at_meta
from tests.support.eventually import eventually
from tests.support.mongod import fresh_database_name
from tests.support.rabbit import RabbitNode

WITHIN_S = 2.0
NEW_SECRET = "another-app-secret-0123456789abcdef"

Asked = Callable[[], Awaitable[int]]


async def answered(asked: Asked, status: int, since: float) -> None:
    """``asked`` gives ``status`` two seconds after ``since`` at the latest, and goes on doing so."""

    async def is_so() -> bool:
        return await asked() == status

    await eventually(is_so, timeout_s=30)
    assert time.monotonic() - since < WITHIN_S + 0.2, "0.2 s are the question's own"
    for _ in range(20):
        assert await asked() == status


def posted(product: Product, channel: Channel, base_url: str, secret: str) -> Asked:
    """A message, signed with ``secret``, sent to one replica of ingress."""
    there = replace(channel, url=channel.url.replace(product.base_url, base_url))

    async def post() -> int:
        body = webhook(channel, text_message(new_phone(), "hello"))
        status, _ = await product.post_webhook(there, body, signature=sign(secret, body))
        return refused_or(status)

    return post


def read_with(product: Product, key: str, base_url: str) -> Asked:
    """A read of one replica with an API key."""

    async def read() -> int:
        async with product.http.get(f"{base_url}/api/users", headers={"X-API-Key": key}) as answer:
            return refused_or(answer.status)

    return read


def refused_or(status: int) -> int:
    """Who is refused again and again is told to wait, which is a refusal too."""
    return 401 if status == 429 else status


@pytest.fixture
async def fragile(
    mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    """A product of this test alone, whose broker may be stopped, with a short grace period."""
    folder = tmp_path_factory.mktemp("rotation")
    node = RabbitNode(folder / "rabbit")
    await node.start()
    try:
        uri = with_database(mongodb_uri, fresh_database_name())
        async with running_product(node, node.uri("/"), uri, folder) as product:
            yield product
    finally:
        await node.close()


@pytest.mark.timeout(240)
async def test_a_rotated_secret_works_within_two_seconds_and_the_old_one_for_a_grace_period(
    product: Product,
) -> None:
    """The page's sample, the doctor, the rotation, and a webhook that was signed before it."""
    number = await number_at_meta(product)
    async with product.client() as client:
        made = await client.channels.create_whatsapp(
            **number,
            label="Care line",
            auto_reply=True,
            public_base_url=product.base_url,
            subscribe=True,
        )
        assert made.verify_token is not None
        product.planted |= {made.verify_token, NEW_SECRET}
        report = await client.channels.check(made.id, public_base_url=product.base_url)
        assert report.state != "failed", report.problems
        channel = Channel(
            id=made.id,
            phone_number_id=number["phone_number_id"],
            access_token=number["access_token"],
            app_secret=number["app_secret"],
            verify_token=made.verify_token,
            url=product.base_url + made.webhook_url_hint,
        )
        old = posted(product, channel, product.base_url, channel.app_secret)
        new = posted(product, channel, product.base_url, NEW_SECRET)
        await product.restart("channels-api", CHANNELS_API_SECRET_GRACE_S="6")
        try:
            assert (await old(), await new()) == (200, 401)
            asked_at = time.monotonic()
            changed = await client.channels.update(
                made.id, app_secret=NEW_SECRET, rotate_verify_token=True
            )
            at = time.monotonic()
            assert changed.verify_token not in (None, made.verify_token)
            await answered(new, 200, at)
            assert await old() == 200
            assert time.monotonic() - at < 6, "too slow to have seen the grace period"

            async def ended() -> bool:
                return await old() == 401

            await eventually(ended, timeout_s=20)
            assert time.monotonic() - asked_at >= 6
            assert await new() == 200
        finally:
            await product.restart("channels-api")


@pytest.mark.timeout(300)
async def test_a_revoked_key_and_a_rotated_secret_count_everywhere_also_past_a_broken_broker(
    fragile: Product,
) -> None:
    channel = await fragile.connect(auto_reply=False)
    brains = [fragile.base_url, await fragile.start_another("brain")]
    edges = [fragile.base_url, await fragile.start_another("ingress")]

    async def revoke_and_rotate(secret: str, during: Callable[[], Awaitable[None]]) -> None:
        async with fragile.client() as client:
            key = await client.keys.create("to be revoked")
            assert key.key is not None
            reads = [read_with(fragile, key.key, url) for url in brains]
            posts = [posted(fragile, channel, url, secret) for url in edges]
            for read in reads:
                assert await read() == 200
            for post in posts:
                assert await post() == 401
            await during()
            await client.keys.revoke(key.id)
            revoked_at = time.monotonic()
            for read in reads:
                await answered(read, 401, revoked_at)
            await client.channels.update(channel.id, app_secret=secret)
            rotated_at = time.monotonic()
            for post in posts:
                # Past the signature: 503 while the broker is away, 401 while it is not accepted.
                async def past(post: Asked = post) -> int:
                    return 200 if await post() in (200, 503) else 401

                await answered(past, 200, rotated_at)

    async def nothing() -> None:
        return

    await revoke_and_rotate("second-app-secret-0123456789abcdef", nothing)
    await revoke_and_rotate("third-app-secret-0123456789abcdef", fragile.rabbit.stop)
    await fragile.rabbit.start()
    await revoke_and_rotate("fourth-app-secret-0123456789abcdef", nothing)
