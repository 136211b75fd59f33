"""One JSON line per event that matters, on standard output. No secrets, no text of people."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

SECRET_NAMES = re.compile(
    r"token|secret|password|authorization|api_?key|credential|signature", re.IGNORECASE
)
"""Fields whose name says that the value must not be shown."""

TEXT_NAMES = frozenset({"text", "body", "message_text", "caption", "phone", "from", "to", "wa_id"})
"""Fields that would hold what a person wrote, or who they are."""

SECRET_VALUES = re.compile(
    r"hx_[0-9A-Za-z]{43}|vt_[0-9A-Za-z]{43}|Bearer\s+\S+|//[^/\s:@]+:[^/\s@]+@"
)
"""Secrets by their form, wherever they stand: our keys, bearer tokens, passwords in URLs."""

REDACTED = "[redacted]"


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last net under the rule that nothing secret is logged."""
    for key, value in event.items():
        if key in TEXT_NAMES or (SECRET_NAMES.search(key) and not isinstance(value, (bool, int))):
            event[key] = REDACTED
        elif isinstance(value, str):
            event[key] = SECRET_VALUES.sub(REDACTED, value)
    return event


class _StdlibBridge(logging.Handler):
    """Library warnings in the same form. Never their tracebacks: those may quote values."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger().log(
            record.levelno,
            "library_log",
            logger=record.name,
            detail=record.getMessage(),
            error=type(error).__name__ if error is not None else None,
        )


def configure_logging(level: str, service: str) -> None:
    """Set up structlog and bridge the standard library's warnings. Call once, at start."""
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
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=logging.WARNING, handlers=[_StdlibBridge()], force=True)


def _to_json(event: Any, **_: Any) -> bytes:
    return orjson.dumps(event, default=repr)
