"""Meta's GET handshake: who may have the challenge back, and why not."""

import hashlib
import hmac
from collections.abc import Sequence
from enum import StrEnum


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


def _known(token: str, token_hashes: Sequence[str]) -> bool:
    given = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
    matches = [hmac.compare_digest(given, known) for known in token_hashes]
    return any(matches)
