"""The states of a delivery, and how the provider's callbacks move it: only ever upwards.

Callbacks come twice, late and in any order. The states are totally ordered and a callback joins,
so the outcome does not depend on the order (facts: Meta's ``statuses[]``).
"""

from enum import StrEnum


class State(StrEnum):
    """Where a delivery stands."""

    QUEUED = "queued"
    """Surely not with the provider yet, or about to be sent again."""
    SENDING = "sending"
    """A request is on its way, or its sender crashed."""
    UNKNOWN = "unknown"
    """The provider may have it: the answer to the request was lost."""
    SENT = "sent"
    """The provider accepted it."""
    FAILED = "failed"
    """It will not reach the person."""
    WINDOW_CLOSED = "window_closed"
    """More than 24 hours since the person wrote, and no template to send: a human may send one."""
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"


OURS = frozenset({State.QUEUED, State.SENDING, State.UNKNOWN})
"""States before the provider's word; any word of the provider settles them."""

ACCEPTED = frozenset({State.SENT, State.DELIVERED, State.READ, State.PLAYED})
"""The provider has, or had, the message in good order."""

# ``failed`` replaces "accepted" and "sent" only; whoever's phone has ticked it off did get it.
_RANK = {
    State.QUEUED: 0,
    State.SENDING: 0,
    State.UNKNOWN: 0,
    State.SENT: 1,
    State.FAILED: 2,
    State.WINDOW_CLOSED: 2,
    State.DELIVERED: 3,
    State.READ: 4,
    State.PLAYED: 5,
}

_REPORTED = {
    state.value: state
    for state in (State.SENT, State.DELIVERED, State.READ, State.PLAYED, State.FAILED)
}


def reported(status: str) -> State | None:
    """The state that a callback's ``status`` names; None for one that we do not follow."""
    return _REPORTED.get(status)


def join(current: State, status: State) -> State:
    """The higher of the two; ``current`` where they are equal."""
    return status if _RANK[status] > _RANK[current] else current
