"""Whether a webhook's body comes from who holds the secret."""

from __future__ import annotations

import hmac
import re

_HEADER = re.compile(r"sha256=([0-9a-fA-F]{64})")


def verify_webhook_signature(body: bytes, header: str | None, secret: str) -> bool:
    """Whether ``header`` (``X-Hub-Signature-256``) is the signature of ``body`` by ``secret``.

    ``body`` is the bytes as received: JSON that was read and written again is another body.
    ``header`` is ``sha256=`` and 64 hexadecimal digits, the HMAC-SHA256; None and every other form
    are False, and so is an empty ``secret``, with which anybody could sign. The comparison takes
    the same time however much of the digest is right.
    """
    match = _HEADER.fullmatch(header or "")
    if match is None or not secret:
        return False
    digest = hmac.digest(secret.encode(), body, "sha256")
    return hmac.compare_digest(digest, bytes.fromhex(match[1]))
