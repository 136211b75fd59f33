"""Every finding of the doctor, shown by the simulator in that state."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from channels_api.domain.findings import KINDS
from tests.integration.channels_api.doctor_world import (
    NUMBER_ID,
    WABA_ID,
    DoctorWorld,
    doctors,
)
from tests.integration.channels_api.world import ACCESS_TOKEN, APP_SECRET, CREATE
from tests.support.eventually import eventually

MESSAGING, MANAGEMENT = "whatsapp_business_messaging", "whatsapp_business_management"
DAY_S = 86_400
NODE, TOKEN, APPS = f"/{NUMBER_ID}", "debug_token", "subscribed_apps"


@pytest.fixture
async def here(uri: str) -> AsyncIterator[DoctorWorld]:
    async with doctors(uri) as running:
        yield running


Case = Callable[[DoctorWorld], Awaitable[dict[str, str]]]
"""Brings the simulator into a state; what a check or setup then finds, state by code."""


def standing(**values: Any) -> Case:
    async def case(here: DoctorWorld) -> dict[str, str]:
        await here.register()
        await here.create()
        await here.standing(**values)
        return await here.codes()

    return case


def token(**values: Any) -> Case:
    async def case(here: DoctorWorld) -> dict[str, str]:
        now = int(time.time())
        dated = {k: now + v if k.endswith("_at") and v else v for k, v in values.items()}
        return await standing(token=dated)(here)

    return case


def fault(path: str, **action: Any) -> Case:
    async def case(here: DoctorWorld) -> dict[str, str]:
        await here.register()
        await here.create()
        await here.fault(path, **action)
        return await here.codes()

    return case


def health(state: str) -> Case:
    error = {"error_code": 141006, "error_description": "No payment.", "possible_solution": "Pay."}
    entity = {"entity_type": "WABA", "id": WABA_ID, "can_send_message": state, "errors": [error]}
    return standing(health={"can_send_message": state, "entities": [entity]})


async def all_is_well(here: DoctorWorld) -> dict[str, str]:
    await here.register()
    await here.create()
    await here.configure()
    await here.write()
    await here.diagnosed("webhooks_arriving")
    found = await here.check(public_base_url=here.ingress)
    assert found["state"] == "ok", found
    return {f["code"]: f["state"] for f in found["findings"]}


async def unknown_number(here: DoctorWorld) -> dict[str, str]:
    await here.create(phone_number_id="77")
    await here.register()
    return await here.codes()


async def rejected_token(here: DoctorWorld) -> dict[str, str]:
    await here.register()
    await here.create(access_token="EAAanother-token-0001")
    return await here.codes()


async def proof_demanded(here: DoctorWorld) -> dict[str, str]:
    await here.register(require_appsecret_proof=True)
    await here.create()
    return await here.codes()


async def wrong_secret(here: DoctorWorld) -> dict[str, str]:
    await here.register()
    await here.create(app_secret="another-secret-0123456789")
    return await here.codes()


async def account_not_given(here: DoctorWorld) -> dict[str, str]:
    await here.register()
    await here.create(waba_id=None)
    return await here.codes()


async def account_not_told(here: DoctorWorld) -> dict[str, str]:
    await here.register()
    await here.create(waba_id=None)
    await here.standing(token={"target_ids": ["1", "2"]})
    return await here.codes()


async def another_account(here: DoctorWorld) -> dict[str, str]:
    await here.register()
    await here.create(waba_id="12345")
    return await here.codes()


async def nothing_subscribed(here: DoctorWorld) -> dict[str, str]:
    await here.register(subscribed=False)
    await here.create()
    return await here.codes()


def app_address(url: str) -> Case:
    async def case(here: DoctorWorld) -> dict[str, str]:
        await here.register(callback_url=url.replace("INGRESS", here.ingress))
        await here.create()
        return await here.codes()

    return case


async def disabled(here: DoctorWorld) -> dict[str, str]:
    await here.register()
    await here.create()
    await here.product.call("PATCH", f"/api/channels/{here.channel['id']}", {"state": "disabled"})
    return await here.codes()


def named(url: str) -> Case:
    async def case(here: DoctorWorld) -> dict[str, str]:
        await here.register()
        await here.create()
        return await here.codes(public_base_url=url.replace("SIM", here.sim))

    return case


async def nothing_came(here: DoctorWorld) -> dict[str, str]:
    await here.create()
    assert (await here.activity())["activity"] == []
    return await arrived(here, "nothing_arrived")


async def arrived(here: DoctorWorld, code: str) -> dict[str, str]:
    """Feed and check agree: one pure function judges for both."""
    shown = await here.diagnosed(code)
    (found,) = [f for f in (await here.check())["findings"] if f["code"] == code]
    assert found == shown["diagnosis"]
    return {code: found["state"]}


async def verified_only(here: DoctorWorld) -> dict[str, str]:
    await here.register()
    await here.create()
    await here.configure()
    return await arrived(here, "verified_no_delivery")


async def mismatch(here: DoctorWorld) -> dict[str, str]:
    await here.create()
    assert await here.handshake("something else") == 403
    return await arrived(here, "token_mismatch")


async def whitespace(here: DoctorWorld) -> dict[str, str]:
    await here.create()
    assert await here.handshake(here.channel["verify_token"] + "\n") == 403
    return await arrived(here, "token_has_whitespace")


async def wrong_address(here: DoctorWorld) -> dict[str, str]:
    await here.create()
    assert await here.handshake(here.channel["verify_token"], channel_id="mc_mistyped") == 403
    return await arrived(here, "wrong_integration_id")


async def forged(here: DoctorWorld) -> dict[str, str]:
    await here.create()
    await here.register(callback_url=here.ingress + here.channel["webhook_url_hint"])
    await here.command(
        "POST",
        "/sim/webhooks",
        {"phone_number_id": NUMBER_ID, "value": {}, "sign_with": "another", "retry": False},
    )
    return await arrived(here, "signature_wrong")


async def foreign(here: DoctorWorld) -> dict[str, str]:
    await here.create()
    hook = here.ingress + here.channel["webhook_url_hint"]
    await here.register(phone_number_id="88", callback_url=hook)
    assert (await here.write(phone_number_id="88"))["delivered"]
    return await arrived(here, "other_number")


def setup(before: Case | None = None, **wanted: Any) -> Case:
    async def case(here: DoctorWorld) -> dict[str, str]:
        if before is None:
            await here.register(subscribed=False)
            await here.create()
        else:
            await before(here)
        body = {"public_base_url": here.ingress, "subscribe": True, **wanted}
        if body["public_base_url"] == "SIM":
            body["public_base_url"] = here.sim
        report = await here.call("setup", body)
        return {step["code"]: step["state"] for step in report["steps"]}

    return case


CASES: dict[str, Case] = {
    "number_readable": all_is_well,
    "number_connected": all_is_well,
    "token_valid": all_is_well,
    "token_lasting": all_is_well,
    "token_of_system": all_is_well,
    "scopes_granted": all_is_well,
    "waba_granted": all_is_well,
    "app_secret_proven": all_is_well,
    "waba_subscribed": all_is_well,
    "webhook_here": all_is_well,
    "health_available": all_is_well,
    "address_reachable": all_is_well,
    "webhooks_arriving": all_is_well,
    "channel_disabled": disabled,
    "number_unknown": unknown_number,
    "number_not_permitted": token(scopes=[MESSAGING]),
    "number_refused": fault(NODE, type="error", code=131031),
    "proof_rejected": proof_demanded,
    "number_unanswered": fault(NODE, type="html_500"),
    "number_not_connected": standing(number={"status": "DISCONNECTED"}),
    "number_restricted": standing(number={"status": "FLAGGED"}),
    "number_not_cloud": standing(number={"platform_type": "ON_PREMISE"}),
    "number_sandbox": standing(number={"account_mode": "SANDBOX"}),
    "number_quality": standing(number={"quality_rating": "RED"}),
    "number_unverified": standing(number={"code_verification_status": "EXPIRED"}),
    "name_not_approved": standing(number={"name_status": "DECLINED"}),
    "token_expired": token(type="USER", expires_at=-60),
    "token_rejected": rejected_token,
    "token_unanswered": fault(TOKEN, type="error", code=4),
    "token_short_lived": token(type="USER", expires_at=DAY_S - 60),
    "token_expires": token(expires_at=59 * DAY_S),
    "token_data_access_ended": token(type="USER", data_access_expires_at=-60),
    "token_data_access_ends": token(type="USER", data_access_expires_at=5 * DAY_S),
    "token_of_person": token(type="USER"),
    "token_wrong_kind": token(type="PAGE"),
    "scope_messaging_missing": token(scopes=[MANAGEMENT]),
    "scope_management_missing": token(scopes=[MESSAGING]),
    "waba_not_granted": token(target_ids=["1"]),
    "waba_learnt": account_not_given,
    "waba_unknown": account_not_told,
    "app_secret_wrong": wrong_secret,
    "app_secret_unproven": rejected_token,
    "app_secret_unanswered": fault(TOKEN, type="html_500"),
    "waba_not_subscribed": nothing_subscribed,
    "waba_subscribed_elsewhere": standing(subscribed_app_id="77"),
    "subscription_refused": another_account,
    "subscription_unanswered": fault(APPS, type="timeout_before", hang_ms=3000),
    "webhook_unset": standing(),
    "webhook_elsewhere": app_address("https://elsewhere.example/hook?token=hidden"),
    "webhook_other_channel": app_address("INGRESS/api/ingress/whatsapp/mc_another"),
    "health_limited": health("LIMITED"),
    "health_blocked": health("BLOCKED"),
    "address_unreachable": named("http://127.0.0.1:1"),
    "address_answers_otherwise": named("SIM"),
    "nothing_arrived": nothing_came,
    "verified_no_delivery": verified_only,
    "token_mismatch": mismatch,
    "token_has_whitespace": whitespace,
    "wrong_integration_id": wrong_address,
    "signature_wrong": forged,
    "other_number": foreign,
    "override_set": setup(),
    "subscribed": setup(),
    "handshake_seen": setup(),
    "subscribed_learnt": setup(account_not_given),
    "override_refused": setup(public_base_url="SIM"),
    "override_not_permitted": setup(token(scopes=[MESSAGING])),
    "override_unanswered": setup(fault(NODE, type="error", code=80008)),
    "subscribe_refused": setup(another_account),
    "subscribe_unanswered": setup(fault(APPS, type="html_500")),
}
BESIDE = {"address_refused", "handshake_missing"}
"""Shown by tests of their own below: one needs other settings, one another edge."""


def test_every_finding_has_its_case() -> None:
    assert CASES.keys() | BESIDE == KINDS.keys()


@pytest.mark.parametrize("code", CASES)
async def test_the_simulator_in_that_state_is_found_out(here: DoctorWorld, code: str) -> None:
    found = await CASES[code](here)
    assert found.get(code) == KINDS[code].state.value, found


async def test_an_address_inside_is_refused_without_a_call(uri: str) -> None:
    async with doctors(uri, allow_private_addresses=False) as here:
        await here.create()
        await here.register(callback_url=here.ingress + here.channel["webhook_url_hint"])
        # Nor is an address that Meta has: it was a caller's too.
        assert not [code for code in await here.codes() if code.startswith("address_")]
        asked = {"public_base_url": "https://10.0.0.1", "subscribe": False}
        assert (await here.codes(public_base_url="https://10.0.0.1"))["address_refused"] == "failed"
        report = await here.call("setup", asked)
        assert [step["code"] for step in report["steps"]] == ["address_refused"]
        for path in ("check", "setup"):
            status, problem = await here.product.call(
                "POST",
                f"/api/channels/{here.channel['id']}/{path}",
                {"public_base_url": here.ingress},
            )
            assert (status, problem["errors"][0]["field"]) == (422, "public_base_url")
            assert "https://" in problem["detail"]


async def test_a_handshake_that_somebody_else_answered_is_missed(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with doctors(uri, setup_wait_s=0.5) as here:
        await here.register()
        await here.create()
        # Meta is content; the edge answered, and its word to us is lost.
        monkeypatch.setattr("ingress.adapters.activity.Activity.handshake", lambda *_: None)
        report = await here.call("setup", {"public_base_url": here.ingress})
        assert [step["code"] for step in report["steps"]] == ["override_set", "handshake_missing"]
        assert report["state"] == "warning"


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ({"type": "timeout_before", "hang_ms": 3000}, "in time"),
        ({"type": "html_500"}, "servers failed"),
        ({"type": "error", "code": 2}, "servers failed"),
        ({"type": "error", "code": 80008}, "limits our calls"),
        ({"type": "error", "code": 131000, "status": 429}, "limits our calls"),
        ({"type": "reset"}, "could not be reached"),
        ({"type": "corrupt"}, "could not be read"),
        ({"type": "oversize"}, "could not be read"),
    ],
)
async def test_whatever_meta_does_is_a_finding(
    here: DoctorWorld, action: dict[str, Any], why: str
) -> None:
    await here.register()
    await here.create()
    await here.fault("/v25.0/", **action)
    report = await here.check()
    found = {f["code"]: f for f in report["findings"]}
    assert report["state"] in ("warning", "failed")
    for code in ("token_unanswered", "number_unanswered", "subscription_unanswered"):
        assert (found[code]["state"], why in found[code]["sentence"]) == ("unknown", True), found
        assert found[code]["what_to_do"]


async def test_meta_that_is_away_altogether_is_a_finding(uri: str) -> None:
    async with doctors(uri, graph_base_url="http://127.0.0.1:1") as here:
        await here.create()
        assert (await here.codes())["number_unanswered"] == "unknown"


async def test_a_failure_that_passes_is_asked_again(here: DoctorWorld) -> None:
    await here.register()
    await here.create()
    rule = {"match": {"path_contains": NODE}, "times": 1, "action": {"type": "html_500"}}
    await here.command("POST", "/sim/faults", rule)
    assert (await here.codes())["number_readable"] == "ok"


async def test_one_call_connects_a_number(here: DoctorWorld) -> None:
    await here.register(subscribed=False)
    channel = await here.create(public_base_url=here.ingress, subscribe=True)
    assert channel["setup"]["state"] == "ok", channel["setup"]
    assert [step["code"] for step in channel["setup"]["steps"]] == [
        "subscribed",
        "override_set",
        "handshake_seen",
    ]
    assert (await here.write())["delivered"]
    await here.diagnosed("webhooks_arriving")
    assert (await here.check())["state"] == "ok"
    # The operator's own token is as good as before.
    assert await here.handshake(channel["verify_token"]) == 200


async def test_a_creation_whose_setup_fails_is_a_channel_all_the_same(here: DoctorWorld) -> None:
    await here.register()
    channel = await here.create(public_base_url=here.sim)
    assert channel["setup"]["state"] == "failed"
    codes = [step["code"] for step in channel["setup"]["steps"]]
    assert codes == ["address_answers_otherwise", "override_refused", "nothing_arrived"]
    assert all(step["what_to_do"] for step in channel["setup"]["steps"])
    report = await here.call("setup", {"public_base_url": here.ingress})
    assert report["state"] == "ok", report


async def test_a_setup_keeps_the_operators_token_and_shows_none(here: DoctorWorld) -> None:
    await here.register()
    channel = await here.create()
    report = await here.call("setup", {"public_base_url": here.ingress})
    assert "vt_" not in str(report)
    assert await here.handshake(channel["verify_token"]) == 200
    _, audit = await here.product.call("GET", f"/api/channels/{channel['id']}/audit")
    assert audit["audit"][0]["fields"] == ["webhook"]


async def test_a_retried_creation_sets_up_again_and_answers_the_same(here: DoctorWorld) -> None:
    await here.register(subscribed=False)
    body = {
        "phone_number_id": NUMBER_ID,
        "access_token": ACCESS_TOKEN,
        "app_secret": APP_SECRET,
        "public_base_url": here.ingress,
        "subscribe": True,
    }
    answers = [
        await here.product.call("POST", "/api/channels", body, **{"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert [status for status, _ in answers] == [201, 201]
    (_, first), (_, second) = answers
    assert (first["id"], first["verify_token"]) == (second["id"], second["verify_token"])
    assert [step["code"] for step in second["setup"]["steps"]] == [
        "subscribed_learnt",
        "override_set",
        "handshake_seen",
    ]


async def test_another_tenants_channel_is_not_there(here: DoctorWorld) -> None:
    await here.create()
    other = "mc_" + "x" * 22
    for name in ("check", "setup"):
        status, _ = await here.product.call(
            "POST", f"/api/channels/{other}/{name}", {"subscribe": True} if name == "setup" else {}
        )
        assert status == 404


async def test_a_check_needs_no_body_and_a_setup_needs_something_to_do(here: DoctorWorld) -> None:
    await here.register()
    await here.create()
    assert "findings" in await here.call("check")
    path = f"/api/channels/{here.channel['id']}"
    assert (await here.product.call("POST", f"{path}/setup", {}))[0] == 422
    assert (await here.product.call("POST", f"{path}/check", {"url": "x"}))[0] == 422


async def test_nobody_has_us_call_meta_without_end(uri: str) -> None:
    async with doctors(uri, checks_per_minute=2) as here:
        await here.register()
        await here.create()
        path = f"/api/channels/{here.channel['id']}/check"
        assert [(await here.product.call("POST", path))[0] for _ in range(3)] == [200, 200, 429]
        body = {**CREATE, "subscribe": True}
        status, problem = await here.product.call("POST", "/api/channels", body)
        assert (status, problem["type"].rpartition(":")[2]) == (429, "too-many-checks")
        assert (await here.product.call("POST", "/api/channels", CREATE))[0] == 201


async def test_nothing_secret_is_logged_or_answered(here: DoctorWorld) -> None:
    await here.register(callback_url="https://user:word@elsewhere.example/hook?token=hidden")
    await here.create()
    await here.fault(TOKEN, type="reset")
    with capture_logs() as logs:
        report = await here.check()
        await here.call("setup", {"public_base_url": here.sim, "subscribe": True})
    told = f"{logs} {report}"
    secrets = (ACCESS_TOKEN, APP_SECRET, "hidden", "word", here.channel["verify_token"], "vt_")
    assert [secret for secret in secrets if secret in told] == []
    assert "channel_checked" in told
    assert "elsewhere.example/hook" in told


async def test_a_token_at_a_wrong_address_shows_on_its_own_channel_alone(here: DoctorWorld) -> None:
    other = await here.create(phone_number_id="77")
    mine = await here.create()
    assert await here.handshake(mine["verify_token"], channel_id=other["id"]) == 403
    shown = await here.diagnosed("wrong_integration_id")
    assert shown["activity"][0]["kind"] == "handshake_astray"
    assert shown["diagnosis"]["what_to_do"].endswith(f"{mine['webhook_url_hint']}.")
    assert other["id"] not in str(shown)
    here.channel = other
    assert (await here.diagnosed("token_mismatch"))["diagnosis"]["state"] == "failed"


async def test_a_signature_that_is_wrong_beside_right_ones_is_no_cause(here: DoctorWorld) -> None:
    await all_is_well(here)
    await here.command(
        "POST",
        "/sim/webhooks",
        {"phone_number_id": NUMBER_ID, "value": {}, "sign_with": "another", "retry": False},
    )

    async def told() -> bool:
        return any(item["kind"] == "problem" for item in (await here.activity())["activity"])

    await eventually(told)
    assert (await here.activity())["diagnosis"]["code"] == "webhooks_arriving"
