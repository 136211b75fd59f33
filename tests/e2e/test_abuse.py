"""Somebody guesses and forges from one address: they are throttled, and nobody else is."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from tests.e2e.product import Channel, Product, new_phone, sign, text_message, webhook

WRONG_TOKENS = 1_000
FORGERIES = 10_000
PER_MINUTE = 60
"""The default of INGRESS_FAILURES_PER_MINUTE."""
AT_ONCE = 32
ATTACKER = "127.0.0.9"


@pytest.fixture
async def edge(product: Product) -> str:
    """An ingress of this test's own, so that its throttle is."""
    return await product.start_another("ingress")


@pytest.fixture
async def attacker() -> AsyncIterator[aiohttp.ClientSession]:
    """Connects from another address than everybody else."""
    connector = aiohttp.TCPConnector(local_addr=(ATTACKER, 0), limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


@pytest.mark.timeout(240)
async def test_guesses_and_forgeries_of_one_address_are_throttled_and_others_unharmed(
    product: Product, channel: Channel, edge: str, attacker: aiohttp.ClientSession
) -> None:
    there = replace(channel, url=channel.url.replace(product.base_url, edge))
    body = webhook(channel, text_message(new_phone(), "forged"))
    seen: Counter[int] = Counter()
    waits: set[str | None] = set()

    async def guess(number: int) -> None:
        query = {
            "hub.mode": "subscribe",
            "hub.verify_token": f"vt_{number:043d}",
            "hub.challenge": "1",
        }
        async with attacker.get(there.url, params=query) as answer:
            seen[answer.status] += 1
            waits.add(answer.headers.get("Retry-After"))

    async def forge(number: int) -> None:
        headers = {"X-Hub-Signature-256": sign(f"wrong {number}", body)}
        async with attacker.post(there.url, data=body, headers=headers) as answer:
            seen[answer.status] += 1
            waits.add(answer.headers.get("Retry-After"))

    over = asyncio.Event()
    honest: Counter[int] = Counter()

    async def others() -> None:
        """Meta, from elsewhere, all the while."""
        while not over.is_set():
            mine = webhook(channel, text_message(new_phone(), "hello"))
            status, _ = await product.post_webhook(there, mine)
            honest[status] += 1

    meanwhile = asyncio.create_task(others())
    for attack, count in ((guess, WRONG_TOKENS), (forge, FORGERIES)):
        for begin in range(0, count, AT_ONCE):
            await asyncio.gather(
                *(attack(number) for number in range(begin, min(begin + AT_ONCE, count)))
            )
    # A right signature is taken from the attacker's address, too: Meta's are shared by everybody.
    mine = webhook(channel, text_message(new_phone(), "hello"))
    headers = {"X-Hub-Signature-256": sign(channel.app_secret, mine)}
    async with attacker.post(there.url, data=mine, headers=headers) as answer:
        assert answer.status == 200
    over.set()
    await meanwhile

    assert sum(seen.values()) == WRONG_TOKENS + FORGERIES
    assert seen.keys() <= {401, 403, 429}
    # A flood of some minutes may be wrong again in each of them; nearly all of it waits.
    assert PER_MINUTE <= seen[401] + seen[403] <= 5 * PER_MINUTE
    assert seen[429] > 0.95 * (WRONG_TOKENS + FORGERIES)
    assert all(1 <= int(wait) <= 60 for wait in waits if wait is not None)
    assert honest.keys() == {200}
    query = {
        "hub.mode": "subscribe",
        "hub.verify_token": channel.verify_token,
        "hub.challenge": "42",
    }
    async with product.http.get(there.url, params=query) as answer:
        assert (answer.status, await answer.text()) == (200, "42")
    logs = [json.loads(line) for line in product.log_text().splitlines() if line.startswith("{")]
    told = Counter(line["event"] for line in logs if line.get("channel_id") == channel.id)
    assert told["webhook_refused"] + told["handshake"] <= 6 * PER_MINUTE, "the log is not flooded"
