"""From WhatsApp's message object to what the pipeline reads. Tolerates every missing key."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from brain.domain.people import Address, whatsapp_address

LONGEST_TEXT = 4096
"""WhatsApp's own limit; a longer text is cut, never refused."""


@dataclass(frozen=True, slots=True)
class Content:
    """``text`` is what the person said in words, maybe empty; ``summary`` is readable in one line."""

    kind: str
    text: str
    summary: str


def content_of(message: dict[str, Any]) -> Content:
    """What a message says. A kind without words has a summary such as ``[image]``."""
    kind = str(message.get("type") or "unknown")[:40]
    text = _words(kind, message)[:LONGEST_TEXT]
    return Content(kind, text, text or f"[{kind}]")


def _words(kind: str, message: dict[str, Any]) -> str:
    body = message.get(kind)
    part: dict[str, Any] = body if isinstance(body, dict) else {}
    if kind == "text":
        return _text(part.get("body"))
    if kind == "button":
        return _text(part.get("text"))
    if kind == "interactive":
        reply = part.get(str(part.get("type")))
        return _text(reply.get("title")) if isinstance(reply, dict) else ""
    return _text(part.get("caption") or part.get("text"))


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def address_of(message: dict[str, Any], contact: dict[str, Any] | None) -> Address:
    """Who wrote. Raises ValueError when the message does not say."""
    profile = (contact or {}).get("profile")
    name = profile.get("name") if isinstance(profile, dict) else None
    return whatsapp_address(
        phone=_text(message.get("from")) or None,
        user_id=_text(message.get("from_user_id")) or None,
        name=_text(name)[:200] or None,
    )


def sent_at(message: dict[str, Any], fallback: datetime) -> datetime:
    """The provider's time: unix seconds as a string, milliseconds from some; else ``fallback``."""
    try:
        seconds = float(message.get("timestamp") or "")
        if seconds > 1e11:
            seconds /= 1000
        return datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return fallback
