"""The indicator is renewed while a reply is written, and costs nothing when it cannot be."""

import asyncio

import pytest

from brain.domain.people import whatsapp_address
from brain.domain.whatsapp.content import Content
from brain.handlers.incoming import Incoming, ReplyRoute
from brain.handlers.typing import Typing
from shared.bus.memory import MemoryBus
from shared.bus.port import BusUnavailableError
from shared.clock import utc_now
from shared.contracts import Envelope, MarkMessageRead

INCOMING = Incoming(
    event_id="e1",
    tenant="t",
    address=whatsapp_address(phone="1555", user_id=None, name=None),
    channel="whatsapp",
    content=Content("text", "hi", ""),
    received_at=utc_now(),
    sent_at=utc_now(),
    wants_reply=True,
    route=ReplyRoute("mc_1", "mc_1:1555", "wamid.1"),
)


class Shown(MemoryBus):
    """A bus that counts, and may be down."""

    def __init__(self, *, down: bool = False) -> None:
        super().__init__()
        self.down = down
        self.envelopes: list[Envelope] = []
        self.enough = asyncio.Event()

    async def publish(
        self, exchange: str, routing_key: str, envelope: Envelope, *, timeout_s: float = 5.0
    ) -> None:
        self.envelopes.append(envelope)
        if len(self.envelopes) == 3:
            self.enough.set()
        if self.down:
            raise BusUnavailableError("planted")


@pytest.mark.parametrize("down", [False, True])
async def test_it_is_renewed_until_the_work_is_done(down: bool) -> None:
    bus = Shown(down=down)

    async def work() -> str:
        await bus.enough.wait()
        return "done"

    assert await Typing(bus, utc_now, every_s=0.005).meanwhile(INCOMING, work()) == "done"
    assert len({envelope.id for envelope in bus.envelopes}) == len(bus.envelopes) >= 3
    mark = bus.envelopes[0].payload(MarkMessageRead)
    assert (mark.typing, mark.provider_message_id) == (True, "wamid.1")


async def test_quick_work_shows_nothing_more() -> None:
    bus = Shown()

    async def work() -> int:
        return 7

    assert await Typing(bus, utc_now, every_s=5).meanwhile(INCOMING, work()) == 7
    assert bus.envelopes == []


async def test_the_works_failure_is_its_own() -> None:
    async def work() -> None:
        raise ValueError("planted")

    with pytest.raises(ValueError, match="planted"):
        await Typing(Shown(), utc_now).meanwhile(INCOMING, work())


async def test_when_we_are_stopped_the_work_is_too() -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    task = asyncio.create_task(Typing(Shown(), utc_now, every_s=5).meanwhile(INCOMING, work()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(stopped.wait(), 5)
