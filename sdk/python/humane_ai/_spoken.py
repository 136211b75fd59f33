"""Streams of a text that no model wrote, in the form of OpenAI's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from humane_ai._types import ProcessResult


class SpokenStream(Iterator[Any]):
    """Its events, one at a time."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self.response = None
        self.humane: ProcessResult | None = None

    def __next__(self) -> Any:
        return next(self._events)

    def __enter__(self) -> SpokenStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """No more of it."""
        self._events = iter(())


class AsyncSpokenStream(AsyncIterator[Any]):
    """The same, awaited."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self.response = None
        self.humane: ProcessResult | None = None

    async def __anext__(self) -> Any:
        for event in self._events:
            return event
        raise StopAsyncIteration

    async def __aenter__(self) -> AsyncSpokenStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """No more of it."""
        self._events = iter(())
