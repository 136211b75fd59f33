"""``humane keyring``: for the operator of the house."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from humane_ai._keyring import KeyRotation
from humane_ai.cli.exits import DECLINED
from humane_ai.cli.session import Session, command, group
from humane_ai.cli.showing import plain

app = group("The keys that wrap what is sealed. Needs an admin key of the operator's own tenant.")

LOOK_EVERY_S = 0.5


@command(app, "status")
def status(here: Session) -> None:
    """Which versions there are, how many secrets need each, and how far the last rotation is."""
    ring = here.client.keyring.status()
    if here.as_json:
        here.show(ring, "")
        return
    here.rows(
        ring.versions,
        ("version", "seals", "secrets that need it"),
        lambda one: (one.version, one.version == ring.current, one.secrets),
        empty="No version is configured.",
    )
    if ring.rotation is not None:
        here.say(_told(ring.rotation))


@command(app, "rotate")
def rotate(
    here: Session,
    *,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Stay until it is over, with its progress.")
    ] = True,
) -> None:
    """Have every secret wrapped by the current version. All goes on meanwhile; harmless twice."""
    rotation = here.client.keyring.rotate()
    if wait:
        rotation = _followed(here, rotation)
    here.show(rotation, plain(_told(rotation)))
    if rotation.state == "incomplete":
        raise typer.Exit(DECLINED)


def _followed(here: Session, rotation: KeyRotation) -> KeyRotation:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=here.err, transient=True) as progress:
        task = progress.add_task("Re-wrapping", total=rotation.total)
        while rotation.state == "running":
            progress.update(task, completed=rotation.done, total=rotation.total)
            time.sleep(LOOK_EVERY_S)
            rotation = here.client.keyring.status().rotation or rotation
    return rotation


def _told(rotation: KeyRotation) -> str:
    counted = f"{rotation.done} of {rotation.total} records"
    if rotation.state == "done":
        return f"All is wrapped by version {rotation.to_version}; versions that none needs may go."
    if rotation.state == "incomplete":
        return (
            f"{rotation.unreadable} of {rotation.total} records do not open and stay as they are: "
            "replace the credentials of the channels that the log of channels-api names."
        )
    return (
        f"Wrapping by version {rotation.to_version}: {counted}. humane keyring status tells more."
    )
