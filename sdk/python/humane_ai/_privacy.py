"""``client.privacy``: what a person may ask for by law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from humane_ai._core import AsyncSend, Request, Send, segment
from humane_ai._records import Erasure, read_erasure


def _export_request(user_id: str) -> Request[dict[str, Any]]:
    return Request("GET", f"/api/privacy/export/{segment('user_id', user_id)}", _document)


def _erase_request(user_id: str) -> Request[Erasure]:
    return Request.deletion(f"/api/privacy/erase/{segment('user_id', user_id)}", read_erasure)


def _document(data: Any) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise TypeError("an export is a JSON object")
    return dict(data)


class Privacy:
    """A ``user_id`` is the ``id`` of a User, your own id of the person, or their phone."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def export(self, user_id: str) -> dict[str, Any]:
        """All that is kept of the person, as JSON that can be handed to them.

        Raises NotFoundError.
        """
        return self._send(_export_request(user_id))

    def erase(self, user_id: str) -> Erasure:
        """Erase the person, what they said and what was said to them, for good.

        There is no way back. Raises NotFoundError.
        """
        return self._send(_erase_request(user_id))


class AsyncPrivacy:
    """A ``user_id`` is the ``id`` of a User, your own id of the person, or their phone."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def export(self, user_id: str) -> dict[str, Any]:
        """All that is kept of the person, as JSON that can be handed to them.

        Raises NotFoundError.
        """
        return await self._send(_export_request(user_id))

    async def erase(self, user_id: str) -> Erasure:
        """Erase the person, what they said and what was said to them, for good.

        There is no way back. Raises NotFoundError.
        """
        return await self._send(_erase_request(user_id))
