"""The doctor's judgement: whatever Meta says, there is a finding, and never an exception."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_api.domain.channels import MOST_RETIRED, also_verified_by
from channels_api.domain.diagnosis import Event, Kind, diagnosis
from channels_api.domain.doctor import Evidence, Probe, app_id_of, examine, learnt_waba, probed
from channels_api.domain.findings import KINDS, State, finding, overall, placeholders
from channels_api.domain.graph import Refused, Reply, Said, Silence, Silent, plain, reply_to
from channels_api.domain.pace import Pace
from tests.unit.channels_api.test_channels_api_domain import CHANNEL

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DOCUMENT = Path(__file__).parents[3] / "docs" / "doctor.md"
AWAY = Silent(Silence.TIMEOUT)
TOKEN = {
    "app_id": "305",
    "type": "SYSTEM_USER",
    "is_valid": True,
    "expires_at": 0,
    "scopes": ["whatsapp_business_messaging", "whatsapp_business_management"],
    "granular_scopes": [{"scope": "whatsapp_business_messaging", "target_ids": ["205"]}],
}
NODE = {
    "status": "CONNECTED",
    "platform_type": "CLOUD_API",
    "webhook_configuration": {"application": "https://a.example/api/ingress/whatsapp/mc_1"},
    "health_status": {"can_send_message": "AVAILABLE"},
}


def evidence(**changes: Any) -> Evidence:
    well = Evidence(
        now=NOW,
        channel_id="mc_1",
        waba_id="205",
        active=True,
        number=Said(NODE),
        token=Said({"data": TOKEN}),
        proof=Said({"data": TOKEN}),
        subscriptions=Said({"data": [{"whatsapp_business_api_data": {"id": "305"}}]}),
        events=(Event(NOW, Kind.DELIVERY),),
    )
    return replace(well, **changes)


def codes(**changes: Any) -> list[str]:
    return [found.code for found in examine(evidence(**changes))]


def target(url: str, **changes: Any) -> str:
    node = {**NODE, "webhook_configuration": {"application": url}}
    (code,) = [c for c in codes(number=Said(node), **changes) if c.startswith("webhook_")]
    return code


def test_what_is_well_is_said_too() -> None:
    assert overall(examine(evidence())) is State.OK
    assert len(codes()) == 12


def test_the_document_is_the_table() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \| (.*) \| (.*) \|$", DOCUMENT.read_text(), re.MULTILINE
    )
    shown = {code: (state, sentence, to_do) for code, state, sentence, to_do in rows}
    table = {}
    for code in KINDS:
        told = finding(code, **{name: f"[{name}]" for name in placeholders(code)})
        table[code] = (told.state.value, told.sentence, told.what_to_do or "nothing")
    assert shown == table, "\n".join(f"| `{c}` | {' | '.join(row)} |" for c, row in table.items())


@pytest.mark.parametrize("code", KINDS)
def test_every_finding_is_a_sentence_and_says_what_to_do(code: str) -> None:
    told = finding(code, **dict.fromkeys(placeholders(code), "x"))
    assert told.sentence[0].isupper()
    assert "{" not in told.sentence + told.what_to_do or "{id}" in told.what_to_do
    assert bool(told.what_to_do) == (told.state is not State.OK)


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        (["number_readable"], State.OK),
        (["number_readable", "number_sandbox"], State.WARNING),
        (["number_readable", "waba_unknown"], State.WARNING),
        (["waba_unknown", "token_rejected", "number_sandbox"], State.FAILED),
        ([], State.OK),
    ],
)
def test_the_worst_finding_counts(states: list[str], worst: State) -> None:
    assert overall(finding(code) for code in states) is worst


@pytest.mark.parametrize(
    ("status", "data", "reply"),
    [
        (200, {"id": "1"}, Said({"id": "1"})),
        (200, None, Silent(Silence.UNREADABLE)),
        (302, None, Silent(Silence.UNREADABLE)),
        (404, {"hello": 1}, Silent(Silence.UNREADABLE)),
        (502, None, Silent(Silence.SERVER)),
        (500, {"error": {"message": "x"}}, Silent(Silence.SERVER)),
        (429, None, Silent(Silence.THROTTLED)),
        (400, {"error": {"code": 80007}}, Silent(Silence.THROTTLED)),
        (400, {"error": {"code": 2}}, Silent(Silence.SERVER)),
        (500, {"error": {"code": 3}}, Refused(500, 3)),
        (400, {"error": {"code": True, "message": 7}}, Refused(400)),
        (200, {"error": {"code": 190, "error_subcode": 463}}, Refused(200, 190, 463)),
    ],
)
def test_an_answer_is_read_by_its_code(status: int, data: Any, reply: Reply) -> None:
    assert reply_to(status, data) == reply


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["205", "USER", "APP"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*TOKEN, *NODE, "data", "error", "scope", "target_ids", "entities", "id"]
            )
            | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(["data", "error", *NODE, *TOKEN]), JSON, max_size=5)


@given(OBJECTS, OBJECTS, OBJECTS, st.sampled_from([200, 400, 429, 500]))
def test_nothing_that_meta_answers_breaks_the_doctor(
    number: Any, token: Any, apps: Any, status: int
) -> None:
    told = reply_to(status, {"data": {**TOKEN, **token}})
    replies = {"number": reply_to(status, number), "token": told, "proof": reply_to(status, token)}
    found = examine(evidence(**replies, subscriptions=reply_to(status, apps)))
    assert found
    json.dumps([one.sentence for one in found])


def test_a_token_that_cannot_ask_about_itself_is_judged_by_its_app() -> None:
    refused = Refused(400, 100)
    assert "token_valid" in codes(token=refused)
    dead = {**TOKEN, "is_valid": False, "expires_at": 5, "error": {"code": 190, "subcode": 463}}
    assert codes(token=Refused(401, 190, 463), proof=Said({"data": dead}))[0] == "token_expired"
    assert "token_rejected" in codes(proof=Said({"data": {**TOKEN, "is_valid": False}}))
    assert codes(token=refused, proof=AWAY)[0] == "token_unanswered"


def test_the_app_is_known_by_the_token_or_by_the_numbers_health() -> None:
    entities = [{"entity_type": "WABA", "id": "1"}, {"entity_type": "APP", "id": "305"}]
    node = Said({"health_status": {"entities": entities}})
    assert app_id_of(Said({"data": {"app_id": "306"}}), node) == "306"
    assert app_id_of(AWAY, node) == "305"
    assert app_id_of(AWAY, AWAY) is None
    assert app_id_of(Said({"data": {"app_id": "3/x"}}), AWAY) is None


def test_an_account_is_learnt_only_where_there_is_one() -> None:
    def granted(*targets: list[str]) -> Said:
        scopes = [{"scope": "whatsapp_business_messaging", "target_ids": t} for t in targets]
        return Said({"data": {"granular_scopes": scopes}})

    assert learnt_waba(granted(["205"], ["205"])) == "205"
    assert learnt_waba(granted(["205"], ["206"])) is None
    assert learnt_waba(granted()) is None
    assert learnt_waba(AWAY) is None


def test_a_token_without_targets_was_granted_every_account() -> None:
    scopes = [{"scope": "whatsapp_business_messaging"}]
    told = Said({"data": {**TOKEN, "granular_scopes": scopes}})
    assert "waba_granted" in codes(token=told, proof=told)
    assert "waba_unknown" in codes(token=told, proof=told, waba_id=None)


@pytest.mark.parametrize(
    ("left", "code", "words"),
    [
        (timedelta(minutes=5), "token_short_lived", "in 1 hour:"),
        (timedelta(hours=23), "token_short_lived", "23 hours"),
        (timedelta(days=1, hours=3), "token_expires", "in 1 day:"),
        (timedelta(hours=25), "token_short_lived", "25 hours"),
        (timedelta(days=7), "token_expires", "7 days"),
        (timedelta(days=60), "token_expires", "60 days"),
        (timedelta(0), "token_expired", "ran out"),
    ],
)
def test_how_long_a_token_lives(left: timedelta, code: str, words: str) -> None:
    told = Said({"data": {**TOKEN, "expires_at": int((NOW + left).timestamp())}})
    (found,) = [f for f in examine(evidence(token=told, proof=told)) if f.code == code]
    assert words in found.sentence


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://A.example/api/ingress/whatsapp/mc_1", "webhook_here"),
        ("https://a.example/api/ingress/whatsapp/mc_1/", "webhook_other_channel"),
        ("https://a.example/api/ingress/whatsapp/mc_2", "webhook_other_channel"),
        ("https://b.example/api/ingress/whatsapp/mc_1", "webhook_elsewhere"),
        ("https://a.example/hook", "webhook_elsewhere"),
        ("https://[a.example/", "webhook_elsewhere"),
    ],
)
def test_where_webhooks_go_is_compared_with_the_address_that_is_named(url: str, code: str) -> None:
    assert target(url, public_base_url="https://a.example") == code


def test_without_a_named_address_the_path_decides() -> None:
    assert target("https://b.example/x/api/ingress/whatsapp/mc_1") == "webhook_here"


def test_the_number_goes_before_the_account_and_the_account_before_the_app() -> None:
    ours = "https://a.example/api/ingress/whatsapp/mc_1"
    levels = ["application", "whatsapp_business_account", "phone_number"]
    configured: dict[str, str] = {}
    for level in levels:
        configured = {**dict.fromkeys(configured, "https://b.example/"), level: ours}
        node = Said({**NODE, "webhook_configuration": configured})
        assert "webhook_here" in codes(number=node)


def test_what_meta_leaves_out_is_not_made_up() -> None:
    found = codes(number=Said({"id": "1158201444"}))
    assert "number_readable" in found
    assert not {"number_connected", "health_available", "number_not_cloud"} & set(found)


def test_what_health_says_is_shown_plainly() -> None:
    entities = [
        {"entity_type": "PHONE_NUMBER", "can_send_message": "AVAILABLE"},
        {"entity_type": "WABA", "can_send_message": "BLOCKED"},
        {
            "entity_type": "BUSINESS",
            "can_send_message": "BLOCKED",
            "errors": [
                {"error_description": "No\r\n\x1b[31mpayment.", "possible_solution": "Pay."}
            ],
        },
    ]
    health = {"can_send_message": "BLOCKED", "entities": entities}
    found = {f.code: f for f in examine(evidence(number=Said({**NODE, "health_status": health})))}
    said = found["health_blocked"].sentence
    assert said.endswith("WABA without a reason. BUSINESS: No [31mpayment. Pay.")


@pytest.mark.parametrize("problem", ["name", "certificate", "tls", "timeout", "connection", "new"])
def test_every_reason_for_no_answer_is_a_sentence(problem: str) -> None:
    (found,) = probed(Probe(problem=problem))
    assert found.code == "address_unreachable"
    assert found.sentence.endswith(".")


def kinds(*happened: Kind) -> str:
    events = [Event(NOW + timedelta(minutes=i), kind) for i, kind in enumerate(happened)]
    return diagnosis(events, "/path").code


@pytest.mark.parametrize(
    ("happened", "code"),
    [
        ([], "nothing_arrived"),
        ([Kind.VERIFIED, Kind.TOKEN_MISMATCH], "token_mismatch"),
        ([Kind.TOKEN_MISMATCH, Kind.VERIFIED], "verified_no_delivery"),
        ([Kind.DELIVERY, Kind.VERIFIED], "webhooks_arriving"),
        ([Kind.DELIVERY, Kind.TOKEN_MISMATCH], "token_mismatch"),
        ([Kind.DELIVERY, Kind.BAD_SIGNATURE], "webhooks_arriving"),
        ([Kind.BAD_SIGNATURE], "signature_wrong"),
        ([Kind.BAD_SIGNATURE, Kind.DELIVERY], "webhooks_arriving"),
        ([Kind.TOKEN_MISMATCH, Kind.ASTRAY], "wrong_integration_id"),
        ([Kind.DELIVERY, Kind.OTHER_NUMBER], "other_number"),
    ],
)
def test_the_newest_event_names_the_cause(happened: list[Kind], code: str) -> None:
    assert kinds(*happened) == code


def test_a_wrong_signature_long_after_the_last_right_one_is_a_cause() -> None:
    events = [Event(NOW, Kind.DELIVERY), Event(NOW + timedelta(days=2), Kind.BAD_SIGNATURE)]
    assert diagnosis(events, "/path").code == "signature_wrong"


def test_others_words_are_one_short_line() -> None:
    assert plain("a\n b\x00c\u202ed", 5) == "a b c"
    assert plain(7) == ""


def test_calls_are_counted_by_caller_and_minute() -> None:
    now = [0.0]
    pace = Pace(2, lambda: now[0])
    assert [pace.wait_s("a") for _ in range(3)] == [0.0, 0.0, 60.0]
    assert pace.wait_s("b") == 0.0
    now[0] = 60.0
    assert pace.wait_s("a") == 0.0


def test_a_setups_token_pushes_out_no_token_in_its_grace() -> None:
    rotated = replace(CHANNEL, verify_token_hash="own")
    grace, soon = NOW + timedelta(days=1), NOW + timedelta(minutes=10)
    rotated = also_verified_by(rotated, "rotated", NOW, grace)
    for number in range(MOST_RETIRED + 3):
        rotated = also_verified_by(rotated, f"setup-{number}", NOW, soon)
    passing = {one.value for one in rotated.verify_token_hashes(NOW)}
    assert {"own", "rotated", f"setup-{MOST_RETIRED + 2}"} <= passing
    assert len(passing) == MOST_RETIRED + 1
    later = rotated.verify_token_hashes(NOW + timedelta(hours=1))
    assert tuple(one.value for one in later) == ("own", "rotated")
