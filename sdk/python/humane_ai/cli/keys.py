"""``humane keys``."""

from __future__ import annotations

from typing import Annotated

import typer

from humane_ai.cli.session import Session, Yes, command, group
from humane_ai.cli.showing import plain, wire, write_json

app = group("Who may use the API.")


@command(app, "create")
def create(here: Session, label: Annotated[str, typer.Argument(help="What it is for.")]) -> None:
    """Make a key. It is printed this once, alone on a line, so that a program can keep it."""
    made = here.client.keys.create(label)
    if here.as_json:
        write_json({**wire(made), "key": made.key})
        return
    here.out.print(plain(made.key), soft_wrap=True)
    here.hint(f"{made.id} is shown this once: keep it. It ends with: humane keys revoke {made.id}")


@command(app, "list")
def list_keys(here: Session) -> None:
    """Keys that work, oldest first."""
    here.rows(
        here.client.keys.list(),
        ("id", "label", "ends in", "created"),
        lambda one: (one.id, one.label, one.last4, one.created_at),
        empty="No key is shown to this one. Make one: humane keys create LABEL",
    )


@command(app, "revoke")
def revoke(
    here: Session,
    key_id: Annotated[str, typer.Argument(help="key_...", show_default=False)],
    *,
    yes: Yes = False,
) -> None:
    """Refuse a key everywhere within two seconds."""
    here.confirm(f"Revoke {key_id}? Programs that use it are refused at once.", yes=yes)
    here.client.keys.revoke(key_id)
    here.say(f"{key_id} is revoked.")
