"""Calls either client in the same words, so that each behaviour is shown for both."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from typing import Any, Literal

from humane_ai import AsyncHumaneClient, HumaneClient
from tests.unit.humane_ai.wire import API_KEY

Kind = Literal["sync", "async"]


class Caller:
    """``await caller(lambda c: c.process(...))``; a stream or a listing comes back as the list of its items.

    ``waits`` are the pauses between tries that the client asked for; none is waited.
    """

    def __init__(self, kind: Kind, url: str) -> None:
        self.kind = kind
        self.waits: list[float] = []
        self._url = url

    async def __call__(
        self, call: Callable[[Any], Any], *, items: int | None = None, **options: Any
    ) -> Any:
        """``items``: stop after so many of them."""
        arguments = {"api_key": API_KEY, "base_url": self._url, **options}
        if self.kind == "sync":
            return await asyncio.to_thread(self._sync, call, items, arguments)

        async with AsyncHumaneClient(**arguments, sleep=self._wait) as client:
            result = call(client)
            if isinstance(result, AsyncIterator):
                return await self._taken(result, items)
            return await result

    def _sync(self, call: Callable[[Any], Any], items: int | None, arguments: Any) -> Any:
        with HumaneClient(**arguments, sleep=self.waits.append) as client:
            result = call(client)
            if not isinstance(result, Iterator):
                return result
            return self._drawn(result, items)

    def _drawn(self, result: Any, items: int | None) -> list[Any]:
        if items is None:
            return list(result)
        with closing(result):
            return [next(result) for _ in range(items)]

    async def _taken(self, result: Any, items: int | None) -> list[Any]:
        if items is None:
            return [item async for item in result]
        async with aclosing(result):
            return [await anext(result) for _ in range(items)]

    async def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
