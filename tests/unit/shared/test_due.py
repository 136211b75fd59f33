"""Work that waits in documents: found when due, done once at a time, never lost by a failure."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from shared.clock import utc_now
from shared.due import DueLoop
from tests.support.eventually import eventually


class Pieces:
    """A collection of pieces and their times, and what is done with them."""

    def __init__(self) -> None:
        self.due_at: dict[str, datetime] = {}
        self.done: list[str] = []
        self.running = 0
        self.most_at_once = 0
        self.failing: set[str] = set()
        self.broken = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def find(self, now: datetime, limit: int) -> list[str]:
        if self.broken:
            raise ConnectionError("planted")
        due = sorted((at, name) for name, at in self.due_at.items() if at <= now)
        return [name for _, name in due][:limit]

    async def next_due_at(self, now: datetime) -> datetime | None:
        return min((at for at in self.due_at.values() if at > now), default=None)

    async def step(self, name: str) -> None:
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            await self.gate.wait()
            if name in self.failing:
                self.failing.discard(name)
                raise ValueError("planted")
            self.done.append(name)
            del self.due_at[name]
        finally:
            self.running -= 1

    def add(self, name: str, in_s: float = 0.0) -> None:
        self.due_at[name] = utc_now() + timedelta(seconds=in_s)


@asynccontextmanager
async def running(
    pieces: Pieces,
    *,
    concurrency: int = 8,
    key_of: Callable[[str], str] = lambda name: name,
    step: Callable[[str], Awaitable[None]] | None = None,
) -> AsyncIterator[DueLoop[str]]:
    loop: DueLoop[str] = DueLoop(
        "pieces",
        find=pieces.find,
        next_due_at=pieces.next_due_at,
        key_of=key_of,
        step=step or pieces.step,
        clock=utc_now,
        concurrency=concurrency,
    )
    await loop.start()
    try:
        yield loop
    finally:
        pieces.gate.set()
        await loop.stop(1.0)


async def test_what_is_due_is_done_and_what_falls_due_is_done_then() -> None:
    pieces = Pieces()
    pieces.add("now")
    pieces.add("soon", in_s=0.1)
    pieces.add("much later", in_s=3600)
    async with running(pieces):
        await eventually(lambda: pieces.done == ["now", "soon"])
    assert list(pieces.due_at) == ["much later"]


async def test_whoever_makes_something_due_wakes_the_loop() -> None:
    pieces = Pieces()
    async with running(pieces) as loop:
        pieces.add("first")
        loop.wake()
        await eventually(lambda: pieces.done == ["first"], timeout_s=0.9)


async def test_a_failure_is_met_again_and_takes_no_other_with_it() -> None:
    pieces = Pieces()
    pieces.failing.add("bad")
    pieces.add("bad")
    pieces.add("good")
    async with running(pieces):
        await eventually(lambda: sorted(pieces.done) == ["bad", "good"])
    assert pieces.done[0] == "good"


async def test_an_outage_of_the_store_passes() -> None:
    pieces = Pieces()
    pieces.broken = True
    pieces.add("one")
    async with running(pieces) as loop:
        loop.wake()
        pieces.broken = False
        await eventually(lambda: pieces.done == ["one"])


async def test_no_more_run_than_allowed_and_each_is_run_once() -> None:
    pieces = Pieces()
    pieces.gate.clear()
    for number in range(20):
        pieces.add(f"{number:02d}")
    async with running(pieces, concurrency=3) as loop:
        await eventually(lambda: pieces.running == 3)
        loop.wake()
        pieces.gate.set()
        await eventually(lambda: len(pieces.done) == 20)
    assert pieces.most_at_once == 3
    assert len(set(pieces.done)) == 20


async def test_pieces_of_one_key_are_done_one_after_another() -> None:
    pieces = Pieces()
    pieces.gate.clear()
    for name in ("a1", "a2", "b1"):
        pieces.add(name)
    async with running(pieces, key_of=lambda name: name[0]):
        await eventually(lambda: pieces.running == 2)
        pieces.gate.set()
        await eventually(lambda: len(pieces.done) == 3)
    assert pieces.most_at_once == 2


async def test_a_stop_waits_for_what_runs_and_cuts_what_takes_too_long() -> None:
    pieces = Pieces()
    pieces.gate.clear()
    pieces.add("slow")
    async with running(pieces) as loop:
        await eventually(lambda: pieces.running == 1)
        stopping = asyncio.create_task(loop.stop(5.0))
        pieces.gate.set()
        assert await stopping is True
        assert pieces.done == ["slow"]
    stuck = Pieces()
    stuck.gate.clear()
    stuck.add("stuck")
    async with running(stuck) as loop:
        await eventually(lambda: stuck.running == 1)
        assert await loop.stop(0.05) is False
        assert stuck.running == 0
    assert list(stuck.due_at) == ["stuck"]
