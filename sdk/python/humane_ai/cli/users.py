"""``humane users``."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from humane_ai._records import User
from humane_ai.cli.session import Limit, Session, Yes, command, group, text_of
from humane_ai.cli.showing import facts, write_json

app = group("People.")

UserId = Annotated[
    str, typer.Argument(help="Our id, your own id, or the phone.", show_default=False)
]
FOREVER = 9999


@command(app, "list")
def list_users(
    here: Session,
    *,
    channel: Annotated[
        str | None, typer.Option(help="Only those met there: whatsapp, say.", show_default=False)
    ] = None,
    limit: Limit = 50,
) -> None:
    """People, last seen first."""
    here.rows(
        islice(here.client.users.list(channel, limit=min(limit, 200)), limit),
        ("id", "name", "mood", "last seen", "machine"),
        lambda one: (_short(one), one.name, one.mood, one.last_seen, _machine(one)),
        empty='Nobody has written yet. Try: humane process "Hello" --user me',
    )


@command(app, "show")
def show(here: Session, user_id: UserId) -> None:
    """One person as they are now, and what they told of themselves."""
    user = here.client.users.get(user_id)
    here.show(user, _facts(user))


@command(app, "memories")
def memories(
    here: Session,
    user_id: UserId,
    *,
    query: Annotated[
        str, typer.Option("--query", "-q", help="The nearest to this.", show_default=False)
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
) -> None:
    """What is remembered of a person, the newest first."""
    recall = here.client.memories
    found = recall.search(user_id, query, limit) if query else recall.list(user_id, limit)
    here.rows(
        found,
        ("when", "said", "near"),
        lambda one: (one.timestamp, one.text, one.similarity),
        empty="Nothing is remembered of this person.",
    )


@command(app, "pause")
def pause(
    here: Session,
    user_id: UserId,
    *,
    hours: Annotated[
        float | None, typer.Option(min=0.01, help="How long; else until resume.")
    ] = None,
) -> None:
    """Keep the machine silent for a person; a cry for help is answered all the same."""
    until = None if hours is None else datetime.now(timezone.utc) + timedelta(hours=hours)
    user = here.client.users.pause(user_id, until=until)
    here.show(user, f"The machine is silent for {user_id}: {_machine(user)}.")


@command(app, "resume")
def resume(here: Session, user_id: UserId) -> None:
    """Let the machine answer a person again."""
    here.show(here.client.users.resume(user_id), f"The machine answers {user_id} again.")


@command(app, "send")
def send(
    here: Session,
    user_id: UserId,
    text: Annotated[
        str | None, typer.Argument(help="- reads standard input.", show_default=False)
    ] = None,
    *,
    template: Annotated[
        str | None, typer.Option(help="Name of an approved one, instead.", show_default=False)
    ] = None,
) -> None:
    """Write to a person yourself."""
    said = None if text is None else text_of(text)
    message = here.client.users.send(user_id, text=said, template=template)
    here.show(message, f"{message.id} is on its way. See: humane users show {user_id}")


@command(app, "export")
def export(
    here: Session,
    user_id: UserId,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A file only you can read.", show_default=False),
    ] = None,
) -> None:
    """All that is kept of a person, as JSON."""
    document = here.client.privacy.export(user_id)
    if output is None:
        write_json(document)
        return
    import json

    private = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(output, private, 0o600), "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2, ensure_ascii=False)
    except OSError as error:
        here.fail(f"{output}: {error.strerror}. Nothing was written.", 2)
    here.say(f"Written to {output}.")


@command(app, "erase")
def erase(here: Session, user_id: UserId, *, yes: Yes = False) -> None:
    """Erase a person and all that was said, for good."""
    here.confirm(f"Erase {user_id} and all that was said? There is no way back.", yes=yes)
    erasure = here.client.privacy.erase(user_id)
    counts = ", ".join(f"{count} {kind}" for kind, count in erasure.erased.items())
    told = f"{user_id} is erased." if erasure.complete else f"{user_id}: the erasure goes on."
    here.show(erasure, f"{told} {counts}".rstrip())


def _short(user: User) -> str:
    return user.external_id or user.id


def _machine(user: User) -> str:
    if user.opted_out:
        return "opted out"
    if user.held_until is None or user.held_until <= datetime.now(timezone.utc):
        return "answers"
    if user.held_until.year >= FOREVER:
        return "paused"
    return f"paused until {user.held_until.astimezone():%m-%d %H:%M}"


def _facts(user: User) -> Table:
    return facts(
        [
            ("id", user.id),
            ("your id", user.external_id),
            ("name", user.name),
            ("channel", user.channel),
            ("mood", f"{user.mood:.2f}  energy {user.energy:.2f}  trust {user.trust:.2f}"),
            ("sentiment", f"{user.sentiment:.2f}  grudge {user.grudge:.2f}"),
            ("messages", user.interaction_count),
            ("known since", user.known_since),
            ("last seen", user.last_seen),
            ("machine", _machine(user)),
            ("told", "\n".join(f"{fact.kind}: {fact.value}" for fact in user.profile)),
        ]
    )
