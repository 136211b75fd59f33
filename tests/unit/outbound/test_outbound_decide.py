import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbound.domain.decide import Refused, Unanswered, Unreachable, Verdict, decide
from outbound.domain.deliveries import Trouble
from outbound.domain.graph_codes import RULES, Handling, Scope, code_label

A = {Handling.TRANSIENT, Handling.THROTTLED}
TRANSIENT = [1, 2, 131000, 131016, 131053, 131057, 133004, 2494100]
THROTTLED = {
    4: Scope.APP,
    80007: Scope.WABA,
    80008: Scope.WABA,
    130429: Scope.NUMBER,
    131056: Scope.PAIR,
}
CHANNEL = {
    "token_rejected": [0, 190],
    "permission_missing": [3, 10, 200, 230, 299, 131005],
    "number_unknown": [33],
    "number_not_ready": [131037, 131045, 133010, 133006, 133005, 133008, 133009, 133015, 133016],
    "account_restricted": [368, 131031],
    "payment_missing": [131042, 131044, 134011],
    "spam_limit": [131048, 131064],
}
PERMANENT = [
    100,
    130497,
    130403,
    130472,
    131008,
    131009,
    131051,
    131021,
    131055,
    131026,
    131030,
    131049,
    131050,
    131052,
    131062,
    131063,
    132000,
    132001,
    132005,
    132007,
    132012,
    132015,
    132016,
    132018,
    132068,
    132069,
    134100,
    134101,
    134102,
    135000,
    137000,
    131020,
    131041,
    131059,
    131210,
    147001,
    147005,
]


def refused(code: int | None, status: int = 400, **more: object) -> Verdict:
    return decide(Refused(status, code, **more), None, 0.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", TRANSIENT)
def test_trouble_of_the_moment_is_tried_again(code: int):
    assert refused(code).handling is Handling.TRANSIENT


@pytest.mark.parametrize(("code", "scope"), THROTTLED.items())
def test_throttles_reach_as_far_as_their_scope(code: int, scope: Scope):
    verdict = refused(code)
    assert (verdict.handling, verdict.scope) == (Handling.THROTTLED, scope)


@pytest.mark.parametrize(
    ("slug", "code"), [(slug, code) for slug, codes in CHANNEL.items() for code in codes]
)
def test_problems_of_a_channel_name_what_to_do(slug: str, code: int):
    verdict = refused(code)
    assert verdict.handling is Handling.CHANNEL_PROBLEM
    assert verdict.problem is not None
    assert verdict.problem.slug == slug
    assert verdict.problem.sentence.endswith(".")
    assert verdict.after_s >= 60


@pytest.mark.parametrize("code", PERMANENT)
def test_what_will_never_pass_is_not_tried_again(code: int):
    assert refused(code).handling is Handling.PERMANENT


def test_every_code_of_the_table_is_tested_here():
    listed = {*TRANSIENT, *THROTTLED, *PERMANENT, 131047}
    listed |= {code for codes in CHANNEL.values() for code in codes}
    ranges = {*range(200, 300), *range(131200, 131300), *range(147001, 147006)}
    assert RULES.keys() - ranges <= listed


def test_a_closed_window_is_a_class_of_its_own():
    assert refused(131047).handling is Handling.WINDOW_CLOSED


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 429, 500, 503])
def test_the_code_decides_whatever_the_http_status_says(status: int):
    assert refused(131056, status).scope is Scope.PAIR
    assert refused(190, status).handling is Handling.CHANNEL_PROBLEM
    assert refused(131026, status).handling is Handling.PERMANENT


@pytest.mark.parametrize(
    ("fault", "handling"),
    [
        (Refused(400, 999_999), Handling.PERMANENT),
        (Refused(500, 999_999), Handling.TRANSIENT),
        (Refused(500), Handling.TRANSIENT),
        (Refused(502), Handling.TRANSIENT),
        (Refused(429), Handling.THROTTLED),
        (Refused(404), Handling.TRANSIENT),
        (Refused(302), Handling.TRANSIENT),
        (Refused(400, 100, subcode=33), Handling.CHANNEL_PROBLEM),
        (Unreachable("client_connector_error"), Handling.TRANSIENT),
        (Unanswered("timeout_error"), Handling.AMBIGUOUS),
    ],
)
def test_answers_without_a_listed_code(fault: Refused | Unreachable, handling: Handling):
    assert decide(fault, None, 0.0).handling is handling


@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        (Refused(500, 131000), 5),
        (Refused(400, 1), 3),
        (Refused(400, 131053), 2),
        (Refused(503, 999_999), 5),
        (Refused(404), 3),
    ],
)
def test_some_codes_deserve_a_few_tries_only(fault: Refused, tries: int):
    previous: Trouble | None = None
    handlings = []
    for _ in range(tries):
        verdict = decide(fault, previous, 0.0)
        handlings.append(verdict.handling)
        previous = verdict.trouble
    assert handlings == [Handling.TRANSIENT] * (tries - 1) + [Handling.PERMANENT]


def test_another_trouble_in_between_starts_the_count_anew():
    first = decide(Refused(400, 131056), None, 0.0).trouble
    second = decide(Refused(400, 131056), first, 0.0).trouble
    other = decide(Refused(503, 2), second, 0.0).trouble
    assert [first.times, second.times, other.times] == [1, 2, 1]


def test_a_pair_limit_waits_four_to_the_power_of_its_failures():
    previous: Trouble | None = None
    waits = []
    for _ in range(7):
        verdict = decide(Refused(400, 131056), previous, 0.0)
        waits.append(verdict.after_s)
        previous = verdict.trouble
    assert waits == [1, 4, 16, 64, 256, 1024, 3600]


def test_retry_after_lengthens_a_wait_within_reason():
    assert refused(130429, retry_after_s=17.0).after_s == 17.0
    assert refused(130429, retry_after_s=10.0**6).after_s == 3600.0
    assert refused(4, retry_after_s=1.0).after_s == 300.0


@given(
    st.sampled_from(sorted(RULES)),
    st.integers(1, 10_000),
    st.floats(0, 1),
    st.integers(200, 599),
)
def test_waits_are_bounded_and_never_shorter_than_the_rule(
    code: int, times: int, spread: float, status: int
):
    rule = RULES[code]
    previous = Trouble("transient", rule.detail, code, times=times)
    verdict = decide(Refused(status, code), previous, spread)
    least = rule.backoff.delay_s(times + 1)
    assert least <= verdict.after_s <= least * 1.25
    assert 0 < least <= 8 * 3600


@pytest.mark.parametrize(
    ("code", "label"), [(None, ""), (190, "190"), (424_242, "other"), (-1, "other")]
)
def test_metric_labels_come_from_a_bounded_set(code: int | None, label: str):
    assert code_label(code) == label
