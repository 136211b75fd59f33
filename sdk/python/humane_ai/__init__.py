"""Understand and answer the people who write to you.

``HumaneClient`` and ``AsyncHumaneClient`` have the same surface. See the README for examples.
"""

from humane_ai._async_client import AsyncHumaneClient
from humane_ai._client import HumaneClient
from humane_ai._errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthError,
    ConflictError,
    HumaneError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    ValidationError,
)
from humane_ai._types import (
    Activity,
    Analysis,
    Channel,
    Context,
    HistoryEntry,
    Memory,
    MemoryHit,
    Proactive,
    ProcessResult,
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
    "AuthError",
    "Channel",
    "ConflictError",
    "Context",
    "HistoryEntry",
    "HumaneClient",
    "HumaneError",
    "Memory",
    "MemoryHit",
    "NotFoundError",
    "PermissionDeniedError",
    "Proactive",
    "ProcessResult",
    "RateLimitError",
    "Safety",
    "SafetyMatch",
    "ServerError",
    "StreamEvent",
    "Timing",
    "Trigger",
    "UserState",
    "ValidationError",
    "__version__",
]
