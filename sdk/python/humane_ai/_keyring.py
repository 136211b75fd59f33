"""``client.keyring``: the keys that wrap what is sealed, for the operator of the house."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from humane_ai._core import AsyncSend, Request, Send
from humane_ai._reading import read
from humane_ai._types import Json


@dataclass(frozen=True)
class KeyVersion:
    """One version of the key-encryption keys."""

    version: str = ""
    secrets: int = 0
    """How many sealed values need it; none: it may go."""


@dataclass(frozen=True)
class KeyRotation:
    """How far the wrapping by another version is, in records."""

    to_version: str = ""
    state: str = ""
    """``running``, ``done``, or ``incomplete``: some values do not open."""
    total: int = 0
    done: int = 0
    unreadable: int = 0
    started_at: datetime | None = None
    started_by: str = ""
    """Label of the key that asked for it."""
    finished_at: datetime | None = None
    raw: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class KeyringStatus:
    """Which versions there are, and how far the last rotation is."""

    current: str = ""
    """The version that seals."""
    versions: tuple[KeyVersion, ...] = ()
    rotation: KeyRotation | None = None
    raw: Json = field(default_factory=dict, repr=False, compare=False)


def _status_request() -> Request[KeyringStatus]:
    return Request("GET", "/api/keyring", lambda data: read(KeyringStatus, data))


def _rotate_request() -> Request[KeyRotation]:
    path = "/api/keyring/rotation"
    return Request.with_body("POST", path, lambda data: read(KeyRotation, data), {})


class Keyring:
    """The key ring. Needs an ``admin`` key of the operator's own tenant."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def status(self) -> KeyringStatus:
        """Versions, what needs them, and how far the rotation is."""
        return self._send(_status_request())

    def rotate(self) -> KeyRotation:
        """Have everything wrapped by the current version, while all goes on. Harmless twice."""
        return self._send(_rotate_request())


class AsyncKeyring:
    """The key ring. Needs an ``admin`` key of the operator's own tenant."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def status(self) -> KeyringStatus:
        """Versions, what needs them, and how far the rotation is."""
        return await self._send(_status_request())

    async def rotate(self) -> KeyRotation:
        """Have everything wrapped by the current version, while all goes on. Harmless twice."""
        return await self._send(_rotate_request())
