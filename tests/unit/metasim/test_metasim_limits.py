import pytest

from metasim.config import SimConfig, StatusStep
from metasim.limits import TokenBuckets
from tests.unit.metasim.harness import FakeClock, Sim, text_to


def test_a_bucket_gives_its_burst_then_one_an_interval() -> None:
    clock = FakeClock()
    buckets = TokenBuckets(45, 1 / 6, clock)
    assert all(buckets.take("a") for _ in range(45))
    assert not buckets.take("a")
    clock.advance(5.9)
    assert not buckets.take("a")
    clock.advance(0.1)
    assert buckets.take("a")
    assert not buckets.take("a")
    assert buckets.take("b"), "each key has a bucket of its own"


def test_a_bucket_never_holds_more_than_its_capacity() -> None:
    clock = FakeClock()
    buckets = TokenBuckets(2, 1.0, clock)
    buckets.take("a")
    clock.advance(3600)
    assert [buckets.take("a") for _ in range(3)] == [True, True, False]


def test_draining_an_empty_bucket_leaves_no_debt() -> None:
    clock = FakeClock()
    buckets = TokenBuckets(1, 1.0, clock)
    for _ in range(5):
        buckets.drain("a")
    clock.advance(1)
    assert buckets.take("a")


async def test_the_46th_message_at_once_to_one_person_hits_the_pair_limit(sim: Sim) -> None:
    await sim.write()
    await sim.write(**{"from": "+15557654321"})
    sim.clock.advance(1)
    for _ in range(45):
        status, _ = await sim.graph(text_to())
        assert status == 200
    status, body = await sim.graph(text_to())
    assert (status, body["error"]["code"]) == (400, 131056)
    status, _ = await sim.graph(text_to("+15557654321"))
    assert status == 200, "others are not held up"
    sim.clock.advance(5)
    assert (await sim.graph(text_to()))[1]["error"]["code"] == 131056
    sim.clock.advance(1)
    assert (await sim.graph(text_to()))[0] == 200
    assert (await sim.graph(text_to()))[1]["error"]["code"] == 131056


async def test_throughput_counts_both_directions(start) -> None:
    sim = await start(statuses=(), throughput_per_s=10, pair_burst=1000)
    for _ in range(4):
        await sim.write()
    codes = [(await sim.graph(text_to()))[0] for _ in range(6)]
    assert codes == [200] * 6
    status, body = await sim.graph(text_to())
    assert (status, body["error"]["code"]) == (400, 130429)
    assert body["error"]["message"] == "(#130429) Rate limit hit"
    sim.clock.advance(1)
    assert (await sim.graph(text_to()))[0] == 200


async def test_free_form_messages_need_an_open_window(sim: Sim) -> None:
    status, body = await sim.graph(text_to())
    assert (status, body["error"]["code"]) == (400, 131047), "nobody wrote yet"
    await sim.write()
    sim.clock.advance(24 * 3600 - 1)
    assert (await sim.graph(text_to()))[0] == 200
    sim.clock.advance(1)
    assert (await sim.graph(text_to()))[1]["error"]["code"] == 131047
    template = {"name": "hello", "language": {"code": "en"}}
    asked = {"messaging_product": "whatsapp", "to": "+15551234567", "type": "template"}
    assert (await sim.graph({**asked, "template": template}))[0] == 200
    await sim.write()
    assert (await sim.graph(text_to()))[0] == 200


async def test_the_window_follows_the_timestamp_of_the_message(sim: Sim) -> None:
    await sim.write(timestamp=int(sim.clock.now) - 25 * 3600)
    assert (await sim.graph(text_to()))[1]["error"]["code"] == 131047


async def test_the_window_can_be_switched_off(start) -> None:
    sim = await start(statuses=(), window_enforced=False)
    assert (await sim.graph(text_to()))[0] == 200
    assert (await sim.conversation())["messages"][0]["text"] == "hi there"


@pytest.mark.parametrize(
    "options",
    [
        {"pair_burst": 0},
        {"pair_interval_s": 0},
        {"throughput_per_s": 0},
        {"webhook_retry_delays_s": (-1.0,)},
    ],
)
def test_settings_out_of_range_are_refused(options) -> None:
    with pytest.raises(ValueError, match=r"above 0|0 or more"):
        SimConfig(**options)


@pytest.mark.parametrize(
    ("status", "delay_ms"), [("seen", 0), ("sent", -1), ("sent", float("inf"))]
)
def test_steps_out_of_range_are_refused(status, delay_ms) -> None:
    with pytest.raises(ValueError, match="must be"):
        StatusStep(status, delay_ms)


def test_the_numbers_are_those_that_meta_publishes() -> None:
    usual = SimConfig()
    assert (usual.pair_burst, usual.pair_interval_s) == (45, 6.0)
    assert usual.throughput_per_s == 80
    assert usual.window_s == 86400
