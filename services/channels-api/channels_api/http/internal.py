"""``/internal``: what ingress, outbound and brain need to know, and no more. A port of its own."""

import hmac
from dataclasses import asdict
from hashlib import sha256

from aiohttp import web

from channels_api.adapters.channel_store import ChannelStore
from channels_api.adapters.collections import CHANNELS
from channels_api.adapters.key_store import KeyStore
from channels_api.domain.channels import Channel
from shared.clock import Clock
from shared.crypto.sealing import Keyring, Place
from shared.http.problem import json_response, not_found
from shared.http.service_token import only_for


class Internal:
    """Handlers of ``/internal``."""

    def __init__(
        self, channels: ChannelStore, keys: KeyStore, keyring: Keyring, clock: Clock
    ) -> None:
        self._channels = channels
        self._keys = keys
        self._keyring = keyring
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Every route under ``/internal``."""
        return [
            web.get("/internal/channels/{id}/ingress", self.for_ingress),
            web.get("/internal/channels/{id}/outbound", self.for_outbound),
            web.get("/internal/keys/{hash}", self.key),
        ]

    async def _channel(self, request: web.Request) -> Channel:
        channel = await self._channels.get_any(request.match_info["id"])
        if channel is None or channel.state != "active":
            raise not_found("channel")
        return channel

    async def for_ingress(self, request: web.Request) -> web.Response:
        """Secrets that verify a webhook, hashes that pass a handshake, and how long each does."""
        only_for(request, "ingress")
        channel, now = await self._channel(request), self._clock()
        place = Place(CHANNELS, channel.id, "app_secret")
        return json_response(
            {
                "channel_id": channel.id,
                "tenant": channel.tenant,
                "phone_number_id": channel.phone_number_id,
                "waba_id": channel.waba_id,
                "auto_reply": channel.auto_reply,
                "reply_debounce_ms": channel.settings.reply_debounce_ms,
                "echo_pause_s": channel.settings.echo_pause_s,
                "app_secrets": [
                    {"value": self._keyring.open(secret.value, place), "until": secret.until}
                    for secret in channel.app_secrets(now)
                ],
                "verify_token_hashes": [asdict(one) for one in channel.verify_token_hashes(now)],
            }
        )

    async def for_outbound(self, request: web.Request) -> web.Response:
        """The access token, and how to use it."""
        only_for(request, "outbound")
        channel, now = await self._channel(request), self._clock()
        token = self._opened(channel, "access_token", channel.access_token)
        secret = self._opened(channel, "app_secret", channel.app_secret)
        settings = channel.settings
        return json_response(
            {
                "channel_id": channel.id,
                "tenant": channel.tenant,
                "phone_number_id": channel.phone_number_id,
                "access_token": token,
                "waba_id": channel.waba_id,
                "app_scope": _keyed(secret, b"app_scope"),
                "appsecret_proof": _keyed(secret, token.encode())
                if settings.appsecret_proof
                else None,
                "paused": channel.health.paused(now),
                "troubled": channel.health.troubled,
                "read_receipts": settings.read_receipts,
                "messages_per_second": settings.messages_per_second,
                "window_template": [settings.window_template, settings.window_template_language]
                if settings.window_template
                else None,
            }
        )

    def _opened(self, channel: Channel, field: str, sealed: str) -> str:
        return self._keyring.open(sealed, Place(CHANNELS, channel.id, field))

    async def key(self, request: web.Request) -> web.Response:
        """Whose API key this is, by its SHA-256, and what it allows until when."""
        only_for(request, "brain", "outbound")
        principal = await self._keys.principal(request.match_info["hash"])
        if principal is None:
            raise not_found("key")
        return json_response(
            {
                "tenant": principal.tenant,
                "label": principal.label,
                "scopes": sorted(principal.scopes),
                "expires_at": principal.expires_at,
            }
        )


def _keyed(secret: str, message: bytes) -> str:
    """HMAC-SHA256 in hex. Of an access token it is the ``appsecret_proof`` of Graph's documents."""
    return hmac.new(secret.encode(), message, sha256).hexdigest()
