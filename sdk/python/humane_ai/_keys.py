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
    tenant: str | None,
) -> Request[ApiKey]:
    body = given(
        label=label,
        scopes=None if scopes is None else sorted(set(scopes)),
        expires_in_days=expires_in_days,
        expires_at=None if expires_at is None else expires_at.isoformat(),
        tenant=tenant,
    )
    return Request.with_body("POST", _PATH, read_api_key, body)


def _list_request(*, revoked: bool, tenant: str | None) -> Request[list[ApiKey]]:
    def keys(data: Any) -> list[ApiKey]:
        return [read_api_key(item) for item in data["keys"]]

    params = given(revoked="true" if revoked else None, tenant=tenant)
    return Request("GET", _PATH, keys, params=params)


def _revoke_request(key_id: str, tenant: str | None) -> Request[None]:
    path = f"{_PATH}/{segment('key_id', key_id)}"
    return Request.deletion(path, nothing, params=given(tenant=tenant))


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
        tenant: str | None = None,
    ) -> ApiKey:
        """A new key; ``key`` of the result is shown this once: keep it.

        ``label`` has 1 to 120 characters. ``scopes`` is what the key allows: ``process``, ``read``,
        ``channels``, ``admin``, which is all of it (process and read). The key ends after
        ``expires_in_days``, 1 to 3,650, or at ``expires_at``, a time with a zone (never).
        ``tenant`` is for the operator of the house, who makes another tenant's first key. A call whose answer was lost on the way may leave a key
        that nobody holds: ``list`` shows it, ``revoke`` ends it.
        """
        return self._send(_create_request(label, scopes, expires_in_days, expires_at, tenant))

    def list(self, *, revoked: bool = False, tenant: str | None = None) -> builtins.list[ApiKey]:
        """Keys that were not revoked, or with ``revoked`` all; oldest first, without themselves."""
        return self._send(_list_request(revoked=revoked, tenant=tenant))

    def revoke(self, key_id: str, *, tenant: str | None = None) -> None:
        """Refuse it everywhere within two seconds. Raises NotFoundError.

        Raises ConflictError for the last ``admin`` key that does not expire: without it nobody
        could make keys again. Without ``admin`` a key may revoke itself only.
        """
        self._send(_revoke_request(key_id, tenant))


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
        tenant: str | None = None,
    ) -> ApiKey:
        """A new key; ``key`` of the result is shown this once: keep it.

        ``label`` has 1 to 120 characters. ``scopes`` is what the key allows: ``process``, ``read``,
        ``channels``, ``admin``, which is all of it (process and read). The key ends after
        ``expires_in_days``, 1 to 3,650, or at ``expires_at``, a time with a zone (never).
        ``tenant`` is for the operator of the house, who makes another tenant's first key. A call whose answer was lost on the way may leave a key
        that nobody holds: ``list`` shows it, ``revoke`` ends it.
        """
        return await self._send(_create_request(label, scopes, expires_in_days, expires_at, tenant))

    async def list(
        self, *, revoked: bool = False, tenant: str | None = None
    ) -> builtins.list[ApiKey]:
        """Keys that were not revoked, or with ``revoked`` all; oldest first, without themselves."""
        return await self._send(_list_request(revoked=revoked, tenant=tenant))

    async def revoke(self, key_id: str, *, tenant: str | None = None) -> None:
        """Refuse it everywhere within two seconds. Raises NotFoundError.

        Raises ConflictError for the last ``admin`` key that does not expire: without it nobody
        could make keys again. Without ``admin`` a key may revoke itself only.
        """
        await self._send(_revoke_request(key_id, tenant))
