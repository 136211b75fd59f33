"""All that both clients share and that does no input or output: settings, requests, tries."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx

from humane_ai._errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    HumaneError,
    InvalidArgumentError,
    error_from,
)
from humane_ai._reading import read
from humane_ai._types import HistoryEntry, ProcessResult
from humane_ai._version import __version__

DEFAULT_BASE_URL = "http://127.0.0.1:8080"
DEFAULT_TIMEOUT_S = 30.0
DEFAULT_MAX_RETRIES = 2
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 8.0
LONGEST_RETRY_AFTER_S = 60.0
"""A server that asks for more is asked again after this."""

UNREADABLE = "Unreadable answer"

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")

R = TypeVar("R")


@dataclass(frozen=True)
class Settings:
    """How a client talks to the server."""

    base_url: str
    timeout_s: float
    max_retries: int
    api_key: str = field(repr=False)

    @classmethod
    def of(
        cls, api_key: str | None, base_url: str | None, timeout_s: float, max_retries: int
    ) -> Settings:
        """With the environment's values where none are given. Raises InvalidArgumentError."""
        key = (api_key or os.environ.get("HUMANE_API_KEY") or "").strip()
        if not key:
            raise InvalidArgumentError(
                "An API key is needed: pass api_key='hx_...' or set HUMANE_API_KEY."
            )
        if not _VISIBLE_ASCII.fullmatch(key):
            raise InvalidArgumentError(
                "The API key holds characters that no key has. Copy it anew."
            )
        if timeout_s <= 0 or max_retries < 0:
            raise InvalidArgumentError("timeout_s must be above 0, max_retries 0 or more.")
        url = base_url or os.environ.get("HUMANE_BASE_URL") or DEFAULT_BASE_URL
        return cls(_checked_url(url), timeout_s, max_retries, key)

    def patient(self, timeout_s: float | None, max_retries: int | None) -> dict[str, Any]:
        """Arguments of a client with these settings, but for what is given."""
        return {**asdict(self), **given(timeout_s=timeout_s, max_retries=max_retries)}


def _checked_url(text: str) -> str:
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL:
        url = httpx.URL("")
    # The URL is shown in messages: no password may be in it.
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query:
        raise InvalidArgumentError(
            "base_url must be like https://your-host, without user, password and query."
        )
    return str(url.copy_with(fragment=None)).rstrip("/")


def json_from(_: Mapping[str, str], body: bytes) -> Any:
    """The decoded body, None for an empty one. Raises ValueError."""
    return json.loads(body) if body else None


@dataclass(frozen=True)
class Request(Generic[R]):
    """One call. The same object is sent on every try, so its idempotency key stays the same."""

    method: str
    path: str
    read: Callable[[Any], R]
    """From the decoded answer, None for an empty one; raises LookupError, TypeError, ValueError."""
    content: bytes | None = field(default=None, repr=False)
    params: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    decode: Callable[[Mapping[str, str], bytes], Any] = json_from
    """From headers and body of the answer to what ``read`` gets."""

    @classmethod
    def with_body(
        cls,
        method: str,
        path: str,
        read: Callable[[Any], R],
        body: Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
        accept: str = "application/json",
    ) -> Request[R]:
        """A call that changes something: with an idempotency key, ours unless the caller has one.

        Raises InvalidArgumentError for a body that is not JSON or a key that no header can hold.
        """
        key = idempotency_key or _new_key()
        if not _VISIBLE_ASCII.fullmatch(key):
            raise InvalidArgumentError("idempotency_key must be 1 to 255 visible ASCII characters.")
        try:
            content = json.dumps(body, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(f"The call does not fit into JSON: {error}.") from None
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "Accept": accept,
        }
        return cls(method, path, read, content, headers=headers)

    @classmethod
    def deletion(
        cls, path: str, read: Callable[[Any], R], *, params: Mapping[str, Any] | None = None
    ) -> Request[R]:
        """A call that ends something; ``read`` gets None where it is gone already."""
        return cls("DELETE", path, read, params=params, headers={"Idempotency-Key": _new_key()})


class Send(Protocol):
    """What a namespace of the client needs: a call in, its result out."""

    def __call__(self, request: Request[R], /) -> R:
        """Send with retries. Raises HumaneError."""
        ...


class AsyncSend(Protocol):
    """The same, awaited."""

    async def __call__(self, request: Request[R], /) -> R:
        """Send with retries. Raises HumaneError."""
        ...


class Call(Generic[R]):
    """One request and its tries; the transports only send what it says and wait as it says."""

    def __init__(
        self,
        settings: Settings,
        request: Request[R],
        *,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._settings = settings
        self._request = request
        self._draw = draw
        self._retries = 0
        self._may_have_acted = False

    def arguments(self) -> dict[str, Any]:
        """Arguments of ``httpx.Client.build_request``."""
        return {
            "method": self._request.method,
            "url": self._settings.base_url + self._request.path,
            "content": self._request.content,
            "params": self._request.params,
            "headers": {
                "X-API-Key": self._settings.api_key,
                "User-Agent": f"humane-ai-python/{__version__}",
                "Accept": "application/json",
                **self._request.headers,
            },
            "timeout": self._settings.timeout_s,
        }

    @contextmanager
    def connection_errors(self) -> Iterator[None]:
        """Turns httpx's errors inside into ours."""
        try:
            yield
        except httpx.TimeoutException as error:
            raise APITimeoutError(
                f"No answer from {self._settings.base_url} within {self._settings.timeout_s} s. "
                "Try again, or give timeout_s more."
            ) from error
        except httpx.HTTPError as error:
            raise APIConnectionError(
                f"No answer from {self._settings.base_url} ({str(error) or type(error).__name__}). "
                "Is it the right base_url, and running?"
            ) from error

    def result(self, status: int, headers: Mapping[str, str], body: bytes) -> R:
        """What the caller gets. Raises APIError for a status of 300 and above."""
        if status == 404 and self._request.method == "DELETE" and self._may_have_acted:
            # An earlier try, whose answer was lost, has deleted it.
            return self._request.read(None)
        if status >= 300:
            raise error_from(status, headers, body)
        try:
            return self._request.read(self._request.decode(headers, body))
        except (LookupError, TypeError, ValueError):
            raise APIError(status, UNREADABLE) from None

    def pause_s(self, error: HumaneError) -> float:
        """Seconds to wait before the next try. Raises ``error`` when there is none."""
        if self._retries >= self._settings.max_retries or not _may_pass(error):
            raise error
        longest = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0**self._retries)
        self._retries += 1
        self._may_have_acted |= not isinstance(error, APIError) or error.status >= 500
        asked = error.retry_after_s if isinstance(error, APIError) else None
        if asked is not None:
            return min(asked, LONGEST_RETRY_AFTER_S)
        return self._draw(0.0, longest)


def _new_key() -> str:
    return str(uuid4())


def is_stream(status: int, headers: Mapping[str, str]) -> bool:
    """Whether the answer is a stream of events, to be read as it comes."""
    return status < 300 and headers.get("content-type", "").startswith("text/event-stream")


def not_a_stream(status: int, headers: Mapping[str, str], body: bytes) -> APIError:
    """The error for an answer that should have been a stream."""
    if status >= 300:
        return error_from(status, headers, body)
    return APIError(status, UNREADABLE)


def _may_pass(error: HumaneError) -> bool:
    """Connection errors, 408, 429, 5xx; and 409 when the server says when to ask again."""
    if not isinstance(error, APIError):
        return isinstance(error, APIConnectionError)
    if error.status == 409:
        return error.retry_after_s is not None
    return error.status in (408, 429) or error.status >= 500


def process_request(
    user_id: str,
    message: str,
    conversation_history: Sequence[Mapping[str, str]] | None,
    channel: str | None,
    metadata: Mapping[str, Any] | None,
    idempotency_key: str | None,
    *,
    respond: bool = True,
    stream: bool = False,
) -> Request[ProcessResult]:
    """``POST /api/sdk/process`` or its stream."""
    turns = None if conversation_history is None else [dict(turn) for turn in conversation_history]
    return Request.with_body(
        "POST",
        "/api/sdk/process/stream" if stream else "/api/sdk/process",
        lambda data: read(ProcessResult, data),
        given(
            user_id=user_id,
            message=message,
            conversation_history=turns,
            channel=channel,
            metadata=None if metadata is None else dict(metadata),
            respond=None if respond else False,
        ),
        idempotency_key=idempotency_key,
        accept="text/event-stream" if stream else "application/json",
    )


def history_request(user_id: str, limit: int) -> Request[list[HistoryEntry]]:
    """``GET /api/sdk/history/{user_id}``."""
    return Request(
        "GET",
        f"/api/sdk/history/{segment('user_id', user_id)}",
        lambda data: [read(HistoryEntry, item) for item in data],
        params={"limit": limit},
    )


def clear_history_request(user_id: str) -> Request[None]:
    """``DELETE /api/sdk/history/{user_id}``."""
    return Request.deletion(f"/api/sdk/history/{segment('user_id', user_id)}", nothing)


def person_path(user_id: str) -> str:
    """The path of a person. Raises InvalidArgumentError."""
    return f"/api/users/{segment('user_id', user_id)}"


def segment(name: str, value: str) -> str:
    """``value`` as one piece of a path. Raises InvalidArgumentError when it cannot be one."""
    if value in ("", ".", ".."):
        raise InvalidArgumentError(f"{name} must not be empty or dots only.")
    return quote(value, safe="")


def given(**values: Any) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def same(value: R) -> R:
    """Reads an answer that was decoded to what the caller gets."""
    return value


def nothing(_: Any) -> None:
    """Reads an answer that says nothing."""
    return
