"""Rules of fetching a person's file from the provider. Pure."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit


class MediaError(Exception):
    """The file cannot be had. ``reason`` is a slug, ``detail`` a sentence for an operator."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


GONE = "media_gone"
TOO_LARGE = "media_too_large"
ALTERED = "media_altered"
ELSEWHERE = "media_elsewhere"
UNAVAILABLE = "media_unavailable"
REFUSED = "media_refused"


@dataclass(frozen=True, slots=True)
class Described:
    """What the provider says of a file. ``url`` works for 5 minutes and with the token only."""

    url: str
    mime_type: str
    sha256: str | None
    size: int | None


def check_host(url: str, allowed: Iterable[str]) -> None:
    """Raises MediaError unless the token may go there: the bearer of a token is its owner.

    ``allowed``: host names, ``.fbsbx.com`` for every host below, and origins such as
    ``http://127.0.0.1:9099``, which is the only way to a host without TLS.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    secure = parts.scheme == "https" and parts.username is None and parts.port in {None, 443}
    for name in allowed:
        if f"{parts.scheme}://{parts.netloc}" == name.rstrip("/"):
            return
        if secure and (host == name or (name.startswith(".") and host.endswith(name))):
            return
    raise MediaError(ELSEWHERE, "Meta named a host for the file that is not one of its own.")


def is_digest(claimed: str | None, digest: bytes) -> bool:
    """Whether ``claimed`` is this SHA-256; webhooks write base64, the API hexadecimal digits.

    True without a claim: there is nothing to compare.
    """
    if not claimed:
        return True
    if len(claimed) == 64:
        return claimed.lower() == digest.hex()
    try:
        return base64.b64decode(claimed + "=" * (-len(claimed) % 4), validate=True) == digest
    except (binascii.Error, ValueError):
        return False
