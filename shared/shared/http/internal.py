"""Calls to channels-api's internal port: secrets for ingress and outbound, keys for every API.

Answers are cached by the caller (``StaleCache``); this module only asks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import SecretStr

from shared.cache import SourceUnavailableError
from shared.principal import Principal

TIMEOUT_S = 2.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dated:
    """A secret or its hash, and how long it counts."""

    value: str = field(repr=False)
    until: datetime | None = None
    """None: until it is replaced. Else the end of its grace period."""


@dataclass(frozen=True, slots=True)
class ChannelForIngress:
    """What the webhook edge needs to know of a channel, and no more."""

    channel_id: str
    tenant: str
    phone_number_id: str
    auto_reply: bool
    dated_app_secrets: tuple[Dated, ...]
    """The current one, then those still in their grace period."""
    dated_verify_token_hashes: tuple[Dated, ...]
    """SHA-256 hex."""
    waba_id: str | None = None
    reply_debounce_ms: int = 0
    echo_pause_s: int = 3600

    def app_secrets(self, now: datetime) -> tuple[str, ...]:
        """Those that verify a webhook now; remembered ones end with their grace, too."""
        return _counting(self.dated_app_secrets, now)

    def verify_token_hashes(self, now: datetime) -> tuple[str, ...]:
        """Those that pass a handshake now."""
        return _counting(self.dated_verify_token_hashes, now)


@dataclass(frozen=True, slots=True)
class ChannelForOutbound:
    """What the sender needs to know of a channel, and no more."""

    channel_id: str
    tenant: str
    phone_number_id: str
    access_token: str = field(repr=False)
    waba_id: str | None = None
    app_scope: str = ""
    """Equal for channels of one app, which share its limits; says nothing about its secret."""
    appsecret_proof: str | None = field(default=None, repr=False)
    """To be sent with every call; None when the channel does not ask for it."""
    paused: bool = False
    """The provider said that nothing may be sent: keep the queue and do not try."""
    troubled: bool = False
    """Something is known to be wrong that a reply which goes out would disprove: then say so."""
    read_receipts: bool = True
    messages_per_second: int = 80
    window_template: tuple[str, str] | None = None
    """Name and language of what is sent when the 24-hour window is closed."""


class InternalApi:
    """A client of ``/internal``; one HTTP session, service token on every call."""

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, service_token: SecretStr
    ) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {service_token.get_secret_value()}"}

    async def channel_for_ingress(self, channel_id: str) -> ChannelForIngress | None:
        """None when there is no such channel. Raises SourceUnavailableError."""
        return await self._get(
            f"/internal/channels/{quote(channel_id, safe='')}/ingress",
            lambda data: ChannelForIngress(
                channel_id=data["channel_id"],
                tenant=data["tenant"],
                phone_number_id=data["phone_number_id"],
                auto_reply=data["auto_reply"],
                waba_id=data.get("waba_id"),
                reply_debounce_ms=data.get("reply_debounce_ms", 0),
                echo_pause_s=data.get("echo_pause_s", 3600),
                dated_app_secrets=_dated(data["app_secrets"]),
                dated_verify_token_hashes=_dated(data["verify_token_hashes"]),
            ),
        )

    async def channel_for_outbound(self, channel_id: str) -> ChannelForOutbound | None:
        """None when there is no such channel. Raises SourceUnavailableError."""
        return await self._get(
            f"/internal/channels/{quote(channel_id, safe='')}/outbound",
            lambda data: ChannelForOutbound(
                channel_id=data["channel_id"],
                tenant=data["tenant"],
                phone_number_id=data["phone_number_id"],
                access_token=data["access_token"],
                waba_id=data.get("waba_id"),
                app_scope=data.get("app_scope", ""),
                appsecret_proof=data.get("appsecret_proof"),
                paused=data.get("paused", False),
                troubled=data.get("troubled", False),
                read_receipts=data.get("read_receipts", True),
                messages_per_second=data.get("messages_per_second", 80),
                window_template=_pair(data.get("window_template")),
            ),
        )

    async def principal(self, key_hash: str) -> Principal | None:
        """None when the key is unknown or revoked. Raises SourceUnavailableError."""
        return await self._get(
            f"/internal/keys/{quote(key_hash, safe='')}",
            lambda data: Principal(
                tenant=data["tenant"],
                key_hash=key_hash,
                label=data["label"],
                scopes=frozenset(data["scopes"]),
                expires_at=_time(data["expires_at"]),
            ),
        )

    async def _get(self, path: str, read: Callable[[Any], T]) -> T | None:
        try:
            async with self._session.get(
                self._base_url + path,
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                allow_redirects=False,
            ) as response:
                if response.status == 404:
                    return None
                if response.status != 200:
                    raise SourceUnavailableError(f"channels-api answered {response.status}")
                return read(await response.json())
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            raise SourceUnavailableError(f"channels-api: {type(error).__name__}") from None


def _dated(items: Sequence[Mapping[str, Any]]) -> tuple[Dated, ...]:
    return tuple(Dated(item["value"], _time(item["until"])) for item in items)


def _counting(dated: Sequence[Dated], now: datetime) -> tuple[str, ...]:
    return tuple(one.value for one in dated if one.until is None or one.until > now)


def _time(value: Any) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _pair(value: Any) -> tuple[str, str] | None:
    if value is None:
        return None
    name, language = value
    return str(name), str(language)
