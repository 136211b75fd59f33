"""Numbers and states in words, for people who watch many at once."""

from typing import NamedTuple


class Verdict(NamedTuple):
    """A word, and a name for its colour, which is never the only sign."""

    word: str
    tone: str


ACTIONS = {
    "PROCEED": Verdict("fine", "good"),
    "HOLD": Verdict("look", "warn"),
    "BLOCK": Verdict("in danger", "bad"),
}
DELIVERIES = {
    "queued": Verdict("waiting", "warn"),
    "sending": Verdict("sending", "warn"),
    "sent": Verdict("✓ sent", "plain"),
    "delivered": Verdict("✓✓ delivered", "plain"),
    "read": Verdict("✓✓ read", "good"),
    "failed": Verdict("failed", "bad"),
    "unknown": Verdict("not known whether it arrived", "warn"),
    "window_closed": Verdict("not sent: 24 hours were over", "bad"),
}
CHANNELS = {
    "active": Verdict("active", "good"),
    "disabled": Verdict("disabled", "warn"),
    "ok": Verdict("well", "good"),
    "needs_attention": Verdict("needs attention", "bad"),
}
FINDINGS = {
    "ok": Verdict("well", "good"),
    "warning": Verdict("look", "warn"),
    "failed": Verdict("wrong", "bad"),
    "unknown": Verdict("not known", "warn"),
}
FLAGS = {
    "self_harm": "self-harm",
    "human_requested": "asked for a human",
    "reply_unavailable": "nobody could answer",
}
LOW, HIGH = 0.35, 0.65
"""Below and above, a variable is worth a word: mood .35 is the client library's "frustrated"."""


def action(name: str | None) -> Verdict:
    """The verdict of the safety check; one that is not known asks for a look."""
    return ACTIONS.get(name or "", ACTIONS["HOLD"])


def delivery(state: str) -> Verdict:
    """What became of a text."""
    return DELIVERIES.get(state, Verdict(state, "plain"))


def channel(state: str) -> Verdict:
    """How a channel stands."""
    return CHANNELS.get(state, Verdict(state, "plain"))


def finding(state: str) -> Verdict:
    """What the doctor thinks of one thing."""
    return FINDINGS.get(state, Verdict(state, "plain"))


def flag(name: str) -> str:
    """A category of the safety check."""
    return FLAGS.get(name, name.replace("_", " "))


def mood(value: float) -> str:
    """0..1."""
    return _of_three(value, "low", "even", "good")


def energy(value: float) -> str:
    """0..1."""
    return _of_three(value, "tired", "even", "lively")


def percent(value: float) -> str:
    """0..1 as a percentage."""
    return f"{value:.0%}"


def span(milliseconds: float) -> str:
    """A time that passed, in the unit that reads best."""
    if milliseconds < 1_000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1_000:.1f} s"
    return f"{milliseconds / 60_000:.0f} min"


def _of_three(value: float, low: str, middle: str, high: str) -> str:
    if value < LOW:
        return low
    return high if value > HIGH else middle
