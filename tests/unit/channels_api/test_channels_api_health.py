"""How a channel's health follows what is heard of it, in whatever order that comes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from channels_api.domain.channels import (
    Changes,
    ChannelSettings,
    changed,
    mended_sentence,
    same_but_for_health,
)
from channels_api.domain.health import (
    CAUSES,
    PROBLEM_ENDED,
    SENDING,
    Cause,
    Difference,
    Finding,
    Health,
    Problem,
    Verdict,
    difference,
    problem_detected,
)
from outbound.domain.graph_codes import PROOF_REJECTED_RULE, RULES
from tests.unit.channels_api.test_channels_api_domain import CHANNEL, GRACE, NOW

T = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def found(slug: str, detail: str = "Mend it.", until: datetime | None = None) -> Verdict:
    return Verdict(detail, Finding(slug, detail, until=until))


def slugs(health: Health) -> set[str]:
    return {problem.slug for problem in health.problems}


def test_every_problem_that_outbound_reports_counts() -> None:
    rules = (*RULES.values(), PROOF_REJECTED_RULE)
    reported = {rule.problem.slug for rule in rules if rule.problem is not None}
    assert reported == {s for s, c in CAUSES.items() if c in (Cause.CREDENTIAL, Cause.REFUSAL)}
    assert reported <= SENDING


@pytest.mark.parametrize("slug", ["bad_signature", "whatever"])
def test_what_anybody_can_cause_does_not_count(slug: str) -> None:
    assert problem_detected(slug, "Look.", None) == Verdict("Look.")


def test_a_problem_begins_and_a_reply_ends_it() -> None:
    ill = Health().after(problem_detected("token_rejected", "Renew it.", 190), T)
    assert ill.worst == Problem("token_rejected", "Renew it.", since=T, seen=T, code=190)
    assert not ill.paused(T)
    well = ill.after(PROBLEM_ENDED, T + MINUTE)
    assert (well.worst, well.problems) == (None, ())


def test_seen_again_it_keeps_its_beginning() -> None:
    verdict = found("payment_missing")
    health = Health().after(verdict, T).after(verdict, T + MINUTE)
    (problem,) = health.problems
    assert (problem.since, problem.seen) == (T, T + MINUTE)
    assert difference(Health().after(verdict, T), health) == Difference((), (), recovered=False)


@pytest.mark.parametrize("verdict", [found("spam_limit"), PROBLEM_ENDED])
def test_a_repeat_changes_nothing(verdict: Verdict) -> None:
    once = Health().after(found("payment_missing"), T - MINUTE).after(verdict, T)
    assert once.after(verdict, T) == once


def test_the_order_of_arrival_does_not_matter() -> None:
    heard = [
        (found("token_rejected"), T),
        (PROBLEM_ENDED, T + MINUTE),
        (found("token_rejected", "Again."), T + 2 * MINUTE),
        (PROBLEM_ENDED, T + 3 * MINUTE),
        (found("quality_flagged"), T),
    ]
    for order in permutations(heard):
        health = Health()
        for verdict, at in order:
            health = health.after(verdict, at)
        assert slugs(health) == {"quality_flagged"}


def test_an_older_end_does_not_end_what_was_seen_since() -> None:
    verdict = found("token_rejected")
    health = Health().after(verdict, T).after(verdict, T + 2 * MINUTE)
    assert slugs(health.after(PROBLEM_ENDED, T + MINUTE)) == {"token_rejected"}


def test_a_reply_disproves_what_stops_sending_and_no_warning() -> None:
    health = Health()
    for slug in CAUSES:
        health = health.after(found(slug), T)
    left = slugs(health.after(PROBLEM_ENDED, T + MINUTE))
    assert left == {slug for slug, cause in CAUSES.items() if cause is Cause.WARNING}


def test_the_worst_is_shown_and_the_older_of_two_alike() -> None:
    health = Health()
    for minute, (slug, shown) in enumerate(
        [
            ("quality_flagged", "quality_flagged"),
            ("payment_missing", "payment_missing"),
            ("spam_limit", "payment_missing"),
            ("token_rejected", "token_rejected"),
            ("account_disabled", "account_disabled"),
        ]
    ):
        health = health.after(found(slug), T + minute * MINUTE)
        assert health.worst.slug == shown


def test_a_pause_with_an_end_is_over_then_and_still_shown() -> None:
    health = Health().after(found("messaging_restricted", until=T + MINUTE), T)
    assert health.paused(T + MINUTE / 2)
    assert not health.paused(T + MINUTE)
    assert health.worst.slug == "messaging_restricted"


def test_a_pause_that_was_over_before_it_was_heard_of_is_none() -> None:
    assert Health().after(found("messaging_restricted", until=T), T) == Health()


def test_a_slug_of_a_newer_version_is_a_warning() -> None:
    health = Health(problems=(Problem("unheard_of", "Look.", since=T, seen=T),))
    assert health.worst.cause is Cause.WARNING
    assert not health.paused(T)


def test_news_is_what_began_and_what_ended() -> None:
    before = Health().after(found("quality_flagged"), T)
    swapped = before.after(
        Verdict("", Finding("limit_lowered", "Lower."), frozenset({"quality_flagged"})), T + MINUTE
    )
    news = difference(before, swapped)
    assert [p.slug for p in news.begun] == ["limit_lowered"]
    assert [p.slug for p in news.ended] == ["quality_flagged"]
    assert not news.recovered
    assert difference(swapped, Health()).recovered
    assert not difference(Health(), Health()).recovered


def test_a_problem_that_means_something_else_now_is_news() -> None:
    before = Health().after(found("window_template", "Paused."), T)
    after = before.after(found("window_template", "Disabled."), T + MINUTE)
    assert [p.detail for p in difference(before, after).begun] == ["Disabled."]


EVERY = {
    *("token_rejected", "permission_missing", "number_unknown"),
    *("payment_missing", "quality_flagged", "window_template", "account_disabled"),
}


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        (Changes(label="x"), EVERY),
        (Changes(state="disabled"), EVERY),
        (Changes(app_secret="x"), EVERY),
        (
            Changes(access_token="sealed"),
            {"payment_missing", "quality_flagged", "window_template", "account_disabled"},
        ),
        (Changes(settings={"window_template": "other"}), EVERY - {"window_template"}),
        (Changes(settings={"window_template": None}), EVERY),
        (Changes(state="active"), {"account_disabled"}),
        (Changes(try_again=True), set()),
    ],
    ids=str,
)
def test_what_an_operator_changes_mends_its_problems(changes: Changes, left: set[str]) -> None:
    health = Health()
    for slug in EVERY:
        health = health.after(found(slug), NOW - MINUTE)
    after = changed(replace(CHANNEL, health=health), changes, NOW, GRACE)
    assert slugs(after.health) == left
    # What was reported before the change does not come back after it.
    for slug in EVERY - left:
        assert after.health.after(found(slug), NOW - MINUTE / 2) == after.health


def test_setting_the_same_template_again_mends_nothing() -> None:
    channel = replace(
        CHANNEL,
        settings=ChannelSettings(window_template="back"),
        health=Health().after(found("window_template"), T),
    )
    after = changed(channel, Changes(settings={"window_template": "back"}), T + MINUTE, GRACE)
    assert slugs(after.health) == {"window_template"}


def test_what_a_person_changed_is_told_from_what_changed_by_itself() -> None:
    ill = replace(CHANNEL, health=Health().after(found("spam_limit"), T), version=2)
    assert same_but_for_health(CHANNEL, ill)
    assert not same_but_for_health(CHANNEL, replace(ill, label="Night"))
    assert not same_but_for_health(CHANNEL, changed(CHANNEL, Changes(), NOW, GRACE))


@pytest.mark.parametrize(
    ("slug", "changes", "sentence"),
    [
        (
            "token_rejected",
            Changes(access_token="x", state="active"),
            "Taken as mended, because the channel has a new access token: token rejected.",
        ),
        (
            "payment_missing",
            Changes(state="active", access_token="x"),
            "Taken as mended, because the channel was set to active: payment missing.",
        ),
        (
            "window_template",
            Changes(settings={"window_template": "x"}),
            "Taken as mended, because the channel has another template: window template.",
        ),
        (
            "account_disabled",
            Changes(try_again=True),
            "Taken as mended, because the channel was set to ok: account disabled.",
        ),
    ],
)
def test_the_activity_says_why(slug: str, changes: Changes, sentence: str) -> None:
    assert mended_sentence(Problem(slug, "", since=T, seen=T), changes) == sentence
