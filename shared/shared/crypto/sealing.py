"""Envelope encryption: AES-256-GCM with a data key per secret, wrapped by a versioned key.

Sealed form: ``v1.<key version>.<wrapped data key>.<nonce>.<ciphertext>``, base64url without padding.
Both layers authenticate ``collection|id|field``, so that a ciphertext copied to another record or
field does not open. Rotating the key-encryption key re-wraps data keys and leaves ciphertexts alone.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
"""96 bits, random: safe for 2^32 messages a key (NIST SP 800-38D), and each data key seals one."""
FORMAT = "v1"


class SealError(Exception):
    """A sealed value does not open here. The message says why, never what."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret lives; part of what is authenticated."""

    collection: str
    id: str
    field: str

    def associated_data(self) -> bytes:
        """The bytes that both layers authenticate."""
        return f"{self.collection}|{self.id}|{self.field}".encode()


@dataclass(frozen=True)
class Keyring:
    """Key-encryption keys by version; the newest seals, all of them open."""

    keys: Mapping[str, bytes] = field(repr=False)
    current: str

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise SealError(f"the current key version {self.current!r} is not among the keys")
        for version, key in self.keys.items():
            if len(key) != KEY_BYTES:
                raise SealError(f"key version {version!r} is not {KEY_BYTES} bytes long")
            if "." in version:
                raise SealError(f"key version {version!r} must not contain a dot")

    @classmethod
    def from_text(cls, keys: Mapping[str, str]) -> "Keyring":
        """From ``{version: base64 of 32 bytes}``; the last version in the mapping is current."""
        if not keys:
            raise SealError("no key-encryption key is configured")
        try:
            decoded = {version: urlsafe_b64decode(text) for version, text in keys.items()}
        except ValueError:
            raise SealError("a key-encryption key is not base64") from None
        return cls(decoded, current=tuple(keys)[-1])

    def seal(self, secret: str, place: Place) -> str:
        """Encrypt ``secret`` for ``place``."""
        data_key = AESGCM.generate_key(bit_length=256)
        wrap_nonce, nonce = secrets.token_bytes(NONCE_BYTES), secrets.token_bytes(NONCE_BYTES)
        wrapped = wrap_nonce + AESGCM(self.keys[self.current]).encrypt(
            wrap_nonce, data_key, place.associated_data()
        )
        ciphertext = AESGCM(data_key).encrypt(nonce, secret.encode(), place.associated_data())
        return ".".join((FORMAT, self.current, *map(_text, (wrapped, nonce, ciphertext))))

    def open(self, sealed: str, place: Place) -> str:
        """Decrypt. Raises SealError: unknown form, missing key version, or tampered or moved."""
        try:
            form, version, *parts = sealed.split(".")
            wrapped, nonce, ciphertext = map(_bytes, parts)
        except ValueError:
            raise SealError("not a sealed value") from None
        if form != FORMAT:
            raise SealError(f"unknown sealed form {form!r}")
        if version not in self.keys:
            raise SealError(f"key version {version!r} is needed and not configured")
        try:
            data_key = AESGCM(self.keys[version]).decrypt(
                wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], place.associated_data()
            )
            return AESGCM(data_key).decrypt(nonce, ciphertext, place.associated_data()).decode()
        except (InvalidTag, ValueError):
            raise SealError("the sealed value was changed or belongs elsewhere") from None


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
