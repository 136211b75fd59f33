"""Stored things as the API shows them."""

from dataclasses import dataclass, field
from typing import Any

AT = "2026-03-01T10:00:00.250000Z"
FILE = b"%PDF-1.7 \xff\x00"

USER: dict[str, Any] = {
    "id": "u-1",
    "external_id": "sarah",
    "channel": "whatsapp",
    "name": "Sarah",
    "username": None,
    "mood": 0.31,
    "energy": 0.29,
    "fatigue": 0.2,
    "boredom": 0.1,
    "social_load": 0.15,
    "focus": 0.6,
    "trust": 0.71,
    "sentiment": 0.45,
    "grudge": 0.05,
    "familiarity": 0.5,
    "interaction_count": 7,
    "known_since": "2026-01-01T00:00:00Z",
    "last_seen": AT,
    "opted_out": False,
    "held_until": None,
    "channels": [{"channel_id": "mc_1", "last_message_at": AT}],
    "profile": [
        {
            "kind": "event",
            "key": "event:exam",
            "value": "exam",
            "said": "My exam is on Friday.",
            "interaction_id": "i-1",
            "stated_at": AT,
            "on": "2026-03-06",
        }
    ],
}

REACTION = {"emoji": "\U0001f44d", "at": AT}
SUMMARY = {"id": "d-1", "state": "failed", "at": AT, "code": 131026, "detail": "no_whatsapp"}

INTERACTION: dict[str, Any] = {
    "id": "i-1",
    "user_id": "u-1",
    "external_id": "sarah",
    "channel": "whatsapp",
    "channel_id": "mc_1",
    "provider_message_id": "wamid.1",
    "at": AT,
    "sent_at": "2026-03-01T09:59:59Z",
    "message": {
        "type": "document",
        "text": "[document: letter.pdf] my number is [PHONE]",
        "pii": ["PHONE"],
        "content": {
            "type": "document",
            "filename": "letter.pdf",
            "media": {"id": "9", "mime_type": "application/pdf", "sha256": "ab"},
        },
        "reaction": REACTION,
        "edited_at": AT,
        "revoked_at": None,
        "versions": [{"text": "[document: letter.pdf]", "until": AT}],
    },
    "mood": 0.31,
    "energy": 0.29,
    "user": {"id": "sarah", "mood": 0.31, "energy": 0.29, "trust": 0.71},
    "timing": {"delay_ms": 1800, "reason": "base"},
    "safety": {"action": "HOLD", "risk_score": 0.8, "flags": ["crisis"], "matched": []},
    "context": {"tone": "warm", "empathy": 0.9, "formality": 0.2, "response_length": "short"},
    "analysis": {"detected_emotions": ["fear"], "intent": "share", "confidence": "model"},
    "proactive": [],
    "memory": {"relevant_memories": [], "total_stored": 12},
    "policy": None,
    "experiments": [],
    "reply": {
        "status": "model",
        "text": "I am here.",
        "model": "gpt-x",
        "reason": "answered",
        "at": AT,
        "answered_with": "i-2",
        "reaction": REACTION,
        "deliveries": [SUMMARY],
    },
}

MESSAGE: dict[str, Any] = {
    "id": "m-0",
    "user_id": "u-1",
    "channel_id": "mc_1",
    "author": "operator",
    "text": "Ann here, I take over.",
    "template": None,
    "at": AT,
    "reaction": REACTION,
    "deliveries": [{**SUMMARY, "state": "read", "code": None, "detail": None}],
}

DELIVERY: dict[str, Any] = {
    "id": "d-1",
    "interaction_id": "i-1",
    "channel_id": "mc_1",
    "state": "queued",
    "waiting": "retry",
    "attempts": 2,
    "next_attempt_at": AT,
    "wamid": "wamid.9",
    "resent": True,
    "error": {"class": "transient", "code": 131016, "detail": "meta_away", "fbtrace_id": "AX"},
    "author": "assistant",
    "text": "I am here.",
    "template": {"name": "we_are_back", "language": "en_US", "components": []},
    "created_at": AT,
    "updated_at": AT,
    "history": [{"state": "queued", "at": AT}],
}

ALERT: dict[str, Any] = {
    "id": "i-1",
    "user_id": "u-1",
    "external_id": "447700900123",
    "channel": "whatsapp",
    "channel_id": "mc_1",
    "raised_at": AT,
    "action": "BLOCK",
    "flags": ["self_harm"],
    "risk_score": 0.97,
    "text": "I want to kill myself",
    "reply_status": "fixed",
    "state": "open",
    "assignee": None,
    "acknowledged_at": None,
    "acknowledged_by": None,
    "history": [{"at": AT, "by": "safety", "what": "raised", "text": None}],
}

KEY: dict[str, Any] = {
    "id": "k-1",
    "label": "Night shift",
    "last4": "wxyz",
    "scopes": ["process", "read"],
    "state": "active",
    "created_at": AT,
    "expires_at": None,
    "last_used_at": AT,
    "revoked_at": None,
}

ROTATION: dict[str, Any] = {
    "to_version": "2",
    "state": "running",
    "total": 2,
    "done": 0,
    "unreadable": 0,
    "started_at": AT,
    "started_by": "first key",
    "finished_at": None,
}

MEMORY: dict[str, Any] = {"id": "mem-1", "text": "My name is Sarah.", "timestamp": AT}


@dataclass
class Records:
    """What the server has; a test puts in what it needs."""

    users: list[Any] = field(default_factory=lambda: [USER])
    interactions: list[Any] = field(default_factory=lambda: [INTERACTION])
    messages: list[Any] = field(default_factory=lambda: [MESSAGE])
    deliveries: list[Any] = field(default_factory=lambda: [DELIVERY])
    alerts: list[Any] = field(default_factory=lambda: [{**ALERT}])
    memories: list[Any] = field(default_factory=lambda: [{**MEMORY, "similarity": 0.83}])
    keys: list[Any] = field(default_factory=lambda: [KEY])
    keyring: Any = field(
        default_factory=lambda: {
            "current": "2",
            "versions": [{"version": "1", "secrets": 4}, {"version": "2", "secrets": 0}],
            "rotation": None,
        }
    )
    rotation_ends: str = "done"
    erased: list[str] = field(default_factory=list)
    erasure: Any = field(
        default_factory=lambda: {"complete": True, "erased": {"interactions": 7, "memories": 3}}
    )
    media_headers: dict[str, str] = field(
        default_factory=lambda: {
            "Content-Type": "application/pdf",
            "Content-Disposition": "attachment; filename*=UTF-8''letter%20%E2%82%AC.pdf",
        }
    )


def numbered(row: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """So many rows, told apart by their ids."""
    return [{**row, "id": f"n-{number}"} for number in range(count)]
