"""``humane process`` and ``humane stream``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from humane_ai._types import ProcessResult
from humane_ai.cli.session import Session, command, group, text_of
from humane_ai.cli.showing import facts, plain, wire, write_json

app = group("Understand and answer a message.")

Text = Annotated[str, typer.Argument(help="What the person says; - reads standard input.")]
User = Annotated[str, typer.Option("--user", "-u", help="Your own id of the person.")]
NoReply = Annotated[bool, typer.Option("--no-reply", help="Understand only; no model writes.")]


@command(app, "process")
def process(here: Session, text: Text, user: User, *, no_reply: NoReply = False) -> None:
    """Understand and answer one message."""
    result = here.client.process(user, text_of(text), respond=not no_reply)
    if here.as_json:
        write_json(wire(result))
        return
    if result.response is not None:
        here.out.print(plain(result.response), soft_wrap=True)
    elif result.setup_required:
        here.hint(
            "No reply: the server has no language model. Set LLM_BASE_URL and LLM_MODEL there."
        )
    here.out.print()
    here.out.print(_understood(result))


@command(app, "stream")
def stream(here: Session, text: Text, user: User) -> None:
    """Follow an answer as it is written. With --json: one event a line."""
    with here.client.stream(user, text_of(text)) as events:
        if here.as_json:
            for event in events:
                write_json({"type": event.type, "data": event.data}, indent=None)
            return
        for event in events:
            if event.type == "metadata" and event.result:
                state = event.result.user
                here.hint(f"mood {state.mood:.2f}  energy {state.energy:.2f}")
            elif event.type == "error":
                here.fail(f"The server could not answer: {event.data}")
            here.out.print(plain(event.text) if event.text else "", end="", soft_wrap=True)
        here.out.print()


def _understood(result: ProcessResult) -> Table:
    user, safety, context = result.user, result.safety, result.context
    return facts(
        [
            ("mood", f"{user.mood:.2f}  energy {user.energy:.2f}  trust {user.trust:.2f}"),
            ("feels", ", ".join(result.analysis.detected_emotions)),
            ("wants", result.analysis.intent),
            ("safety", " ".join([safety.action, *safety.flags])),
            ("tone", f"{context.tone.replace('_', ' ')}, {context.response_length}"),
            ("recalls", "\n".join(item.text for item in result.memory.relevant_memories)),
            ("error", result.error),
        ]
    )
