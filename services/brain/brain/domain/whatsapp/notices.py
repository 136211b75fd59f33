"""What a notice says: which message it is about, and what became of it."""

from dataclasses import dataclass
from typing import Any

from brain.domain.whatsapp.content import Content, content_of
from brain.domain.whatsapp.reading import as_dict, as_text, label

LONGEST_ID = 512
EMOJI_CHARS = 32
"""A family of four with skin tones is one emoji of eleven characters."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A message reads otherwise now."""

    original_id: str
    content: Content


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji on a message, ours or theirs; None takes it away."""

    message_id: str
    emoji: str | None


@dataclass(frozen=True, slots=True)
class Echo:
    """A human of the business wrote from the phone app."""

    aliases: tuple[str, ...]
    content: Content


def edit_of(message: dict[str, Any]) -> Edit | None:
    """The edit; None when it does not say of which message."""
    edit = as_dict(message.get("edit"))
    original = as_text(edit.get("original_message_id"))[:LONGEST_ID]
    return Edit(original, content_of(as_dict(edit.get("message")))) if original else None


def revoked_id(message: dict[str, Any]) -> str | None:
    """The message that its author deleted."""
    revoke = as_dict(message.get("revoke"))
    return as_text(revoke.get("original_message_id"))[:LONGEST_ID] or None


def reaction_of(message: dict[str, Any]) -> Reaction | None:
    """The reaction; it is taken away by an emoji that is absent or empty."""
    reaction = as_dict(message.get("reaction"))
    about = as_text(reaction.get("message_id"))[:LONGEST_ID]
    return Reaction(about, label(reaction.get("emoji"), EMOJI_CHARS) or None) if about else None


def echo_of(message: dict[str, Any]) -> Echo:
    """Whom it was written to, and what."""
    user_id, phone = as_text(message.get("to_user_id")), as_text(message.get("to"))
    names = (user_id and f"bsuid:{user_id}", phone and f"phone:{phone.lstrip('+')}")
    return Echo(tuple(filter(None, names)), content_of(message))


def target_of(message: dict[str, Any]) -> str | None:
    """The message that a notice is about, of whatever kind it is; None for one about none."""
    edit, reaction = edit_of(message), reaction_of(message)
    edited = None if edit is None else edit.original_id
    return edited or revoked_id(message) or (None if reaction is None else reaction.message_id)
