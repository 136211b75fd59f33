"""What schemathesis cannot know: our own formats, and values that time or earlier calls rule out."""

from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from shared.http.pages import next_cursor

CURSORS = st.builds(next_cursor, st.datetimes(timezones=st.just(UTC)), st.uuids().map(str))
BASE_URLS = st.sampled_from(["https://care.example", "https://care.example:8443/"])

_calls = count()

schemathesis.openapi.format("cursor", CURSORS)
schemathesis.openapi.format("base-url", BASE_URLS)


@schemathesis.hook
def before_call(context: Any, case: schemathesis.Case, kwargs: Any) -> None:
    """Make a valid call one that nothing but its validity decides."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    headers: Any = case.headers or {}
    key = headers.get("Idempotency-Key")
    if isinstance(key, str) and 0 < len(key) <= 255:
        # Twice with two bodies it is refused, as it should be.
        headers["Idempotency-Key"] = f"{key[:200]}{next(_calls)}"
    body: Any = case.body
    if isinstance(body, dict) and isinstance(body.get("expires_at"), str):
        # An end that is over already is refused, as it should be.
        with suppress(ValueError):
            datetime.fromisoformat(body["expires_at"])
            case.body = {**body, "expires_at": "2999-01-01T00:00:00Z"}
