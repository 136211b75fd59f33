"""What people wrote, as a webhook tells it, taken into the simulator's own memory.

A webhook sent raw must count like one that the phone sent: it opens the service window, its
messages can be marked read, and its edits and reactions show. What does not fit is passed over:
raw webhooks may be wrong on purpose.
"""

from collections.abc import Callable
from typing import Any

from metasim.payloads import messages_of
from metasim.world import Message, Number, Person, World


def record(world: World, number: Number, person: Person, message: dict[str, Any]) -> None:
    """Remember one message object of a webhook; the same id twice is one message."""
    kind = str(message.get("type", "unknown"))
    mark = _MARKS.get(kind)
    if mark is None:
        world.add_written(person, written(world, number, message))
        return
    content = message.get(kind)
    if isinstance(content, dict):
        target_id = content.get("message_id") or content.get("original_message_id")
        target = world.bubble(person, number.phone_number_id, str(target_id))
        if target is not None:
            mark(target, content, _seconds(message.get("timestamp"), world.now()))


def written(world: World, number: Number, message: dict[str, Any]) -> Message:
    """The bubble of one message object."""
    kind = str(message.get("type", "unknown"))
    content = message.get(kind)
    context, group_id = message.get("context"), message.get("group_id")
    return Message(
        wamid=str(message["id"]),
        phone_number_id=number.phone_number_id,
        author="person",
        kind=kind,
        text=shown(kind, content),
        at=_seconds(message.get("timestamp"), world.now()),
        content=content if isinstance(content, dict) else {kind: content} if content else {},
        context_message_id=context.get("id") if isinstance(context, dict) else None,
        group_id=group_id if isinstance(group_id, str) else None,
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


def shown(kind: str, content: Any) -> str:
    """What a bubble says: the words if there are any, else the kind in brackets."""
    said = content if isinstance(content, dict) else {}
    if kind == "interactive":
        reply = said.get(str(said.get("type")))
        said = reply if isinstance(reply, dict) else {}
    if kind in _WORDS:
        words = said.get(_WORDS[kind])
        if isinstance(words, str):
            return words
    remark = said.get("caption") or said.get("name")
    return f"[{kind}] {remark}" if isinstance(remark, str) else f"[{kind}]"


def react(target: Message, content: dict[str, Any], _at: float) -> None:
    """Set or (without an emoji) take back a reaction."""
    emoji = content.get("emoji")
    target.reaction = emoji if isinstance(emoji, str) and emoji else None


def edit(target: Message, content: dict[str, Any], at: float) -> None:
    """Put the new wording in the place of the old."""
    new = content.get("message")
    kind = str(new.get("type")) if isinstance(new, dict) else ""
    if isinstance(new, dict) and isinstance(new.get(kind), dict):
        target.content = new[kind]
        target.text = shown(kind, new[kind])
        target.edited_at = at


def revoke(target: Message, _content: dict[str, Any], _at: float) -> None:
    """Leave an empty bubble, without its history."""
    target.content, target.text, target.revoked = {}, "", True
    target.edited_at, target.reaction = None, None


def _nothing(_target: Message, _content: dict[str, Any], _at: float) -> None:
    """Nobody wrote a system message: it shows nowhere and opens no window."""


_MARKS: dict[str, Callable[[Message, dict[str, Any], float], None]] = {
    "reaction": react,
    "edit": edit,
    "revoke": revoke,
    "system": _nothing,
}
"""Types that are no bubble of their own but do something to one."""

_WORDS = {"text": "body", "button": "text", "interactive": "title"}


def _seconds(timestamp: Any, now: float) -> float:
    try:
        return float(timestamp)
    except (TypeError, ValueError):
        return now
