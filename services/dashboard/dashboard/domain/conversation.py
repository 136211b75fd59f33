"""A conversation as one line of time: what a person wrote, what was answered, what humans said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was said. ``at`` is ISO 8601 in UTC, as the API gives it."""

    side: Literal["person", "machine", "human"]
    at: str
    text: str
    interaction: Json | None = None
    """What the message was understood as; of a person's lines alone."""
    deliveries: tuple[Json, ...] = ()
    note: str | None = None
    """Why nothing was said, or that it is still being written."""


NOTES = {
    "setup_required": "no language model is set up",
    "opted_out": "the person asked not to be answered",
    "held_for_human": "a human has taken over",
    "auto_reply_off": "the channel does not answer by itself",
    "revoked": "the message was taken back",
}


def conversation(
    interactions: Sequence[Json], outgoing: Sequence[Json], deliveries: Sequence[Json]
) -> list[Line]:
    """Oldest first. ``deliveries`` know later ticks than the interactions do."""
    known: dict[str, list[Json]] = {}
    for each in deliveries:
        known.setdefault(each["interaction_id"], []).append(each)
    lines: list[Line] = []
    for row in interactions:
        lines.append(Line("person", row["at"], row["message"]["text"], interaction=row))
        answer = _answer(row, known)
        if answer is not None:
            lines.append(answer)
    lines += [
        Line(
            "human",
            row["at"],
            row["text"] or f"Template {row['template']}",
            deliveries=_ticks(row["id"], row, known),
        )
        for row in outgoing
    ]
    return sorted(lines, key=lambda line: line.at)


def _answer(row: Json, known: Mapping[str, list[Json]]) -> Line | None:
    reply = row["reply"]
    at = reply["at"] or row["at"]
    if reply["text"]:
        return Line("machine", at, reply["text"], deliveries=_ticks(row["id"], reply, known))
    if reply["status"] == "pending":
        return Line("machine", at, "", note="an answer is being written")
    if reply["status"] == "none":
        reason = reply["reason"] or ""
        said = NOTES.get(reason, reason.replace("_", " "))
        return Line("machine", at, "", note=f"not answered: {said}" if said else "not answered")
    return None


def _ticks(of: str, row: Json, known: Mapping[str, list[Json]]) -> tuple[Json, ...]:
    return tuple(known.get(of) or row["deliveries"])
