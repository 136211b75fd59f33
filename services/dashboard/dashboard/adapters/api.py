"""The public API as the pages need it: what it answers, or why it does not."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

Json = dict[str, Any]


class ApiError(Exception):
    """The API refused. ``slug`` is the end of the problem's type."""

    def __init__(self, status: int, slug: str, detail: str) -> None:
        super().__init__(f"{status} {slug}")
        self.status = status
        self.slug = slug
        self.detail = detail


class ApiUnavailableError(Exception):
    """Nobody answered, or nobody who could."""


class Api:
    """Calls as the bearer of a key. The session is shared and pooled."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, timeout_s: float) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def get(self, key: str, path: str, **query: str | int | None) -> Json:
        """An answer. Raises ApiError, ApiUnavailableError."""
        given = {name: str(value) for name, value in query.items() if value not in (None, "")}
        return await self._call("GET", key, path, query=given)

    async def send(
        self,
        method: str,
        key: str,
        path: str,
        body: Json | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Json:
        """The answer to a change; an empty one for none. Raises ApiError, ApiUnavailableError.

        ``idempotency_key``: a form sent twice does one thing.
        """
        extra = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return await self._call(method, key, path, body=body, extra=extra)

    async def _call(
        self,
        method: str,
        key: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> Json:
        headers = {"X-API-Key": key, "Accept": "application/json", **(extra or {})}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with self._http.request(
                method,
                self._base_url + path,
                params=query,
                data=None if body is None else orjson.dumps(body),
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                return _read(answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiUnavailableError(type(error).__name__) from None


def _read(status: int, content: bytes) -> Json:
    try:
        data = orjson.loads(content) if content else {}
    except orjson.JSONDecodeError:
        data = None
    if not isinstance(data, dict):
        raise ApiUnavailableError(f"an answer {status} that is not ours")
    if status < 400:
        return data
    slug = str(data.get("type", "")).rpartition(":")[2]
    if status in (502, 503, 504) or status == 500:
        raise ApiUnavailableError(slug or str(status))
    raise ApiError(status, slug, str(data.get("detail", "")))
