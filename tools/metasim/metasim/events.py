"""One JSON line for each event that matters. Never tokens, secrets, text or phone numbers."""

import json
import logging
from datetime import UTC, datetime

_logger = logging.getLogger("metasim")


def log_event(name: str, **fields: str | int | float | bool | None) -> None:
    """Log ``name`` (past tense, constant) with fields that identify but reveal nothing."""
    _logger.info(name, extra={"fields": fields})


class JsonLines(logging.Formatter):
    """``{"at": …, "event": …, …}`` on one line. Tracebacks are left out: they quote values."""

    def format(self, record: logging.LogRecord) -> str:
        """Encode one record."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line)
