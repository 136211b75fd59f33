"""From one webhook to single messages and statuses. Tolerates every missing key and wrong type.

Pure and total: for any JSON value it returns what is there and counts the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ingress.domain.decode import is_shallow
from shared.ids import derived_id, event_id

TURN_TYPES = frozenset(
    {
        "text",
        "image",
        "video",
        "audio",
        "voice",
        "document",
        "sticker",
        "location",
        "contacts",
        "interactive",
        "button",
        "order",
    }
)
"""What a person says. Reactions, edits, revokes, system notes and unknown types start no turn."""

LONGEST_ID = 512
"""Of an id or address that we take over; Meta's are shorter."""


@dataclass(frozen=True, slots=True)
class UserMessage:
    """One message that a person wrote, the provider's objects verbatim."""

    event_id: str
    provider_message_id: str
    conversation_key: str
    message: dict[str, Any]
    contact: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Status:
    """What became of a message of ours."""

    event_id: str
    provider_message_id: str
    conversation_key: str
    status: str
    at: datetime | None
    recipient: str | None
    delivery_id: str | None
    error_codes: tuple[int, ...]


@dataclass(slots=True)
class Split:
    """What a webhook held. ``foreign``: parts that named another phone number, dropped."""

    messages: list[UserMessage] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    ignored: int = 0
    foreign: int = 0


def split(body: Any, *, channel_id: str, phone_number_id: str) -> Split:
    """Everything in ``body`` that concerns this channel's number, each provider id once."""
    found = Split()
    seen: set[str] = set()
    for change in _changes(body):
        value = change.get("value")
        if change.get("field") != "messages" or not isinstance(value, dict):
            found.ignored += 1
            continue
        if _dict(value.get("metadata")).get("phone_number_id") != phone_number_id:
            # A signature proves the app, not the number: an app may serve many numbers.
            found.foreign += 1
            continue
        _take_messages(value, channel_id, found, seen)
        _take_statuses(value, channel_id, found, seen)
        if not _list(value.get("messages")) and not _list(value.get("statuses")):
            found.ignored += 1
    return found


def _changes(body: Any) -> Iterator[dict[str, Any]]:
    for entry in _list(_dict(body).get("entry")):
        for change in _list(_dict(entry).get("changes")):
            if isinstance(change, dict):
                yield change


def _take_messages(value: dict[str, Any], channel_id: str, found: Split, seen: set[str]) -> None:
    contacts = [c for c in _list(value.get("contacts")) if isinstance(c, dict) and is_shallow(c)]
    for item in _list(value.get("messages")):
        message = _user_message(item, contacts, channel_id)
        if message is None:
            found.ignored += 1
        elif message.event_id not in seen:
            seen.add(message.event_id)
            found.messages.append(message)


def _user_message(item: Any, contacts: list[dict[str, Any]], channel_id: str) -> UserMessage | None:
    message = _dict(item)
    message_id = _id(message.get("id"))
    sender = _id(message.get("from_user_id")) or _id(message.get("from"))
    kind = message.get("type")
    if (
        not message_id
        or not sender
        or not isinstance(kind, str)
        or kind not in TURN_TYPES
        or message.get("group_id")
        or not is_shallow(message)
    ):
        return None
    return UserMessage(
        event_id=event_id(channel_id, message_id),
        provider_message_id=message_id,
        conversation_key=f"{channel_id}:{sender}",
        message=message,
        contact=_contact_of(message, contacts),
    )


def _contact_of(message: dict[str, Any], contacts: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The sender's contact: by business-scoped id, by WhatsApp id, else the only one there is."""
    for contact in contacts:
        user_id, wa_id = contact.get("user_id"), contact.get("wa_id")
        if user_id is not None and user_id == message.get("from_user_id"):
            return contact
        if wa_id is not None and wa_id == message.get("from"):
            return contact
    return contacts[0] if len(contacts) == 1 else None


def _take_statuses(value: dict[str, Any], channel_id: str, found: Split, seen: set[str]) -> None:
    for item in _list(value.get("statuses")):
        status = _status(_dict(item), channel_id)
        if status is None:
            found.ignored += 1
        elif status.event_id not in seen:
            seen.add(status.event_id)
            found.statuses.append(status)


def _status(item: dict[str, Any], channel_id: str) -> Status | None:
    message_id, status = _id(item.get("id")), _id(item.get("status"))
    if not message_id or not status:
        return None
    recipient = _id(item.get("recipient_user_id")) or _id(item.get("recipient_id"))
    at = _time(item.get("timestamp"))
    return Status(
        event_id=derived_id(channel_id, message_id, status, str(item.get("timestamp"))),
        provider_message_id=message_id,
        conversation_key=f"{channel_id}:{recipient}",
        status=status,
        at=at,
        recipient=recipient or None,
        delivery_id=_id(item.get("biz_opaque_callback_data")) or None,
        error_codes=tuple(
            code
            for error in _list(item.get("errors"))
            if isinstance(code := _dict(error).get("code"), int) and abs(code) < 2**31
        ),
    )


def _time(value: Any) -> datetime | None:
    """Unix seconds, as a string by the documents; some senders write milliseconds."""
    try:
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _id(value: Any) -> str:
    """An identifier as text; empty when it is none, or too long to be one."""
    return value if isinstance(value, str) and len(value) <= LONGEST_ID else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
