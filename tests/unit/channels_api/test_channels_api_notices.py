"""Meta's notices: exactly which health and which sentence follow from each."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_api.domain.health import CAUSES, Cause, Health, Verdict
from channels_api.domain.notices import (
    BECAME,
    JUDGES,
    OwnTemplate,
    about_another_account,
    concerns,
    judged,
)

NOW = datetime(2026, 5, 1, tzinfo=UTC)
OWN = OwnTemplate("we_are_back", "en_US")
LOOK = "See Account Quality in Business Manager."
REVIEW = "Ask for a review under Account Quality in Business Manager."
CHECK = "If it was nobody of yours, secure your Business Manager."
NUMBER = {"display_phone_number": "16505551111"}
EARLIER = Health().after(Verdict("", ended=frozenset(CAUSES)), datetime(2026, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Case:
    """A notice, and what must follow."""

    topic: str
    value: dict[str, Any]
    sentence: str
    problem: str | None = None
    ends: tuple[str, ...] = ()


def account(sentence: str, problem: str | None = None, *ends: str, **value: Any) -> Case:
    return Case("account_update", value, sentence, problem, ends)


def restricted(*kinds: str, expiration: Any = "<TIMESTAMP>", **more: Any) -> dict[str, Any]:
    return {
        "event": "ACCOUNT_RESTRICTION",
        "restriction_info": [{"restriction_type": k, "expiration": expiration} for k in kinds],
        **more,
    }


ADD, FIRST, ANSWER = (
    "RESTRICTED_ADD_PHONE_NUMBER_ACTION",
    "RESTRICTED_BIZ_INITIATED_MESSAGING",
    "RESTRICTED_CUSTOMER_INITIATED_MESSAGING",
)

ACCOUNT = [
    account(
        "The WhatsApp account was deleted at Meta. Nothing can be sent: connect a number of "
        "another account.",
        "account_deleted",
        event="ACCOUNT_DELETED",
    ),
    account(
        f"Meta is going to disable the WhatsApp account (January 31, 2021). {REVIEW}",
        "disable_scheduled",
        event="DISABLED_UPDATE",
        ban_info={"waba_ban_state": "SCHEDULE_FOR_DISABLE", "waba_ban_date": "January 31, 2021"},
    ),
    account(
        f"Meta disabled the WhatsApp account (April 17, 2025). Sending is paused. {REVIEW}",
        "account_disabled",
        event="DISABLED_UPDATE",
        ban_info={"waba_ban_state": "DISABLE", "waba_ban_date": "April 17, 2025"},
    ),
    account(
        "Meta reinstated the WhatsApp account.",
        None,
        *("account_disabled", "disable_scheduled", "account_restricted", "account_violation"),
        event="DISABLED_UPDATE",
        ban_info={"waba_ban_state": "REINSTATE", "waba_ban_date": "April 17, 2025"},
    ),
    account("Notice from Meta: account update (disabled update).", event="DISABLED_UPDATE"),
    account(
        "Meta restricted the WhatsApp account: it cannot add phone numbers, write to people "
        f"first, answer people. Sending is paused. {LOOK}",
        "messaging_restricted",
        **restricted(ADD, FIRST, ANSWER, phone_number="<PHONE_NUMBER>"),
    ),
    account(
        "Meta restricted the WhatsApp account: it cannot answer people. Sending is paused until "
        f"2026-06-01 00:00 UTC. {LOOK}",
        "messaging_restricted",
        **restricted(ANSWER, expiration=1780272000),
    ),
    account(
        "Meta restricted the WhatsApp account: it cannot write to people first, add phone "
        f"numbers. Answers still go out. {LOOK}",
        "account_limited",
        **restricted(FIRST, ADD, expiration=1641330498),
    ),
    account(
        f"Meta restricted the WhatsApp account. Answers still go out. {LOOK}",
        "account_limited",
        **restricted("RESTRICTED_SOMETHING_NEW"),
    ),
    account(
        f"Meta restricted the WhatsApp account. Sending is paused. {LOOK}",
        "messaging_restricted",
        event="ACCOUNT_RESTRICTION",
    ),
    account(
        "Meta says that the WhatsApp account violates its policies (direct send utility category "
        f"abuse warn). {LOOK}",
        "account_violation",
        event="ACCOUNT_RESTRICTION",
        violation_info={"violation_type": "DIRECT_SEND_UTILITY_CATEGORY_ABUSE_WARN"},
    ),
    account(
        "Meta lifted a restriction of the WhatsApp account.",
        None,
        "account_limited",
        event="ACCOUNT_RESTRICTION",
        violation_info={"violation_type": "DIRECT_SEND_UTILITY_CATEGORY_ABUSE_UNBAN"},
    ),
    account(
        f"Meta says that the WhatsApp account violates its policies (adult). {LOOK}",
        "account_violation",
        event="ACCOUNT_VIOLATION",
        violation_info={"violation_type": "ADULT"},
    ),
    account(
        "Meta disconnected the WhatsApp account, because its phone was changed or its number "
        "registered again. Sending is paused; it goes on by itself once the account is connected "
        "again in the WhatsApp Business app.",
        "account_offboarded",
        event="ACCOUNT_OFFBOARDED",
    ),
    account(
        "Meta connected the WhatsApp account again.",
        None,
        "account_offboarded",
        event="ACCOUNT_RECONNECTED",
    ),
    account(
        "The WhatsApp account is no longer shared with the partner that connected it. If sending "
        "fails, share it again in Business Manager.",
        "partner_removed",
        event="PARTNER_REMOVED",
        waba_info={"waba_id": "980198427658004", "owner_business_id": "2329417887457253"},
    ),
    account(
        "The WhatsApp account was shared with a partner.",
        None,
        "partner_removed",
        event="PARTNER_ADDED",
    ),
    account(
        "An app was removed from the WhatsApp account. If it is the app of this channel, webhooks "
        "stop and sending fails: connect it again in Business Manager.",
        "app_uninstalled",
        event="PARTNER_APP_UNINSTALLED",
    ),
    account(
        "An app was connected to the WhatsApp account.",
        None,
        "app_uninstalled",
        event="PARTNER_APP_INSTALLED",
    ),
    account(
        "Meta verified the WhatsApp account.",
        phone_number="1111111111111",
        event="VERIFIED_ACCOUNT",
    ),
    account(
        "Notice from Meta: account update (mm lite terms signed).", event="MM_LITE_TERMS_SIGNED"
    ),
    account("Notice from Meta: account update."),
    account("Notice from Meta: account update.", event=7),
]

REVIEWS = [
    Case(
        "account_review_update",
        {"decision": "APPROVED"},
        "Meta's review approved the WhatsApp account.",
        ends=("account_rejected",),
    ),
    Case(
        "account_review_update",
        {"decision": "REJECTED"},
        f"Meta's review rejected the WhatsApp account. {REVIEW}",
        "account_rejected",
    ),
    Case(
        "account_review_update",
        {"decision": "DEFERRED"},
        "Meta is reviewing the WhatsApp account (deferred).",
    ),
]


def alert(severity: str, status: str, kind: str) -> dict[str, Any]:
    info = {
        "alert_severity": severity,
        "alert_status": status,
        "alert_type": kind,
        "alert_description": "Limits cannot be increased for your business Care Ltd, +1 650 1234.",
    }
    return {"entity_type": "BUSINESS", "entity_id": "506914307656634", "alert_info": info}


ALERTS = [
    Case(
        "account_alerts",
        alert("INFORMATIONAL", "NONE", "OBA_APPROVED"),
        "Information from Meta about the WhatsApp account (oba approved).",
    ),
    Case(
        "account_alerts",
        alert("CRITICAL", "ACTIVE", "OBA_REJECTED"),
        f"Meta raised an alert about the WhatsApp account (oba rejected). {LOOK}",
        "account_alert",
    ),
    Case(
        "account_alerts",
        alert("WARNING", "RESOLVED", "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED"),
        "Meta's alert about the WhatsApp account is over (increased capabilities eligibility "
        "deferred).",
        ends=("account_alert",),
    ),
]

QUALITY = [
    Case(
        "phone_number_quality_update",
        {**NUMBER, "event": "FLAGGED", "current_limit": "TIER_10K"},
        "Meta rates the quality of the number ending in 1111 as low, because people block or "
        "report it, and may lower its limit. Its limit now is 10,000 people a day whom you write "
        "to first. See its quality rating in WhatsApp Manager.",
        "quality_flagged",
    ),
    Case(
        "phone_number_quality_update",
        {"event": "FLAGGED"},
        "Meta rates the quality of a number as low, because people block or report it, and may "
        "lower its limit. See its quality rating in WhatsApp Manager.",
        "quality_flagged",
    ),
    Case(
        "phone_number_quality_update",
        {**NUMBER, "event": "UNFLAGGED", "current_limit": "TIER_10K"},
        "The quality of the number ending in 1111 is good again.",
        ends=("quality_flagged",),
    ),
    Case(
        "phone_number_quality_update",
        {**NUMBER, "event": "DOWNGRADE", "current_limit": "TIER_250"},
        "Meta lowered the messaging limit of the number ending in 1111 to 250 people a day whom "
        "you write to first. Answers still go out.",
        "limit_lowered",
        ("quality_flagged",),
    ),
    Case(
        "phone_number_quality_update",
        {**NUMBER, "event": "UPGRADE", "max_daily_conversations_per_business": "TIER_UNLIMITED"},
        "Meta raised the messaging limit of the number ending in 1111 to any number of people a "
        "day whom you write to first.",
        ends=("quality_flagged", "limit_lowered"),
    ),
    Case(
        "phone_number_quality_update",
        {**NUMBER, "event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED"},
        "Meta raised the throughput of the number ending in 1111 to 1,000 messages a second; the "
        "channel's messages_per_second may be raised too.",
    ),
    Case(
        "phone_number_quality_update",
        {**NUMBER, "event": "ONBOARDING", "current_limit": "TIER_NOT_SET"},
        "Notice from Meta: phone number quality update (onboarding).",
    ),
]

NAMES = [
    Case(
        "phone_number_name_update",
        {
            **NUMBER,
            "decision": "APPROVED",
            "requested_verified_name": "WhatsApp",
            "rejection_reason": None,
        },
        "Meta approved the display name of the number ending in 1111.",
        ends=("name_rejected",),
    ),
    Case(
        "phone_number_name_update",
        {**NUMBER, "decision": "REJECTED", "rejection_reason": "NAME_NOT_CONSISTENT"},
        "Meta rejected the display name of the number ending in 1111 (name not consistent). "
        "Choose another one in WhatsApp Manager.",
        "name_rejected",
    ),
    Case(
        "phone_number_name_update",
        {**NUMBER, "decision": "PENDING"},
        "Meta is reviewing the display name of the number ending in 1111 (pending).",
    ),
]


def template(event: str, name: str = OWN.name, language: str = "en-US", **more: Any) -> Any:
    return {
        "event": event,
        "message_template_id": 905507062668800,
        "message_template_name": name,
        "message_template_language": language,
        "reason": "NONE",
        **more,
    }


UNTIL_MENDED = (
    "People who wrote more than 24 hours ago get no answer until the channel has another "
    "window_template."
)
TEMPLATES = [
    Case(
        "message_template_status_update",
        template("REJECTED", "schedule_confirmation4", "pt_BR", reason="SCAM"),
        "The template schedule_confirmation4 (pt_BR) was rejected (scam).",
    ),
    Case(
        "message_template_status_update",
        template(
            "FLAGGED",
            "My message template",
            reason=None,
            disable_info={"disable_date": "January 31, 2021"},
        ),
        "The template My message template (en-US) may soon be disabled (January 31, 2021).",
    ),
    Case(
        "message_template_status_update",
        template("REJECTED", reason="INVALID_FORMAT"),
        f"The template we_are_back (en_US) was rejected (invalid format). {UNTIL_MENDED}",
        "window_template",
    ),
    Case(
        "message_template_status_update",
        template("DISABLED", disable_info={"disable_date": 1780272000}),
        f"The template we_are_back (en_US) is disabled (2026-06-01). {UNTIL_MENDED}",
        "window_template",
    ),
    Case(
        "message_template_status_update",
        template("LOCKED", other_info={"title": "FIRST_PAUSE", "description": "Paused."}),
        f"The template we_are_back (en_US) is paused. {UNTIL_MENDED}",
        "window_template",
    ),
    Case(
        "message_template_status_update",
        template("PAUSED"),
        f"The template we_are_back (en_US) is paused. {UNTIL_MENDED}",
        "window_template",
    ),
    Case(
        "message_template_status_update",
        template("FLAGGED"),
        "The template we_are_back (en_US) may soon be disabled: people complained about it. "
        "Prepare another one.",
        "window_template",
    ),
    Case(
        "message_template_status_update",
        template("APPROVED"),
        "The template we_are_back (en_US) was approved.",
        ends=("window_template",),
    ),
    Case(
        "message_template_status_update",
        template("UNLOCKED", other_info={"title": "UNPAUSE"}),
        "The template we_are_back (en_US) is no longer paused.",
        ends=("window_template",),
    ),
    Case(
        "message_template_status_update",
        template("PENDING"),
        "The template we_are_back (en_US) is being reviewed.",
    ),
    Case(
        "message_template_status_update",
        template("REJECTED", language="pt_BR"),
        "The template we_are_back (pt_BR) was rejected.",
    ),
    Case(
        "message_template_status_update",
        template("LIMIT_EXCEEDED"),
        "Notice from Meta: message template status update (limit exceeded).",
    ),
    Case("message_template_status_update", {"event": "REJECTED"}, "A template was rejected."),
]

OTHERS = [
    Case(
        "business_capability_update",
        {"max_daily_conversation_per_phone": 2000, "max_phone_numbers_per_business": 25},
        "Meta's limits of the business are now: 2,000 people a day whom you write to first; 25 "
        "phone numbers.",
    ),
    Case("business_capability_update", {}, "Notice from Meta: business capability update."),
    Case(
        "security",
        {**NUMBER, "event": "PIN_RESET_REQUEST", "requester": "61555822107539"},
        "Somebody asked Meta to turn off the two-step verification of the number ending in 1111. "
        f"{CHECK}",
    ),
    Case(
        "security",
        {**NUMBER, "event": "PIN_REQUEST_SUCCESS"},
        f"The two-step verification of the number ending in 1111 was turned off. {CHECK}",
    ),
    Case(
        "security",
        {**NUMBER, "event": "PIN_CHANGED"},
        f"The PIN of the number ending in 1111 was changed or set. {CHECK}",
    ),
    Case("security", {"event": "NEW"}, "Notice from Meta: security (new)."),
    Case(
        "template_category_update",
        {"message_template_id": 1, "new_category": "MARKETING"},
        "Notice from Meta: template category update.",
    ),
    Case("not a field\n", {}, "Notice from Meta: unknown."),
]

CASES = [*ACCOUNT, *REVIEWS, *ALERTS, *QUALITY, *NAMES, *TEMPLATES, *OTHERS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.topic}-{case.sentence[:60]}")
def test_a_notice_has_this_sentence_and_this_effect(case: Case) -> None:
    verdict = judged(case.topic, case.value, OWN)
    assert verdict.message == case.sentence
    assert (None if verdict.found is None else verdict.found.slug) == case.problem
    assert verdict.ended == frozenset(case.ends)
    health = EARLIER.after(verdict, NOW)
    assert (health.worst is None) == (case.problem is None)
    if case.problem is not None:
        assert (health.worst.detail, health.worst.since) == (case.sentence, NOW)
        assert health.paused(NOW) == (CAUSES[case.problem] is Cause.PAUSE)


def test_every_problem_that_begins_with_a_notice_is_in_the_table() -> None:
    begun = {case.problem for case in CASES} - {None}
    notices = {s for s, c in CAUSES.items() if c in (Cause.PAUSE, Cause.WARNING)}
    assert begun == notices


def test_a_restriction_lasts_as_long_as_its_longest() -> None:
    listed = restricted(ANSWER, ANSWER)
    listed["restriction_info"][0]["expiration"] = 1780272000
    assert judged("account_update", listed).found.until is None
    listed["restriction_info"][1]["expiration"] = "2026-07-01T00:00:00+00:00"
    assert judged("account_update", listed).found.until == datetime(2026, 7, 1, tzinfo=UTC)


def test_without_a_template_of_its_own_no_template_concerns_a_channel() -> None:
    verdict = judged("message_template_status_update", template("REJECTED"))
    assert verdict == Verdict("The template we_are_back (en-US) was rejected.")


@pytest.mark.parametrize(
    ("waba_id", "account_id", "inside", "about_us"),
    [
        (None, "1", None, True),
        ("1", None, None, True),
        ("1", "1", None, True),
        ("1", "2", None, False),
        # Of a partner's events the outer id is the partner's.
        ("1", "2", "1", True),
        ("1", "1", "2", False),
    ],
)
def test_whose_notice_it_is(
    waba_id: str | None, account_id: str | None, inside: str | None, about_us: bool
) -> None:
    notice = {"event": "PARTNER_REMOVED", "waba_info": {"waba_id": inside}}
    assert concerns(waba_id, account_id, notice) is about_us


def test_another_accounts_notice_is_a_line_and_nothing_else() -> None:
    assert about_another_account("account_update", {"event": "ACCOUNT_DELETED"}) == Verdict(
        "About another WhatsApp account of the same app: account update (account deleted)."
    )


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["1e9"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    *("event", "decision", "ban_info", "restriction_info", "violation_info", "alert_info"),
    *("display_phone_number", "current_limit", "reason", "disable_info", "other_info"),
    *("message_template_name", "message_template_language", "max_phone_numbers_per_waba"),
]
EVENTS = [
    *("DISABLED_UPDATE", "ACCOUNT_RESTRICTION", "ACCOUNT_VIOLATION", "FLAGGED", "DOWNGRADE"),
    *("REJECTED", "PIN_CHANGED", *BECAME),
]


@given(
    st.sampled_from([*JUDGES, "message_template_status_update", "other"]),
    st.dictionaries(st.sampled_from(KEYS), ANYTHING | st.sampled_from(EVENTS)),
)
def test_whatever_meta_sends_becomes_one_sentence(topic: str, notice: dict[str, Any]) -> None:
    verdict = judged(topic, notice, OWN)
    assert verdict.message.endswith(".")
    assert verdict.message.isprintable()
    assert len(verdict.message) < 600
    if verdict.found is not None:
        assert verdict.found.detail == verdict.message


def test_no_sentence_holds_a_phone_number_or_free_text() -> None:
    said = " ".join(judged(case.topic, case.value, OWN).message for case in CASES)
    for private in ("16505551111", "1111111111111", "Care Ltd", "650 1234", "61555822107539"):
        assert private not in said
