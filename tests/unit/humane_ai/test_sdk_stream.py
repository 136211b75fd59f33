"""Streams: typed events however the network cuts them, retried only before the first."""

import json
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

import humane_ai
from humane_ai._sse import EventDecoder
from tests.support.eventually import eventually
from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.wire import Wire, refused, says, sse, streamed

# Line separators for Python's splitlines and for nobody else.
TEXT = "Héllo\u2028wörld\x85 👋"
TOLD = sse(
    ("metadata", {"user": {"mood": 0.3}, "safety": {"action": "PROCEED"}}),
    ("token", {"content": TEXT[:5]}),
    ("token", {"content": TEXT[5:]}),
    ("final", {"response": TEXT}),
)


async def test_a_stream_as_the_api_tells_it(call: Caller, wire: Wire) -> None:
    events = await call(lambda c: c.stream("sarah", "hi", metadata={"a": 1}))
    assert [event.type for event in events] == ["metadata", "token", "final"]
    assert events[0].result.user.id == "sarah"
    assert events[0].result.response is None
    assert events[1].data == {"content": "I am glad to hear it."}
    assert events[-1].result.response == "I am glad to hear it."
    (seen,) = wire.seen
    assert (seen.method, seen.path) == ("POST", "/api/sdk/process/stream")
    assert seen.headers["accept"] == "text/event-stream"
    assert seen.body == {"user_id": "sarah", "message": "hi", "metadata": {"a": 1}}


@pytest.mark.parametrize("size", [1, 7, 64, len(TOLD)])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
async def test_a_stream_survives_any_cut(
    call: Caller, wire: Wire, size: int, line_end: str
) -> None:
    raw = TOLD.replace(b"\n", line_end.encode())
    wire.faults.append(streamed([raw[at : at + size] for at in range(0, len(raw), size)]))
    events = await call(lambda c: c.stream("u", "hi"))
    assert [event.type for event in events] == ["metadata", "token", "token", "final"]
    assert "".join(event.text for event in events) == TEXT


async def test_only_the_text(call: Caller, wire: Wire) -> None:
    wire.faults.append(streamed([TOLD]))
    assert "".join(await call(lambda c: c.stream("u", "hi").text())) == TEXT


async def test_a_blocked_answers_text_is_its_fallback(call: Caller, wire: Wire) -> None:
    told = sse(("metadata", {}), ("blocked", {"content": "Please call 112."}), ("final", {}))
    wire.faults.append(streamed([told]))
    assert await call(lambda c: c.stream("u", "hi").text()) == ["Please call 112."]


async def test_an_error_inside_is_an_event_and_ends_the_text(call: Caller, wire: Wire) -> None:
    told = sse(("metadata", {}), ("error", {"message": "internal_error"}))
    wire.faults.extend([streamed([told]), streamed([told])])
    events = await call(lambda c: c.stream("u", "hi"))
    assert (events[-1].type, events[-1].data) == ("error", {"message": "internal_error"})
    with pytest.raises(humane_ai.StreamError, match="internal_error"):
        await call(lambda c: c.stream("u", "hi").text())
    assert len(wire.seen) == 2


async def test_the_end_is_what_the_server_says_not_the_connections(
    call: Caller, wire: Wire
) -> None:
    wire.faults.append(streamed([TOLD], then=wire.silent()))
    assert len(await call(lambda c: c.stream("u", "hi"))) == 4


async def test_nothing_before_the_first_event_is_a_retry(call: Caller, wire: Wire) -> None:
    wire.faults.extend([refused(503), streamed([b": hello\n\n"])])
    events = await call(lambda c: c.stream("u", "hi"))
    assert events[-1].type == "final"
    assert (len(wire.seen), len(call.waits)) == (3, 2)


async def test_after_the_first_event_a_break_is_an_error(call: Caller, wire: Wire) -> None:
    wire.faults.append(streamed([sse(("metadata", {}), done=False)]))
    with pytest.raises(humane_ai.APIConnectionError, match="broke off"):
        await call(lambda c: c.stream("u", "hi"))
    assert (len(wire.seen), call.waits) == (1, [])


async def test_a_silence_after_the_first_event_is_a_timeout(call: Caller, wire: Wire) -> None:
    wire.faults.append(streamed([sse(("metadata", {}), done=False)], then=wire.silent()))
    with pytest.raises(humane_ai.APITimeoutError):
        await call(lambda c: c.stream("u", "hi"), timeout_s=0.2)
    assert (len(wire.seen), call.waits) == (1, [])


async def test_a_refusal_is_the_same_error_as_elsewhere(call: Caller, wire: Wire) -> None:
    wire.faults.append(refused(401, "key-unknown", "This API key is unknown."))
    with pytest.raises(humane_ai.AuthError, match="This API key is unknown"):
        await call(lambda c: c.stream("u", "hi"))


async def test_a_page_is_no_stream(call: Caller, wire: Wire) -> None:
    wire.faults.append(says("<html>sign in</html>"))
    with pytest.raises(humane_ai.APIError, match=r"Unreadable answer: .*base_url"):
        await call(lambda c: c.stream("u", "hi"))
    assert len(wire.seen) == 1


@pytest.mark.parametrize("data", ["{", "[]", '"x"'])
async def test_an_event_that_is_no_object(call: Caller, wire: Wire, data: str) -> None:
    wire.faults.append(streamed([f"data: {data}\n\n".encode()]))
    with pytest.raises(humane_ai.StreamError, match="no JSON object"):
        await call(lambda c: c.stream("u", "hi"))


async def test_hanging_up_early_reaches_the_server(call: Caller, wire: Wire) -> None:
    gone: list[bool] = []

    async def until_gone(request: web.Request) -> web.StreamResponse:
        transport = request.transport
        await eventually(lambda: transport is None or transport.is_closing())
        gone.append(True)
        return web.Response()

    wire.faults.append(streamed([sse(("metadata", {}), done=False)], then=until_gone))
    (event,) = await call(lambda c: c.stream("u", "hi"), items=1)
    assert event.type == "metadata"
    await eventually(lambda: gone)


async def test_arguments_are_checked_before_the_first_iteration(call: Caller) -> None:
    with pytest.raises(humane_ai.InvalidArgumentError):
        await call(lambda c: c.stream("u", "hi", metadata={"x": object()}))


@given(
    payloads=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"))),
    cuts=st.lists(st.integers(1, 9), min_size=1),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_the_decoder_gives_back_what_was_told(
    payloads: list[str], cuts: list[int], line_end: str
) -> None:
    told: list[str] = [json.dumps(payload, ensure_ascii=False) for payload in payloads]
    lines = [f": a comment\nid: 7\ndata: {payload}\n\n" for payload in told]
    raw = "".join(lines).replace("\n", line_end).encode()
    decoder, found, at, turn = EventDecoder(), [], 0, 0
    while at < len(raw):
        size = cuts[turn % len(cuts)]
        found += list(decoder.feed(raw[at : at + size]))
        at, turn = at + size, turn + 1
    assert found == told


def test_data_on_several_lines_is_one_event() -> None:
    assert list(EventDecoder().feed(b'data:{"a":\ndata:  1}\nretry: 5\n\n\n\n')) == ['{"a":\n 1}']


def test_events_without_a_shape_have_no_text_and_no_result() -> None:
    shapes: list[Any] = [None, [], "x", {"content": 3}]
    for data in shapes:
        event = humane_ai.StreamEvent("token", data)
        assert (event.text, event.result) == ("", None)
    assert humane_ai.StreamEvent("final", None).result is None
