"""``humane doctor``: whether this machine reaches the API, and what to do next."""

from __future__ import annotations

from itertools import islice

import typer

from humane_ai._errors import HumaneError
from humane_ai._types import Channel
from humane_ai.cli.channels import CREATE
from humane_ai.cli.exits import DECLINED, exit_code, sentence
from humane_ai.cli.session import Session, command, group
from humane_ai.cli.showing import grid, write_json

app = group("Whether all is well.")

Finding = tuple[str, str, str]
"""What was looked at, ok or failed or next, and a sentence."""


@command(app, "doctor")
def doctor(here: Session) -> None:
    """Look whether the API answers, the key is accepted and every channel works."""
    findings: list[Finding] = []
    code = 0
    try:
        channels = here.client.channels.list()
    except HumaneError as error:
        findings.append(("API and key", "failed", sentence(error)))
        code = exit_code(error)
    else:
        findings.append(("API and key", "ok", here.client.base_url))
        findings.extend(_of(channel) for channel in channels)
        if not channels:
            findings.append(("channels", "next", f"Connect a number: {CREATE}"))
        if not list(islice(here.client.users.list(limit=1), 1)):
            findings.append(("people", "next", 'Try: humane process "Hello" --user me'))
        if any(state == "failed" for _, state, _ in findings):
            code = DECLINED
    if here.as_json:
        names = ("subject", "state", "detail")
        write_json([dict(zip(names, finding, strict=True)) for finding in findings])
    else:
        here.out.print(grid(findings))
    raise typer.Exit(code)


def _of(channel: Channel) -> Finding:
    name = channel.label or channel.id
    if channel.health.needs_attention:
        return name, "failed", channel.health.detail or channel.health.problem or "needs attention"
    if channel.state != "active":
        return name, "next", f"It is {channel.state}."
    return name, "ok", channel.id
