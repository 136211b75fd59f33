"""What the channel doctor found, and how a setup went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    code: str = ""
    """Stable; the table of findings in the documentation lists them all."""
    state: str = "unknown"
    """ok, warning, failed, or unknown when it could not be looked at."""
    sentence: str = ""
    what_to_do: str = ""
    """What to click; empty when nothing is to be done."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_ok(self) -> bool:
        """Whether nothing is to be done."""
        return self.state == "ok"


@dataclass(frozen=True)
class CheckReport:
    """What ``channels.check`` found."""

    channel_id: str = ""
    state: str = "unknown"
    """failed, warning or ok: the worst of the findings; what is unknown counts as a warning."""
    checked_at: datetime | None = None
    findings: tuple[Finding, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that are not ok."""
        return tuple(finding for finding in self.findings if not finding.is_ok)


@dataclass(frozen=True)
class SetupReport:
    """What was set at Meta, and whether Meta's handshake arrived."""

    channel_id: str = ""
    state: str = "unknown"
    """failed, warning or ok: the worst of the steps."""
    steps: tuple[Finding, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The steps that did not succeed."""
        return tuple(step for step in self.steps if not step.is_ok)
