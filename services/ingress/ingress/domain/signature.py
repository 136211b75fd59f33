"""Meta's webhook signature: HMAC-SHA256 over the bytes as received, by the app secret."""

import hmac
import re
from collections.abc import Sequence
from enum import StrEnum

HEADER = re.compile(rb"sha256=[0-9a-fA-F]{64}")


class Refusal(StrEnum):
    """Why a post is not Meta's. Says nothing about the digest that was expected."""

    NO_SECRET = "no_secret"  # noqa: S105 - a reason, not a secret
    NO_HEADER = "no_header"
    BAD_FORM = "bad_form"
    WRONG_DIGEST = "wrong_digest"


def refusal(body: bytes, header: str | None, app_secrets: Sequence[str]) -> Refusal | None:
    """None when ``header`` is the signature of ``body`` by one of ``app_secrets``.

    Every secret is tried, in constant time each, so that the time tells neither which one matched
    nor how much of a digest was right. Several secrets are valid while one is being rotated.
    """
    if not app_secrets:
        return Refusal.NO_SECRET
    if header is None:
        return Refusal.NO_HEADER
    given = header.encode("utf-8", "surrogateescape")
    if not HEADER.fullmatch(given):
        return Refusal.BAD_FORM
    digest = bytes.fromhex(given[7:].decode())
    matches = [
        hmac.compare_digest(hmac.digest(secret.encode(), body, "sha256"), digest)
        for secret in app_secrets
    ]
    return None if any(matches) else Refusal.WRONG_DIGEST
