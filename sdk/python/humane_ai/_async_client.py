"""The asynchronous client: the surface of ``HumaneClient``, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

import httpx

from humane_ai import _core
from humane_ai._alerts import AsyncAlerts
from humane_ai._channels import AsyncChannels
from humane_ai._deliveries import AsyncDeliveries
from humane_ai._errors import HumaneError
from humane_ai._interactions import AsyncInteractions
from humane_ai._keyring import AsyncKeyring
from humane_ai._keys import AsyncKeys
from humane_ai._memories import AsyncRecall
from humane_ai._privacy import AsyncPrivacy
from humane_ai._sse import EventReader, text_of
from humane_ai._types import HistoryEntry, ProcessResult, StreamEvent
from humane_ai._users import AsyncUsers

R = TypeVar("R")


class AsyncHumaneClient:
    """A client of the API for asyncio. Close it, or use it in an ``async with``.

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
        http_client: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = _core.Settings.of(api_key, base_url, timeout_s, max_retries)
        self._http = httpx.AsyncClient() if http_client is None else http_client
        self._owns_http = http_client is None
        self._sleep = sleep
        self.channels = AsyncChannels(self._send)
        """Connected numbers."""
        self.users = AsyncUsers(self._send)
        """People, and what a human says to them."""
        self.interactions = AsyncInteractions(self._send)
        """What was said, how it was understood and answered."""
        self.alerts = AsyncAlerts(self._send)
        """Whom a human should look at."""
        self.deliveries = AsyncDeliveries(self._send)
        """What became of what was sent."""
        self.memories = AsyncRecall(self._send)
        """What is remembered of a person."""
        self.privacy = AsyncPrivacy(self._send)
        """All that is kept of a person: to see, and to erase."""
        self.keys = AsyncKeys(self._send)
        self.keyring = AsyncKeyring(self._send)
        """Who may use the API."""

    @property
    def base_url(self) -> str:
        """Address of the API."""
        return self._settings.base_url

    def with_options(
        self, *, timeout_s: float | None = None, max_retries: int | None = None
    ) -> AsyncHumaneClient:
        """The same client with other patience. It shares the connections, which this one closes."""
        arguments = self._settings.patient(timeout_s, max_retries)
        return AsyncHumaneClient(**arguments, http_client=self._http, sleep=self._sleep)

    def __repr__(self) -> str:
        return f"AsyncHumaneClient(base_url={self._settings.base_url!r})"

    async def __aenter__(self) -> AsyncHumaneClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give back connections."""
        if self._owns_http:
            await self._http.aclose()

    async def process(
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
        return await self._send(
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
    ) -> AsyncStream:
        """The same as it becomes known: iterate (``async for``) over the events, or over ``.text()``.

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
        return AsyncStream(self._events(request))

    async def get_history(self, user_id: str, limit: int = 200) -> list[HistoryEntry]:
        """The conversation, oldest first: its newest ``limit`` entries."""
        return await self._send(_core.history_request(user_id, limit))

    async def clear_history(self, user_id: str) -> None:
        """Start the conversation anew."""
        await self._send(_core.clear_history_request(user_id))

    async def _send(self, request: _core.Request[R]) -> R:
        call = _core.Call(self._settings, request)
        while True:
            try:
                with call.connection_errors():
                    answer = await self._http.send(
                        self._http.build_request(**call.arguments()), follow_redirects=False
                    )
                return call.result(answer.status_code, answer.headers, answer.content)
            except HumaneError as error:
                pause_s = call.pause_s(error)
            await self._sleep(pause_s)

    async def _events(self, request: _core.Request[Any]) -> AsyncGenerator[StreamEvent, None]:
        call = _core.Call(self._settings, request)
        while True:
            reader = EventReader()
            try:
                with call.connection_errors():
                    answer = await self._open(call)
                    try:
                        async for chunk in answer.aiter_bytes():
                            for event in reader.feed(chunk):
                                yield event
                            if reader.done:
                                return
                    finally:
                        await answer.aclose()
                reader.ended()
            except HumaneError as error:
                if reader.began:
                    raise
                pause_s = call.pause_s(error)
            await self._sleep(pause_s)

    async def _open(self, call: _core.Call[Any]) -> httpx.Response:
        answer = await self._http.send(
            self._http.build_request(**call.arguments()), stream=True, follow_redirects=False
        )
        if _core.is_stream(answer.status_code, answer.headers):
            return answer
        try:
            body = await answer.aread()
        finally:
            await answer.aclose()
        raise _core.not_a_stream(answer.status_code, answer.headers, body)


class AsyncStream(AsyncIterator[StreamEvent]):
    """The events of one answer as they come: ``metadata`` first, ``final`` last.

    Read it to its end, close it, or use it in an ``async with``. Iterating raises HumaneError.
    """

    def __init__(self, events: AsyncGenerator[StreamEvent, None]) -> None:
        self._events = events

    def __aiter__(self) -> AsyncStream:
        return self

    async def __anext__(self) -> StreamEvent:
        return await anext(self._events)

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def text(self) -> AsyncIterator[str]:
        """What the person reads, piece by piece. Raises StreamError for an ``error`` event."""
        async for event in self:
            if piece := text_of(event):
                yield piece

    async def aclose(self) -> None:
        """Hang up; the server finishes on its own."""
        await self._events.aclose()
