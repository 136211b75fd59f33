"""The interaction document: built here, in one place, from what the pipeline found."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from brain.adapters.interaction_store import raised_by
from brain.adapters.user_store import EndUser
from brain.domain.alerts import first
from brain.domain.turn import Concluded, Prepared
from brain.domain.wire import process_answer
from brain.handlers.incoming import Incoming
from shared.bus.outbox import outbox_fields
from shared.bus.port import Publication
from shared.clock import Clock
from shared.telemetry.trace import current_traceparent

STORED_PARTS = (
    "user",
    "timing",
    "safety",
    "context",
    "analysis",
    "proactive",
    "memory",
    "policy",
    "experiments",
)
"""Parts of the wire's answer that the document keeps as they are."""


def interaction_record(
    incoming: Incoming,
    user: EndUser,
    prepared: Prepared,
    *,
    reply: dict[str, Any],
    emissions: Sequence[Publication],
    clock: Clock,
    total_memories: int,
    fetches: bool,
) -> dict[str, Any]:
    """One document: inbox, result and outbox. Holds masked text only.

    ``fetches``: the file that came with it is to be fetched.
    """
    known = Concluded(None, "none", prepared.safety, blocked=False, reason="pending")
    raised = raised_by(emissions)
    answer = process_answer(prepared, known, user_id=user.external_id, total_stored=total_memories)
    return {
        "_id": incoming.event_id,
        "tenant": incoming.tenant,
        "user_id": user.id,
        "external_id": user.external_id,
        "channel": incoming.channel,
        "channel_id": incoming.channel_id,
        "provider_message_id": incoming.route.provider_message_id if incoming.route else None,
        # Not the edge's time: one webhook may bring many messages of a person at one moment.
        "at": prepared.now,
        "sent_at": incoming.sent_at,
        "message": {
            "type": incoming.content.kind,
            "text": prepared.shown,
            "pii": list(prepared.pii.kinds),
            "content": {"type": incoming.content.kind, **incoming.content.data},
            "line": prepared.message.line,
        },
        **{part: value for part, value in answer.items() if part in STORED_PARTS},
        "reply": reply,
        "fingerprint": incoming.fingerprint,
        **({"fetch": {"due_at": prepared.now, "tries": 0}} if fetches else {}),
        **({"alert": first(raised, prepared.now)} if raised else {}),
        **outbox_fields(emissions, clock),
    }


READING_PATIENCE = timedelta(seconds=45)
"""A voice note that nobody could hear by then is answered by an honest line."""


def pending_reply(incoming: Incoming, now: datetime, *, is_read: bool = False) -> dict[str, Any]:
    """A reply is to be written: by this call, or after a pause of the person by whoever is there.

    Then it says when, and whatever is needed to find the person. ``is_read``: a voice note is
    being listened to, and the reply waits for that.
    """
    if incoming.route is None or not (incoming.debounce_ms or is_read):
        return {"status": "pending"}
    pause = READING_PATIENCE if is_read else timedelta(milliseconds=incoming.debounce_ms)
    return {
        "status": "pending",
        "due_at": now + pause,
        "to": {
            "conversation_key": incoming.route.conversation_key,
            "phone": incoming.address.phone,
            "provider_user_id": incoming.address.provider_user_id,
            "name": incoming.address.name,
            "traceparent": current_traceparent(),
        },
    }


def no_reply(reason: str, *, error: str | None = None) -> dict[str, Any]:
    """Nothing will be said, and why."""
    return {"status": "none", "reason": reason, "error": error}


def settled_reply(
    text: str,
    *,
    status: str,
    reason: str,
    model: str | None,
    at: datetime,
    error: str | None = None,
) -> dict[str, Any]:
    """``status`` is ``fixed`` (a reviewed text) or ``model``."""
    return {
        "status": status,
        "text": text,
        "reason": reason,
        "model": model,
        "at": at,
        "error": error,
    }
