"""What the API shows. Field by field: nothing leaves because it was stored."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from channels_api.domain.channels import Channel
from channels_api.domain.health import Health
from channels_api.domain.keys import ApiKey


def channel_shape(
    channel: Channel, now: datetime, *, verify_token: str | None = None
) -> dict[str, Any]:
    """A channel; ``verify_token`` only in the answer to its creation or rotation."""
    shape: dict[str, Any] = {
        "id": channel.id,
        "type": "whatsapp",
        "label": channel.label,
        "phone_number_id": channel.phone_number_id,
        "waba_id": channel.waba_id,
        "auto_reply": channel.auto_reply,
        "state": channel.state,
        "health": health_shape(channel.health, now),
        **asdict(channel.settings),
        "webhook_url_hint": f"/api/ingress/whatsapp/{channel.id}",
        "access_token_last4": channel.access_token_last4,
        "app_secret_last4": channel.app_secret_last4,
        "version": channel.version,
        "created_at": channel.created_at,
        "updated_at": channel.updated_at,
    }
    if verify_token is not None:
        shape["verify_token"] = verify_token
    return shape


def health_shape(health: Health, now: datetime) -> dict[str, Any]:
    """The worst problem; ``paused`` tells of all of them."""
    worst = health.worst
    return {
        "state": "ok" if worst is None else "needs_attention",
        "problem": None if worst is None else worst.slug,
        "detail": None if worst is None else worst.detail,
        "code": None if worst is None else worst.code,
        "since": None if worst is None else worst.since,
        "paused": health.paused(now),
    }


def key_shape(key: ApiKey, now: datetime) -> dict[str, Any]:
    """An API key without the key."""
    return {
        "id": key.id,
        "label": key.label,
        "last4": key.last4,
        "scopes": sorted(key.scopes),
        "state": key.state(now),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }
