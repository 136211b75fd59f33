"""Everything that this library raises, and how an answer becomes one of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any


class HumaneError(Exception):
    """Base of all errors of this library."""


class APIConnectionError(HumaneError):
    """The server could not be reached. Whether it acted is unknown; retries carry the same key."""


class APITimeoutError(APIConnectionError):
    """The server did not answer within ``timeout_s``."""


@dataclass(frozen=True)
class FieldError:
    """One field of a request that was refused, and why."""

    field: str
    message: str


class APIError(HumaneError):
    """The server answered with an error."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        type: str = "",  # noqa: A002 - RFC 9457's name
        request_id: str | None = None,
        errors: tuple[FieldError, ...] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{title}: {detail}" if detail else title)
        self.status = status
        """HTTP status."""
        self.title = title
        """Short name of the problem."""
        self.detail = detail
        """What is wrong and what to do."""
        self.type = type
        """Stable identifier of the problem."""
        self.request_id = request_id
        """Give it to support: it names the request in the server's logs."""
        self.errors = errors
        """Fields at fault, for a refused request."""
        self.retry_after_s = retry_after_s
        """Seconds that the server asks to wait, if it does."""


class AuthError(APIError):
    """401: the API key is missing, unknown or revoked."""


class PermissionDeniedError(APIError):
    """403: the key may not do this."""


class NotFoundError(APIError):
    """404: there is no such thing for this key."""


class ConflictError(APIError):
    """409: it exists already, or the first call with this idempotency key still runs."""


class ValidationError(APIError):
    """400 or 422: the request is not well formed; ``errors`` names the fields."""


class RateLimitError(APIError):
    """429: too many calls; ``retry_after_s`` says how long to wait."""


class ServerError(APIError):
    """5xx: the server failed or is not ready."""


_BY_STATUS: dict[int, type[APIError]] = {
    400: ValidationError,
    401: AuthError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: ValidationError,
    422: ValidationError,
    429: RateLimitError,
}


def error_from(status: int, headers: Mapping[str, str], body: bytes) -> APIError:
    """The error for an answer; understands problem+json and survives anything else."""
    problem = _problem(body)
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else APIError)
    return kind(
        status,
        _text(problem.get("title")) or f"HTTP {status}",
        _text(problem.get("detail")),
        type=_text(problem.get("type")),
        request_id=_text(problem.get("request_id")) or headers.get("x-request-id"),
        errors=tuple(
            FieldError(_text(item.get("field")), _text(item.get("message")))
            for item in problem.get("errors") or ()
            if isinstance(item, dict)
        ),
        retry_after_s=retry_after(headers),
    )


def _problem(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a ``Retry-After`` header, given as seconds or as an HTTP date."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
