"""Understand and answer the people who write to you.

``HumaneClient`` and ``AsyncHumaneClient`` have the same surface. See the README for examples.
"""

from humane_ai._async_client import AsyncHumaneClient, AsyncStream
from humane_ai._client import HumaneClient, Stream
from humane_ai._errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthError,
    ConflictError,
    FieldError,
    HumaneError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    StreamError,
    ValidationError,
)
from humane_ai._types import (
    Activity,
    Analysis,
    Channel,
    Context,
    HistoryEntry,
    Memory,
    Proactive,
    ProcessResult,
    RelevantMemory,
    Safety,
    SafetyMatch,
    StreamEvent,
    Timing,
    Trigger,
    UserState,
)
from humane_ai._version import __version__

__all__ = [
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "Activity",
    "Analysis",
    "AsyncHumaneClient",
    "AsyncStream",
    "AuthError",
    "Channel",
    "ConflictError",
    "Context",
    "FieldError",
    "HistoryEntry",
    "HumaneClient",
    "HumaneError",
    "InvalidArgumentError",
    "Memory",
    "NotFoundError",
    "PermissionDeniedError",
    "Proactive",
    "ProcessResult",
    "RateLimitError",
    "RelevantMemory",
    "Safety",
    "SafetyMatch",
    "ServerError",
    "Stream",
    "StreamError",
    "StreamEvent",
    "Timing",
    "Trigger",
    "UserState",
    "ValidationError",
    "__version__",
]
