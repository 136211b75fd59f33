"""When a call is tried again, after which pause, and that it acts once."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

import humane_ai
from humane_ai._core import Call, Settings, history_request
from humane_ai._errors import retry_after_s
from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.wire import API_KEY, Wire, broken, refused

NOW = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
NUMBER: dict[str, Any] = {"phone_number_id": "1", "access_token": "EAAx", "app_secret": "sec"}

Act = Callable[[Any], Any]
ACTS = [
    pytest.param(lambda c: c.process("u", "hi"), id="process"),
    pytest.param(lambda c: c.channels.create_whatsapp(**NUMBER), id="create"),
    pytest.param(lambda c: c.users.send("u", text="hi"), id="send"),
    pytest.param(lambda c: c.keys.create("night"), id="key"),
    pytest.param(lambda c: c.stream("u", "hi"), id="stream"),
]


def keys(wire: Wire) -> set[str]:
    return {seen.headers["idempotency-key"] for seen in wire.seen}


@pytest.mark.parametrize("act", ACTS)
async def test_a_retry_waits_as_told_and_keeps_its_key(call: Caller, wire: Wire, act: Act) -> None:
    wire.faults.extend([refused(429, retry_after="3"), refused(503)])
    assert await call(act)
    assert call.waits[0] == 3.0
    assert 0.0 <= call.waits[1] <= 1.0
    assert len(wire.seen) == 3
    assert len(keys(wire)) == 1
    assert wire.acted == 1


@pytest.mark.parametrize("act", ACTS[:-1])
async def test_a_lost_answer_acts_once(call: Caller, wire: Wire, act: Act) -> None:
    wire.faults.extend([wire.lost(), broken])
    assert await call(act)
    assert (len(wire.seen), wire.acted) == (3, 1)


@pytest.mark.parametrize(
    "act",
    [
        lambda c: c.privacy.erase("u"),
        lambda c: c.keys.revoke("key_1"),
        lambda c: c.clear_history("u"),
    ],
)
async def test_an_ending_carries_a_key_and_may_be_repeated(
    call: Caller, wire: Wire, act: Act
) -> None:
    wire.faults.append(wire.lost())
    await call(act)
    assert (len(wire.seen), len(keys(wire))) == (2, 1)


async def test_a_timeout_is_tried_again_with_the_same_key(call: Caller, wire: Wire) -> None:
    wire.faults.append(wire.silent())
    assert await call(lambda c: c.process("u", "hi"), timeout_s=0.2)
    assert (len(wire.seen), len(keys(wire))) == (2, 1)


async def test_two_calls_have_two_keys(call: Caller, wire: Wire) -> None:
    await call(lambda c: c.process("u", "hi"))
    await call(lambda c: c.process("u", "hi"))
    assert len(keys(wire)) == wire.acted == 2


async def test_a_key_of_the_callers_own(call: Caller, wire: Wire) -> None:
    first = await call(lambda c: c.process("u", "hi", idempotency_key="order-7"))
    assert await call(lambda c: c.process("u", "hi", idempotency_key="order-7")) == first
    assert (keys(wire), wire.acted) == ({"order-7"}, 1)


@pytest.mark.parametrize("key", ["a b", "ключ", "x" * 256, "a\nb"])
async def test_a_key_that_no_header_holds_is_refused(call: Caller, wire: Wire, key: str) -> None:
    with pytest.raises(humane_ai.InvalidArgumentError, match="idempotency_key"):
        await call(lambda c: c.process("u", "hi", idempotency_key=key))
    assert wire.seen == []


@pytest.mark.parametrize("status", [408, 409])
async def test_told_to_ask_again(call: Caller, wire: Wire, status: int) -> None:
    wire.faults.append(refused(status, "still-running", retry_after="1"))
    await call(lambda c: c.process("u", "hi"))
    assert call.waits == [1.0]


async def test_a_limit_that_stays_is_raised_with_its_wait(call: Caller, wire: Wire) -> None:
    wire.faults.extend([refused(429, retry_after="3600")] * 2)
    with pytest.raises(humane_ai.RateLimitError) as caught:
        await call(lambda c: c.process("u", "hi"), max_retries=1)
    assert caught.value.retry_after_s == 3600.0
    assert call.waits == [60.0]


async def test_a_far_http_date_is_clamped(call: Caller, wire: Wire) -> None:
    wire.faults.append(refused(503, retry_after="Wed, 21 Oct 2099 07:28:00 GMT"))
    await call(lambda c: c.process("u", "hi"))
    assert call.waits == [60.0]


async def test_no_retries_when_none_are_wanted(call: Caller, wire: Wire) -> None:
    wire.faults.append(refused(503))
    with pytest.raises(humane_ai.ServerError):
        await call(lambda c: c.process("u", "hi"), max_retries=0)
    assert (len(wire.seen), call.waits) == (1, [])


async def test_a_delete_whose_answer_was_lost_is_done(call: Caller, wire: Wire) -> None:
    channel = await call(lambda c: c.channels.create_whatsapp(**NUMBER))
    wire.faults.append(wire.lost())
    assert await call(lambda c: c.channels.delete(channel.id)) is None
    with pytest.raises(humane_ai.NotFoundError):
        await call(lambda c: c.channels.delete(channel.id))


async def test_a_delete_of_nothing_is_told_though_the_limit_came_first(
    call: Caller, wire: Wire
) -> None:
    wire.faults.append(refused(429, retry_after="1"))
    with pytest.raises(humane_ai.NotFoundError):
        await call(lambda c: c.channels.delete("mc_unknown"))


def test_the_pause_doubles_up_to_its_limit() -> None:
    settings = Settings.of(API_KEY, "http://x", 1.0, 6)
    tries = Call(settings, history_request("u", 1), draw=lambda _, longest: longest)
    error = humane_ai.APIConnectionError("gone")
    assert [tries.pause_s(error) for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    with pytest.raises(humane_ai.APIConnectionError):
        tries.pause_s(error)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("2.5", 2.5),
        ("-4", 0.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 99 Mar 2026 11:00:00 GMT", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds
