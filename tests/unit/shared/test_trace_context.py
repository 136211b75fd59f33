"""Trace context: continued when it is well formed, begun anew when it is not."""

import asyncio

import pytest
import structlog

from shared.telemetry.trace import (
    TRACEPARENT,
    child_of,
    continued_trace,
    current_traceparent,
    new_traceparent,
)

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def test_a_child_has_the_trace_and_flags_of_its_parent_and_a_span_of_its_own() -> None:
    child = child_of(PARENT)
    version, trace, span, flags = child.split("-")
    assert (version, trace, flags) == ("00", "0af7651916cd43dd8448eb211c80319c", "00")
    assert span != "b7ad6b7169203331"
    assert TRACEPARENT.match(child)


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        "",
        "nonsense",
        "01" + PARENT[2:],
        PARENT.upper(),
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
        PARENT + "-more",
    ],
)
def test_a_malformed_parent_begins_a_new_trace(malformed: str | None) -> None:
    child = child_of(malformed)
    assert TRACEPARENT.match(child)
    assert child.split("-")[1] != PARENT.split("-")[1]


def test_new_traces_differ() -> None:
    assert new_traceparent() != new_traceparent()


def test_the_trace_and_its_fields_last_as_long_as_the_work() -> None:
    with continued_trace(PARENT, event_id="e1") as outer:
        assert current_traceparent() == outer
        bound = structlog.contextvars.get_contextvars()
        assert (bound["trace_id"], bound["event_id"]) == (PARENT.split("-")[1], "e1")
        with continued_trace(outer) as inner:
            assert current_traceparent() == inner
        assert current_traceparent() == outer
    assert current_traceparent() is None
    assert "trace_id" not in structlog.contextvars.get_contextvars()


def test_the_trace_ends_with_an_error_too() -> None:
    with pytest.raises(KeyError), continued_trace(PARENT):
        raise KeyError
    assert current_traceparent() is None


async def test_tasks_do_not_see_one_anothers_trace() -> None:
    both_inside = asyncio.Barrier(2)

    async def work() -> bool:
        with continued_trace(None) as mine:
            await both_inside.wait()
            return current_traceparent() == mine

    assert await asyncio.gather(work(), work()) == [True, True]
