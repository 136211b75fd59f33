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
        "message": document["message"],
        "mood": document["user"]["mood"],
        "energy": document["user"]["energy"],
        **{part: document[part] for part in STORED_PARTS},
        "reply": {
            "status": reply["status"],
            "text": reply.get("text"),
            "model": reply.get("model"),
            "reason": reply.get("reason"),
            "at": reply.get("at"),
        },
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
    turns = [entry("user", document["message"]["text"], document["at"])]
    reply = document["reply"]
    if reply.get("text"):
        turns.append(entry("assistant", reply["text"], reply["at"]))
    return turns


def entry(role: str, content: str, at: datetime) -> Document:
    """One line of history."""
    return {"role": role, "content": content, "at": at}
