"""Cursors of listings: opaque, and only as far as the tenant's own rows."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from aiohttp import web

from shared.http.problem import Problem, query_int

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200

R = TypeVar("R")


def limit_of(request: web.Request, *, default: int = DEFAULT_LIMIT) -> int:
    """``?limit=``, 1..200."""
    return query_int(request, "limit", default=default, low=1, high=LARGEST_LIMIT)


def cursor_of(request: web.Request) -> tuple[datetime, str] | None:
    """``?cursor=`` as the last row of the page before; a Problem 422 when it is not one of ours."""
    text = request.query.get("cursor")
    if text is None:
        return None
    try:
        at, row_id = urlsafe_b64decode(text.encode()).decode().split("|", 1)
        return datetime.fromisoformat(at).astimezone(UTC), row_id
    except (ValueError, OverflowError):
        raise Problem(
            422, "invalid-request", "cursor is not one that a listing gave you."
        ) from None


def next_cursor(at: datetime, row_id: str) -> str:
    """The cursor that continues after this row."""
    return urlsafe_b64encode(f"{at.isoformat()}|{row_id}".encode()).decode()


def page_of(
    rows: Sequence[R], limit: int, place: Callable[[R], tuple[datetime, str]]
) -> tuple[Sequence[R], str | None]:
    """What to show of ``rows``, read with one more than ``limit``, and the cursor that goes on.

    ``place``: by what the listing is sorted, and the row's id.
    """
    shown = rows[:limit]
    return shown, next_cursor(*place(shown[-1])) if len(rows) > limit else None
