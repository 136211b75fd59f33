"""W3C trace context (https://www.w3.org/TR/trace-context/): made at the edge, carried by messages."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

TRACEPARENT = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")

_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def new_traceparent() -> str:
    """A new sampled trace."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def child_of(traceparent: str | None) -> str:
    """A new span of the same trace; a new trace when there is none or it is malformed."""
    if traceparent is None or not TRACEPARENT.match(traceparent):
        return new_traceparent()
    version, trace_id, _, flags = traceparent.split("-")
    return f"{version}-{trace_id}-{secrets.token_hex(8)}-{flags}"


def current_traceparent() -> str | None:
    """The trace that this task works for, to be put on messages and calls."""
    return _current.get()


@contextmanager
def continued_trace(traceparent: str | None, **fields: str) -> Iterator[str]:
    """Work under a child span; ``trace_id`` and ``fields`` are on every log line within."""
    child = child_of(traceparent)
    token = _current.set(child)
    try:
        with structlog.contextvars.bound_contextvars(trace_id=child.split("-")[1], **fields):
            yield child
    finally:
        _current.reset(token)
