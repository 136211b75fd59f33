"""How identifiers are made. Random ones carry at least 128 bits; derived ones are pinned by tests."""

import hashlib
import secrets
import string
from uuid import UUID, uuid4, uuid5

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
EVENT_NAMESPACE = UUID("5f0b7c1e-8d57-5b0e-9c39-6a3f1f6f2b7d")
"""Fixed for ever: changing it would make every redelivered message look new."""


def base62(length: int) -> str:
    """``length`` characters from a cryptographic source, about 5.95 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def new_channel_id() -> str:
    """``mc_`` and 22 characters, 131 bits."""
    return "mc_" + base62(22)


def new_user_id() -> str:
    """``eu_`` and 22 characters."""
    return "eu_" + base62(22)


def new_api_key() -> str:
    """``hx_`` and 43 characters, 256 bits: strong enough that a plain SHA-256 may be stored."""
    return "hx_" + base62(43)


def new_verify_token() -> str:
    """``vt_`` and 43 characters, 256 bits."""
    return "vt_" + base62(43)


def new_request_id() -> str:
    """Names one HTTP request in answers and logs."""
    return uuid4().hex


def secret_hash(secret: str) -> str:
    """SHA-256 hex of a 256-bit random secret. Not for passwords, which are guessable."""
    return hashlib.sha256(secret.encode()).hexdigest()


def event_id(channel_id: str, provider_message_id: str) -> str:
    """The id of everything that follows from one provider message; equal on every redelivery."""
    return str(uuid5(EVENT_NAMESPACE, f"{channel_id}:{provider_message_id}"))


def derived_id(*parts: str) -> str:
    """A stable id for a fact that is named by ``parts``, such as an event of an interaction."""
    return str(uuid5(EVENT_NAMESPACE, "\x1f".join(parts)))
