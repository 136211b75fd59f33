"""How a bubble of a conversation is shown as JSON."""

from typing import Any

from metasim.world import Message


def bubble(message: Message) -> dict[str, Any]:
    """Everything that the person sees, and what a test wants to know about it."""
    quoted = message.context_message_id
    return {
        "wamid": message.wamid,
        "phone_number_id": message.phone_number_id,
        "direction": message.author,
        "type": message.kind,
        "text": message.text,
        "at": message.at,
        "context": quoted and {"message_id": quoted},
        "content": message.content,
        "group_id": message.group_id,
        "edited": message.edited_at is not None,
        "revoked": message.revoked,
        "reaction": message.reaction,
        **(_reply(message) if message.author == "business" else _written(message)),
    }


def _reply(message: Message) -> dict[str, Any]:
    return {
        "app": message.sender == "app",
        "agent": message.sender == "agent",
        "statuses": message.statuses,
        "status": list(message.statuses)[-1] if message.statuses else "accepted",
        "biz_opaque_callback_data": message.callback_data,
    }


def _written(message: Message) -> dict[str, Any]:
    return {
        "delivered": message.delivered_at is not None,
        "read": message.read_at is not None,
        "read_at": message.read_at,
        "typing_seen": message.typing_at is not None,
    }
