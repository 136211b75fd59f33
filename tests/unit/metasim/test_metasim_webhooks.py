import json

import pytest

from metasim import StatusStep
from metasim.payloads import encode, signature
from tests.support.eventually import eventually
from tests.unit.metasim.harness import (
    DIGITS,
    NUMBER_ID,
    VERIFY_TOKEN,
    Sim,
    mark_read,
    text_to,
)


def test_the_signature_is_that_of_a_public_vector() -> None:
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signature("It's a Secret to Everybody", b"Hello, World!") == "sha256=" + digest


def test_bodies_are_escaped_as_meta_does() -> None:
    body = {"a": "café 😀 a/b \\/ \ud83d"}
    escaped = encode(body, escape=True)
    assert escaped == rb'{"a":"caf\u00e9 \ud83d\ude00 a\/b \\\/ \ud83d"}'
    assert json.loads(escaped) == body
    assert json.loads(encode(body, escape=False)) == body
    assert "café 😀 a/b".encode() in encode(body, escape=False)


async def test_a_message_arrives_signed_and_in_the_documented_form(sim: Sim) -> None:
    sent = await sim.write("café a/b", name="Zoë", user_id="US.1", context_message_id="wamid.q")
    (got,) = sim.receiver.received
    assert got.verified
    assert got.headers["User-Agent"] == "facebookexternalua"
    assert got.headers["Content-Type"] == "application/json"
    assert rb"caf\u00e9 a\/b" in got.raw
    assert got.value == {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "+1 555 000 0000", "phone_number_id": NUMBER_ID},
        "contacts": [{"profile": {"name": "Zoë"}, "wa_id": DIGITS, "user_id": "US.1"}],
        "messages": [
            {
                "id": sent["wamid"],
                "timestamp": str(int(sim.clock.now)),
                "from": DIGITS,
                "from_user_id": "US.1",
                "context": {"from": DIGITS, "id": "wamid.q"},
                "type": "text",
                "text": {"body": "café a/b"},
            }
        ],
    }
    assert {key: sent[key] for key in ("delivered", "status_code", "attempts")} == {
        "delivered": True,
        "status_code": 200,
        "attempts": 1,
    }


async def test_escapes_can_be_switched_off(start) -> None:
    sim = await start(statuses=(), escape_unicode=False)
    await sim.write("café a/b")
    assert "café a/b".encode() in sim.receiver.received[0].raw
    assert sim.receiver.received[0].verified


async def test_a_hidden_phone_is_absent_from_the_webhook(sim: Sim) -> None:
    await sim.write(user_id="US.1", username="zoe", hide_phone=True)
    value = sim.receiver.received[0].value
    assert "from" not in value["messages"][0]
    assert value["messages"][0]["from_user_id"] == "US.1"
    assert value["contacts"][0]["profile"]["username"] == "zoe"
    assert DIGITS.encode() not in sim.receiver.received[0].raw


async def test_any_kind_of_message_can_be_written(sim: Sim) -> None:
    image = {"type": "image", "image": {"id": "1", "mime_type": "image/png", "sha256": "x"}}
    await sim.write(message=image)
    message = sim.receiver.received[0].value["messages"][0]
    assert (message["type"], message["image"]["id"], message["from"]) == ("image", "1", DIGITS)
    assert (await sim.conversation())["messages"][0]["text"] == "[image]"


async def test_sent_delivered_read_come_one_by_one_signed_and_in_order(start) -> None:
    sim = await start()
    await sim.write(user_id="US.1")
    _, answer = await sim.graph(text_to(biz_opaque_callback_data="delivery-7"))
    wamid = answer["messages"][0]["id"]
    await eventually(lambda: len(sim.receiver.statuses()) == 3)
    assert [item["status"] for item in sim.receiver.statuses()] == ["sent", "delivered", "read"]
    for item in sim.receiver.statuses():
        assert item["id"] == wamid
        assert item["recipient_id"] == DIGITS
        assert item["recipient_user_id"] == "US.1"
        assert item["biz_opaque_callback_data"] == "delivery-7"
        assert item["timestamp"] == str(int(sim.clock.now))
    assert all(item.verified for item in sim.receiver.received)
    assert "contacts" in sim.receiver.received[-1].value
    reply = (await sim.conversation())["messages"][-1]
    assert reply["status"] == "read"
    assert list(reply["statuses"]) == ["sent", "delivered", "read"]


async def test_statuses_can_be_off_reordered_and_repeated(start) -> None:
    steps = (StatusStep("read", 1), StatusStep("sent", 2), StatusStep("sent", 3))
    sim = await start(statuses=steps)
    await sim.write()
    await sim.graph(text_to())
    await eventually(lambda: len(sim.receiver.statuses()) == 3)
    assert [item["status"] for item in sim.receiver.statuses()] == ["read", "sent", "sent"]
    failed = {"steps": [{"status": "failed", "code": 131047}]}
    await sim.command("PUT", "/sim/statuses", failed)
    await sim.graph(text_to())
    await eventually(lambda: len(sim.receiver.statuses()) == 4)
    last = sim.receiver.statuses()[-1]
    assert (last["status"], last["errors"][0]["code"]) == ("failed", 131047)
    await sim.command("PUT", "/sim/statuses", {"steps": []})
    await sim.graph(text_to())
    await sim.write()
    assert len(sim.receiver.statuses()) == 4


async def test_a_503_is_retried_until_it_is_taken(sim: Sim) -> None:
    sim.receiver.answers = [503, 503, 202]
    sent = await sim.write()
    assert (sent["delivered"], sent["status_code"], sent["attempts"]) == (False, 503, 1)

    async def delivered() -> dict | None:
        found = await sim.command("GET", "/sim/deliveries", None)
        return next((item for item in found["deliveries"] if item["state"] == "delivered"), None)

    log = await eventually(delivered)
    assert [attempt["status_code"] for attempt in log["attempts"]] == [503, 503, 202, 200]
    assert len({item.raw for item in sim.receiver.received}) == 1, "the same bytes each time"
    assert all(item.verified for item in sim.receiver.received)
    assert (await sim.conversation())["messages"][0]["delivered"]


async def test_retries_are_bounded_and_the_first_is_immediate(start) -> None:
    sim = await start(statuses=(), webhook_retry_delays_s=(0.0, 0.01))
    sim.receiver.answers = [500] * 10
    await sim.write()

    async def dropped() -> dict | None:
        (item,) = (await sim.command("GET", "/sim/deliveries"))["deliveries"]
        return item if item["state"] == "dropped" else None

    assert len((await eventually(dropped))["attempts"]) == 3
    assert not (await sim.conversation())["messages"][0]["delivered"]


async def test_a_receiver_that_is_not_there_is_an_error_without_a_status(sim: Sim) -> None:
    await sim.register(callback_url="http://127.0.0.1:9/hook", verify_token=None)
    sent = await sim.write()
    assert (sent["status_code"], sent["error"]) == (None, "ClientConnectorError")


async def test_the_handshake_stores_the_callback_only_when_it_succeeds(start) -> None:
    sim = await start(registered=False, statuses=())
    answer = await sim.register(verify_token="wrong")
    assert answer["handshake"]["ok"] is False
    assert answer["handshake"]["status_code"] == 403
    assert answer["handshake"]["body"] == "wrong token"
    assert answer["number"]["callback_url"] is None
    path = f"/sim/numbers/{NUMBER_ID}/handshake"
    command = {"callback_url": sim.receiver.url, "verify_token": "wrong"}
    failed = await sim.command("POST", path, command, expected=400)
    assert failed["message"] == ("(#2200) Callback verification failed with HTTP Status Code = 403")
    command["verify_token"] = VERIFY_TOKEN
    done = await sim.command("POST", path, command)
    assert done == {
        "ok": True,
        "status_code": 200,
        "body": sim.receiver.challenges[-1],
        "message": None,
    }
    assert sim.receiver.challenges[-1].isdigit()
    assert (await sim.write())["delivered"]


async def test_a_challenge_in_quotes_fails_the_handshake(sim: Sim) -> None:
    command = {
        "callback_url": sim.receiver.url.replace("/hook", "/quoted"),
        "verify_token": VERIFY_TOKEN,
    }
    path = f"/sim/numbers/{NUMBER_ID}/handshake"
    failed = await sim.command("POST", path, command, expected=400)
    assert "does not match challenge" in failed["message"]


@pytest.mark.parametrize("concurrent", [True, False])
async def test_a_webhook_is_redelivered_byte_for_byte(sim: Sim, concurrent) -> None:
    wamid = (await sim.write())["wamid"]
    command = {"wamid": wamid, "times": 3, "concurrent": concurrent}
    answer = await sim.command("POST", "/sim/webhooks/redeliver", command)
    assert [item["status_code"] for item in answer["results"]] == [200] * 3
    assert len(sim.receiver.received) == 4
    assert len({item.raw for item in sim.receiver.received}) == 1
    await sim.command("POST", "/sim/webhooks/redeliver", {"wamid": "x"}, expected=404)


async def test_forged_webhooks_are_sent_as_asked_and_leave_no_trace(sim: Sim) -> None:
    message = {"from": DIGITS, "id": "wamid.forged", "timestamp": "1", "type": "text"}
    value = {"metadata": {"phone_number_id": NUMBER_ID}, "messages": [message]}
    command = {"phone_number_id": NUMBER_ID, "value": value}
    for forgery in ({"sign_with": "other"}, {"signature": None}, {"signature": "sha256=zz"}):
        await sim.command("POST", "/sim/webhooks", {**command, **forgery})
    first, second, third = sim.receiver.received
    assert not any(item.verified for item in sim.receiver.received)
    assert len(first.headers["X-Hub-Signature-256"]) == len("sha256=") + 64
    assert "X-Hub-Signature-256" not in second.headers
    assert third.headers["X-Hub-Signature-256"] == "sha256=zz"
    assert (await sim.conversation())["messages"] == []


async def test_a_raw_batch_counts_as_written(sim: Sim) -> None:
    messages = [
        {
            "from": DIGITS,
            "id": f"wamid.{n}",
            "timestamp": str(int(sim.clock.now)),
            "type": "text",
            "text": {"body": str(n)},
        }
        for n in range(1000)
    ]
    value = {"metadata": {"phone_number_id": NUMBER_ID}, "messages": messages}
    command = {"phone_number_id": NUMBER_ID, "value": value, "times": 2}
    answer = await sim.command("POST", "/sim/webhooks", command)
    assert [item["response"] for item in answer["results"]] == ["seen", "seen"]
    assert sim.receiver.received[0].verified
    assert len((await sim.conversation())["messages"]) == 1000
    assert (await sim.graph(mark_read("wamid.999")))[0] == 200
    assert (await sim.graph(text_to()))[0] == 200


@pytest.mark.parametrize("body", ["{not json", "", '{"entry": [1, {"changes": 2}]}', [], {"a": 1}])
async def test_any_body_can_be_sent_with_a_right_signature(sim: Sim, body) -> None:
    command = {"phone_number_id": NUMBER_ID, "body": body}
    await sim.command("POST", "/sim/webhooks", command)
    assert sim.receiver.received[0].verified
    if isinstance(body, str):
        assert sim.receiver.received[0].raw == body.encode()


async def test_a_raw_webhook_is_retried_only_when_asked(sim: Sim) -> None:
    sim.receiver.answers = [503]
    command = {"phone_number_id": NUMBER_ID, "body": {}, "retry": True}
    await sim.command("POST", "/sim/webhooks", command)
    await eventually(lambda: len(sim.receiver.received) == 2)
    sim.receiver.answers = [503]
    answer = await sim.command("POST", "/sim/webhooks", {**command, "retry": False})
    assert answer["results"][0]["status_code"] == 503
    log = (await sim.command("GET", "/sim/deliveries"))["deliveries"]
    assert [len(item["attempts"]) for item in log] == [2, 1]


async def test_a_rotated_app_secret_signs_what_is_still_on_its_way(start) -> None:
    sim = await start(registered=False, statuses=(), webhook_retry_delays_s=(0.05,) * 100)
    await sim.register(app_secret="an-older-secret")
    sim.receiver.answers = [401]
    await sim.write()
    assert not sim.receiver.received[0].verified
    await sim.register()
    await eventually(lambda: len(sim.receiver.received) > 1 and sim.receiver.received[-1].verified)


async def test_a_webhook_that_a_test_posts_itself_can_be_made_known(sim: Sim) -> None:
    message = {"from": DIGITS, "id": "wamid.own", "type": "text", "text": {"body": "x"}}
    value = {"metadata": {"phone_number_id": NUMBER_ID}, "messages": [message]}
    command = {"phone_number_id": NUMBER_ID, "value": value, "times": 0}
    assert await sim.command("POST", "/sim/webhooks", command) == {"results": []}
    assert sim.receiver.received == []
    assert (await sim.graph(mark_read("wamid.own")))[0] == 200
    assert (await sim.graph(text_to()))[0] == 200


async def test_a_number_needs_only_its_credentials(start) -> None:
    sim = await start(registered=False, statuses=())
    command = {"phone_number_id": "1055000123", "access_token": "t", "app_secret": "s"}
    answer = await sim.command("POST", "/sim/numbers", command, expected=201)
    assert answer["handshake"] is None
    assert answer["number"]["display_phone_number"] == "+1 555 500 0123"
