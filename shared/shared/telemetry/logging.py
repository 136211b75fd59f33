"""One JSON line per event that matters, on standard output. No secrets, no text of people."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, BinaryIO

import orjson
import structlog

SECRET_NAMES = re.compile(
    r"token|secret|password|authorization|api_?key|credential|signature", re.IGNORECASE
)
"""Fields whose name says that the value must not be shown."""

TEXT_NAMES = frozenset(
    {
        *("text", "body", "message", "message_text", "caption", "content", "contact", "name"),
        *("phone", "to_phone", "to_user_id", "from", "to", "wa_id", "recipient"),
        *("conversation_key", "subject"),
    }
)
"""Fields that would hold what a person wrote, or who they are."""

SECRET_VALUES = re.compile(
    r"hx_[0-9A-Za-z]{43}|vt_[0-9A-Za-z]{43}|EAA[0-9A-Za-z]{20,}|sha256=[0-9a-fA-F]{64}"
    r"|Bearer\s+\S+|//[^/\s:@]+:[^/\s@]+@|(?<=mc_[0-9A-Za-z]{22}):\S+|wamid\.[0-9A-Za-z+/=_-]+"
)
"""By their form, wherever they stand: our keys, Meta's access tokens and signatures, bearer tokens,
passwords in URLs, the person in a conversation key, and Meta's message ids, which are base64 that
holds the person's number."""

REDACTED = "[redacted]"


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last net under the rule that nothing secret is logged, at any depth."""
    for key, value in event.items():
        event[key] = _redacted(key, value)
    return event


def _redacted(key: str, value: Any) -> Any:
    named_secret = SECRET_NAMES.search(key) and not isinstance(value, (bool, int))
    if value is not None and (key in TEXT_NAMES or named_secret):
        return REDACTED
    if isinstance(value, str):
        return SECRET_VALUES.sub(REDACTED, value)
    if isinstance(value, Mapping):
        return {str(name): _redacted(str(name), item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_redacted(key, item) for item in value]
    return value


class _StdlibBridge(logging.Handler):
    """Library warnings in the same form. Never their tracebacks: those may quote values."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger().log(
            record.levelno,
            "library_log",
            logger=record.name,
            # Further lines are asyncio's: the repr of a task and of the exception in it.
            detail=record.getMessage().partition("\n")[0],
            error=type(error).__name__ if error is not None else None,
        )


def configure_logging(level: str, service: str, stream: BinaryIO | None = None) -> None:
    """Set up structlog and bridge the standard library's warnings. Call once, at start.

    ``stream`` takes the lines in place of standard output.
    """
    numeric = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.BytesLoggerFactory(stream or sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=logging.WARNING, handlers=[_StdlibBridge()], force=True)


def _to_json(event: Any, **_: Any) -> bytes:
    return orjson.dumps(event, default=_type_name, option=orjson.OPT_PASSTHROUGH_DATACLASS)


def _type_name(value: Any) -> str:
    """An object's own form could hold what its ``repr`` or fields should not have shown."""
    return f"<{type(value).__name__}>"
