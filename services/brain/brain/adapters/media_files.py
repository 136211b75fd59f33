"""People's files at the provider, asked of outbound, which holds the token."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from pydantic import SecretStr

TIMEOUT_S = 90.0
"""Outbound's own download is shorter."""


class MediaUnavailableError(Exception):
    """The file cannot be had. ``transient``: it may be had later. ``detail`` is for operators."""

    def __init__(self, status: int, slug: str, detail: str) -> None:
        super().__init__(slug)
        self.status = status
        self.slug = slug
        self.detail = detail

    @property
    def transient(self) -> bool:
        """Whether it is worth another try."""
        return self.status in {502, 503}


@dataclass(frozen=True, slots=True)
class MediaStream:
    """A whole, checked file on its way."""

    mime_type: str
    size: int | None
    chunks: AsyncIterator[bytes]

    async def read(self) -> bytes:
        """All of it."""
        return b"".join([chunk async for chunk in self.chunks])


class MediaFiles:
    """A client of outbound's ``/internal/media``."""

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, service_token: SecretStr
    ) -> None:
        self._session = session
        self._url = base_url.rstrip("/") + "/internal/media"
        self._headers = {"Authorization": f"Bearer {service_token.get_secret_value()}"}

    @asynccontextmanager
    async def open(
        self, tenant: str, channel_id: str, media_id: str, sha256: str | None
    ) -> AsyncIterator[MediaStream]:
        """The file while the context lasts. Raises MediaUnavailableError."""
        query = {"tenant": tenant, "channel_id": channel_id, "media_id": media_id}
        try:
            async with self._session.get(
                self._url,
                params=query | ({"sha256": sha256} if sha256 else {}),
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                allow_redirects=False,
            ) as answer:
                if answer.status != 200:
                    raise await _refused(answer)
                yield MediaStream(
                    answer.content_type, answer.content_length, answer.content.iter_chunked(65_536)
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            detail = f"The file service cannot be reached ({type(error).__name__}). Try again."
            raise MediaUnavailableError(503, "media-unavailable", detail) from None


async def _refused(answer: aiohttp.ClientResponse) -> MediaUnavailableError:
    try:
        body = await answer.json(content_type=None)
        slug, detail = str(body["type"]).rpartition(":")[2], str(body["detail"])
    except (ValueError, KeyError, TypeError):
        slug, detail = "media-unavailable", "The file service gave no reason."
    return MediaUnavailableError(answer.status, slug, detail)
