"""``client.keys``: who may use the API."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from humane_ai._core import AsyncSend, Request, Send, given, nothing, segment
from humane_ai._records import ApiKey, read_api_key

Scope = Literal["process", "read", "channels", "admin"]

_PATH = "/api/keys"


def _create_request(
    label: str,
    scopes: Iterable[Scope] | None,
    expires_in_days: int | None,
    expires_at: datetime | None,
) -> Request[ApiKey]:
    body = given(
        label=label,
        scopes=None if scopes is None else sorted(set(scopes)),
        expires_in_days=expires_in_days,
        expires_at=None if expires_at is None else expires_at.isoformat(),
    )
    return Request.with_body("POST", _PATH, read_api_key, body)


def _list_request(*, revoked: bool) -> Request[list[ApiKey]]:
    def keys(data: Any) -> list[ApiKey]:
        return [read_api_key(item) for item in data["keys"]]

    return Request("GET", _PATH, keys, params={"revoked": "true"} if revoked else None)


def _revoke_request(key_id: str) -> Request[None]:
    return Request.deletion(f"{_PATH}/{segment('key_id', key_id)}", nothing)


class Keys:
    """Keys of this key's tenant."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def create(
        self,
        label: str,
        *,
        scopes: Iterable[Scope] | None = None,
        expires_in_days: int | None = None,
        expires_at: datetime | None = None,
    ) -> ApiKey:
        """A new key; ``key`` of the result is shown this once: keep it.

        ``label`` has 1 to 120 characters. ``scopes`` is what the key allows: ``process``, ``read``,
        ``channels``, ``admin``, which is all of it (process and read). The key ends after
        ``expires_in_days``, 1 to 3,650, or at ``expires_at``, a time with a zone (never). A call whose answer was lost on the way may leave a key
        that nobody holds: ``list`` shows it, ``revoke`` ends it.
        """
        return self._send(_create_request(label, scopes, expires_in_days, expires_at))

    def list(self, *, revoked: bool = False) -> builtins.list[ApiKey]:
        """Keys that were not revoked, or with ``revoked`` all; oldest first, without themselves."""
        return self._send(_list_request(revoked=revoked))

    def revoke(self, key_id: str) -> None:
        """Refuse it everywhere within two seconds. Raises NotFoundError.

        Raises ConflictError for the last ``admin`` key that does not expire: without it nobody
        could make keys again. Without ``admin`` a key may revoke itself only.
        """
        self._send(_revoke_request(key_id))


class AsyncKeys:
    """Keys of this key's tenant."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def create(
        self,
        label: str,
        *,
        scopes: Iterable[Scope] | None = None,
        expires_in_days: int | None = None,
        expires_at: datetime | None = None,
    ) -> ApiKey:
        """A new key; ``key`` of the result is shown this once: keep it.

        ``label`` has 1 to 120 characters. ``scopes`` is what the key allows: ``process``, ``read``,
        ``channels``, ``admin``, which is all of it (process and read). The key ends after
        ``expires_in_days``, 1 to 3,650, or at ``expires_at``, a time with a zone (never). A call whose answer was lost on the way may leave a key
        that nobody holds: ``list`` shows it, ``revoke`` ends it.
        """
        return await self._send(_create_request(label, scopes, expires_in_days, expires_at))

    async def list(self, *, revoked: bool = False) -> builtins.list[ApiKey]:
        """Keys that were not revoked, or with ``revoked`` all; oldest first, without themselves."""
        return await self._send(_list_request(revoked=revoked))

    async def revoke(self, key_id: str) -> None:
        """Refuse it everywhere within two seconds. Raises NotFoundError.

        Raises ConflictError for the last ``admin`` key that does not expire: without it nobody
        could make keys again. Without ``admin`` a key may revoke itself only.
        """
        await self._send(_revoke_request(key_id))
