"""``client.alerts``: the safety inbox, which is whom a human should look at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial

from humane_ai._core import AsyncSend, Request, Send, given, segment
from humane_ai._paging import PAGE_SIZE, Listing, async_rows_of, rows_of
from humane_ai._reading import read
from humane_ai._records import Alert, AlertFilter

_PATH = "/api/alerts"
_read_alert = partial(read, Alert)


def _listing(state: AlertFilter, limit: int) -> Listing[Alert]:
    return Listing(_PATH, "alerts", _read_alert, given(state=state, limit=limit))


def _get_request(alert_id: str) -> Request[Alert]:
    return Request("GET", f"{_PATH}/{segment('alert_id', alert_id)}", _read_alert)


def _update_request(
    alert_id: str,
    acknowledged: bool | None,
    assignee: str | None,
    note: str | None,
    unassign: bool,
) -> Request[Alert]:
    body = given(acknowledged=acknowledged, assignee=assignee, note=note)
    if unassign:
        body["assignee"] = None
    path = f"{_PATH}/{segment('alert_id', alert_id)}"
    return Request.with_body("PATCH", path, _read_alert, body)


class Alerts:
    """Messages that a human should look at."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def list(self, state: AlertFilter = "open", limit: int = PAGE_SIZE) -> Iterator[Alert]:
        """Raised last first; "open": nobody has acknowledged them yet.

        Pages are asked for as you get there, ``limit`` alerts at a time, 1 to 200.
        """
        return rows_of(self._send, _listing(state, limit))

    def get(self, alert_id: str) -> Alert:
        """One alert, by the id of its interaction. Raises NotFoundError."""
        return self._send(_get_request(alert_id))

    def update(
        self,
        alert_id: str,
        *,
        acknowledged: bool | None = None,
        assignee: str | None = None,
        note: str | None = None,
        unassign: bool = False,
    ) -> Alert:
        """Acknowledge it or open it again, say who takes care, add a note.

        It is put down to the label of your key. Raises NotFoundError, and ValidationError when nothing
        is asked for.
        """
        return self._send(_update_request(alert_id, acknowledged, assignee, note, unassign))


class AsyncAlerts:
    """Messages that a human should look at."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    def list(self, state: AlertFilter = "open", limit: int = PAGE_SIZE) -> AsyncIterator[Alert]:
        """Raised last first; "open": nobody has acknowledged them yet.

        Pages are asked for as you get there, ``limit`` alerts at a time, 1 to 200.
        """
        return async_rows_of(self._send, _listing(state, limit))

    async def get(self, alert_id: str) -> Alert:
        """One alert, by the id of its interaction. Raises NotFoundError."""
        return await self._send(_get_request(alert_id))

    async def update(
        self,
        alert_id: str,
        *,
        acknowledged: bool | None = None,
        assignee: str | None = None,
        note: str | None = None,
        unassign: bool = False,
    ) -> Alert:
        """Acknowledge it or open it again, say who takes care, add a note.

        It is put down to the label of your key. Raises NotFoundError, and ValidationError when nothing
        is asked for.
        """
        return await self._send(_update_request(alert_id, acknowledged, assignee, note, unassign))
