"""Whether we may answer a person at all: "stop" opts out, "let me talk to a person" holds the bot.

A crisis is answered whatever the standing (promise 11 outranks a wish for silence).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from brain.domain.state import EndUserState

OPT_OUT, OPT_IN, HUMAN_PLEASE = "opt_out", "opt_in", "human_please"
HELD_FOR = timedelta(hours=12)
"""D: a shift; after it the bot answers again, lest a person be left with nobody."""


def standing_after(state: EndUserState, intent: str, now: datetime) -> EndUserState:
    """``state`` with the wish that the message expressed. Idempotent."""
    if intent == OPT_OUT:
        return replace(state, opted_out=True)
    if intent == OPT_IN:
        return replace(state, opted_out=False, held_until=None)
    if intent == HUMAN_PLEASE:
        return replace(state, held_until=now + HELD_FOR)
    return state


def silence_of(before: EndUserState, intent: str, now: datetime) -> str | None:
    """Why the bot stays silent now, None when it may speak. ``before``: as the message found it."""
    if intent in {OPT_OUT, OPT_IN, HUMAN_PLEASE}:
        return None
    if before.opted_out:
        return "opted_out"
    if before.held_until is not None and now < before.held_until:
        return "held_for_human"
    return None
