"""What Meta's notices about an account or a number mean for a channel.

Pure, and tolerant: a notice is Meta's object as it came, any key may be missing or of another type
than expected, and new events appear without notice. Whatever cannot be judged is told in plain
words and changes nothing: a channel that is paused by mistake answers nobody, while one that Meta
stopped without our understanding it is found out by the next reply.

No sentence holds a phone number: what is wrong is told on events, which cannot be forgotten.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from channels_api.domain import health
from channels_api.domain.health import Finding, Verdict

Notice = Mapping[str, Any]

QUALITY_PAGE = "See Account Quality in Business Manager."
REVIEW = "Ask for a review under Account Quality in Business Manager."


@dataclass(frozen=True, slots=True)
class OwnTemplate:
    """The template that a channel sends when the 24-hour window is closed."""

    name: str
    language: str


def concerns(waba_id: str | None, account_id: str | None, notice: Notice) -> bool:
    """Whether a notice is about the channel's account, as far as both are known."""
    # A partner's events come under the partner's own id and name the account inside.
    inside = _part(notice, "waba_info").get("waba_id")
    account = inside if isinstance(inside, str) else account_id
    return waba_id is None or account is None or account == waba_id


def about_another_account(topic: str, notice: Notice) -> Verdict:
    """An app may serve several accounts: their notices reach every webhook of the app."""
    return Verdict(f"About another WhatsApp account of the same app: {_named(topic, notice)}.")


def judged(topic: str, notice: Notice, template: OwnTemplate | None = None) -> Verdict:
    """What a notice means; ``topic`` is the webhook's field."""
    if topic == "message_template_status_update":
        return _template_status(notice, template)
    judge = JUDGES.get(topic)
    return _unjudged(topic, notice) if judge is None else judge(notice)


def _wrong(slug: str, sentence: str, until: datetime | None = None) -> Verdict:
    return Verdict(sentence, found=Finding(slug, sentence, until=until))


def _over(sentence: str, *slugs: str) -> Verdict:
    return Verdict(sentence, ended=frozenset(slugs))


def _unjudged(topic: str, notice: Notice) -> Verdict:
    return Verdict(f"Notice from Meta: {_named(topic, notice)}.")


def _named(topic: str, notice: Notice) -> str:
    return (_word(topic) or "unknown") + _because(_word(notice.get("event")))


# --- account_update


def _account_update(notice: Notice) -> Verdict:
    match notice.get("event"):
        case "DISABLED_UPDATE":
            return _ban(_part(notice, "ban_info"), notice)
        case "ACCOUNT_RESTRICTION":
            return _restriction(notice)
        case "ACCOUNT_VIOLATION":
            return _violation(notice)
        case str(event) if event in ACCOUNT_EVENTS:
            return ACCOUNT_EVENTS[event]
        case _:
            return _unjudged("account_update", notice)


ACCOUNT_EVENTS: Mapping[str, Verdict] = {
    "ACCOUNT_DELETED": _wrong(
        health.ACCOUNT_DELETED,
        "The WhatsApp account was deleted at Meta. Nothing can be sent: connect a number of "
        "another account.",
    ),
    "ACCOUNT_OFFBOARDED": _wrong(
        health.ACCOUNT_OFFBOARDED,
        "Meta disconnected the WhatsApp account, because its phone was changed or its number "
        "registered again. Sending is paused; it goes on by itself once the account is connected "
        "again in the WhatsApp Business app.",
    ),
    "ACCOUNT_RECONNECTED": _over(
        "Meta connected the WhatsApp account again.", health.ACCOUNT_OFFBOARDED
    ),
    "PARTNER_REMOVED": _wrong(
        health.PARTNER_REMOVED,
        "The WhatsApp account is no longer shared with the partner that connected it. If sending "
        "fails, share it again in Business Manager.",
    ),
    "PARTNER_ADDED": _over(
        "The WhatsApp account was shared with a partner.", health.PARTNER_REMOVED
    ),
    "PARTNER_APP_UNINSTALLED": _wrong(
        health.APP_UNINSTALLED,
        "An app was removed from the WhatsApp account. If it is the app of this channel, webhooks "
        "stop and sending fails: connect it again in Business Manager.",
    ),
    "PARTNER_APP_INSTALLED": _over(
        "An app was connected to the WhatsApp account.", health.APP_UNINSTALLED
    ),
    "VERIFIED_ACCOUNT": Verdict("Meta verified the WhatsApp account."),
}


def _ban(ban: Notice, notice: Notice) -> Verdict:
    when = _because(_date(ban.get("waba_ban_date")))
    match ban.get("waba_ban_state"):
        case "DISABLE":
            sentence = f"Meta disabled the WhatsApp account{when}. Sending is paused. {REVIEW}"
            return _wrong(health.ACCOUNT_DISABLED, sentence)
        case "SCHEDULE_FOR_DISABLE":
            sentence = f"Meta is going to disable the WhatsApp account{when}. {REVIEW}"
            return _wrong(health.DISABLE_SCHEDULED, sentence)
        case "REINSTATE":
            return _over(
                "Meta reinstated the WhatsApp account.",
                *(health.ACCOUNT_DISABLED, health.DISABLE_SCHEDULED),
                *(health.ACCOUNT_RESTRICTED, health.ACCOUNT_VIOLATION),
            )
        case _:
            return _unjudged("account_update", notice)


ANSWERING = "RESTRICTED_CUSTOMER_INITIATED_MESSAGING"
RESTRICTIONS: Mapping[str, str] = {
    ANSWERING: "answer people",
    "RESTRICTED_BIZ_INITIATED_MESSAGING": "write to people first",
    "RESTRICTED_ADD_PHONE_NUMBER_ACTION": "add phone numbers",
    "RESTRICTED_UTILITY_TEMPLATES": "create utility templates",
    "RESTRICTED_DIRECT_SEND_UTILITY_TEMPLATES": "send utility templates directly",
    "RESTRICTED_BUSINESS_INITIATED_CALLING": "call people",
    "RESTRICTED_USER_INITIATED_CALLING": "be called",
    "RESTRICTED_BIZ_INITIATED_AND_USER_INITIATED_CALLING": "call or be called",
    "RESTRICTED_USER_INITIATED_CALLING_CALL_BUTTON_HIDDEN": "show the call button",
}


def _restriction(notice: Notice) -> Verdict:
    listed = notice.get("restriction_info")
    restrictions = [r for r in listed if isinstance(r, dict)] if isinstance(listed, list) else []
    if not restrictions:
        return _bare_restriction(notice)
    kinds = [RESTRICTIONS.get(str(r.get("restriction_type"))) for r in restrictions]
    known = [kind for kind in kinds if kind is not None]
    what = f": it cannot {', '.join(known)}" if known else ""
    answering = [r for r in restrictions if r.get("restriction_type") == ANSWERING]
    if not answering:
        sentence = f"Meta restricted the WhatsApp account{what}. Answers still go out."
        return _wrong(health.ACCOUNT_LIMITED, f"{sentence} {QUALITY_PAGE}")
    until = _latest(_time(r.get("expiration")) for r in answering)
    ends = "" if until is None else f" until {until:%Y-%m-%d %H:%M} UTC"
    sentence = f"Meta restricted the WhatsApp account{what}. Sending is paused{ends}."
    return _wrong(health.MESSAGING_RESTRICTED, f"{sentence} {QUALITY_PAGE}", until)


def _bare_restriction(notice: Notice) -> Verdict:
    """Without a list of restrictions it is a warning, the lifting of one, or everything at once."""
    violation = str(_part(notice, "violation_info").get("violation_type") or "")
    if violation.endswith(("_UNBAN", "_RECOVERY")):
        return _over("Meta lifted a restriction of the WhatsApp account.", health.ACCOUNT_LIMITED)
    if violation:
        return _violation(notice)
    sentence = f"Meta restricted the WhatsApp account. Sending is paused. {QUALITY_PAGE}"
    return _wrong(health.MESSAGING_RESTRICTED, sentence)


def _violation(notice: Notice) -> Verdict:
    why = _because(_word(_part(notice, "violation_info").get("violation_type")))
    return _wrong(
        health.ACCOUNT_VIOLATION,
        f"Meta says that the WhatsApp account violates its policies{why}. {QUALITY_PAGE}",
    )


# --- other topics


def _account_review(notice: Notice) -> Verdict:
    match notice.get("decision"):
        case "REJECTED":
            return _wrong(
                health.ACCOUNT_REJECTED, f"Meta's review rejected the WhatsApp account. {REVIEW}"
            )
        case "APPROVED":
            return _over("Meta's review approved the WhatsApp account.", health.ACCOUNT_REJECTED)
        case other:
            result = _because(_word(other))
            return Verdict(f"Meta is reviewing the WhatsApp account{result}.")


def _account_alert(notice: Notice) -> Verdict:
    alert = _part(notice, "alert_info") or notice
    kind = _because(_word(alert.get("alert_type")))
    if alert.get("alert_severity") not in ("CRITICAL", "WARNING"):
        return Verdict(f"Information from Meta about the WhatsApp account{kind}.")
    if alert.get("alert_status") == "ACTIVE":
        sentence = f"Meta raised an alert about the WhatsApp account{kind}. {QUALITY_PAGE}"
        return _wrong(health.ACCOUNT_ALERT, sentence)
    return _over(f"Meta's alert about the WhatsApp account is over{kind}.", health.ACCOUNT_ALERT)


def _quality(notice: Notice) -> Verdict:
    number, limit = _number(notice), _limit(notice)
    match notice.get("event"):
        case "FLAGGED":
            now = "" if limit is None else f" Its limit now is {limit}."
            return _wrong(
                health.QUALITY_FLAGGED,
                f"Meta rates the quality of {number} as low, because people block or report it, "
                f"and may lower its limit.{now} See its quality rating in WhatsApp Manager.",
            )
        case "UNFLAGGED":
            return _over(f"The quality of {number} is good again.", health.QUALITY_FLAGGED)
        case "DOWNGRADE":
            to = "" if limit is None else f" to {limit}"
            sentence = f"Meta lowered the messaging limit of {number}{to}. Answers still go out."
            found = Finding(health.LIMIT_LOWERED, sentence)
            # The lower limit takes the place of the flag.
            return Verdict(sentence, found, frozenset({health.QUALITY_FLAGGED}))
        case "UPGRADE":
            to = "" if limit is None else f" to {limit}"
            return _over(
                f"Meta raised the messaging limit of {number}{to}.",
                *(health.QUALITY_FLAGGED, health.LIMIT_LOWERED),
            )
        case "THROUGHPUT_UPGRADE":
            return Verdict(
                f"Meta raised the throughput of {number} to 1,000 messages a second; the "
                "channel's messages_per_second may be raised too."
            )
        case _:
            return _unjudged("phone_number_quality_update", notice)


def _name(notice: Notice) -> Verdict:
    number = _number(notice)
    match notice.get("decision"):
        case "REJECTED":
            why = _because(_word(notice.get("rejection_reason")))
            return _wrong(
                health.NAME_REJECTED,
                f"Meta rejected the display name of {number}{why}. Choose another one in WhatsApp "
                "Manager.",
            )
        case "APPROVED":
            return _over(f"Meta approved the display name of {number}.", health.NAME_REJECTED)
        case other:
            result = _because(_word(other))
            return Verdict(f"Meta is reviewing the display name of {number}{result}.")


def _capability(notice: Notice) -> Verdict:
    limit = _limit(notice)
    numbers = _count(notice, "max_phone_numbers_per_business", "max_phone_numbers_per_waba")
    limits = [
        *([] if limit is None else [limit]),
        *([] if numbers is None else [f"{numbers:,} phone numbers"]),
    ]
    if not limits:
        return _unjudged("business_capability_update", notice)
    return Verdict(f"Meta's limits of the business are now: {'; '.join(limits)}.")


def _security(notice: Notice) -> Verdict:
    number = _number(notice)
    check = "If it was nobody of yours, secure your Business Manager."
    match notice.get("event"):
        case "PIN_RESET_REQUEST":
            return Verdict(
                f"Somebody asked Meta to turn off the two-step verification of {number}. {check}"
            )
        case "PIN_RESET_SUCCESS" | "PIN_REQUEST_SUCCESS":
            return Verdict(f"The two-step verification of {number} was turned off. {check}")
        case "PIN_CHANGED":
            return Verdict(f"The PIN of {number} was changed or set. {check}")
        case _:
            return _unjudged("security", notice)


JUDGES: Mapping[str, Callable[[Notice], Verdict]] = {
    "account_update": _account_update,
    "account_review_update": _account_review,
    "account_alerts": _account_alert,
    "phone_number_quality_update": _quality,
    "phone_number_name_update": _name,
    "business_capability_update": _capability,
    "security": _security,
}

# --- templates

BECAME = {
    "APPROVED": "was approved",
    "REJECTED": "was rejected",
    "PAUSED": "is paused",
    "UNPAUSED": "is no longer paused",
    "DISABLED": "is disabled",
    "REINSTATED": "works again",
    "FLAGGED": "may soon be disabled",
    "DELETED": "was deleted",
    "PENDING_DELETION": "was deleted",
    "ARCHIVED": "was archived",
    "UNARCHIVED": "is no longer archived",
    "PENDING": "is being reviewed",
    "IN_APPEAL": "is being reviewed again",
}
USELESS = {"REJECTED", "PAUSED", "DISABLED", "DELETED", "PENDING_DELETION", "ARCHIVED"}
USABLE = {"APPROVED", "UNPAUSED", "REINSTATED", "UNARCHIVED"}


def _template_status(notice: Notice, own: OwnTemplate | None) -> Verdict:
    event = _template_event(notice)
    became = BECAME.get(event)
    if became is None:
        return _unjudged("message_template_status_update", notice)
    why = _because(
        _word(notice.get("reason")) or _date(_part(notice, "disable_info").get("disable_date"))
    )
    if own is None or not _is(own, notice):
        return Verdict(f"{_template_name(notice)} {became}{why}.")
    name = f"The template {own.name} ({own.language})"
    if event in USABLE:
        return _over(f"{name} {became}{why}.", health.WINDOW_TEMPLATE)
    if event == "FLAGGED":
        sentence = f"{name} {became}{why}: people complained about it. Prepare another one."
        return _wrong(health.WINDOW_TEMPLATE, sentence)
    if event in USELESS:
        return _wrong(
            health.WINDOW_TEMPLATE,
            f"{name} {became}{why}. People who wrote more than 24 hours ago get no answer until "
            "the channel has another window_template.",
        )
    return Verdict(f"{name} {became}{why}.")


def _template_event(notice: Notice) -> str:
    """The event; a pause and its end come as the title of a lock."""
    match _part(notice, "other_info").get("title"):
        case "UNPAUSE":
            return "UNPAUSED"
        case "FIRST_PAUSE" | "SECOND_PAUSE" | "RATE_LIMITING_PAUSE":
            return "PAUSED"
        case "DISABLED":
            return "DISABLED"
        case _:
            return str(notice.get("event"))


def _is(own: OwnTemplate, notice: Notice) -> bool:
    language = notice.get("message_template_language")
    # Webhooks write en-US where the API writes en_US.
    same_language = not isinstance(language, str) or language.replace("-", "_") == own.language
    return notice.get("message_template_name") == own.name and same_language


def _template_name(notice: Notice) -> str:
    name = _line(notice.get("message_template_name"))
    language = _because(_line(notice.get("message_template_language")))
    return f"The template {name}{language}" if name else "A template"


# --- pieces of sentences


def _part(notice: Notice, key: str) -> Notice:
    part = notice.get(key)
    return part if isinstance(part, dict) else {}


def _because(words: str) -> str:
    return f" ({words})" if words else ""


def _word(value: Any) -> str:
    """A constant of Meta's in words: ``SCAM`` becomes ``scam``; empty for anything else."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_ ]{0,79}", value):
        return ""
    return "" if value.upper() == "NONE" else value.replace("_", " ").lower()


def _line(value: Any) -> str:
    """Text of somebody else's, cut to a harmless piece."""
    return value[:80] if isinstance(value, str) and value.isprintable() else ""


def _number(notice: Notice) -> str:
    shown = notice.get("display_phone_number")
    digits = re.sub(r"\D", "", shown) if isinstance(shown, str) else ""
    return f"the number ending in {digits[-4:]}" if len(digits) >= 8 else "a number"


def _limit(notice: Notice) -> str | None:
    """How many people may be written to first, in words."""
    names = ("max_daily_conversations_per_business", "max_daily_conversation_per_phone")
    for value in (*(notice.get(name) for name in names), notice.get("current_limit")):
        if value == "TIER_UNLIMITED":
            return "any number of people a day whom you write to first"
        tier = re.fullmatch(r"(?:TIER_)?([0-9]{1,9})(K?)", str(value))
        if tier is not None:
            people = int(tier[1]) * (1000 if tier[2] else 1)
            return f"{people:,} people a day whom you write to first"
    return None


def _count(notice: Notice, *names: str) -> int | None:
    counts = (notice.get(name) for name in names)
    return next((c for c in counts if isinstance(c, int) and not isinstance(c, bool)), None)


def _date(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Z][a-z]{2,8} [0-9]{1,2}, [0-9]{4}", value):
        return value
    at = _time(value)
    return "" if at is None else f"{at:%Y-%m-%d}"


def _time(value: Any) -> datetime | None:
    """Unix seconds, as a number or its digits, or ISO 8601; None for anything else."""
    text = str(value)
    if re.fullmatch(r"[0-9]{1,11}", text):
        return datetime.fromtimestamp(int(text), UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _latest(times: Iterable[datetime | None]) -> datetime | None:
    """The last of them; None when one has no end."""
    known = list(times)
    return max((t for t in known if t is not None), default=None) if None not in known else None
