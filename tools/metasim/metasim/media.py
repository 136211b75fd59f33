"""Media that people sent: kept for seven days, reached by links that live five minutes."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from metasim.config import SimConfig

MEDIA_MAX = 100 * 1024 * 1024
"""Bytes; Meta refuses more with 131052, see the kind ``too_big``."""


@dataclass(frozen=True, slots=True)
class Media:
    """One file, owned by the number that it was sent to."""

    id: str
    phone_number_id: str
    mime_type: str
    data: bytes = field(repr=False)
    kept_at: float

    @property
    def digest(self) -> bytes:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.data).digest()


class MediaStore:
    """Keeps media and signs their links. Time is the configured clock's."""

    def __init__(self, config: SimConfig) -> None:
        self._config = config
        self._key = secrets.token_bytes(32)
        self._kept: dict[str, Media] = {}

    def keep(self, phone_number_id: str, mime_type: str, data: bytes) -> Media:
        """Store a file under a new id."""
        media_id = str(secrets.randbelow(9 * 10**15) + 10**15)
        media = Media(media_id, phone_number_id, mime_type, data, self._config.clock())
        self._kept[media_id] = media
        return media

    def find(self, media_id: str) -> Media | None:
        """The file; None when unknown or older than Meta keeps it."""
        media = self._kept.get(media_id)
        if media is None or self._config.clock() - media.kept_at >= self._config.media_kept_s:
            return None
        return media

    def was_kept(self, media_id: str) -> bool:
        """Whether this id was ever given out, expired or not."""
        return media_id in self._kept

    def link(self, media: Media, origin: str) -> str:
        """A fresh link; ``origin`` is where the simulator was reached unless one is configured."""
        expires = str(int(self._config.clock() + self._config.media_link_s))
        query = {"mid": media.id, "ext": expires, "hash": self._mark(media.id, expires)}
        base = self._config.public_url or origin
        return f"{base.rstrip('/')}{self._config.media_path}?{urlencode(query)}"

    def opened(self, media_id: str, expires: str, mark: str) -> Media | None:
        """The file behind a link; None when the link is forged, too old, or its file is gone."""
        right = hmac.compare_digest(self._mark(media_id, expires).encode(), mark.encode())
        if not right or self._config.clock() >= float(expires):
            return None
        return self.find(media_id)

    def described(self, media: Media, origin: str) -> dict[str, Any]:
        """What a webhook says of it, in the order of Meta's examples; the digest is in base64."""
        return {
            "mime_type": media.mime_type,
            "sha256": base64.b64encode(media.digest).decode(),
            "id": media.id,
            "url": self.link(media, origin),
        }

    def clear(self) -> None:
        """Forget every file."""
        self._kept.clear()

    def _mark(self, media_id: str, expires: str) -> str:
        return hmac.new(self._key, f"{media_id} {expires}".encode(), hashlib.sha256).hexdigest()
