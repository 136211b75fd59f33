"""``humane interactions``."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, cast

import typer
from rich.table import Table

from humane_ai._records import Action, Interaction
from humane_ai.cli.session import Limit, Session, command, group
from humane_ai.cli.showing import facts

app = group("What was said, understood and answered.")

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
    wanted = cast("Action | None", action.upper() if action else None)
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
