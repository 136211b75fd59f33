"""A delivery: one text on its way to one person, and every change it can go through.

The document is the queue. A delivery is *open* while somebody must still look at it, and then
``next_attempt_at`` says when; it is closed once nothing is left to do. Changes are pure: they
return a new value, which the store writes by compare-and-set on ``version``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from outbound.domain.lattice import State, join

WINDOW = timedelta(hours=24)
"""Free text is allowed this long after the person's last message (Meta)."""
WINDOW_MARGIN = timedelta(minutes=5)
"""Kept clear of the window's end: clocks differ, and a late send costs an error."""
PACE_CAP = timedelta(seconds=5)
"""The longest human pause that is honoured."""


class Waiting(StrEnum):
    """Why an open, queued delivery is not sent now."""

    PACE = "pace"
    """A human pause before the answer."""
    SLOT = "slot"
    """Its place under Meta's limits for the person or the number."""
    TURN = "turn"
    """An earlier reply of the conversation is still open."""
    RETRY = "retry"
    THROTTLE = "throttle"
    CHANNEL = "channel"
    """An operator must mend the channel."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """The last thing that went wrong. ``detail`` is a slug, never the provider's words."""

    kind: str
    """Failure class: ``transient``, ``throttled``, ``permanent``…"""
    detail: str
    code: int | None = None
    fbtrace_id: str | None = None
    times: int = 1
    """How often in a row."""


@dataclass(frozen=True, slots=True)
class Step:
    """An entry of a delivery's history."""

    state: State
    at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """See the module. What is above ``state`` never changes."""

    id: str
    tenant: str
    interaction_id: str
    channel_id: str
    conversation_key: str = field(repr=False)
    to_phone: str | None = field(repr=False)
    """Digits."""
    to_user_id: str | None = field(repr=False)
    text: str = field(repr=False)
    context_message_id: str | None
    user_wrote_at: datetime
    command_id: str
    traceparent: str | None
    created_at: datetime

    state: State
    updated_at: datetime
    history: tuple[Step, ...]
    next_attempt_at: datetime | None = None
    """When somebody must look again; None when the delivery is closed."""
    waiting: Waiting | None = None
    attempts: int = 0
    wamid: str | None = None
    resent: bool = False
    """Sent again without knowing what became of the first time."""
    error: Trouble | None = None
    urgent: bool = False
    """Overtakes what waits in its conversation; never changes."""
    author: str = "assistant"
    """``assistant`` or ``operator``; never changes."""
    template: dict[str, Any] | None = field(default=None, repr=False)
    """``{name, language, components}``: sent in place of the text."""
    outside: bool = False
    """The provider said that the window is closed, whatever our clock says."""
    refused_wamid: str | None = None
    """What became of this one is known: it met a closed window."""
    paced: tuple[str, ...] = ()
    """Limits under which a place is reserved: ``pair``, ``number``."""
    version: int = 0

    @property
    def open(self) -> bool:
        """Whether something is left to do."""
        return self.next_attempt_at is not None

    @property
    def part_before(self) -> str | None:
        """Id of the part of the same text that goes before this one; None for the first."""
        first, dot, number = self.id.partition(".")
        if not dot:
            return None
        before = int(number) - 1
        return f"{first}.{before:02d}" if before else first

    @property
    def window_ends_at(self) -> datetime:
        """From here on a free text is not attempted."""
        return window_end(self.user_wrote_at)


def window_end(user_wrote_at: datetime) -> datetime:
    """From here on a free text is not attempted, unless the person writes again."""
    return user_wrote_at + WINDOW - WINDOW_MARGIN


def as_template(delivery: Delivery, template: dict[str, Any]) -> Delivery:
    """Send this in place of the text, which the window does not let through."""
    return replace(delivery, template=template)


Transition = Callable[[Delivery], Delivery]


def due_at(not_before: datetime | None, now: datetime) -> datetime:
    """When a new reply should go out: at a human pace, but never later than ``PACE_CAP``."""
    return now if not_before is None else min(max(not_before, now), now + PACE_CAP)


def _moved(delivery: Delivery, state: State, at: datetime) -> Delivery:
    """Enter ``state`` as an open or closed delivery with nothing to wait for."""
    history = delivery.history
    if state is not delivery.state:
        history = (*history, Step(state, at))
    return replace(
        delivery, state=state, history=history, updated_at=at, waiting=None, next_attempt_at=None
    )


def begin(delivery: Delivery, now: datetime, *, answer_by: datetime) -> Delivery:
    """A request is about to leave; after ``answer_by`` its sender must have crashed."""
    moved = _moved(delivery, State.SENDING, now)
    return replace(moved, attempts=delivery.attempts + 1, next_attempt_at=answer_by, paced=())


def park(
    delivery: Delivery,
    now: datetime,
    *,
    until: datetime,
    waiting: Waiting,
    error: Trouble | None = None,
) -> Delivery:
    """Try (again) at ``until``, or when the window closes if that comes first."""
    # A window that is over bounds nothing: it was looked at, or it will be.
    ends = delivery.window_ends_at
    bound = min(until, ends) if delivery.template is None and ends > now else until
    return replace(
        _moved(delivery, State.QUEUED, now),
        next_attempt_at=max(now, bound),
        waiting=waiting,
        error=error or delivery.error,
    )


def reserve(
    delivery: Delivery, now: datetime, *, paced: tuple[str, ...], until: datetime
) -> Delivery:
    """It has its place under the limits ``paced``, at ``until``."""
    return replace(park(delivery, now, until=until, waiting=Waiting.SLOT), paced=paced)


def meet_closed_window(delivery: Delivery, now: datetime, error: Trouble) -> Delivery:
    """The provider let no free text through: look at once what may be sent instead."""
    moved = _moved(delivery, State.QUEUED, now)
    return replace(
        moved,
        outside=True,
        error=error,
        next_attempt_at=now,
        waiting=Waiting.RETRY,
        wamid=None,
        refused_wamid=delivery.wamid or delivery.refused_wamid,
    )


def close_window(delivery: Delivery, now: datetime, error: Trouble) -> Delivery:
    """Nothing may be sent: a human must decide."""
    return replace(_moved(delivery, State.WINDOW_CLOSED, now), error=error)


def doubt(delivery: Delivery, now: datetime, *, settle_by: datetime, error: Trouble) -> Delivery:
    """Nobody knows whether the provider has it: wait for its callback until ``settle_by``."""
    return replace(_moved(delivery, State.UNKNOWN, now), next_attempt_at=settle_by, error=error)


def wait_longer(delivery: Delivery, *, settle_by: datetime) -> Delivery:
    """Still in doubt."""
    return replace(delivery, next_attempt_at=settle_by)


def send_again(delivery: Delivery, now: datetime) -> Delivery:
    """No callback came in time: queue it once more, and say so for ever."""
    moved = _moved(delivery, State.QUEUED, now)
    return replace(moved, resent=True, next_attempt_at=now, waiting=Waiting.RETRY)


def give_up(delivery: Delivery, now: datetime) -> Delivery:
    """In doubt for the second time: close it as ``unknown``; a late callback may still settle it."""
    return replace(
        _moved(delivery, State.UNKNOWN, now), error=Trouble("outcome_unknown", "no_status_callback")
    )


def fail(delivery: Delivery, now: datetime, error: Trouble) -> Delivery:
    """It will not reach the person."""
    return replace(_moved(delivery, State.FAILED, now), error=error)


def accepted(delivery: Delivery, now: datetime, wamid: str) -> Delivery:
    """The provider's answer: it has the message. A callback may have said more already."""
    if wamid == delivery.refused_wamid:
        return delivery
    state = join(delivery.state, State.SENT)
    if state is delivery.state:
        return replace(delivery, wamid=delivery.wamid or wamid, updated_at=now)
    return replace(_moved(delivery, state, now), wamid=delivery.wamid or wamid, error=None)


def with_status(
    delivery: Delivery, status: State, at: datetime, *, wamid: str, error: Trouble | None
) -> Delivery | None:
    """The delivery after a callback; None when it changes nothing.

    ``error`` goes with ``failed`` only. Of a reply that was sent twice, the failure of the other
    copy says nothing about this one.
    """
    other_copy = delivery.wamid is not None and delivery.wamid != wamid
    if (status is State.FAILED and other_copy) or wamid == delivery.refused_wamid:
        return None
    if _window_shut(delivery, status, error):
        return meet_closed_window(replace(delivery, wamid=wamid), at, error or _SHUT)
    state = join(delivery.state, status)
    if state is delivery.state:
        return None
    return replace(_moved(delivery, state, at), wamid=delivery.wamid or wamid, error=error)


_SHUT = Trouble("window_closed", "window_closed")


def _window_shut(delivery: Delivery, status: State, error: Trouble | None) -> bool:
    """Whether a callback tells that a free text met a closed window, after it was accepted."""
    told = status is State.FAILED and error is not None and error.kind == _SHUT.kind
    final = delivery.state in {State.DELIVERED, State.READ, State.PLAYED}
    return told and not final and delivery.template is None and not delivery.outside
