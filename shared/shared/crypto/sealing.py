"""Envelope encryption: AES-256-GCM with a data key per secret, wrapped by a versioned key.

Sealed form: ``v1.<key version>.<wrapped data key>.<nonce>.<ciphertext>``, base64url without padding.
Both layers authenticate ``collection|id|field``, so that a ciphertext copied to another record or
field does not open. Rotating the key-encryption key re-wraps data keys and leaves ciphertexts alone.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

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


class KeyEncryption(Protocol):
    """Who wraps data keys: keys of our own (``LocalKeys``), or a key management service.

    Every version that stored secrets need is among ``versions``; ``current`` wraps.
    """

    @property
    def current(self) -> str:
        """The version that wraps from now on; no dot in it, and none in any other."""
        ...

    @property
    def versions(self) -> Collection[str]:
        """Those that can unwrap."""
        ...

    def wrap(self, data_key: bytes, associated_data: bytes) -> bytes:
        """Encrypt a data key with the current version."""
        ...

    def unwrap(self, version: str, wrapped: bytes, associated_data: bytes) -> bytes:
        """The data key. Raises InvalidTag or ValueError for what was not wrapped so."""
        ...


@dataclass(frozen=True)
class LocalKeys:
    """Key-encryption keys of 32 bytes, by version, in this process."""

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
    def from_text(cls, keys: Mapping[str, str], current: str | None = None) -> "LocalKeys":
        """From ``{version: base64 of 32 bytes}``; without ``current`` the last one is."""
        if not keys:
            raise SealError("no key-encryption key is configured")
        try:
            decoded = {version: urlsafe_b64decode(text) for version, text in keys.items()}
        except ValueError:
            raise SealError("a key-encryption key is not base64") from None
        return cls(decoded, current=current or tuple(keys)[-1])

    @property
    def versions(self) -> Collection[str]:
        """Those that can unwrap."""
        return self.keys.keys()

    def wrap(self, data_key: bytes, associated_data: bytes) -> bytes:
        """Nonce and ciphertext."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self.keys[self.current]).encrypt(nonce, data_key, associated_data)

    def unwrap(self, version: str, wrapped: bytes, associated_data: bytes) -> bytes:
        """The data key. Raises InvalidTag or ValueError."""
        nonce, ciphertext = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        return AESGCM(self.keys[version]).decrypt(nonce, ciphertext, associated_data)


@dataclass(frozen=True)
class Keyring:
    """Seals with the current key-encryption key and opens with every one that there is."""

    keys: KeyEncryption

    def seal(self, secret: str, place: Place) -> str:
        """Encrypt ``secret`` for ``place``."""
        data_key = AESGCM.generate_key(bit_length=256)
        nonce = secrets.token_bytes(NONCE_BYTES)
        ciphertext = AESGCM(data_key).encrypt(nonce, secret.encode(), place.associated_data())
        return self._sealed(data_key, nonce, ciphertext, place)

    def open(self, sealed: str, place: Place) -> str:
        """Decrypt. Raises SealError: unknown form, missing key version, or tampered or moved."""
        parts = _Parts.of(sealed)
        data_key = self._data_key(parts, place)
        try:
            plain = AESGCM(data_key).decrypt(parts.nonce, parts.text, place.associated_data())
            return plain.decode()
        except (InvalidTag, ValueError):
            raise _changed() from None

    def rewrap(self, sealed: str, place: Place) -> str:
        """The same secret, its data key wrapped by the current version. Raises SealError."""
        parts = _Parts.of(sealed)
        return self._sealed(self._data_key(parts, place), parts.nonce, parts.text, place)

    def needs_rewrap(self, sealed: str) -> bool:
        """Whether another version than the current one wraps it."""
        return version_of(sealed) != self.keys.current

    def _sealed(self, data_key: bytes, nonce: bytes, text: bytes, place: Place) -> str:
        wrapped = self.keys.wrap(data_key, place.associated_data())
        return ".".join((FORMAT, self.keys.current, *map(_text, (wrapped, nonce, text))))

    def _data_key(self, parts: "_Parts", place: Place) -> bytes:
        if parts.version not in self.keys.versions:
            raise SealError(f"key version {parts.version!r} is needed and not configured")
        try:
            return self.keys.unwrap(parts.version, parts.wrapped, place.associated_data())
        except (InvalidTag, ValueError):
            raise _changed() from None


@dataclass(frozen=True, slots=True)
class _Parts:
    version: str
    wrapped: bytes
    nonce: bytes
    text: bytes

    @classmethod
    def of(cls, sealed: str) -> "_Parts":
        try:
            form, version, *parts = sealed.split(".")
            wrapped, nonce, text = map(_bytes, parts)
        except ValueError:
            raise SealError("not a sealed value") from None
        if form != FORMAT:
            raise SealError(f"unknown sealed form {form!r}")
        return cls(version, wrapped, nonce, text)


def version_of(sealed: str) -> str:
    """The version of the key-encryption key that a sealed value needs."""
    return sealed.split(".", 2)[1]


def _changed() -> SealError:
    return SealError("the sealed value was changed or belongs elsewhere")


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
