import pytest

from tests.unit.metasim.harness import (
    APP_ID,
    DIGITS,
    NUMBER_ID,
    PHONE,
    SECRET,
    TOKEN,
    VERIFY_TOKEN,
    WABA_ID,
    Sim,
    mark_read,
    text_to,
)


@pytest.mark.parametrize("token", [None, "wrong", TOKEN + "x"])
async def test_a_wrong_token_gets_error_190_in_the_documented_form(sim: Sim, token) -> None:
    await sim.write()
    status, body = await sim.graph(text_to(), token=token)
    assert status == 401
    assert set(body) == {"error"}
    error = body["error"]
    assert error["code"] == 190
    assert error["type"] == "OAuthException"
    assert isinstance(error["message"], str)
    assert error["fbtrace_id"].startswith("A")
    assert [item["direction"] for item in (await sim.conversation())["messages"]] == ["person"]


async def test_a_number_answers_only_to_its_own_token(sim: Sim) -> None:
    await sim.register(phone_number_id="2", access_token="EAAG-another-token")
    await sim.write()
    assert (await sim.graph(text_to(), token="EAAG-another-token"))[0] == 401


async def test_a_token_that_was_replaced_no_longer_works(sim: Sim) -> None:
    await sim.write()
    await sim.register(access_token="EAAG-rotated-token")
    assert (await sim.graph(text_to()))[0] == 401
    assert (await sim.graph(text_to(), token="EAAG-rotated-token"))[0] == 200


async def test_an_unknown_number_is_error_100_subcode_33(sim: Sim) -> None:
    status, body = await sim.graph(text_to(), path="/v25.0/999/messages")
    assert status == 400
    error = body["error"]
    assert (error["code"], error["error_subcode"]) == (100, 33)
    assert "Object with ID '999' does not exist" in error["message"]


async def test_an_accepted_message_is_answered_as_documented(sim: Sim) -> None:
    await sim.write()
    status, body = await sim.graph(text_to())
    assert status == 200
    wamid = body["messages"][0]["id"]
    assert wamid.startswith("wamid.")
    assert body == {
        "messaging_product": "whatsapp",
        "contacts": [{"input": PHONE, "wa_id": DIGITS}],
        "messages": [{"id": wamid}],
    }
    _, again = await sim.graph(text_to(DIGITS))
    assert again["messages"][0]["id"] != wamid


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], 100),
        ({"to": "+15551234567"}, 100),
        ({"messaging_product": "whatsapp", "type": "text", "text": {"body": "x"}}, 100),
        (text_to("US.13491208655302741918"), 131009),
        (text_to(body=""), 131008),
        (text_to(body="x" * 4097), 100),
        (text_to(text=None), 131008),
        (text_to(text={"body": 7}), 131009),
        (text_to(text="x"), 131009),
        (text_to(type="poll"), 131051),
        (text_to(type=["text"]), 131051),
        (text_to(recipient_type="group"), 100),
        (text_to(biz_opaque_callback_data="x" * 513), 100),
        (text_to(context={}), 131008),
        (mark_read("wamid.unknown"), 131009),
        (mark_read(""), 131008),
        (mark_read("x") | {"status": "seen"}, 100),
        (mark_read("x", typing_indicator={"type": "audio"}), 100),
        (text_to(type="template", template={"name": "x"}), 131008),
        (text_to(type="interactive", interactive={"type": "poll"}), 131009),
    ],
)
async def test_a_wrong_body_is_refused(sim: Sim, body, code) -> None:
    await sim.write()
    status, answer = await sim.graph(body)
    assert status == 400
    assert answer["error"]["code"] == code
    assert answer["error"]["error_data"]["details"]
    assert answer["error"]["error_data"]["messaging_product"] == "whatsapp"


async def test_what_is_just_short_enough_is_accepted(sim: Sim) -> None:
    await sim.write()
    body = text_to(body="é" * 4096, biz_opaque_callback_data="x" * 512)
    assert (await sim.graph(body))[0] == 200


def buttons(count: int, title: str = "Yes") -> dict:
    replies = [{"type": "reply", "reply": {"id": str(n), "title": title}} for n in range(count)]
    return {"type": "button", "body": {"text": "Which?"}, "action": {"buttons": replies}}


def rows(count: int) -> dict:
    section = {"title": "All", "rows": [{"id": str(n), "title": "One"} for n in range(count)]}
    return {"type": "list", "body": {"text": "Which?"}, "action": {"sections": [section]}}


@pytest.mark.parametrize(
    ("interactive", "status"),
    [
        (buttons(3), 200),
        (buttons(4), 400),
        (buttons(0), 400),
        (buttons(1, "x" * 21), 400),
        (rows(10), 200),
        (rows(11), 400),
        ({"type": "cta_url", "body": {"text": "x" * 1025}}, 400),
    ],
)
async def test_interactive_messages_keep_to_their_limits(sim: Sim, interactive, status) -> None:
    await sim.write()
    body = text_to(type="interactive", interactive=interactive)
    assert (await sim.graph(body))[0] == status


async def test_marking_read_ticks_this_message_and_earlier_ones(sim: Sim) -> None:
    first, second, third = [(await sim.write(text))["wamid"] for text in ("a", "b", "c")]
    status, body = await sim.graph(mark_read(second))
    assert (status, body) == (200, {"success": True})
    read = {item["wamid"]: item["read"] for item in (await sim.conversation())["messages"]}
    assert read == {first: True, second: True, third: False}


async def test_typing_shows_until_the_reply_or_25_seconds(sim: Sim) -> None:
    wamid = (await sim.write())["wamid"]
    await sim.graph(mark_read(wamid, typing_indicator={"type": "text"}))
    seen = await sim.conversation()
    assert seen["typing"]
    assert seen["messages"][0]["typing_seen"]
    sim.clock.advance(25)
    assert not (await sim.conversation())["typing"]
    await sim.graph(mark_read(wamid, typing_indicator={"type": "text"}))
    await sim.graph(text_to())
    assert not (await sim.conversation())["typing"]


async def test_a_message_older_than_30_days_cannot_be_marked_read(sim: Sim) -> None:
    wamid = (await sim.write())["wamid"]
    sim.clock.advance(31 * 24 * 3600)
    assert (await sim.graph(mark_read(wamid)))[1]["error"]["code"] == 131009


async def test_a_hidden_phone_is_reached_by_its_business_scoped_id(sim: Sim) -> None:
    user_id = "US.13491208655302741918"
    await sim.write(user_id=user_id, hide_phone=True)
    asked = text_to(recipient=user_id)
    del asked["to"]
    status, body = await sim.graph(asked)
    assert status == 200
    assert body["contacts"] == [{"input": user_id, "user_id": user_id}]
    replies = (await sim.conversation())["messages"]
    assert replies == (await sim.conversation(user_id))["messages"]
    assert replies[-1]["direction"] == "business"
    _, unknown = await sim.graph({**asked, "recipient": "US.1"})
    assert unknown["error"]["code"] == 131026


async def test_the_node_of_a_number(sim: Sim) -> None:
    path = f"/v25.0/{NUMBER_ID}?fields=id,display_phone_number,status,webhook_configuration"
    status, body = await sim.graph(None, path=path, method="GET")
    assert status == 200
    assert body == {
        "id": NUMBER_ID,
        "display_phone_number": "+1 555 000 0000",
        "status": "CONNECTED",
        "webhook_configuration": {"application": sim.receiver.url},
    }
    _, body = await sim.graph(None, path=f"/v25.0/{NUMBER_ID}?fields=nope", method="GET")
    assert body["error"]["code"] == 100
    status, body = await sim.graph(None, path=f"/v25.0/{NUMBER_ID}", method="GET")
    assert body["verified_name"]


async def test_debug_token_proves_token_and_app_secret(sim: Sim) -> None:
    path = f"/v25.0/debug_token?input_token={TOKEN}"
    status, body = await sim.graph(None, path=path, method="GET", token=f"{APP_ID}|{SECRET}")
    assert status == 200
    data = body["data"]
    assert data["is_valid"] is True
    assert data["app_id"] == APP_ID
    assert data["granular_scopes"][0]["target_ids"] == [WABA_ID]
    status, _ = await sim.graph(None, path=path, method="GET", token=f"{APP_ID}|wrong")
    assert status == 401
    _, body = await sim.graph(
        None, path="/v25.0/debug_token?input_token=x", method="GET", token=f"{APP_ID}|{SECRET}"
    )
    assert body["data"]["is_valid"] is False


async def test_without_a_subscription_there_are_no_webhooks(sim: Sim) -> None:
    path = f"/v25.0/{WABA_ID}/subscribed_apps"
    _, body = await sim.graph(None, path=path, method="GET")
    assert body["data"][0]["whatsapp_business_api_data"]["id"] == APP_ID
    assert (await sim.graph(None, path=path, method="DELETE"))[1] == {"success": True}
    assert (await sim.graph(None, path=path, method="GET"))[1] == {"data": []}
    sent = await sim.write()
    assert (sent["delivered"], sent["attempts"], sent["error"]) == (False, 0, "no callback URL")
    assert (await sim.graph(None, path=path))[1] == {"success": True}
    assert (await sim.write())["delivered"]


async def test_an_override_goes_before_the_apps_callback_and_is_verified(sim: Sim) -> None:
    good = sim.receiver.url
    await sim.register(callback_url=good + "/gone", verify_token=None)
    path = f"/v25.0/{NUMBER_ID}"
    wanted = {"override_callback_uri": good, "verify_token": "wrong"}
    status, body = await sim.graph({"webhook_configuration": wanted}, path=path)
    assert (status, body["error"]["code"]) == (400, 2200)
    assert "HTTP Status Code = 403" in body["error"]["message"]
    wanted["verify_token"] = VERIFY_TOKEN
    assert (await sim.graph({"webhook_configuration": wanted}, path=path))[0] == 200
    assert (await sim.write())["delivered"]
    wanted["override_callback_uri"] = ""
    assert (await sim.graph({"webhook_configuration": wanted}, path=path))[0] == 200
    assert (await sim.write())["status_code"] == 404


async def test_a_waba_override_is_removed_by_an_empty_body(sim: Sim) -> None:
    path = f"/v25.0/{WABA_ID}/subscribed_apps"
    wanted = {"override_callback_uri": sim.receiver.url, "verify_token": VERIFY_TOKEN}
    assert (await sim.graph(wanted, path=path))[0] == 200
    _, body = await sim.graph(None, path=path, method="GET")
    assert body["data"][0]["override_callback_uri"] == sim.receiver.url
    await sim.graph({}, path=path)
    _, body = await sim.graph(None, path=path, method="GET")
    assert "override_callback_uri" not in body["data"][0]


@pytest.mark.parametrize("path", ["/v99.0/me", "/v25.0/1/nope", f"/{NUMBER_ID}/messages"])
async def test_unknown_paths_are_error_2500(sim: Sim, path) -> None:
    status, body = await sim.graph(None, path=path, method="GET")
    assert (status, body["error"]["code"]) == (400, 2500)
    assert body["error"]["message"].startswith("Unknown path components")


async def test_the_probe_for_a_version_needs_no_token(sim: Sim) -> None:
    _, body = await sim.graph(None, path="/v26.0/me", method="GET", token=None)
    assert body["error"]["code"] == 2500
    assert "access token must be used" in body["error"]["message"]


async def test_calls_are_logged_without_credentials(sim: Sim) -> None:
    await sim.write()
    await sim.graph(text_to())
    await sim.graph(text_to(), token="EAAG-some-wrong-token")
    await sim.graph(
        {
            "webhook_configuration": {
                "override_callback_uri": "http://127.0.0.1:1/x",
                "verify_token": VERIFY_TOKEN,
            }
        },
        path=f"/v25.0/{NUMBER_ID}",
    )
    path = f"/v25.0/debug_token?input_token={TOKEN}&access_token={APP_ID}|{SECRET}"
    await sim.graph(None, path=path, method="GET", token=None)
    calls = await sim.requests()
    assert [call["outcome"]["status"] for call in calls] == [200, 401, 400, 200]
    assert [call["outcome"]["code"] for call in calls] == [None, 190, 2200, None]
    assert calls[0]["bearer"] == "…" + TOKEN[-4:]
    assert calls[0]["body"]["text"]["body"] == "hi there"
    assert calls[0]["outcome"]["wamid"].startswith("wamid.")
    for secret in (TOKEN, SECRET, VERIFY_TOKEN, "EAAG-some-wrong-token"):
        assert secret not in str(calls)
    await sim.command("DELETE", "/sim/requests", expected=204)
    assert await sim.requests() == []
