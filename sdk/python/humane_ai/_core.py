"""All that both clients share and that does no input or output: requests, answers, retries."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

from humane_ai import _types
from humane_ai._errors import APIError, HumaneError, error_from
from humane_ai._version import __version__

DEFAULT_BASE_URL = "http://127.0.0.1:8080"
DEFAULT_TIMEOUT_S = 30.0
DEFAULT_MAX_RETRIES = 2
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 8.0
LONGEST_RETRY_AFTER_S = 60.0

R = TypeVar("R")


@dataclass(frozen=True)
class Request(Generic[R]):
    """One call. The same object is sent on every try, so its idempotency key stays the same."""

    method: str
    path: str
    read: Callable[[Any], R]
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    params: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes | None:
        """The body as sent."""
        return None if self.json is None else json.dumps(self.json).encode()

    def all_headers(self) -> dict[str, str]:
        """Headers with the body's type."""
        typed = {} if self.json is None else {"Content-Type": "application/json"}
        return {**typed, **self.headers}

    def result(self, status: int, headers: Mapping[str, str], body: bytes) -> R:
        """What the caller gets. Raises APIError for a status of 300 and above."""
        if status >= 300:
            raise error_from(status, headers, body)
        try:
            return self.read(json.loads(body) if body else None)
        except ValueError:
            raise APIError(status, "Unreadable answer", "The server did not send JSON.") from None


@dataclass(frozen=True)
class Options:
    """How a client talks to the server."""

    base_url: str
    timeout_s: float
    max_retries: int
    api_key: str = field(repr=False)

    @classmethod
    def of(
        cls, api_key: str | None, base_url: str | None, timeout_s: float, max_retries: int
    ) -> Options:
        """With the environment's values where the caller gave none. Raises HumaneError."""
        key = api_key or os.environ.get("HUMANE_API_KEY")
        if not key:
            raise HumaneError(
                "An API key is needed: HumaneClient(api_key='hx_...'), or set HUMANE_API_KEY."
            )
        url = base_url or os.environ.get("HUMANE_BASE_URL") or DEFAULT_BASE_URL
        return cls(url.rstrip("/"), timeout_s, max_retries, key)

    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        return {
            "X-API-Key": self.api_key,
            "User-Agent": f"humane-ai-python/{__version__}",
            "Accept": "application/json",
        }


def should_retry(error: HumaneError) -> bool:
    """Connection errors, 408, 429, 5xx; and 409 when the server says when to ask again."""
    if not isinstance(error, APIError):
        return True
    if error.status == 409:
        return error.retry_after_s is not None
    return error.status in (408, 429) or error.status >= 500


def retry_delay_s(attempt: int, error: HumaneError) -> float:
    """What the server asks for, at most a minute; else exponential back-off with full jitter."""
    asked = error.retry_after_s if isinstance(error, APIError) else None
    if asked is not None:
        return min(asked, LONGEST_RETRY_AFTER_S)
    return random.uniform(0, min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0**attempt))  # noqa: S311 - spreads load, guards nothing


def process_request(
    user_id: str,
    message: str,
    *,
    conversation_history: Sequence[Mapping[str, str]] | None,
    channel: str | None,
    metadata: Mapping[str, Any] | None,
    idempotency_key: str | None,
    stream: bool = False,
) -> Request[_types.ProcessResult]:
    """``POST /api/sdk/process`` or its stream."""
    body: dict[str, Any] = {"user_id": user_id, "message": message}
    if conversation_history is not None:
        body["conversation_history"] = [dict(turn) for turn in conversation_history]
    if channel is not None:
        body["channel"] = channel
    if metadata is not None:
        body["metadata"] = dict(metadata)
    headers = {"Idempotency-Key": idempotency_key or str(uuid4())}
    if stream:
        headers["Accept"] = "text/event-stream"
    path = "/api/sdk/process/stream" if stream else "/api/sdk/process"
    return Request("POST", path, _types.process_result, json=body, headers=headers)


def history_request(user_id: str, limit: int) -> Request[list[_types.HistoryEntry]]:
    """``GET /api/sdk/history/{user_id}``."""
    return Request(
        "GET",
        f"/api/sdk/history/{quote(user_id, safe='')}",
        lambda data: [_types.history_entry(item) for item in data],
        params={"limit": limit},
    )


def clear_history_request(user_id: str) -> Request[None]:
    """``DELETE /api/sdk/history/{user_id}``."""
    return Request("DELETE", f"/api/sdk/history/{quote(user_id, safe='')}", _nothing)


def create_whatsapp_request(
    *,
    phone_number_id: str,
    access_token: str,
    app_secret: str,
    label: str | None,
    auto_reply: bool,
    waba_id: str | None,
) -> Request[_types.Channel]:
    """``POST /api/channels``."""
    body = _given(
        type="whatsapp",
        phone_number_id=phone_number_id,
        access_token=access_token,
        app_secret=app_secret,
        label=label,
        auto_reply=auto_reply,
        waba_id=waba_id,
    )
    headers = {"Idempotency-Key": str(uuid4())}
    return Request("POST", "/api/channels", _types.channel, json=body, headers=headers)


def channels_page_request(cursor: str | None) -> Request[tuple[list[_types.Channel], str | None]]:
    """``GET /api/channels``, one page."""
    return Request(
        "GET",
        "/api/channels",
        lambda data: ([_types.channel(item) for item in data["channels"]], data["next_cursor"]),
        params=_given(cursor=cursor),
    )


def channel_request(channel_id: str) -> Request[_types.Channel]:
    """``GET /api/channels/{id}``."""
    return Request("GET", _channel_path(channel_id), _types.channel)


def update_channel_request(channel_id: str, changes: Mapping[str, Any]) -> Request[_types.Channel]:
    """``PATCH /api/channels/{id}`` with what was given."""
    body = _given(**changes)
    return Request("PATCH", _channel_path(channel_id), _types.channel, json=body)


def delete_channel_request(channel_id: str) -> Request[None]:
    """``DELETE /api/channels/{id}``."""
    return Request("DELETE", _channel_path(channel_id), _nothing)


def activity_request(channel_id: str, limit: int) -> Request[list[_types.Activity]]:
    """``GET /api/channels/{id}/activity``."""
    return Request(
        "GET",
        f"{_channel_path(channel_id)}/activity",
        lambda data: [_types.activity(item) for item in data["activity"]],
        params={"limit": limit},
    )


def _channel_path(channel_id: str) -> str:
    return f"/api/channels/{quote(channel_id, safe='')}"


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _nothing(_: Any) -> None:
    return None


class EventReader:
    """Server-sent events from lines, however the network cut them. ``done`` after ``[DONE]``."""

    def __init__(self) -> None:
        self._data: list[str] = []
        self.done = False

    def feed(self, line: str) -> Iterator[_types.StreamEvent]:
        """At most one event, when ``line`` completes it."""
        if line.startswith("data:"):
            self._data.append(line[5:].lstrip(" "))
            return
        if line or not self._data:
            return
        data, self._data = "\n".join(self._data), []
        if data == "[DONE]":
            self.done = True
            return
        event = json.loads(data)
        yield _types.StreamEvent(str(event.get("type", "")), event.get("data"))

    def feed_all(self, lines: Iterable[str]) -> Iterator[_types.StreamEvent]:
        """Every event of ``lines``, until the end is said."""
        for line in lines:
            yield from self.feed(line)
            if self.done:
                return
