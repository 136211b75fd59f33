"""One OpenAI-compatible endpoint: its client, opened once and shared by whoever asks it."""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai import AsyncOpenAI


class Endpoint:
    """``timeout_s`` bounds one request; ``max_retries`` more are made of one that failed.

    The library is imported at the first call (or ``warm``), off the event loop, because it is slow
    to import.
    """

    def __init__(
        self, *, base_url: str, api_key: str, timeout_s: float = 20.0, max_retries: int = 1
    ) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._max_retries = max_retries
        self._client: AsyncOpenAI | None = None
        self._opening = asyncio.Lock()

    async def warm(self) -> None:
        """Import the library and make the client, so that the first person need not wait."""
        await self.client()

    async def close(self) -> None:
        """Give back the connections. Harmless when nothing was opened."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def client(self) -> "AsyncOpenAI":
        """The one client."""
        async with self._opening:
            if self._client is None:
                client_class = await asyncio.to_thread(_client_class)
                self._client = client_class(
                    base_url=self._base_url,
                    api_key=self._api_key,
                    timeout=self._timeout_s,
                    max_retries=self._max_retries,
                )
            return self._client


def reason_of(error: Exception) -> str:
    """A slug for logs and metrics; the provider's words may quote the prompt or the key."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return f"status_{status}"
    name = type(error).__name__
    return "timeout" if "Timeout" in name else "unreachable" if "Connection" in name else "failed"


def _client_class() -> "type[AsyncOpenAI]":
    """The library takes most of a second to import: not while people wait, and only if needed."""
    from openai import AsyncOpenAI

    return AsyncOpenAI
