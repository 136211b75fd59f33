"""The cache: one question at a time, old answers in an outage, never an answer that was recalled."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

import shared.cache
from shared.cache import (
    ABSENT_FRESH_S,
    FRESH_S,
    RETRY_S,
    TOLD_S,
    UNTOLD_FRESH_S,
    SourceUnavailableError,
    StaleCache,
)
from shared.telemetry.metrics import Metrics
from tests.support.eventually import eventually

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Source:
    """What the cache stands in front of; can be down, and can be held while it answers."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {"key": "old"}
        self.asked: list[str] = []
        self.down = False
        self.open = asyncio.Event()
        self.open.set()

    async def load(self, key: str) -> str | None:
        self.asked.append(key)
        value, down = self.values.get(key), self.down
        await self.open.wait()
        if down:
            raise SourceUnavailableError
        return value


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    hands = Hands()
    monkeypatch.setattr(shared.cache, "monotonic", hands)
    return hands


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def cache(source: Source, hands: Hands, metrics: Metrics) -> StaleCache[str]:
    return StaleCache("test", source.load, metrics)


async def started(cache: StaleCache[str], source: Source) -> "asyncio.Task[str | None]":
    """A read that is held at the source."""
    asked = len(source.asked)
    source.open.clear()
    task = asyncio.create_task(cache.get("key"))
    await eventually(lambda: len(source.asked) > asked)
    return task


async def test_a_fresh_answer_is_not_asked_for_again(
    cache: StaleCache[str], source: Source, hands: Hands
) -> None:
    assert await cache.get("key") == "old"
    hands.now += FRESH_S - 0.1
    cache.told(NOW, NOW)
    assert await cache.get("key") == "old"
    assert source.asked == ["key"]
    hands.now += 0.2
    source.values["key"] = "new"
    assert await cache.get("key") == "new"


async def test_who_hears_nothing_asks_again_within_two_seconds(
    cache: StaleCache[str], source: Source, hands: Hands
) -> None:
    await cache.get("key")
    source.values["key"] = "new"
    hands.now += UNTOLD_FRESH_S - 0.1
    assert await cache.get("key") == "old"
    hands.now += 0.2
    assert await cache.get("key") == "new"


@pytest.mark.parametrize("late_s", [0.0, 0.5, 1.0, 60.0, -60.0])
async def test_what_is_known_counts_only_so_long_as_all_was_told(
    cache: StaleCache[str], source: Source, hands: Hands, late_s: float
) -> None:
    await cache.get("key")
    hands.now += 10
    cache.told(NOW - timedelta(seconds=late_s), NOW)
    believed_s = min(TOLD_S, max(0.0, TOLD_S - late_s))
    source.values["key"] = "new"
    if believed_s:
        hands.now += believed_s - 0.1
        assert await cache.get("key") == "old"
        hands.now += 0.2
    assert await cache.get("key") == "new"


async def test_an_older_word_does_not_take_back_a_newer_one(
    cache: StaleCache[str], source: Source, hands: Hands
) -> None:
    await cache.get("key")
    hands.now += 10
    cache.told(NOW, NOW)
    cache.told(NOW - timedelta(seconds=1), NOW)
    hands.now += TOLD_S - 0.1
    await cache.get("key")
    assert source.asked == ["key"]


async def test_a_source_that_is_down_is_not_asked_by_every_reader(
    cache: StaleCache[str], source: Source, hands: Hands
) -> None:
    await cache.get("key")
    hands.now += 10
    source.down = True
    assert [await cache.get("key") for _ in range(5)] == ["old"] * 5
    assert source.asked == ["key", "key"]
    source.down = False
    source.values["key"] = "new"
    hands.now += RETRY_S + 0.1
    assert await cache.get("key") == "new"


async def test_many_readers_ask_once(cache: StaleCache[str], source: Source) -> None:
    held = await started(cache, source)
    readers = [asyncio.create_task(cache.get("key")) for _ in range(50)]
    await asyncio.sleep(0)
    source.open.set()
    assert await asyncio.gather(held, *readers) == ["old"] * 51
    assert source.asked == ["key"]


async def test_a_reader_that_leaves_does_not_stop_the_others(
    cache: StaleCache[str], source: Source
) -> None:
    held = await started(cache, source)
    other = asyncio.create_task(cache.get("key"))
    await asyncio.sleep(0)
    held.cancel()
    source.open.set()
    assert await other == "old"


async def test_in_an_outage_the_last_answer_is_served(
    cache: StaleCache[str], source: Source, hands: Hands, metrics: Metrics
) -> None:
    await cache.get("key")
    hands.now += 10 * FRESH_S
    source.down = True
    assert await cache.get("key") == "old"
    cache.expire_all()
    assert await cache.get("key") == "old"
    assert (
        metrics.registry.get_sample_value("cache_reads_total", {"cache": "test", "result": "stale"})
        == 2
    )


async def test_in_an_outage_what_was_never_known_raises(
    cache: StaleCache[str], source: Source
) -> None:
    source.down = True
    with pytest.raises(SourceUnavailableError):
        await cache.get("key")


async def test_absence_is_believed_for_a_moment_only(
    cache: StaleCache[str], source: Source, hands: Hands
) -> None:
    assert await cache.get("nobody") is None
    assert await cache.get("nobody") is None
    assert source.asked == ["nobody"]
    hands.now += ABSENT_FRESH_S + 0.1
    source.values["nobody"] = "somebody"
    assert await cache.get("nobody") == "somebody"


async def test_absence_is_not_served_stale(
    cache: StaleCache[str], source: Source, hands: Hands
) -> None:
    await cache.get("nobody")
    hands.now += ABSENT_FRESH_S + 0.1
    source.down = True
    with pytest.raises(SourceUnavailableError):
        await cache.get("nobody")


async def test_an_expired_entry_is_asked_for_again(cache: StaleCache[str], source: Source) -> None:
    await cache.get("key")
    source.values["key"] = "new"
    cache.expire("key")
    assert await cache.get("key") == "new"


@pytest.mark.parametrize(
    "recall",
    [lambda c: c.expire("key"), lambda c: c.expire_all(), lambda c: c.forget("key")],
    ids=["expire", "expire_all", "forget"],
)
async def test_an_answer_on_its_way_during_a_recall_is_not_kept(
    cache: StaleCache[str], source: Source, recall: Callable[[StaleCache[str]], None]
) -> None:
    held = await started(cache, source)
    recall(cache)
    source.values["key"] = "new"
    source.open.set()
    await held
    assert await cache.get("key") == "new"


async def test_what_was_forgotten_is_not_served_even_in_an_outage(
    cache: StaleCache[str], source: Source
) -> None:
    await cache.get("key")
    cache.forget("key")
    source.down = True
    with pytest.raises(SourceUnavailableError):
        await cache.get("key")


async def test_what_is_forgotten_while_the_source_fails_is_not_served(
    cache: StaleCache[str], source: Source, hands: Hands
) -> None:
    await cache.get("key")
    hands.now += 2 * FRESH_S
    source.down = True
    held = await started(cache, source)
    cache.forget("key")
    source.open.set()
    with pytest.raises(SourceUnavailableError):
        await held


async def test_another_error_of_the_source_is_the_readers(cache: StaleCache[str]) -> None:
    async def broken(key: str) -> str | None:
        raise KeyError(key)

    with pytest.raises(KeyError):
        await StaleCache("broken", broken, Metrics()).get("key")


async def test_the_oldest_entry_makes_room(
    cache: StaleCache[str], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.cache, "MOST_ENTRIES", 2)
    source.values |= {"a": "1", "b": "2", "c": "3"}
    for key in ("a", "b", "c", "b", "c", "a"):
        await cache.get(key)
    assert source.asked == ["a", "b", "c", "a"]
