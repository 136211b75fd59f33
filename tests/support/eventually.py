"""Polling for tests: wait for a fact to become true, never for time to pass."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")


@overload
async def eventually(
    probe: Callable[[], Awaitable[T]],
    *,
    timeout_s: float = ...,
    every_s: float = ...,
    message: str = ...,
) -> T: ...
@overload
async def eventually(
    probe: Callable[[], T],
    *,
    timeout_s: float = ...,
    every_s: float = ...,
    message: str = ...,
) -> T: ...
async def eventually(
    probe: Callable[[], Any],
    *,
    timeout_s: float = 10.0,
    every_s: float = 0.02,
    message: str = "",
) -> Any:
    """Call ``probe`` until it returns something truthy and return that.

    Raises AssertionError with ``message``, the last value and the last error after ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        value: Any = None
        error: Exception | None = None
        try:
            result = probe()
            value = await result if inspect.isawaitable(result) else result
        except Exception as caught:
            error = caught
        if value:
            return value
        if time.monotonic() > deadline:
            detail = f"last value {value!r}, last error {error!r}"
            raise AssertionError(f"not true within {timeout_s} s: {message or probe}; {detail}")
        await asyncio.sleep(every_s)
