"""Why no message arrives, judged by what did arrive at a channel's webhook."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from channels_api.domain.findings import Finding, finding

DOUBTFUL_FOR = timedelta(days=1)
"""A wrong signature so soon after a right one is somebody else's try, not a wrong app secret."""


class Kind(StrEnum):
    """What happened, as far as it tells of a cause."""

    VERIFIED = "verified"
    TOKEN_MISMATCH = "token_mismatch"  # noqa: S105 - a reason, not a token
    TOKEN_HAS_WHITESPACE = "token_has_whitespace"  # noqa: S105 - likewise
    ASTRAY = "astray"
    """This channel's token at another integration id."""
    BAD_SIGNATURE = "bad_signature"
    DELIVERY = "delivery"
    OTHER_NUMBER = "other_number"
    """A signed webhook in which nothing was about the channel's number."""


@dataclass(frozen=True, slots=True)
class Event:
    """One of them."""

    at: datetime
    kind: Kind


_CODES = {
    Kind.VERIFIED: "verified_no_delivery",
    Kind.TOKEN_MISMATCH: "token_mismatch",
    Kind.TOKEN_HAS_WHITESPACE: "token_has_whitespace",
    Kind.ASTRAY: "wrong_integration_id",
    Kind.BAD_SIGNATURE: "signature_wrong",
    Kind.DELIVERY: "webhooks_arriving",
    Kind.OTHER_NUMBER: "other_number",
}


def diagnosis(events: Sequence[Event], path: str) -> Finding:
    """The newest event names the cause. ``path`` is where this channel's webhooks belong."""
    telling = sorted(events, key=lambda event: event.at)
    if not telling:
        return finding("nothing_arrived")
    newest = telling[-1]
    arrived = max((e.at for e in telling if e.kind is Kind.DELIVERY), default=None)
    if arrived is not None and _is_past(newest, arrived):
        newest = Event(arrived, Kind.DELIVERY)
    return finding(_CODES[newest.kind], at=_shown(newest.at), path=path)


def _is_past(newest: Event, arrived: datetime) -> bool:
    """Whether webhooks that arrived at ``arrived`` say more than the newest event."""
    if newest.kind is Kind.VERIFIED:
        return True
    return newest.kind is Kind.BAD_SIGNATURE and newest.at - arrived < DOUBTFUL_FOR


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
