"""The keyed executor: order within a key, independence between keys, nothing left behind."""

import asyncio
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.bus.keyed import KeyedExecutor

JOBS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(min_value=0, max_value=3), st.booleans()),
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(jobs=JOBS)
async def test_jobs_of_a_key_run_in_order_one_at_a_time(
    jobs: list[tuple[str, int, bool]],
) -> None:
    executor = KeyedExecutor()
    ran: dict[str, list[int]] = defaultdict(list)
    running: set[str] = set()

    async def job(key: str, number: int, turns: int, fails: bool) -> None:
        assert key not in running
        running.add(key)
        for _ in range(turns):
            await asyncio.sleep(0)
        running.discard(key)
        ran[key].append(number)
        if fails:
            raise ValueError

    submitted: dict[str, list[int]] = defaultdict(list)
    for number, (key, turns, fails) in enumerate(jobs):
        submitted[key].append(number)
        executor.submit(key, lambda a=(key, number, turns, fails): job(*a))
    assert executor.pending == len(jobs)
    assert await executor.drain(5)
    assert ran == submitted
    assert executor.pending == 0


async def test_a_held_key_holds_no_other() -> None:
    executor, release, ran = KeyedExecutor(), asyncio.Event(), []

    async def held() -> None:
        await release.wait()
        ran.append("held")

    async def quick(name: str) -> None:
        ran.append(name)

    executor.submit("a", held)
    executor.submit("a", lambda: quick("behind"))
    executor.submit("b", lambda: quick("other"))
    assert not await executor.drain(0.05)
    assert ran == ["other"]
    release.set()
    assert await executor.drain(5)
    assert ran == ["other", "held", "behind"]


async def test_a_key_can_be_used_again_after_it_was_idle() -> None:
    executor, ran = KeyedExecutor(), []

    async def note(number: int) -> None:
        ran.append(number)

    for number in range(3):
        executor.submit("a", lambda n=number: note(n))
        assert await executor.drain(5)
    assert ran == [0, 1, 2]


async def test_cancel_stops_what_runs_and_drops_what_waits() -> None:
    executor, begun, ended, ran = KeyedExecutor(), asyncio.Event(), [], []

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")

    async def note() -> None:
        ran.append("behind")

    executor.submit("a", endless)
    executor.submit("a", note)
    await begun.wait()
    executor.submit("b", note)
    await executor.cancel()
    assert (ended, ran, executor.pending) == (["endless"], [], 0)
    assert await executor.drain(0.01)


async def test_an_idle_executor_is_drained() -> None:
    assert await KeyedExecutor().drain(0.01)
