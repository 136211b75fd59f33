"""The synchronous client."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

import httpx

from humane_ai import _core
from humane_ai._alerts import Alerts
from humane_ai._channels import Channels
from humane_ai._deliveries import Deliveries
from humane_ai._errors import HumaneError
from humane_ai._interactions import Interactions
from humane_ai._keyring import Keyring
from humane_ai._keys import Keys
from humane_ai._memories import Recall
from humane_ai._privacy import Privacy
from humane_ai._sse import EventReader, text_of
from humane_ai._types import HistoryEntry, ProcessResult, StreamEvent
from humane_ai._users import Users

R = TypeVar("R")


class HumaneClient:
    """A client of the API. Threads may share it. Close it, or use it in a ``with``.

    ``api_key`` defaults to ``HUMANE_API_KEY`` and ``base_url`` to ``HUMANE_BASE_URL``, then to
    ``http://127.0.0.1:8080``. ``timeout_s`` bounds each wait for the server: to connect, and for the
    next bytes. ``max_retries`` counts the tries after the first; a retried call carries the same
    ``Idempotency-Key``, so that it acts once. An ``http_client`` that you give stays yours to close.
    ``sleep`` waits between tries. Raises InvalidArgumentError.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout_s: float = _core.DEFAULT_TIMEOUT_S,
        max_retries: int = _core.DEFAULT_MAX_RETRIES,
        http_client: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = _core.Settings.of(api_key, base_url, timeout_s, max_retries)
        self._http = httpx.Client() if http_client is None else http_client
        self._owns_http = http_client is None
        self._sleep = sleep
        self.channels = Channels(self._send)
        """Connected numbers."""
        self.users = Users(self._send)
        """People, and what a human says to them."""
        self.interactions = Interactions(self._send)
        """What was said, how it was understood and answered."""
        self.alerts = Alerts(self._send)
        """Whom a human should look at."""
        self.deliveries = Deliveries(self._send)
        """What became of what was sent."""
        self.memories = Recall(self._send)
        """What is remembered of a person."""
        self.privacy = Privacy(self._send)
        """All that is kept of a person: to see, and to erase."""
        self.keys = Keys(self._send)
        self.keyring = Keyring(self._send)
        """Who may use the API."""

    @property
    def base_url(self) -> str:
        """Address of the API."""
        return self._settings.base_url

    def with_options(
        self, *, timeout_s: float | None = None, max_retries: int | None = None
    ) -> HumaneClient:
        """The same client with other patience. It shares the connections, which this one closes."""
        arguments = self._settings.patient(timeout_s, max_retries)
        return HumaneClient(**arguments, http_client=self._http, sleep=self._sleep)

    def __repr__(self) -> str:
        return f"HumaneClient(base_url={self._settings.base_url!r})"

    def __enter__(self) -> HumaneClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back connections."""
        if self._owns_http:
            self._http.close()

    def process(
        self,
        user_id: str,
        message: str,
        conversation_history: Sequence[Mapping[str, str]] | None = None,
        channel: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        *,
        respond: bool = True,
    ) -> ProcessResult:
        """Understand and answer ``message`` of the person whom your system calls ``user_id``.

        ``conversation_history`` is earlier turns, ``{"role": "user" | "assistant", "content": ...}``.
        Give an ``idempotency_key`` where your own program may make the same call again. With
        ``respond=False`` the message is understood and kept, and no model writes a reply:
        ``response`` is None, or a reviewed text that the safety check wants said. Raises
        HumaneError.
        """
        return self._send(
            _core.process_request(
                user_id,
                message,
                conversation_history,
                channel,
                metadata,
                idempotency_key,
                respond=respond,
            )
        )

    def stream(
        self,
        user_id: str,
        message: str,
        conversation_history: Sequence[Mapping[str, str]] | None = None,
        channel: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Stream:
        """The same as it becomes known: iterate over the events, or over ``.text()``.

        The call is made by the first iteration. It is not retried once an event came.
        """
        request = _core.process_request(
            user_id,
            message,
            conversation_history,
            channel,
            metadata,
            idempotency_key,
            stream=True,
        )
        return Stream(self._events(request))

    def get_history(self, user_id: str, limit: int = 200) -> list[HistoryEntry]:
        """The conversation, oldest first: its newest ``limit`` entries."""
        return self._send(_core.history_request(user_id, limit))

    def clear_history(self, user_id: str) -> None:
        """Start the conversation anew."""
        self._send(_core.clear_history_request(user_id))

    def _send(self, request: _core.Request[R]) -> R:
        call = _core.Call(self._settings, request)
        while True:
            try:
                with call.connection_errors():
                    answer = self._http.send(
                        self._http.build_request(**call.arguments()), follow_redirects=False
                    )
                return call.result(answer.status_code, answer.headers, answer.content)
            except HumaneError as error:
                pause_s = call.pause_s(error)
            self._sleep(pause_s)

    def _events(self, request: _core.Request[Any]) -> Generator[StreamEvent, None, None]:
        call = _core.Call(self._settings, request)
        while True:
            reader = EventReader()
            try:
                with call.connection_errors():
                    answer = self._open(call)
                    try:
                        for chunk in answer.iter_bytes():
                            yield from reader.feed(chunk)
                            if reader.done:
                                return
                    finally:
                        answer.close()
                reader.ended()
            except HumaneError as error:
                if reader.began:
                    raise
                pause_s = call.pause_s(error)
            self._sleep(pause_s)

    def _open(self, call: _core.Call[Any]) -> httpx.Response:
        answer = self._http.send(
            self._http.build_request(**call.arguments()), stream=True, follow_redirects=False
        )
        if _core.is_stream(answer.status_code, answer.headers):
            return answer
        try:
            body = answer.read()
        finally:
            answer.close()
        raise _core.not_a_stream(answer.status_code, answer.headers, body)


class Stream(Iterator[StreamEvent]):
    """The events of one answer as they come: ``metadata`` first, ``final`` last.

    Read it to its end, close it, or use it in a ``with``. Iterating raises HumaneError.
    """

    def __init__(self, events: Generator[StreamEvent, None, None]) -> None:
        self._events = events

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> StreamEvent:
        return next(self._events)

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def text(self) -> Iterator[str]:
        """What the person reads, piece by piece. Raises StreamError for an ``error`` event."""
        for event in self:
            if piece := text_of(event):
                yield piece

    def close(self) -> None:
        """Hang up; the server finishes on its own."""
        self._events.close()
