"""``humane channels``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from humane_ai._doctor import Finding
from humane_ai._types import Channel
from humane_ai.cli.exits import DECLINED
from humane_ai.cli.session import Session, Yes, command, group, secret
from humane_ai.cli.showing import facts, grid, wire, write_json

app = group("Connected numbers.")

ChannelId = Annotated[str, typer.Argument(help="mc_...", show_default=False)]
PhoneNumberId = Annotated[str, typer.Option(help="Meta's id of the number.", show_default=False)]
Label = Annotated[str | None, typer.Option(help="A name for people.", show_default=False)]
WabaId = Annotated[
    str | None, typer.Option(help="Meta's id of the business account.", show_default=False)
]
PublicBaseUrl = Annotated[
    str | None,
    typer.Option(
        help="Where Meta reaches this API: https://...",
        show_default=False,
    ),
]
AutoReply = Annotated[
    bool | None,
    typer.Option("--auto-reply/--no-auto-reply", help="Answer messages.", show_default=False),
]

FAILED = "failed"
CREATE = "humane channels create --phone-number-id ID"


@command(app, "list")
def list_channels(here: Session) -> None:
    """All channels."""
    here.rows(
        here.client.channels.list(),
        ("id", "label", "number", "state", "health"),
        lambda one: (one.id, one.label, one.phone_number_id, one.state, _health(one)),
        empty=f"No channel yet. Connect a number: {CREATE}",
    )


@command(app, "show")
def show(here: Session, channel_id: ChannelId) -> None:
    """One channel with its settings."""
    channel = here.client.channels.get(channel_id)
    here.show(channel, _facts(channel))


@command(app, "create")
def create(
    here: Session,
    *,
    phone_number_id: PhoneNumberId,
    label: Label = None,
    waba_id: WabaId = None,
    auto_reply: AutoReply = None,
    public_base_url: PublicBaseUrl = None,
    subscribe: Annotated[
        bool, typer.Option("--subscribe", help="Subscribe the business account to the app.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Let the doctor look at it.")] = False,
) -> None:
    """Connect a WhatsApp number; with --public-base-url the webhook is set at Meta too.

    Access token and app secret come from HUMANE_ACCESS_TOKEN and HUMANE_APP_SECRET, from a hidden
    prompt, or from two lines of standard input: never from the command line, which others can see.
    """
    channel = here.client.channels.create_whatsapp(
        phone_number_id=phone_number_id,
        access_token=secret("Access token", "HUMANE_ACCESS_TOKEN"),
        app_secret=secret("App secret", "HUMANE_APP_SECRET"),
        label=label,
        waba_id=waba_id,
        auto_reply=bool(auto_reply),
        public_base_url=public_base_url,
        subscribe=subscribe,
        check=check,
    )
    _show_once(here, channel)
    if channel.check is not None and not here.as_json:
        here.out.print(_findings(channel.check.findings))
    if channel.setup is not None:
        if not here.as_json:
            here.out.print(_findings(channel.setup.steps))
        if channel.setup.state == FAILED:
            here.fail(f"{channel.id} is there, its setup at Meta failed.")
        return
    here.hint(
        "Enter the webhook and the verify token at Meta, under WhatsApp > Configuration, then: "
        f"humane channels check {channel.id}"
    )


@command(app, "update")
def update(
    here: Session,
    channel_id: ChannelId,
    *,
    label: Label = None,
    auto_reply: AutoReply = None,
    access_token: Annotated[
        bool, typer.Option("--access-token", help="Give a new one; it is asked for.")
    ] = False,
    app_secret: Annotated[
        bool, typer.Option("--app-secret", help="Give a new one; it is asked for.")
    ] = False,
    rotate_verify_token: Annotated[
        bool, typer.Option("--rotate-verify-token", help="Make a new one, shown once.")
    ] = False,
    enable: Annotated[
        bool | None,
        typer.Option("--enable/--disable", help="Whether it works at all.", show_default=False),
    ] = None,
    mended: Annotated[
        bool, typer.Option("--mended", help="Its trouble is mended at Meta: try again now.")
    ] = False,
) -> None:
    """Change what is given and leave the rest."""
    channel = here.client.channels.update(
        channel_id,
        label=label,
        auto_reply=auto_reply,
        access_token=secret("Access token", "HUMANE_ACCESS_TOKEN") if access_token else None,
        app_secret=secret("App secret", "HUMANE_APP_SECRET") if app_secret else None,
        rotate_verify_token=rotate_verify_token,
        health="ok" if mended else None,
        state=None if enable is None else "active" if enable else "disabled",
    )
    if rotate_verify_token:
        _show_once(here, channel)
    else:
        here.show(channel, _facts(channel))


@command(app, "activity")
def activity(here: Session, channel_id: ChannelId) -> None:
    """What happened at its webhook, newest first."""
    here.rows(
        here.client.channels.activity(channel_id),
        ("at", "what", "detail"),
        lambda one: (one.at, one.kind, _detail(one.detail)),
        empty=f"Nothing has arrived. Ask why: humane channels check {channel_id}",
    )


@command(app, "check")
def check(here: Session, channel_id: ChannelId, *, public_base_url: PublicBaseUrl = None) -> None:
    """Ask Meta and our own records what is wrong with it, and what to click."""
    report = here.client.channels.check(channel_id, public_base_url=public_base_url)
    here.show(report, _findings(report.findings))
    if report.state == FAILED:
        raise typer.Exit(DECLINED)


@command(app, "setup")
def setup(
    here: Session,
    channel_id: ChannelId,
    *,
    public_base_url: PublicBaseUrl = None,
    subscribe: Annotated[
        bool, typer.Option("--subscribe/--no-subscribe", help="The account to the app.")
    ] = True,
) -> None:
    """Set its webhook at Meta, subscribe its account, and wait for Meta's handshake."""
    report = here.client.channels.setup(
        channel_id, public_base_url=public_base_url, subscribe=subscribe
    )
    here.show(report, _findings(report.steps))
    if report.state == FAILED:
        raise typer.Exit(DECLINED)


@command(app, "audit")
def audit(here: Session, channel_id: ChannelId) -> None:
    """Who changed what, newest first; never the values."""
    here.rows(
        here.client.channels.audit(channel_id),
        ("at", "what", "fields", "with key"),
        lambda one: (one.at, one.action, ", ".join(one.fields), one.key_label),
        empty="Nothing was changed yet.",
    )


@command(app, "delete")
def delete(here: Session, channel_id: ChannelId, *, yes: Yes = False) -> None:
    """Destroy its credentials at once and forget the channel."""
    here.confirm(f"Delete {channel_id} and destroy its credentials?", yes=yes)
    here.client.channels.delete(channel_id)
    here.say(f"{channel_id} is deleted.")


def _findings(findings: Sequence[Finding]) -> Table:
    return grid((one.state, f"{one.sentence}\n{one.what_to_do}".strip()) for one in findings)


def _show_once(here: Session, channel: Channel) -> None:
    if here.as_json:
        write_json({**wire(channel), "verify_token": channel.verify_token})
        return
    here.out.print(_facts(channel))
    here.hint("The verify token is shown this once: keep it.")


def _facts(channel: Channel) -> Table:
    health = channel.health
    return facts(
        [
            ("id", channel.id),
            ("label", channel.label),
            ("number", channel.phone_number_id),
            ("account", channel.waba_id),
            ("state", channel.state),
            ("health", _health(channel)),
            ("problem", health.detail),
            ("since", health.since),
            ("answers", channel.auto_reply),
            ("webhook", channel.webhook_url_hint),
            ("verify token", channel.verify_token),
            ("access token", channel.access_token_last4 and f"...{channel.access_token_last4}"),
            ("app secret", channel.app_secret_last4 and f"...{channel.app_secret_last4}"),
            ("created", channel.created_at),
            ("to know", "\n".join(channel.warnings)),
        ]
    )


def _health(channel: Channel) -> str:
    return channel.health.problem or channel.health.state.replace("_", " ")


def _detail(detail: object) -> str:
    if not isinstance(detail, dict):
        return ""
    if message := detail.get("message"):
        return str(message)
    return ", ".join(f"{name} {value}" for name, value in detail.items() if value is not None)
