"""Whether a channel can do its work: what is wrong with it, since when, and what ends that.

Events arrive late, twice and out of order, so each is weighed by the time it tells of: what is
older than the last word about a problem changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum


class Cause(IntEnum):
    """Who must mend a problem; the worst first."""

    PAUSE = 0
    """Meta stopped the account: nothing is sent until it says otherwise."""
    CREDENTIAL = 1
    """What the operator gave us does not open the number."""
    REFUSAL = 2
    """Meta refuses what we send, for a reason that is mended there."""
    WARNING = 3
    """Sending works; somebody should look before it does not."""


ACCOUNT_DELETED = "account_deleted"
ACCOUNT_DISABLED = "account_disabled"
ACCOUNT_OFFBOARDED = "account_offboarded"
MESSAGING_RESTRICTED = "messaging_restricted"
ACCOUNT_RESTRICTED = "account_restricted"
ACCOUNT_LIMITED = "account_limited"
ACCOUNT_VIOLATION = "account_violation"
ACCOUNT_ALERT = "account_alert"
ACCOUNT_REJECTED = "account_rejected"
DISABLE_SCHEDULED = "disable_scheduled"
PARTNER_REMOVED = "partner_removed"
APP_UNINSTALLED = "app_uninstalled"
QUALITY_FLAGGED = "quality_flagged"
LIMIT_LOWERED = "limit_lowered"
NAME_REJECTED = "name_rejected"
WINDOW_TEMPLATE = "window_template"

CAUSES: Mapping[str, Cause] = {
    **dict.fromkeys(
        (ACCOUNT_DELETED, ACCOUNT_DISABLED, ACCOUNT_OFFBOARDED, MESSAGING_RESTRICTED), Cause.PAUSE
    ),
    **dict.fromkeys(
        ("token_rejected", "permission_missing", "number_unknown", "proof_rejected"),
        Cause.CREDENTIAL,
    ),
    **dict.fromkeys(
        ("number_not_ready", ACCOUNT_RESTRICTED, "payment_missing", "spam_limit"), Cause.REFUSAL
    ),
    **dict.fromkeys(
        (
            *(ACCOUNT_LIMITED, ACCOUNT_VIOLATION, ACCOUNT_ALERT, ACCOUNT_REJECTED),
            *(DISABLE_SCHEDULED, PARTNER_REMOVED, APP_UNINSTALLED),
            *(QUALITY_FLAGGED, LIMIT_LOWERED, NAME_REJECTED, WINDOW_TEMPLATE),
        ),
        Cause.WARNING,
    ),
}
"""Every problem that counts. What is not here, such as ``bad_signature``, is an activity line only:
anybody can send an unsigned webhook, and nobody may put a channel out of order that way."""


def slugs_of(*causes: Cause) -> frozenset[str]:
    """The problems of these causes."""
    return frozenset(slug for slug, cause in CAUSES.items() if cause in causes)


SENDING = slugs_of(Cause.PAUSE, Cause.CREDENTIAL, Cause.REFUSAL)
"""What a reply that went out disproves."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong now."""

    slug: str
    detail: str
    """What it means and what to do."""
    since: datetime
    seen: datetime
    """The newest word about it."""
    code: int | None = None
    until: datetime | None = None
    """When a pause ends by itself; None: nobody knows."""

    @property
    def cause(self) -> Cause:
        """A slug that a newer version wrote counts as a warning."""
        return CAUSES.get(self.slug, Cause.WARNING)


@dataclass(frozen=True, slots=True)
class Finding:
    """What an event says is wrong."""

    slug: str
    detail: str
    code: int | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an event means: a sentence for the operator, and what begins or ends with it."""

    message: str
    found: Finding | None = None
    ended: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Health:
    """Everything that is wrong, and when each problem last ended."""

    problems: tuple[Problem, ...] = ()
    ended: Mapping[str, datetime] = field(default_factory=dict)
    """By slug; kept, so that an old problem that arrives late does not come back."""

    @property
    def worst(self) -> Problem | None:
        """What is shown: the problem that stops most, the oldest of its kind."""
        return min(self.problems, key=lambda problem: (problem.cause, problem.since), default=None)

    def paused(self, now: datetime) -> bool:
        """Whether Meta said that nothing may be sent."""
        return any(
            problem.cause is Cause.PAUSE and (problem.until is None or now < problem.until)
            for problem in self.problems
        )

    @property
    def troubled(self) -> bool:
        """Whether anything is wrong that a reply which went out would disprove."""
        return any(problem.slug in SENDING for problem in self.problems)

    def after(self, verdict: Verdict, at: datetime) -> "Health":
        """Health when ``verdict`` was true at ``at``; equal to this when it says nothing new."""
        mended = self.mended(verdict.ended, at)
        return mended if verdict.found is None else mended.worsened(verdict.found, at)

    def worsened(self, finding: Finding, at: datetime) -> "Health":
        """Health with ``finding``, unless something newer is known of it."""
        known = next((p for p in self.problems if p.slug == finding.slug), None)
        ended = self.ended.get(finding.slug)
        stale = (ended is not None and at <= ended) or (known is not None and at <= known.seen)
        if stale or (finding.until is not None and finding.until <= at):
            return self
        problem = Problem(
            slug=finding.slug,
            detail=finding.detail,
            since=at if known is None else known.since,
            seen=at,
            code=finding.code,
            until=finding.until,
        )
        others = tuple(p for p in self.problems if p.slug != finding.slug)
        return replace(self, problems=(*others, problem))

    def mended(self, slugs: frozenset[str], at: datetime) -> "Health":
        """Health without those of ``slugs`` that nobody saw after ``at``."""
        newer = {s: at for s in sorted(slugs) if s not in self.ended or self.ended[s] < at}
        if not newer:
            return self
        left = tuple(p for p in self.problems if p.slug not in newer or p.seen > at)
        return Health(problems=left, ended={**self.ended, **newer})


@dataclass(frozen=True, slots=True)
class Difference:
    """What somebody who watches a channel should hear."""

    begun: tuple[Problem, ...]
    """New problems, and those that mean something else than before."""
    ended: tuple[Problem, ...]
    recovered: bool
    """Something ended, and nothing is wrong any more."""


def difference(before: Health, after: Health) -> Difference:
    """From one health to the next. That a known problem was seen again is no news."""
    said = {(p.slug, p.detail) for p in before.problems}
    left = {p.slug for p in after.problems}
    ended = tuple(p for p in before.problems if p.slug not in left)
    return Difference(
        begun=tuple(p for p in after.problems if (p.slug, p.detail) not in said),
        ended=ended,
        recovered=bool(ended) and not after.problems,
    )


def problem_detected(slug: str, detail: str, code: int | None) -> Verdict:
    """What outbound or ingress found wrong."""
    return Verdict(detail, found=Finding(slug, detail, code) if slug in CAUSES else None)


PROBLEM_ENDED = Verdict("A reply went out: sending works.", ended=SENDING)
