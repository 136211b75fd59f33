"""A person's file, in two steps: the provider tells where it is, and then gives it."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO
from urllib.parse import quote

import aiohttp

from outbound.adapters.graph import ANSWER_CAP_BYTES, RawAnswer, json_object, refusal
from outbound.domain.media import (
    ALTERED,
    GONE,
    REFUSED,
    TOO_LARGE,
    UNAVAILABLE,
    Described,
    MediaError,
    check_host,
    is_digest,
)
from shared.http.internal import ChannelForOutbound

DESCRIBE_TIMEOUT_S = 10.0
CHUNK_BYTES = 64 * 1024
IN_MEMORY_BYTES = 1024 * 1024
"""A larger file waits on disk while it is checked."""
RENEWALS = 2
"""How often a location that ran out (5 minutes) is asked for anew."""


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """``hosts``: where the token may be sent, see ``check_host``. ``cap_bytes``: of one file."""

    root: str
    hosts: tuple[str, ...]
    cap_bytes: int
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole, checked file."""

    mime_type: str
    size: int
    content: IO[bytes]


class MediaClient:
    """Fetches files in the name of a channel. Raises MediaError; never logs a location."""

    def __init__(self, session: aiohttp.ClientSession, settings: MediaSettings) -> None:
        self._session = session
        self._settings = settings

    @asynccontextmanager
    async def fetch(
        self, channel: ChannelForOutbound, media_id: str, claimed_sha256: str | None
    ) -> AsyncIterator[Fetched]:
        """The file while the context lasts."""
        try:
            async with self._fetched(channel, media_id, claimed_sha256) as fetched:
                yield fetched
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise MediaError(
                UNAVAILABLE, f"Meta could not be reached ({type(error).__name__}). Try again."
            ) from None

    @asynccontextmanager
    async def _fetched(
        self, channel: ChannelForOutbound, media_id: str, claimed_sha256: str | None
    ) -> AsyncIterator[Fetched]:
        for _ in range(1 + RENEWALS):
            described = await self._described(channel, media_id)
            with SpooledTemporaryFile(IN_MEMORY_BYTES) as file:
                digest = await self._downloaded(channel, described, file)
                if digest is None:
                    continue
                if not (is_digest(claimed_sha256, digest) and is_digest(described.sha256, digest)):
                    raise MediaError(ALTERED, "The file is not the one that the person sent.")
                size = file.tell()
                file.seek(0)
                yield Fetched(described.mime_type, size, file)
                return
        raise MediaError(GONE, "Meta does not have the file any more; it keeps one for 7 days.")

    async def _described(self, channel: ChannelForOutbound, media_id: str) -> Described:
        query = {"phone_number_id": channel.phone_number_id}
        if channel.appsecret_proof is not None:
            query["appsecret_proof"] = channel.appsecret_proof
        async with self._session.get(
            f"{self._settings.root}/{quote(media_id, safe='')}",
            params=query,
            headers=_bearer(channel),
            timeout=aiohttp.ClientTimeout(total=DESCRIBE_TIMEOUT_S),
            allow_redirects=False,
        ) as answer:
            body = await answer.content.read(ANSWER_CAP_BYTES)
            if answer.status != 200:
                raise _refused(answer.status, body)
        data = json_object(body)
        url = data.get("url")
        if not isinstance(url, str):
            raise MediaError(REFUSED, "Meta did not say where the file is.")
        check_host(url, self._settings.hosts)
        size = str(data.get("file_size") or "")
        known = int(size) if size.isdecimal() and len(size) < 16 else None
        if known is not None and known > self._settings.cap_bytes:
            raise self._too_large()
        sha256 = data.get("sha256")
        return Described(
            url=url,
            mime_type=str(data.get("mime_type") or "application/octet-stream")[:100],
            sha256=sha256 if isinstance(sha256, str) else None,
            size=known,
        )

    async def _downloaded(
        self, channel: ChannelForOutbound, described: Described, file: IO[bytes]
    ) -> bytes | None:
        """The digest of what was written to ``file``; None when the location ran out."""
        async with self._session.get(
            described.url,
            headers=_bearer(channel),
            timeout=aiohttp.ClientTimeout(total=self._settings.timeout_s, sock_read=20.0),
            allow_redirects=False,
        ) as answer:
            if answer.status in {403, 404, 410}:
                return None
            if answer.status != 200:
                raise _refused(answer.status, await answer.content.read(ANSWER_CAP_BYTES))
            digest, size = hashlib.sha256(), 0
            async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                size += len(chunk)
                if size > self._settings.cap_bytes:
                    raise self._too_large()
                digest.update(chunk)
                file.write(chunk)
        return digest.digest()

    def _too_large(self) -> MediaError:
        return MediaError(
            TOO_LARGE,
            f"The file is larger than {self._settings.cap_bytes} bytes, the limit that is set here.",
        )


def _bearer(channel: ChannelForOutbound) -> dict[str, str]:
    return {"Authorization": f"Bearer {channel.access_token}"}


def _refused(status: int, body: bytes) -> MediaError:
    refused = refusal(RawAnswer(status, body))
    code = refused.code if refused else None
    if status >= 500:
        return MediaError(UNAVAILABLE, "Meta cannot give the file now. Try again.")
    if code in {0, 190}:
        return MediaError(REFUSED, "Meta rejects this channel's access token.")
    if code == 100 or status == 404:
        return MediaError(GONE, "Meta does not know the file, or not for this number.")
    return MediaError(REFUSED, f"Meta refused to give the file (code {code}).")
