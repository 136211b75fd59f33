"""``Idempotency-Key``: a repeat of a call is the same call."""

import re

from aiohttp import web

from shared.http.operations import Header
from shared.http.problem import Problem

IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    "A name of your own for this call. Another call with it and the same body does nothing twice: "
    "it gets the first one's answer.",
    pattern=r"^[!-~]{1,255}$",
)
KEY_REUSED = (422, "idempotency-key-reused")
_KEY = re.compile(r"[!-~]{1,255}")


def idempotency_key(request: web.Request) -> str | None:
    """The caller's key, None without one; a Problem 422 for what cannot be one."""
    key = request.headers.get(IDEMPOTENCY_KEY.name)
    if key is not None and not _KEY.fullmatch(key):
        raise Problem(
            422, "invalid-request", "Idempotency-Key must be 1 to 255 visible ASCII characters."
        )
    return key


def key_reused() -> Problem:
    """422: the key stands for another call."""
    return Problem(
        422,
        "idempotency-key-reused",
        "This Idempotency-Key was used with another body. Use a new key.",
    )
