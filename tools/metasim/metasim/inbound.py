"""What people wrote, as a webhook tells it, taken into the simulator's own memory.

A webhook sent raw must count like one that the phone sent: it opens the service window and its
messages can be marked read.
"""

from typing import Any

from metasim.payloads import messages_of
from metasim.world import Message, Number, Person, World


def record(world: World, number: Number, person: Person, message: dict[str, Any]) -> None:
    """Remember one message object of a webhook; the same id twice is one message."""
    kind = str(message.get("type", "unknown"))
    content = message.get(kind)
    context = message.get("context")
    world.add_written(
        person,
        Message(
            wamid=str(message["id"]),
            phone_number_id=number.phone_number_id,
            author="person",
            kind=kind,
            text=_shown(kind, content),
            at=_seconds(message.get("timestamp"), world.now()),
            content=content if isinstance(content, dict) else {},
            context_message_id=context.get("id") if isinstance(context, dict) else None,
        ),
    )


def record_all(world: World, number: Number, body: Any) -> None:
    """Remember every message of a webhook body that belongs to ``number`` and has an author."""
    for contact, message in messages_of(body, number.phone_number_id):
        digits, user_id = message.get("from"), message.get("from_user_id")
        if not isinstance(message.get("id"), str) or not (digits or user_id):
            continue
        person = world.meet_person(
            str(digits) if digits else None, str(user_id) if user_id else None
        )
        profile = contact.get("profile")
        if isinstance(profile, dict) and isinstance(profile.get("name"), str):
            person.name = profile["name"]
        record(world, number, person, message)


def _shown(kind: str, content: Any) -> str:
    if kind == "text" and isinstance(content, dict) and isinstance(content.get("body"), str):
        return str(content["body"])
    return f"[{kind}]"


def _seconds(timestamp: Any, now: float) -> float:
    try:
        return float(timestamp)
    except (TypeError, ValueError):
        return now
