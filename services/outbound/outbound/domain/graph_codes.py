"""What each error code of the Graph API means for a text message, as data.

Source: Meta's error pages as collected in September 2026, and what public clients do. Built on
``code`` alone: HTTP statuses vary for one code, titles and subcodes are deprecated.
"""

from dataclasses import dataclass
from enum import StrEnum


class Handling(StrEnum):
    """What follows from an error."""

    TRANSIENT = "transient"
    """Try again later, this delivery alone."""
    THROTTLED = "throttled"
    """Wait, together with everything of the same scope."""
    CHANNEL_PROBLEM = "channel_problem"
    """Keep the queue and call the operator."""
    PERMANENT = "permanent"
    """Trying again would change nothing."""
    WINDOW_CLOSED = "window_closed"
    """More than 24 hours since the person wrote: free text is refused."""
    AMBIGUOUS = "ambiguous"
    """The provider may have accepted it: wait for its callback."""


class Scope(StrEnum):
    """How far a throttle reaches."""

    PAIR = "pair"
    """One number to one person."""
    NUMBER = "number"
    WABA = "waba"
    APP = "app"


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds before try ``n``: ``first_s * factor ** (n - 1)``, at most ``longest_s``."""

    first_s: float
    factor: float = 2.0
    longest_s: float = 300.0

    def delay_s(self, times: int) -> float:
        """After ``times`` failures in a row, 1 or more."""
        return float(min(self.longest_s, self.first_s * self.factor ** min(times - 1, 30)))


@dataclass(frozen=True, slots=True)
class Problem:
    """What an operator is told: a stable slug, and what it means and what to do."""

    slug: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Rule:
    """How one error is handled."""

    handling: Handling
    detail: str
    """A slug for the delivery's record."""
    backoff: Backoff = Backoff(1.0)
    tries: int | None = None
    """After so many failures in a row it counts as permanent; None: until the window closes."""
    scope: Scope | None = None
    problem: Problem | None = None


TOKEN_REJECTED = Problem(
    "token_rejected",
    "Meta rejects this channel's access token: it expired or was withdrawn. Create a new one in "
    "the app's dashboard and update the channel; waiting replies then go out by themselves.",
)
PROOF_REJECTED = Problem(
    "proof_rejected",
    "Meta rejects the proof of the app secret: the access token is of another app than the app secret "
    "of this channel, or the secret is wrong. Mend them, or set appsecret_proof to false.",
)
PERMISSION_MISSING = Problem(
    "permission_missing",
    "The access token may not send for this number. Give its system user the permission "
    "whatsapp_business_messaging and access to the WhatsApp account.",
)
NUMBER_UNKNOWN = Problem(
    "number_unknown",
    "Meta knows no such phone number id for this access token. Check both on the channel.",
)
NUMBER_NOT_READY = Problem(
    "number_not_ready",
    "The phone number is not registered for the Cloud API, or its display name is not approved. "
    "Finish its registration in WhatsApp Manager.",
)
ACCOUNT_RESTRICTED = Problem(
    "account_restricted",
    "Meta restricted or locked the WhatsApp account. See Account Quality in Business Manager.",
)
PAYMENT_MISSING = Problem(
    "payment_missing",
    "Meta cannot charge the WhatsApp account. Check its payment method in Business Manager.",
)
SPAM_LIMIT = Problem(
    "spam_limit",
    "Meta limits this number because people blocked or reported it. Sending is paused for hours; "
    "see its quality rating in WhatsApp Manager.",
)

_MEND = Backoff(300.0, 1.0)
"""Looked at again every 5 minutes: some problems are mended at Meta without our hearing of it."""
_HOURS = Backoff(2 * 3600.0, 2.0, 8 * 3600.0)
_LONG = Backoff(300.0, 2.0, 3600.0)


def _each(rule: Rule, *codes: int) -> dict[int, Rule]:
    return dict.fromkeys(codes, rule)


def _mend(problem: Problem, *codes: int, backoff: Backoff = _MEND) -> dict[int, Rule]:
    rule = Rule(Handling.CHANNEL_PROBLEM, problem.slug, backoff, problem=problem)
    return _each(rule, *codes)


def _throttle(scope: Scope, detail: str, backoff: Backoff, *codes: int) -> dict[int, Rule]:
    return _each(Rule(Handling.THROTTLED, detail, backoff, scope=scope), *codes)


def _later(detail: str, backoff: Backoff, *codes: int, tries: int | None = None) -> dict[int, Rule]:
    return _each(Rule(Handling.TRANSIENT, detail, backoff, tries=tries), *codes)


def _never(detail: str, *codes: int) -> dict[int, Rule]:
    return _each(Rule(Handling.PERMANENT, detail), *codes)


RULES: dict[int, Rule] = {
    **_later("service_unavailable", Backoff(1.0), 2, 131016, 133004),
    **_later("unknown_error", Backoff(1.0), 131000, tries=5),
    **_later("unknown_request_error", Backoff(1.0), 1, tries=3),
    **_later("media_upload", Backoff(1.0), 131053, tries=2),
    **_later("maintenance", Backoff(60.0), 131057, 2494100),
    **_throttle(Scope.PAIR, "pair_rate_limit", Backoff(1.0, 4.0, 3600.0), 131056),
    **_throttle(Scope.NUMBER, "number_rate_limit", Backoff(1.0, 2.0, 60.0), 130429),
    **_throttle(Scope.APP, "app_rate_limit", _LONG, 4),
    **_throttle(Scope.WABA, "account_rate_limit", _LONG, 80007, 80008),
    **_mend(TOKEN_REJECTED, 0, 190),
    **_mend(PERMISSION_MISSING, 3, 10, *range(200, 300), 131005),
    **_mend(NUMBER_UNKNOWN, 33),
    **_mend(NUMBER_NOT_READY, 131037, 131045, 133005, 133006, 133008, 133009, 133010, 133015),
    **_mend(NUMBER_NOT_READY, 133016, backoff=_HOURS),
    **_mend(ACCOUNT_RESTRICTED, 368, 131031),
    **_mend(PAYMENT_MISSING, 131042, 131044, 134011),
    **_mend(SPAM_LIMIT, 131048, 131064, backoff=_HOURS),
    **_each(Rule(Handling.WINDOW_CLOSED, "window_closed"), 131047),
    **_never("bad_request", 100, 131008, 131009, 131021, 131051, 131055, 135000),
    **_never("country_restricted", 130497),
    **_never("user_blocked", 130403),
    **_never("experiment", 130472),
    **_never("undeliverable", 131026),
    **_never("recipient_not_allowed", 131030),
    **_never("ecosystem_limit", 131049),
    **_never("user_opted_out", 131050),
    **_never("media_download", 131052),
    **_never("user_id_not_allowed", 131062),
    **_never("marketing_disabled", 131063, 134100, 134101, 134102),
    **_never("template", *(132000 + n for n in (0, 1, 5, 7, 12, 15, 16, 18, 68, 69))),
    **_never("identity_changed", 137000),
    **_never("group", 131020, 131041, 131059, *range(131200, 131300)),
    **_never("username", *range(147001, 147006)),
}

OBJECT_MISSING_SUBCODE = 33
"""With code 100: the object in the path does not exist, or this token may not see it."""

PROOF_REJECTED_RULE = Rule(
    Handling.CHANNEL_PROBLEM, PROOF_REJECTED.slug, _MEND, problem=PROOF_REJECTED
)
"""Code 100 says only that some parameter is bad; here its message says which."""

UNKNOWN_4XX = Rule(Handling.PERMANENT, "unlisted_code")
UNKNOWN_5XX = Rule(Handling.TRANSIENT, "unlisted_code", Backoff(1.0), tries=5)
NO_CODE_4XX = Rule(Handling.TRANSIENT, "unreadable_refusal", Backoff(1.0), tries=3)
NO_CODE_5XX = Rule(Handling.TRANSIENT, "server_error", Backoff(1.0))
NO_CODE_429 = Rule(
    Handling.THROTTLED, "too_many_requests", Backoff(1.0, 2.0, 60.0), scope=Scope.NUMBER
)
UNREACHABLE = Rule(Handling.TRANSIENT, "unreachable", Backoff(0.5, 2.0, 60.0))


def rule_for(status: int, code: int | None, subcode: int | None = None) -> Rule:
    """The rule for an HTTP status and an error body's code; ``code`` decides where it is known."""
    if code == 100 and subcode == OBJECT_MISSING_SUBCODE:
        return RULES[33]
    if code is not None and code in RULES:
        return RULES[code]
    if code is not None:
        return UNKNOWN_5XX if status >= 500 else UNKNOWN_4XX
    if status == 429:
        return NO_CODE_429
    return NO_CODE_5XX if status >= 500 else NO_CODE_4XX


def code_label(code: int | None) -> str:
    """A metric's label for a code, from a bounded set."""
    if code is None:
        return ""
    return str(code) if code in RULES else "other"
