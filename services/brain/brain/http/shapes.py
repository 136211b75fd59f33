"""What the API shows of stored things. Field by field: nothing leaves because it was stored."""

from datetime import datetime
from typing import Any

from brain.adapters.user_store import EndUser
from brain.domain.state import EndUserState
from brain.handlers.records import STORED_PARTS

Document = dict[str, Any]


def user_shape(user: EndUser, now_state: EndUserState) -> Document:
    """An end user with their state at this moment, each variable 0..1."""
    human, relation = now_state.human, now_state.relation
    return {
        "id": user.id,
        "external_id": user.external_id,
        "channel": user.channel,
        "name": user.name,
        "username": user.username,
        "mood": human.mood,
        "energy": human.energy,
        "fatigue": human.fatigue,
        "boredom": human.boredom,
        "social_load": human.social_load,
        "focus": human.focus,
        "trust": relation.trust,
        "sentiment": relation.sentiment,
        "grudge": relation.grudge,
        "familiarity": relation.familiarity,
        "interaction_count": now_state.interaction_count,
        "known_since": now_state.known_since,
        "last_seen": now_state.last_seen,
        "opted_out": now_state.opted_out,
        "held_until": now_state.held_until,
        "channels": [
            {"channel_id": channel_id, "last_message_at": route.wrote_at}
            for channel_id, route in user.routes.items()
        ],
        "profile": [
            {
                "kind": fact.kind,
                "key": fact.key,
                "value": fact.value,
                "said": fact.sentence,
                "interaction_id": fact.source_id,
                "stated_at": fact.stated_at,
                "on": fact.on,
            }
            for fact in user.profile.facts
        ],
    }


def interaction_shape(document: Document) -> Document:
    """An interaction as the read API shows it."""
    reply = document["reply"]
    return {
        "id": document["_id"],
        "user_id": document["user_id"],
        "external_id": document["external_id"],
        "channel": document["channel"],
        "channel_id": document["channel_id"],
        "provider_message_id": document["provider_message_id"],
        "at": document["at"],
        "sent_at": document["sent_at"],
        "message": _message_shape(document["message"]),
        "mood": document["user"]["mood"],
        "energy": document["user"]["energy"],
        **{part: document[part] for part in STORED_PARTS},
        "reply": {
            "status": reply["status"],
            "text": reply.get("text"),
            "model": reply.get("model"),
            "reason": reply.get("reason"),
            "at": reply.get("at"),
            "answered_with": reply.get("into"),
            "reaction": reply.get("reaction"),
            "deliveries": _deliveries_shape(reply.get("deliveries")),
        },
    }


def _message_shape(message: Document) -> Document:
    return {
        "type": message["type"],
        "text": message["text"],
        "pii": message["pii"],
        "content": message.get("content"),
        "reaction": message.get("reaction"),
        "edited_at": message.get("edited_at"),
        "revoked_at": message.get("revoked_at"),
        "versions": message.get("versions", []),
    }


def _deliveries_shape(deliveries: list[Document] | None) -> list[Document]:
    names = ("id", "state", "at", "code", "detail")
    return [{name: one.get(name) for name in names} for one in deliveries or ()]


def outgoing_shape(document: Document) -> Document:
    """What a human wrote to a person."""
    return {
        "id": document["_id"],
        "user_id": document["user_id"],
        "channel_id": document["channel_id"],
        "author": document["author"],
        "text": document["text"],
        "template": document["template"],
        "at": document["at"],
        "reaction": document.get("reaction"),
        "deliveries": _deliveries_shape(document["deliveries"]),
    }


def process_shape(document: Document) -> Document:
    """The answer of ``/api/sdk/process`` for a stored interaction; every key present."""
    reply = document["reply"]
    return {
        "response": reply.get("text"),
        **{part: document[part] for part in STORED_PARTS},
        "model": reply.get("model"),
        "error": reply.get("error"),
        "setup_required": reply.get("reason") == "setup_required",
        "interaction_id": document["_id"],
    }


def history_shape(document: Document) -> list[Document]:
    """One interaction as the turns of a conversation, oldest first."""
    said = document["message"]["text"]
    turns = [entry("user", said, document["at"])] if said else []
    reply = document["reply"]
    if reply.get("text"):
        turns.append(entry("assistant", reply["text"], reply["at"]))
    return turns


def entry(role: str, content: str, at: datetime) -> Document:
    """One line of history."""
    return {"role": role, "content": content, "at": at}
