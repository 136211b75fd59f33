"""The command ``humane``: its groups and what stands beside them."""

from __future__ import annotations

from typing import Annotated

import typer

from humane_ai._version import __version__
from humane_ai.cli import channels, doctor, interactions, keyring, keys, talk, users
from humane_ai.cli.exits import EPILOG

app = typer.Typer(
    help=(
        "Understand and answer the people who write to you. The key comes from HUMANE_API_KEY, "
        "the address from HUMANE_BASE_URL. Begin with: humane doctor"
    ),
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"humane-ai {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


app.add_typer(talk.app)
app.add_typer(doctor.app)
app.add_typer(channels.app, name="channels")
app.add_typer(users.app, name="users")
app.add_typer(interactions.app, name="interactions")
app.add_typer(keys.app, name="keys")
app.add_typer(keyring.app, name="keyring")
