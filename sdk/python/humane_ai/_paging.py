"""Listings that come in pages, read one page at a time as the caller gets there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from humane_ai._core import AsyncSend, Request, Send, given

T = TypeVar("T")

PAGE_SIZE = 50
"""Rows that one request asks for, where the caller does not say."""


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, and how to ask for those after them; None: these were the last."""

    rows: list[T]
    next_cursor: str | None


@dataclass(frozen=True)
class Listing(Generic[T]):
    """A route that lists rows under ``name``; ``params`` go with every page."""

    path: str
    name: str
    read: Callable[[Any], T]
    params: Mapping[str, Any] = field(default_factory=dict)

    def request(self, cursor: str | None) -> Request[Page[T]]:
        """The page after ``cursor``; the first one for None."""
        return Request("GET", self.path, self._page, params={**self.params, **given(cursor=cursor)})

    def _page(self, data: Any) -> Page[T]:
        rows = [self.read(row) for row in data[self.name]]
        return Page(rows, data.get("next_cursor") or None)


def rows_of(send: Send, listing: Listing[T]) -> Iterator[T]:
    """All rows. A page is asked for when its first row is. Raises HumaneError."""
    page = send(listing.request(None))
    yield from page.rows
    while page.next_cursor:
        page = send(listing.request(page.next_cursor))
        yield from page.rows


async def async_rows_of(send: AsyncSend, listing: Listing[T]) -> AsyncIterator[T]:
    """The same, awaited."""
    page = await send(listing.request(None))
    for row in page.rows:
        yield row
    while page.next_cursor:
        page = await send(listing.request(page.next_cursor))
        for row in page.rows:
            yield row
