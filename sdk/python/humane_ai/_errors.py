"""Everything that this library raises, and how an answer becomes one of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar


class HumaneError(Exception):
    """Base of all errors of this library."""


class InvalidArgumentError(HumaneError, ValueError):
    """An argument or a setting cannot be sent as it is. Nothing was sent."""


class APIConnectionError(HumaneError):
    """No whole answer came. Whether the server acted is unknown."""


class APITimeoutError(APIConnectionError):
    """The server was silent for longer than ``timeout_s``."""


class StreamError(HumaneError):
    """The server said inside a stream that it could not answer."""


@dataclass(frozen=True)
class FieldError:
    """One field of a request that was refused, and why."""

    field: str
    message: str


class APIError(HumaneError):
    """The server answered with an error. The other errors with a status derive from it."""

    advice: ClassVar[str] = "Check that base_url is the address of the API."
    """What to do, for an answer that does not say it itself."""

    def __init__(
        self,
        status: int,
        title: str = "",
        detail: str = "",
        type: str = "",  # noqa: A002 - RFC 9457's name
        request_id: str | None = None,
        errors: tuple[FieldError, ...] = (),
        retry_after_s: float | None = None,
    ) -> None:
        # All of them: so that the error can be pickled and cross a process pool.
        super().__init__(status, title, detail, type, request_id, errors, retry_after_s)
        self.status = status
        """HTTP status."""
        self.title = title or f"HTTP {status}"
        """Short name of the problem."""
        self.detail = detail or self.advice
        """What is wrong and what to do."""
        self.type = type
        """Stable identifier of the problem; empty when the answer was no problem+json."""
        self.request_id = request_id
        """Names the request in the server's logs: quote it when you ask for help."""
        self.errors = errors
        """The fields at fault of a refused request."""
        self.retry_after_s = retry_after_s
        """Seconds that the server asks to wait, if it does."""

    @property
    def slug(self) -> str:
        """The last part of ``type``, such as ``window-closed``: what to tell problems apart by."""
        return self.type.rpartition(":")[2]

    def __str__(self) -> str:
        request = f", request {self.request_id}" if self.request_id else ""
        return f"{self.title}: {self.detail} ({self.status}{request})"


class AuthError(APIError):
    """401: the API key is missing, unknown or revoked."""

    advice = "Check the API key: api_key='hx_...' or HUMANE_API_KEY."


class PermissionDeniedError(APIError):
    """403: the key may not do this."""

    advice = "This API key may not do that. Use one that may."


class NotFoundError(APIError):
    """404: there is no such thing for this key."""

    advice = "Check the id, and that base_url is the address of the API."


class ConflictError(APIError):
    """409, 412: it does not go together with how things are; ``slug`` says why.

    It exists already, the first call with this idempotency key still runs, the person wrote more
    than 24 hours ago (``window-closed``), or it was changed since you read it
    (``changed-meanwhile``).
    """

    advice = "It exists already, or the same call still runs. Look, then try again."


class ValidationError(APIError):
    """400, 413 or 422: the request cannot be taken as it is; ``errors`` names the fields."""

    advice = "Check the arguments of the call."


class RateLimitError(APIError):
    """429: too many calls; ``retry_after_s`` says how long to wait, when the server told it."""

    advice = "Too many calls with this key. Wait, then call less often."


class ServerError(APIError):
    """5xx: the server failed or is not ready."""

    advice = "The server failed. Try again later."


_BY_STATUS: dict[int, type[APIError]] = {
    400: ValidationError,
    401: AuthError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    413: ValidationError,
    422: ValidationError,
    429: RateLimitError,
}


def error_from(status: int, headers: Mapping[str, str], body: bytes) -> APIError:
    """The error for an answer: reads problem+json, and survives any other body."""
    problem = _problem(body)
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else APIError)
    return kind(
        status,
        _text(problem.get("title")),
        _text(problem.get("detail")),
        _text(problem.get("type")),
        _text(problem.get("request_id")) or headers.get("x-request-id"),
        _field_errors(problem.get("errors")),
        retry_after_s(headers.get("retry-after"), datetime.now(timezone.utc)),
    )


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, 0 or more, from ``Retry-After``: seconds or an HTTP date.

    None when it is absent or neither.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value, now)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(http_date: str, now: datetime) -> float | None:
    try:
        at = parsedate_to_datetime(http_date)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=timezone.utc)
    return max(0.0, (at - now).total_seconds())


def _problem(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _field_errors(items: object) -> tuple[FieldError, ...]:
    if not isinstance(items, list):
        return ()
    return tuple(
        FieldError(_text(item.get("field")), _text(item.get("message")))
        for item in items
        if isinstance(item, dict)
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
