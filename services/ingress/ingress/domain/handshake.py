"""Meta's GET handshake: who may have the challenge back, and why not."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from enum import StrEnum

OUR_TOKEN = re.compile(r"vt_[0-9A-Za-z]{43}")
"""256 random bits, so that its hash may be told. What people make up themselves is not hashed."""


class Outcome(StrEnum):
    """What the handshake came to; all but the first are refused alike."""

    VERIFIED = "verified"
    WRONG_MODE = "wrong_mode"
    TOKEN_MISMATCH = "token_mismatch"  # noqa: S105 - a reason, not a token
    TOKEN_HAS_WHITESPACE = "token_has_whitespace"  # noqa: S105 - likewise


def judge(mode: str, token: str, token_hashes: Sequence[str]) -> Outcome:
    """``token_hashes`` are SHA-256 hex of the tokens that are valid now."""
    if mode != "subscribe":
        return Outcome.WRONG_MODE
    if _known(token, token_hashes):
        return Outcome.VERIFIED
    # A newline pasted along with the token is the classic mistake: refused, but told apart.
    if token != token.strip() and _known(token.strip(), token_hashes):
        return Outcome.TOKEN_HAS_WHITESPACE
    return Outcome.TOKEN_MISMATCH


def hash_of_ours(token: str) -> str | None:
    """SHA-256 hex of a token that we may have made, white space around it aside; else None."""
    ours = OUR_TOKEN.fullmatch(token.strip())
    return None if ours is None else hashlib.sha256(ours[0].encode()).hexdigest()


def _known(token: str, token_hashes: Sequence[str]) -> bool:
    given = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
    matches = [hmac.compare_digest(given, known) for known in token_hashes]
    return any(matches)
