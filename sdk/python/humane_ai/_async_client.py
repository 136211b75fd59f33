"""The asynchronous client: the same surface as ``HumaneClient``, awaited."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

import httpx

from humane_ai import _core
from humane_ai._errors import HumaneError, error_from
from humane_ai._http import arguments, connection_error
from humane_ai._types import Activity, Channel, HistoryEntry, ProcessResult, StreamEvent

R = TypeVar("R")


class AsyncHumaneClient:
    """A client of the API for asyncio. Close it, or use it in an ``async with``.

    ``api_key`` defaults to ``HUMANE_API_KEY`` and ``base_url`` to ``HUMANE_BASE_URL``.
    ``timeout_s`` bounds each try, ``max_retries`` the tries after the first. A retried call carries
    the same ``Idempotency-Key``, so that it acts once.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout_s: float = _core.DEFAULT_TIMEOUT_S,
        max_retries: int = _core.DEFAULT_MAX_RETRIES,
        http_client: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._options = _core.Options.of(api_key, base_url, timeout_s, max_retries)
        self._http = http_client or httpx.AsyncClient()
        self._sleep = sleep
        self.channels = AsyncChannels(self)
        """Connected numbers."""

    def __repr__(self) -> str:
        return f"AsyncHumaneClient(base_url={self._options.base_url!r})"

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
        await self._http.aclose()

    async def process(
        self,
        user_id: str,
        message: str,
        *,
        conversation_history: Sequence[Mapping[str, str]] | None = None,
        channel: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> ProcessResult:
        """Understand and answer ``message`` of the person whom your system calls ``user_id``."""
        return await self._send(
            _core.process_request(
                user_id,
                message,
                conversation_history=conversation_history,
                channel=channel,
                metadata=metadata,
                idempotency_key=idempotency_key,
            )
        )

    async def stream(
        self,
        user_id: str,
        message: str,
        *,
        conversation_history: Sequence[Mapping[str, str]] | None = None,
        channel: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> AsyncIterator[StreamEvent]:
        """The same as it becomes known: ``metadata`` first, ``token``s, then ``final``.

        Not retried once the first event came.
        """
        request = _core.process_request(
            user_id,
            message,
            conversation_history=conversation_history,
            channel=channel,
            metadata=metadata,
            idempotency_key=idempotency_key,
            stream=True,
        )
        for attempt in range(self._options.max_retries + 1):
            began = False
            try:
                async for event in self._events(request):
                    began = True
                    yield event
            except HumaneError as error:
                if began or attempt == self._options.max_retries or not _core.should_retry(error):
                    raise
                await self._sleep(_core.retry_delay_s(attempt, error))
            else:
                return

    async def get_history(self, user_id: str, *, limit: int = 200) -> list[HistoryEntry]:
        """The conversation, oldest first, at most ``limit`` entries."""
        return await self._send(_core.history_request(user_id, limit))

    async def clear_history(self, user_id: str) -> None:
        """Start the conversation anew."""
        await self._send(_core.clear_history_request(user_id))

    async def _send(self, request: _core.Request[R]) -> R:
        attempt = 0
        while True:
            try:
                return await self._try(request)
            except HumaneError as error:
                if attempt == self._options.max_retries or not _core.should_retry(error):
                    raise
                await self._sleep(_core.retry_delay_s(attempt, error))
            attempt += 1

    async def _try(self, request: _core.Request[R]) -> R:
        try:
            answer = await self._http.request(**arguments(self._options, request))
        except httpx.HTTPError as error:
            raise connection_error(self._options, error) from None
        return request.result(answer.status_code, answer.headers, answer.content)

    async def _events(self, request: _core.Request[ProcessResult]) -> AsyncIterator[StreamEvent]:
        try:
            async with self._http.stream(**arguments(self._options, request)) as answer:
                if answer.status_code >= 300:
                    raise error_from(answer.status_code, answer.headers, await answer.aread())
                reader = _core.EventReader()
                async for line in answer.aiter_lines():
                    for event in reader.feed(line):
                        yield event
                    if reader.done:
                        return
        except httpx.HTTPError as error:
            raise connection_error(self._options, error) from None


class AsyncChannels:
    """``client.channels``: connected numbers."""

    def __init__(self, client: AsyncHumaneClient) -> None:
        self._client = client

    async def create_whatsapp(
        self,
        *,
        phone_number_id: str,
        access_token: str,
        app_secret: str,
        label: str | None = None,
        auto_reply: bool = False,
        waba_id: str | None = None,
    ) -> Channel:
        """Connect a number. ``verify_token`` of the result is shown this once."""
        return await self._client._send(
            _core.create_whatsapp_request(
                phone_number_id=phone_number_id,
                access_token=access_token,
                app_secret=app_secret,
                label=label,
                auto_reply=auto_reply,
                waba_id=waba_id,
            )
        )

    async def list(self) -> list[Channel]:
        """All channels."""
        found: list[Channel] = []
        cursor: str | None = None
        while True:
            page, cursor = await self._client._send(_core.channels_page_request(cursor))
            found += page
            if cursor is None:
                return found

    async def get(self, channel_id: str) -> Channel:
        """One channel. Raises NotFoundError."""
        return await self._client._send(_core.channel_request(channel_id))

    async def update(
        self,
        channel_id: str,
        *,
        label: str | None = None,
        auto_reply: bool | None = None,
        state: str | None = None,
        access_token: str | None = None,
        app_secret: str | None = None,
        rotate_verify_token: bool | None = None,
    ) -> Channel:
        """Change what is given. The old secret stays valid for a grace period."""
        changes = {
            "label": label,
            "auto_reply": auto_reply,
            "state": state,
            "access_token": access_token,
            "app_secret": app_secret,
            "rotate_verify_token": rotate_verify_token,
        }
        return await self._client._send(_core.update_channel_request(channel_id, changes))

    async def delete(self, channel_id: str) -> None:
        """Destroy its credentials at once and forget the channel."""
        await self._client._send(_core.delete_channel_request(channel_id))

    async def activity(self, channel_id: str, *, limit: int = 100) -> builtins.list[Activity]:
        """What happened at its webhook, newest first."""
        return await self._client._send(_core.activity_request(channel_id, limit))
