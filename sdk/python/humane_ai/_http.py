"""What both transports hand to httpx."""

from __future__ import annotations

from typing import Any

import httpx

from humane_ai import _core
from humane_ai._errors import APIConnectionError, APITimeoutError


def arguments(options: _core.Options, request: _core.Request[Any]) -> dict[str, Any]:
    """Arguments of ``httpx.Client.request`` and ``stream``."""
    return {
        "method": request.method,
        "url": options.base_url + request.path,
        "content": request.content(),
        "params": request.params,
        "headers": {**options.headers(), **request.all_headers()},
        "timeout": options.timeout_s,
        "follow_redirects": False,
    }


def connection_error(options: _core.Options, error: httpx.HTTPError) -> APIConnectionError:
    """The error for a call that got no answer."""
    if isinstance(error, httpx.TimeoutException):
        return APITimeoutError(f"No answer within {options.timeout_s} s.")
    kind = type(error).__name__
    return APIConnectionError(f"Cannot reach {options.base_url} ({kind}). Is it running?")
