"""What open pages are told: their own tenant's events, and to read again when some were missed."""

import asyncio
from datetime import UTC, datetime

from dashboard.handlers.live import GAP, WAITING, Live
from shared.contracts import Envelope, UserErased


def erased(tenant: str, user_id: str = "eu_1") -> Envelope:
    return Envelope.of(
        UserErased(user_id=user_id),
        id="e1",
        source="brain",
        subject=user_id,
        tenant=tenant,
        time=datetime(2026, 3, 1, tzinfo=UTC),
        traceparent=None,
        causation=None,
    )


async def fine() -> None:
    return None


async def test_a_page_hears_of_its_own_tenant_only():
    live = Live(fine)
    async with live.watching("a") as page, live.watching("b") as other:
        live.heard(erased("a"))
        assert page.events.get_nowait() == {"type": "live"}
        assert page.events.get_nowait() == {"type": "user.erased", "user_id": "eu_1"}
        assert other.events.get_nowait() == {"type": "live"}
        assert other.events.empty()
    live.heard(erased("a"))
    assert page.events.empty()


async def test_a_page_that_is_too_slow_reads_everything_again():
    live = Live(fine)
    async with live.watching("a") as page:
        for _ in range(WAITING + 5):
            live.heard(erased("a"))
        heard = [page.events.get_nowait() for _ in range(page.events.qsize())]
        assert heard[0] == GAP
        assert len(heard) <= 6


async def test_every_page_is_told_when_the_broker_goes_and_comes():
    away = asyncio.Event()

    async def probe() -> None:
        if away.is_set():
            raise ConnectionError

    live = Live(probe, probe_s=0.01)
    await live.start()
    async with live.watching("a") as page:
        assert page.events.get_nowait() == {"type": "live"}
        away.set()
        assert await page.events.get() == {"type": "quiet"}
        async with live.watching("b") as late:
            assert late.events.get_nowait() == {"type": "quiet"}
        away.clear()
        assert await page.events.get() == {"type": "live"}
        live.gap()
        assert await page.events.get() == GAP
        assert await live.stop(1.0)
        assert await page.events.get() == {"type": "bye"}
