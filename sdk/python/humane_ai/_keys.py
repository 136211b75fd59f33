"""``client.keys``: who may use the API."""

from __future__ import annotations

import builtins
from typing import Any

from humane_ai._core import AsyncSend, Request, Send, nothing, segment
from humane_ai._records import ApiKey, read_api_key

_PATH = "/api/keys"


def _create_request(label: str) -> Request[ApiKey]:
    return Request.with_body("POST", _PATH, read_api_key, {"label": label})


def _list_request() -> Request[list[ApiKey]]:
    def keys(data: Any) -> list[ApiKey]:
        return [read_api_key(item) for item in data["keys"]]

    return Request("GET", _PATH, keys)


def _revoke_request(key_id: str) -> Request[None]:
    return Request.deletion(f"{_PATH}/{segment('key_id', key_id)}", nothing)


class Keys:
    """Keys of this key's tenant."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def create(self, label: str) -> ApiKey:
        """A new key; ``key`` of the result is shown this once: keep it.

        ``label`` has 1 to 120 characters. A call whose answer was lost on the way may leave a key
        that nobody holds: ``list`` shows it, ``revoke`` ends it.
        """
        return self._send(_create_request(label))

    def list(self) -> builtins.list[ApiKey]:
        """Keys that work, oldest first, without the keys themselves."""
        return self._send(_list_request())

    def revoke(self, key_id: str) -> None:
        """Refuse it everywhere within two seconds. Raises NotFoundError.

        Raises ConflictError for the last key, without which nobody would get in again.
        """
        self._send(_revoke_request(key_id))


class AsyncKeys:
    """Keys of this key's tenant."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def create(self, label: str) -> ApiKey:
        """A new key; ``key`` of the result is shown this once: keep it.

        ``label`` has 1 to 120 characters. A call whose answer was lost on the way may leave a key
        that nobody holds: ``list`` shows it, ``revoke`` ends it.
        """
        return await self._send(_create_request(label))

    async def list(self) -> builtins.list[ApiKey]:
        """Keys that work, oldest first, without the keys themselves."""
        return await self._send(_list_request())

    async def revoke(self, key_id: str) -> None:
        """Refuse it everywhere within two seconds. Raises NotFoundError.

        Raises ConflictError for the last key, without which nobody would get in again.
        """
        await self._send(_revoke_request(key_id))
