"""What a channel is, and how its credentials change. Pure: sealing and storage are elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from channels_api.domain.health import WINDOW_TEMPLATE, Cause, Health, Problem, slugs_of

MOST_RETIRED = 8
"""Replaced values that are kept at once; a webhook is compared with each, so there is an end."""


@dataclass(frozen=True, slots=True)
class Retired:
    """A replaced secret, sealed or hashed, that is valid until ``until``."""

    value: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class Accepted:
    """A secret, sealed or hashed, that is accepted; ``until`` is None for the current one."""

    value: str = field(repr=False)
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """How a channel behaves; every one of them may be changed at any time."""

    reply_debounce_ms: int = 1200
    """How long a person must be silent before a burst is answered, 0 to 10,000; 0: no bursts."""
    echo_pause_s: int = 3600
    """How long the machine is silent after a human wrote from the phone app, 0 to 7 days."""
    read_receipts: bool = True
    """Blue ticks and the typing indicator, which Meta does not give apart."""
    messages_per_second: int = 80
    """Meta's throughput of the number, 1 to 1,000: 80 by default, 20 beside the phone app."""
    window_template: str | None = None
    """Template that is sent when the 24-hour window is closed."""
    window_template_language: str = "en_US"
    appsecret_proof: bool = False
    """Prove on every call that we know the app secret; the token must be of the same app."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A connected number. Secrets are sealed, the verify token is a SHA-256; none is readable."""

    id: str
    tenant: str
    label: str | None
    phone_number_id: str
    waba_id: str | None
    auto_reply: bool
    state: str
    access_token: str = field(repr=False)
    access_token_last4: str
    app_secret: str = field(repr=False)
    app_secret_last4: str
    verify_token_hash: str = field(repr=False)
    version: int
    created_at: datetime
    updated_at: datetime
    settings: ChannelSettings = field(default_factory=ChannelSettings)
    health: Health = field(default_factory=Health)
    """Beside ``state``, which is the operator's word."""
    retired_app_secrets: tuple[Retired, ...] = ()
    retired_verify_token_hashes: tuple[Retired, ...] = ()

    def app_secrets(self, now: datetime) -> tuple[Accepted, ...]:
        """Sealed secrets that verify a webhook now: the current one first."""
        return _accepted(self.app_secret, self.retired_app_secrets, now)

    def verify_token_hashes(self, now: datetime) -> tuple[Accepted, ...]:
        """Hashes of tokens that pass a handshake now: the current one first."""
        return _accepted(self.verify_token_hash, self.retired_verify_token_hashes, now)


@dataclass(frozen=True, slots=True)
class Creation:
    """What one ``Idempotency-Key`` stands for, decided before the channel is written.

    A retry makes the same channel with the same token: also beside the first call, and also after
    a crash between the two writes.
    """

    id: str
    tenant: str
    channel_id: str
    fingerprint: str = field(repr=False)
    """SHA-256 of the body; another one under the same key is a mistake."""
    verify_token: str | None = field(repr=False)
    """Sealed. None once the channel is deleted or its token replaced: never shown again."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What an update asks for; None leaves as it is. Secrets come sealed, tokens hashed."""

    label: str | None = None
    auto_reply: bool | None = None
    state: str | None = None
    waba_id: str | None = None
    access_token: str | None = field(default=None, repr=False)
    access_token_last4: str = ""
    app_secret: str | None = field(default=None, repr=False)
    app_secret_last4: str = ""
    verify_token_hash: str | None = field(default=None, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Those of ``ChannelSettings`` that are given."""
    try_again: bool = False
    """The operator says that all is well, whatever Meta said."""


def changed(channel: Channel, changes: Changes, now: datetime, grace: timedelta) -> Channel:
    """``channel`` after ``changes``, its version one higher.

    A replaced app secret or verify token stays valid for ``grace``: webhooks that Meta signed with
    the old one are still on their way. An access token has no grace: it is ours to use.
    """
    after = replace(
        channel,
        version=channel.version + 1,
        updated_at=now,
        # What nobody accepts any more is not kept either.
        retired_app_secrets=_valid(channel.retired_app_secrets, now),
        retired_verify_token_hashes=_valid(channel.retired_verify_token_hashes, now),
        label=channel.label if changes.label is None else changes.label,
        auto_reply=channel.auto_reply if changes.auto_reply is None else changes.auto_reply,
        state=changes.state or channel.state,
        waba_id=channel.waba_id if changes.waba_id is None else changes.waba_id,
        settings=replace(channel.settings, **changes.settings),
    )
    after = replace(after, health=channel.health.mended(_mended_by(changes, channel, after), now))
    if changes.access_token is not None:
        after = replace(
            after,
            access_token=changes.access_token,
            access_token_last4=changes.access_token_last4,
        )
    if changes.app_secret is not None:
        after = replace(
            after,
            app_secret=changes.app_secret,
            app_secret_last4=changes.app_secret_last4,
            retired_app_secrets=_retire(
                channel.retired_app_secrets, channel.app_secret, now, grace
            ),
        )
    if changes.verify_token_hash is not None:
        after = replace(
            after,
            verify_token_hash=changes.verify_token_hash,
            retired_verify_token_hashes=_retire(
                channel.retired_verify_token_hashes, channel.verify_token_hash, now, grace
            ),
        )
    return after


def also_verified_by(channel: Channel, token_hash: str, now: datetime, until: datetime) -> Channel:
    """``channel`` when a second verify token passes until ``until``; its own stays as it is."""
    tokens = (Retired(token_hash, until), *_valid(channel.retired_verify_token_hashes, now))
    return replace(
        channel, version=channel.version + 1, retired_verify_token_hashes=tokens[:MOST_RETIRED]
    )


def same_but_for_health(one: Channel, other: Channel) -> bool:
    """Whether no person changed anything from one to the other: health changes by itself."""
    return replace(other, health=one.health, version=one.version) == one


def _mended_by(changes: Changes, before: Channel, after: Channel) -> frozenset[str]:
    """Problems that a change does away with, as far as anybody can know before the next reply."""
    if changes.try_again:
        return slugs_of(*Cause) | {problem.slug for problem in before.health.problems}
    mended: frozenset[str] = frozenset()
    if changes.state == "active":
        mended |= slugs_of(Cause.CREDENTIAL, Cause.REFUSAL, Cause.WARNING)
    if changes.access_token is not None:
        mended |= slugs_of(Cause.CREDENTIAL)
    if _window_template(before) != _window_template(after):
        mended |= {WINDOW_TEMPLATE}
    return mended


def mended_sentence(problem: Problem, changes: Changes) -> str:
    """Why ``problem`` is over after an operator's change."""
    if changes.try_again:
        why = "because the channel was set to ok"
    elif problem.slug == WINDOW_TEMPLATE and changes.state != "active":
        why = "because the channel has another template"
    elif problem.cause is Cause.CREDENTIAL and changes.access_token is not None:
        why = "because the channel has a new access token"
    else:
        why = "because the channel was set to active"
    return f"Taken as mended, {why}: {problem.slug.replace('_', ' ')}."


def _window_template(channel: Channel) -> tuple[str | None, str]:
    return channel.settings.window_template, channel.settings.window_template_language


def last4(secret: str) -> str:
    """What is shown of a secret; nothing of a short one."""
    return secret[-4:] if len(secret) >= 12 else "…"


def _retire(
    retired: Sequence[Retired], value: str, now: datetime, grace: timedelta
) -> tuple[Retired, ...]:
    return _valid((Retired(value, now + grace), *retired), now)[:MOST_RETIRED]


def _valid(retired: Sequence[Retired], now: datetime) -> tuple[Retired, ...]:
    return tuple(old for old in retired if old.until > now)


def _accepted(current: str, retired: Sequence[Retired], now: datetime) -> tuple[Accepted, ...]:
    old = (Accepted(one.value, one.until) for one in _valid(retired, now))
    return (Accepted(current, None), *old)
