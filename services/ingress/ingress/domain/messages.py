"""One entry of a webhook's ``messages`` or ``message_echoes``: who it is from and what it is to us.

A *message* is something a person said and starts a turn, of whatever type. A *notice* happens in a
conversation without being said: a reaction, an edit, a new number, an answer typed on the phone app.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ingress.domain.decode import is_shallow
from ingress.domain.reading import as_dict, as_id
from shared.ids import derived_id, event_id

Kind = Literal["reaction", "edit", "revoke", "system", "echo"]
NOTICES: dict[str, Kind] = {
    "reaction": "reaction",
    "edit": "edit",
    "revoke": "revoke",
    "system": "system",
}
"""Types that nobody said."""
SILENT = frozenset({"request_welcome"})
"""Types without any content; Meta withdrew them in March 2026."""
_RENAMED = re.compile(r"from (\S{1,160}) to (\S{1,160})")


@dataclass(frozen=True, slots=True)
class UserMessage:
    """One message that a person wrote, the provider's objects verbatim."""

    event_id: str
    provider_message_id: str
    conversation_key: str
    message: dict[str, Any]
    contact: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that starts no turn, the provider's objects verbatim."""

    event_id: str
    provider_message_id: str
    conversation_key: str
    kind: Kind
    message: dict[str, Any]
    contact: dict[str, Any] | None


def read_message(
    item: Any, contacts: Sequence[dict[str, Any]], channel_id: str
) -> UserMessage | Notice | None:
    """What an entry of ``messages`` is; None for what is not of one person to us, or unreadable."""
    message = as_dict(item)
    message_id, kind = as_id(message.get("id")), as_id(message.get("type"))
    if not message_id or message.get("group_id") or not is_shallow(message):
        return None
    contact = _contact_of(message, contacts)
    notice = NOTICES.get(kind)
    sender = _renamed(message) if notice == "system" else _sender(message, contact)
    if not sender or kind in SILENT:
        return None
    key, event = f"{channel_id}:{sender}", event_id(channel_id, message_id)
    if notice is None:
        return UserMessage(event, message_id, key, message, contact)
    return Notice(event, message_id, key, notice, message, contact)


def read_echo(item: Any, channel_id: str) -> Notice | None:
    """An entry of ``message_echoes``: a human of the business wrote from the phone app."""
    message = as_dict(item)
    message_id = as_id(message.get("id"))
    person = as_id(message.get("to_user_id")) or as_id(message.get("to"))
    if not message_id or not person or not is_shallow(message):
        return None
    key = f"{channel_id}:{person}"
    return Notice(event_id(channel_id, message_id), message_id, key, "echo", message, None)


def read_renaming(item: Any, channel_id: str) -> Notice | None:
    """An entry of ``user_id_update``: an older form of the system message, without an id."""
    update = as_dict(item)
    ids = as_dict(update.get("user_id"))
    previous, current = as_id(ids.get("previous")), as_id(ids.get("current"))
    if not previous or not current or not is_shallow(update):
        return None
    name = f"user_id_update:{previous}:{current}"
    system = {
        "type": "user_changed_user_id",
        "user_id": current,
        "previous_user_id": previous,
        "wa_id": update.get("wa_id"),
    }
    message = {"id": name, "timestamp": update.get("timestamp"), "type": "system", "system": system}
    key = f"{channel_id}:{previous}"
    return Notice(derived_id(channel_id, name), name, key, "system", message, None)


def _sender(message: dict[str, Any], contact: dict[str, Any] | None) -> str:
    """Who wrote: the business-scoped id when there is one. Both may be missing from the message."""
    ids = (message.get("from_user_id"), message.get("from"))
    known = contact or {}
    found = (*ids, known.get("user_id"), known.get("wa_id"))
    return next(filter(None, map(as_id, found)), "")


def _renamed(message: dict[str, Any]) -> str:
    """Under which name the person was known until now, so that the notice comes after what they wrote."""
    system = as_dict(message.get("system"))
    body = system.get("body")
    said = _RENAMED.search(body) if isinstance(body, str) else None
    names = (
        *(system.get("previous_user_id"), message.get("from_user_id"), message.get("from")),
        *(said.group(1) if said else None, system.get("customer")),
        *(system.get("user_id"), system.get("wa_id")),
    )
    return next(filter(None, map(as_id, names)), "")


def _contact_of(
    message: dict[str, Any], contacts: Sequence[dict[str, Any]]
) -> dict[str, Any] | None:
    """The sender's contact: by business-scoped id, by WhatsApp id, else the only one there is."""
    for contact in contacts:
        user_id, wa_id = contact.get("user_id"), contact.get("wa_id")
        if user_id is not None and user_id == message.get("from_user_id"):
            return contact
        if wa_id is not None and wa_id == message.get("from"):
            return contact
    return contacts[0] if len(contacts) == 1 else None
