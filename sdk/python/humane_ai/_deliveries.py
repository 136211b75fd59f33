"""``client.deliveries``: what became of what was said, message by message."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

from humane_ai._core import AsyncSend, Request, Send, given
from humane_ai._paging import PAGE_SIZE, Listing, async_rows_of, rows_of
from humane_ai._reading import read
from humane_ai._records import Delivery, DeliveryState

_PATH = "/api/deliveries"
_read_delivery = partial(read, Delivery)


def _of_request(interaction_id: str) -> Request[list[Delivery]]:
    def parts(data: Any) -> list[Delivery]:
        return [_read_delivery(item) for item in data["deliveries"]]

    return Request("GET", _PATH, parts, params={"interaction_id": interaction_id})


def _listing(state: DeliveryState | None, limit: int) -> Listing[Delivery]:
    return Listing(_PATH, "deliveries", _read_delivery, given(state=state, limit=limit))


class Deliveries:
    """Messages on their way to people."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def of(self, interaction_id: str) -> builtins.list[Delivery]:
        """The parts of its reply in order; empty when nothing was sent.

        The ``id`` of an OutgoingMessage does as well.
        """
        return self._send(_of_request(interaction_id))

    def list(
        self, state: DeliveryState | None = None, limit: int = PAGE_SIZE
    ) -> Iterator[Delivery]:
        """All, or those in a state, such as "failed" or "window_closed"; newest first.

        Pages are asked for as you get there, ``limit`` deliveries at a time, 1 to 200.
        """
        return rows_of(self._send, _listing(state, limit))


class AsyncDeliveries:
    """Messages on their way to people."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def of(self, interaction_id: str) -> builtins.list[Delivery]:
        """The parts of its reply in order; empty when nothing was sent.

        The ``id`` of an OutgoingMessage does as well.
        """
        return await self._send(_of_request(interaction_id))

    def list(
        self, state: DeliveryState | None = None, limit: int = PAGE_SIZE
    ) -> AsyncIterator[Delivery]:
        """All, or those in a state, such as "failed" or "window_closed"; newest first.

        Pages are asked for as you get there, ``limit`` deliveries at a time, 1 to 200.
        """
        return async_rows_of(self._send, _listing(state, limit))
