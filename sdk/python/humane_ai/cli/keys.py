"""``humane keys``."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated, get_args

import typer

from humane_ai._keys import Scope
from humane_ai._records import ApiKey
from humane_ai.cli.session import Session, Yes, command, group
from humane_ai.cli.showing import plain, wire, write_json

app = group("Who may use the API.")

Tenant = Annotated[
    str | None,
    typer.Option(help="Another tenant's, for the operator of the house.", show_default=False),
]
ScopeName = Enum("ScopeName", {name: name for name in get_args(Scope)})  # type: ignore[misc]  # typer takes no list of literals


@command(app, "create")
def create(
    here: Session,
    label: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    scope: Annotated[
        list[ScopeName] | None,
        typer.Option(help="What it allows; may be said several times. Else process and read."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days until it ends. Else never.")
    ] = None,
    tenant: Tenant = None,
) -> None:
    """Make a key. It is printed this once, alone on a line, so that a program can keep it."""
    scopes = [one.value for one in scope] if scope else None
    made = here.client.keys.create(label, scopes=scopes, expires_in_days=days, tenant=tenant)
    if here.as_json:
        write_json({**wire(made), "key": made.key})
        return
    here.out.print(plain(made.key), soft_wrap=True)
    here.hint(f"{made.id} is shown this once: keep it. It ends with: humane keys revoke {made.id}")


@command(app, "list")
def list_keys(
    here: Session,
    *,
    revoked: Annotated[bool, typer.Option("--revoked", help="The revoked ones, too.")] = False,
    tenant: Tenant = None,
) -> None:
    """Keys, oldest first."""
    here.rows(
        here.client.keys.list(revoked=revoked, tenant=tenant),
        ("id", "label", "ends in", "allows", "last used", "until"),
        lambda one: (
            one.id,
            one.label,
            one.last4,
            " ".join(one.scopes),
            _day(one.last_used_at) or "never",
            _until(one),
        ),
        empty="No key is shown to this one. Make one: humane keys create LABEL",
    )


@command(app, "revoke")
def revoke(
    here: Session,
    key_id: Annotated[str, typer.Argument(help="key_...", show_default=False)],
    *,
    tenant: Tenant = None,
    yes: Yes = False,
) -> None:
    """Refuse a key everywhere within two seconds."""
    here.confirm(f"Revoke {key_id}? Programs that use it are refused at once.", yes=yes)
    here.client.keys.revoke(key_id, tenant=tenant)
    here.say(f"{key_id} is revoked.")


def _until(key: ApiKey) -> str:
    if key.state in ("expired", "revoked"):
        return key.state
    return _day(key.expires_at) or "no end"


def _day(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone():%Y-%m-%d}"
