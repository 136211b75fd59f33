"""The safety inbox: who a human must look at, and what humans did about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

What = Literal["raised", "acknowledged", "reopened", "assigned", "note"]

HISTORY_KEPT = 200
"""Newest entries of an alert that are kept."""
SEVERITIES: Mapping[str, int] = {"HOLD": 1, "BLOCK": 2}
"""Numbers, because the database can keep the greater of two."""
ACTIONS: Mapping[int, Literal["HOLD", "BLOCK"]] = {1: "HOLD", 2: "BLOCK"}


@dataclass(frozen=True, slots=True)
class Raised:
    """Why a human should look."""

    action: Literal["HOLD", "BLOCK"]
    flags: tuple[str, ...]
    risk_score: float
    """0..1."""


def entry(what: What, by: str, at: datetime, text: str | None = None) -> dict[str, Any]:
    """One line of an alert's history. ``by``: label of an API key, or ``safety``."""
    return {"at": at, "by": by, "what": what, "text": text}


def first(raised: Sequence[Raised], now: datetime) -> dict[str, Any]:
    """The alert of a new interaction."""
    flags = dict.fromkeys(flag for one in raised for flag in one.flags)
    return {
        "open": True,
        "severity": max(SEVERITIES[one.action] for one in raised),
        "flags": list(flags),
        "risk_score": max(one.risk_score for one in raised),
        "raised_at": now,
        "history": [entry("raised", "safety", now)],
    }


def again(raised: Sequence[Raised], now: datetime) -> dict[str, dict[str, Any]]:
    """Update operators for one that may have an alert: it is open, and never less grave than it was."""
    flags = dict.fromkeys(flag for one in raised for flag in one.flags)
    return {
        "$set": {"alert.open": True, "alert.raised_at": now},
        "$max": {
            "alert.severity": max(SEVERITIES[one.action] for one in raised),
            "alert.risk_score": max(one.risk_score for one in raised),
        },
        "$addToSet": {"alert.flags": {"$each": list(flags)}},
        "$push": {"alert.history": _kept([entry("raised", "safety", now)])},
    }


def attended(
    by: str,
    now: datetime,
    *,
    acknowledged: bool | None,
    assignee: str | None,
    assigns: bool,
    note: str | None,
) -> dict[str, dict[str, Any]]:
    """Update operators for what a human did; ``assigns``: ``assignee`` is meant, even when None."""
    changed: dict[str, Any] = {}
    lines: list[dict[str, Any]] = []
    if acknowledged is not None:
        changed["alert.open"] = not acknowledged
        changed["alert.acknowledged_at"] = now if acknowledged else None
        changed["alert.acknowledged_by"] = by if acknowledged else None
        lines.append(entry("acknowledged" if acknowledged else "reopened", by, now))
    if assigns:
        changed["alert.assignee"] = assignee
        lines.append(entry("assigned", by, now, assignee))
    if note is not None:
        lines.append(entry("note", by, now, note))
    update: dict[str, dict[str, Any]] = {"$push": {"alert.history": _kept(lines)}}
    return {**update, "$set": changed} if changed else update


def _kept(lines: list[dict[str, Any]]) -> dict[str, Any]:
    return {"$each": lines, "$slice": -HISTORY_KEPT}
