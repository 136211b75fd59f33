"""A page is put together from several answers; one that does not come leaves the others standing."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import structlog

from dashboard.adapters.api import ApiError, ApiUnavailableError, Json

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Part:
    """An answer, or why there is none."""

    data: Json | None
    missing: str | None = None

    def __bool__(self) -> bool:
        return self.data is not None

    def __getitem__(self, name: str) -> Any:
        """Of the answer. Raises LookupError when there is none: templates ask first."""
        if self.data is None:
            raise LookupError(name)
        return self.data[name]


async def part(what: str, call: Awaitable[Json]) -> Part:
    """``what`` names it for people. Raises ApiError 401: the session is over."""
    try:
        return Part(await call)
    except ApiUnavailableError as error:
        log.warning("part_unavailable", part=what, reason=str(error))
        return Part(
            None, f"{what} cannot be read right now. Nothing is lost; it comes back by itself."
        )
    except ApiError as error:
        if error.status == 401:
            raise
        return Part(None, f"{what} cannot be shown: {error.detail}")
