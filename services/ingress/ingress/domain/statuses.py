"""One entry of a webhook's ``statuses``: what became of a message of ours."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ingress.domain.reading import as_dict, as_id, as_list
from shared.ids import derived_id


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


def read_status(item: Any, channel_id: str) -> Status | None:
    """The status, None when it does not say which message or what."""
    entry = as_dict(item)
    message_id, status = as_id(entry.get("id")), as_id(entry.get("status"))
    if not message_id or not status:
        return None
    recipient = as_id(entry.get("recipient_user_id")) or as_id(entry.get("recipient_id"))
    return Status(
        event_id=derived_id(channel_id, message_id, status, str(entry.get("timestamp"))),
        provider_message_id=message_id,
        conversation_key=f"{channel_id}:{recipient}",
        status=status,
        at=_time(entry.get("timestamp")),
        recipient=recipient or None,
        delivery_id=as_id(entry.get("biz_opaque_callback_data")) or None,
        error_codes=tuple(
            code
            for error in as_list(entry.get("errors"))
            if isinstance(code := as_dict(error).get("code"), int) and abs(code) < 2**31
        ),
    )


def _time(value: Any) -> datetime | None:
    """Unix seconds, as a string by the documents; some senders write milliseconds."""
    try:
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
