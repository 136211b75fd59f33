"""Webhooks about the account itself."""

import pytest

from metasim.account import PRESETS
from tests.unit.metasim.harness import NUMBER_ID, VERIFY_TOKEN, WABA_ID, Sim

BUSINESS = "15550000000"


async def test_any_field_goes_out_with_a_time_and_no_metadata(sim: Sim) -> None:
    value = {"event": "PARTNER_ADDED", "waba_info": {"waba_id": WABA_ID}}
    answer = await sim.act("/sim/account", field="account_update", value=value)
    (got,) = sim.receiver.received
    assert got.verified
    assert got.entry == {
        "id": WABA_ID,
        "time": int(sim.clock.now),
        "changes": [{"value": value, "field": "account_update"}],
    }
    assert answer["delivered"]


PRESET_VALUES = [
    (
        {"preset": "restricted"},
        "account_update",
        {
            "phone_number": BUSINESS,
            "event": "ACCOUNT_RESTRICTION",
            "restriction_info": [
                {
                    "restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING",
                    "expiration": "2026-09-28T14:13:20+0000",
                },
                {
                    "restriction_type": "RESTRICTED_CUSTOMER_INITIATED_MESSAGING",
                    "expiration": "2026-09-28T14:13:20+0000",
                },
            ],
        },
    ),
    (
        {"preset": "disabled"},
        "account_update",
        {
            "event": "DISABLED_UPDATE",
            "ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": "September 21, 2026"},
        },
    ),
    (
        {"preset": "reinstated"},
        "account_update",
        {
            "event": "DISABLED_UPDATE",
            "ban_info": {"waba_ban_state": "REINSTATE", "waba_ban_date": "September 21, 2026"},
        },
    ),
    (
        {"preset": "violation", "value": {"violation_info": {"violation_type": "SCAM"}}},
        "account_update",
        {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}},
    ),
    (
        {"preset": "flagged"},
        "phone_number_quality_update",
        {"display_phone_number": BUSINESS, "event": "FLAGGED", "current_limit": "TIER_10K"},
    ),
    (
        {"preset": "template_paused", "template": "reminder", "language": "de"},
        "message_template_status_update",
        {
            "event": "PAUSED",
            "message_template_id": 905507062668800,
            "message_template_name": "reminder",
            "message_template_language": "de",
            "reason": "NONE",
        },
    ),
    ({"preset": "review_rejected"}, "account_review_update", {"decision": "REJECTED"}),
]


@pytest.mark.parametrize(("command", "field", "value"), PRESET_VALUES)
async def test_presets_have_the_documented_shapes(sim: Sim, command, field, value) -> None:
    await sim.act("/sim/account", **command)
    assert sim.receiver.received[0].value_of(field) == value


async def test_every_preset_is_listed_and_goes_out(sim: Sim) -> None:
    listed = (await sim.command("GET", "/sim/account/presets"))["presets"]
    assert listed == sorted(PRESETS)
    for name in listed:
        answer = await sim.act("/sim/account", preset=name)
        assert sim.receiver.received[-1].value_of(answer["field"]) == answer["value"]


async def test_they_go_to_the_app_whatever_overrides_there_are(sim: Sim) -> None:
    wanted = {"override_callback_uri": sim.receiver.url, "verify_token": VERIFY_TOKEN}
    await sim.graph({"webhook_configuration": wanted}, path=f"/v25.0/{NUMBER_ID}")
    await sim.register(callback_url=sim.receiver.url + "/gone", verify_token=None)
    assert (await sim.write())["delivered"]
    assert (await sim.act("/sim/account", preset="flagged"))["status_code"] == 404


async def test_without_a_subscription_nothing_is_told(sim: Sim) -> None:
    await sim.graph(None, path=f"/v25.0/{WABA_ID}/subscribed_apps", method="DELETE")
    answer = await sim.act("/sim/account", preset="flagged")
    assert (answer["delivered"], answer["error"]) == (False, "no callback URL")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"preset": "promoted"}, 400),
        ({"preset": "flagged", "field": "x", "value": {}}, 400),
        ({"preset": "flagged", "value": []}, 400),
        ({"field": "account_update"}, 400),
        ({"preset": "flagged", "phone_number_id": "9"}, 404),
    ],
)
async def test_a_wrong_command_is_named(sim: Sim, fields, status) -> None:
    assert (await sim.act("/sim/account", expected=status, **fields))["error"]
    assert sim.receiver.received == []
