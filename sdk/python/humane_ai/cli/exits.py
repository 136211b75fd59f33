"""Exit codes, and how an error of the library becomes one."""

from __future__ import annotations

from humane_ai._errors import (
    APIConnectionError,
    APIError,
    AuthError,
    HumaneError,
    InvalidArgumentError,
    PermissionDeniedError,
    RateLimitError,
    ValidationError,
)

DECLINED = 1
USAGE = 2
UNREACHABLE = 3
NOT_ALLOWED = 4

EPILOG = (
    "Exit codes: 0 it worked; 1 not found, refused by a rule, or a check failed; 2 the command is "
    "wrong; 3 no answer, or the server failed or is busy; 4 the key is not accepted or may not."
)


def exit_code(error: HumaneError) -> int:
    """What the shell is told."""
    if isinstance(error, (InvalidArgumentError, ValidationError)):
        return USAGE
    if isinstance(error, (AuthError, PermissionDeniedError)):
        return NOT_ALLOWED
    if isinstance(error, (APIConnectionError, RateLimitError)):
        return UNREACHABLE
    if isinstance(error, APIError) and error.status >= 500:
        return UNREACHABLE
    return DECLINED


def sentence(error: HumaneError) -> str:
    """The error on one line, as a person reads it; the fields at fault are named."""
    text = str(error)
    if isinstance(error, AuthError):
        text = f"{error.title}: set HUMANE_API_KEY, or give --api-key ({error.status})"
    elif isinstance(error, ValidationError) and error.errors:
        fields = "; ".join(f"{item.field}: {item.message}" for item in error.errors)
        text = f"{text} {fields}"
    return " ".join(text.split())
