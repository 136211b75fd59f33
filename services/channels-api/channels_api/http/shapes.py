"""What the API shows. Field by field: nothing leaves because it was stored."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal, NotRequired, cast

from pydantic import with_config
from typing_extensions import TypedDict

from channels_api.domain.channels import Channel
from channels_api.domain.findings import Finding, overall
from channels_api.domain.health import Health
from channels_api.domain.keys import ApiKey
from channels_api.domain.keys import State as KeyState
from channels_api.domain.rotation import Rotation

described = with_config(use_attribute_docstrings=True)


@described
class HealthShape(TypedDict):
    """Whether the channel can do its work."""

    state: Literal["ok", "needs_attention"]
    problem: str | None
    """The worst one; a stable name."""
    detail: str | None
    """What it means and what to do."""
    code: int | None
    """Meta's error code."""
    since: datetime | None
    paused: bool
    """Meta stopped the account: nothing is sent until it says otherwise."""


@described
class ChannelShape(TypedDict):
    """A connected number, without any secret."""

    id: str
    type: Literal["whatsapp"]
    label: str | None
    phone_number_id: str
    waba_id: str | None
    auto_reply: bool
    state: Literal["active", "disabled"]
    health: HealthShape
    reply_debounce_ms: int
    echo_pause_s: int
    read_receipts: bool
    messages_per_second: int
    window_template: str | None
    window_template_language: str
    appsecret_proof: bool
    webhook_url_hint: str
    """Path of the callback URL that Meta is given."""
    access_token_last4: str
    app_secret_last4: str
    version: int
    created_at: datetime
    updated_at: datetime
    verify_token: NotRequired[str]
    """Shown this once, when the channel is made or the token replaced."""


class ChannelPage(TypedDict):
    """Channels, oldest first."""

    channels: list[ChannelShape]
    next_cursor: str | None


@described
class FindingShape(TypedDict):
    """One thing that was looked at."""

    code: str
    """A stable name."""
    state: str
    sentence: str
    what_to_do: str


class CheckShape(TypedDict):
    """What a check found."""

    channel_id: str
    state: str
    checked_at: datetime
    findings: list[FindingShape]


class SetupShape(TypedDict):
    """What a setup did."""

    channel_id: str
    state: str
    steps: list[FindingShape]


@described
class CreatedChannelShape(ChannelShape):
    """A number that was just connected."""

    warnings: list[str]
    """What an operator should know, such as that the number is connected twice."""
    setup: NotRequired[SetupShape]
    """What was set up at Meta, where that was asked for."""
    check: NotRequired[CheckShape]
    """What the doctor found, where that was asked for."""


@described
class AuditEntry(TypedDict):
    """One change: who and what, never a value."""

    at: datetime
    action: Literal["created", "updated", "deleted"]
    fields: list[str]
    key_label: str
    key: str
    """The beginning of the SHA-256 of the key that made it."""
    version: int


class AuditShape(TypedDict):
    """Changes, newest first."""

    audit: list[AuditEntry]


@described
class TenantAuditEntry(AuditEntry):
    """One change of one of your channels."""

    channel_id: str
    label: str | None
    """Of the channel."""


class TenantAuditShape(TypedDict):
    """Changes of all channels, newest first."""

    audit: list[TenantAuditEntry]


@described
class ActivityItem(TypedDict):
    """One thing that happened at the webhook or at Meta."""

    at: datetime
    kind: str
    detail: dict[str, Any]
    """`message`: it in a plain sentence."""


class ActivityShape(TypedDict):
    """What happened, newest first, and what it means."""

    activity: list[ActivityItem]
    diagnosis: FindingShape


@described
class KeyShape(TypedDict):
    """An API key without the key."""

    id: str
    label: str
    last4: str
    scopes: list[str]
    state: KeyState
    created_at: datetime
    expires_at: datetime | None
    """None: never."""
    last_used_at: datetime | None
    """To the minute."""
    revoked_at: datetime | None


class KeyList(TypedDict):
    """Keys, oldest first."""

    keys: list[KeyShape]


@described
class CallerShape(TypedDict):
    """Who calls."""

    tenant: str
    label: str
    """Of the key; what is done with it is put down to this name."""
    scopes: list[str]
    expires_at: datetime | None
    """None: never."""


@described
class NewKeyShape(KeyShape):
    """An API key that was just made."""

    key: str
    """Shown this once."""


@described
class KeyVersion(TypedDict):
    """A key-encryption key."""

    version: str
    secrets: int
    """Sealed values that need it."""


@described
class KeyringShape(TypedDict):
    """Which key-encryption keys there are and are needed."""

    current: str
    """What seals from now on."""
    versions: list[KeyVersion]
    rotation: Rotation | None
    """The last one."""


def channel_shape(
    channel: Channel, now: datetime, *, verify_token: str | None = None
) -> ChannelShape:
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
    return cast("ChannelShape", shape)


def health_shape(health: Health, now: datetime) -> HealthShape:
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


def key_shape(key: ApiKey, now: datetime) -> KeyShape:
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


def finding_shape(found: Finding) -> FindingShape:
    """A finding as it is shown."""
    return FindingShape(
        code=found.code,
        state=found.state.value,
        sentence=found.sentence,
        what_to_do=found.what_to_do,
    )


def setup_shape(channel: Channel, steps: Sequence[Finding]) -> SetupShape:
    """A setup's report."""
    return SetupShape(
        channel_id=channel.id,
        state=overall(steps).value,
        steps=[finding_shape(step) for step in steps],
    )
