"""Cursors of listings: opaque, and only as far as the tenant's own rows."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

LARGEST_LIMIT = 200

R = TypeVar("R")
Place = tuple[datetime, str]
"""Where a row stands in its listing: what it is sorted by, and its id."""


def _place(text: Any) -> Place:
    """The place that a cursor names."""
    try:
        at, row_id = urlsafe_b64decode(str(text).encode()).decode().split("|", 1)
        return datetime.fromisoformat(at).astimezone(UTC), row_id
    except (ValueError, OverflowError):
        raise ValueError("is not one that a listing gave you") from None


Cursor = Annotated[
    Place, BeforeValidator(_place), WithJsonSchema({"type": "string", "format": "cursor"})
]


RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)


def _moment(text: Any) -> datetime:
    """In UTC; what lies before the year 1 there is its beginning."""
    if not isinstance(text, str) or not RFC3339.fullmatch(text):
        raise ValueError("is no moment with a time zone, such as 2026-03-01T10:00:00Z")
    at = datetime.fromisoformat(text.upper())
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return (
            datetime.min.replace(tzinfo=UTC) if at.year == 1 else datetime.max.replace(tzinfo=UTC)
        )


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment in a query; pydantic's own would take a bare number for seconds."""


class Query(BaseModel):
    """Query parameters of an operation. An unknown name is refused: it may be a filter misspelt."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PageQuery(Query):
    """Of a listing that is read page by page."""

    limit: int = Field(default=50, ge=1, le=LARGEST_LIMIT, description="Rows of a page.")
    cursor: Cursor | None = Field(
        default=None, description="`next_cursor` of the page before; absent: the first page."
    )


def next_cursor(at: datetime, row_id: str) -> str:
    """The cursor that continues after this row."""
    return urlsafe_b64encode(f"{at.isoformat()}|{row_id}".encode()).decode()


def page_of(
    rows: Sequence[R], limit: int, place: Callable[[R], Place]
) -> tuple[Sequence[R], str | None]:
    """What to show of ``rows``, read with one more than ``limit``, and the cursor that goes on.

    ``place``: by what the listing is sorted, and the row's id.
    """
    shown = rows[:limit]
    return shown, next_cursor(*place(shown[-1])) if len(rows) > limit else None
