"""``humane interactions``."""

from __future__ import annotations

import time
from itertools import islice
from typing import Annotated, cast

import typer
from rich.table import Table

from humane_ai._records import Action, Interaction
from humane_ai.cli.session import Limit, Session, command, group
from humane_ai.cli.showing import facts, plain, wire, write_json

app = group("What was said, understood and answered.")

NEWEST = 20
"""Interactions of one look."""

InteractionId = Annotated[str, typer.Argument(show_default=False)]
Verdict = Annotated[
    str | None,
    typer.Option(help="Only PROCEED, HOLD or BLOCK.", show_default=False),
]


@command(app, "list")
def list_interactions(
    here: Session,
    *,
    user: Annotated[
        str | None, typer.Option("--user", "-u", help="Of one person.", show_default=False)
    ] = None,
    action: Verdict = None,
    limit: Limit = 20,
) -> None:
    """What people wrote, newest first."""
    wanted = _verdict(action)
    page = min(limit, 200)
    found = (
        here.client.users.interactions(user, wanted, page)
        if user
        else here.client.interactions.list(action=wanted, limit=page)
    )
    here.rows(
        islice(found, limit),
        ("at", "safety", "mood", "said, and id"),
        lambda one: (one.at, one.safety.action, one.mood, f"{one.message.text or '-'}\n{one.id}"),
        empty='Nothing was said yet. Try: humane process "Hello" --user me',
    )


@command(app, "show")
def show(here: Session, interaction_id: InteractionId) -> None:
    """One message, how it was understood, and what was said in return."""
    interaction = here.client.interactions.get(interaction_id)
    here.show(interaction, _facts(interaction))


@command(app, "tail")
def tail(
    here: Session,
    *,
    action: Verdict = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between looks.")] = 2.0,
    seconds: Annotated[
        float | None, typer.Option(min=0.0, help="Stop after so many; else by Ctrl-C.")
    ] = None,
) -> None:
    """Follow what people write, as it comes. With --json: one interaction a line."""
    ends_at = None if seconds is None else time.monotonic() + seconds
    told: set[str] = set()
    while True:
        newest = list(islice(here.client.interactions.list(action=_verdict(action)), NEWEST))
        for one in reversed(newest):
            if one.id not in told:
                _tell(here, one)
        # What is no longer among the newest cannot come back.
        told = {one.id for one in newest}
        if ends_at is not None and time.monotonic() >= ends_at:
            return
        time.sleep(every)


def _verdict(action: str | None) -> Action | None:
    return cast("Action | None", action.upper() if action else None)


def _tell(here: Session, one: Interaction) -> None:
    if here.as_json:
        write_json(wire(one), indent=None)
        return
    said = plain(one.message.text)
    line = f"{plain(one.at)}  {one.safety.action}  mood {one.mood:.2f}  {said}"
    here.out.print(line, soft_wrap=True)


def _facts(one: Interaction) -> Table:
    return facts(
        [
            ("id", one.id),
            ("person", one.external_id or one.user_id),
            ("at", one.at),
            ("said", one.message.text),
            ("mood", f"{one.mood:.2f}  energy {one.energy:.2f}"),
            ("feels", ", ".join(one.analysis.detected_emotions)),
            ("safety", " ".join([one.safety.action, *one.safety.flags])),
            ("reply", one.reply.text),
            ("reply is", f"{one.reply.status} {one.reply.reason or ''}".strip()),
            ("sent", ", ".join(part.state for part in one.reply.deliveries)),
        ]
    )
