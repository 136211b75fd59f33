"""``appsecret_proof``: hex HMAC-SHA256 of the access token under the app secret."""

import hashlib
import hmac

import pytest

from tests.unit.metasim.harness import APP_ID, NUMBER_ID, SECRET, TOKEN, WABA_ID, Sim, text_to


def proof(signed: str = TOKEN, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


PATHS = [f"/v25.0/{NUMBER_ID}", f"/v25.0/{WABA_ID}/subscribed_apps"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_right_proof_and_none_are_both_fine(sim: Sim, path) -> None:
    for query in ("", f"?appsecret_proof={proof()}"):
        assert (await sim.graph(None, path=path + query, method="GET"))[0] == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("given", ["", "0" * 64, proof(secret="other"), proof(TOKEN + "x")])
async def test_a_wrong_proof_is_refused(sim: Sim, path, given) -> None:
    status, body = await sim.graph(None, path=f"{path}?appsecret_proof={given}", method="GET")
    assert status == 400
    error = body["error"]
    assert (error["code"], error["type"]) == (100, "GraphMethodException")
    assert error["message"] == "Invalid appsecret_proof provided in the API argument"


async def test_messages_and_media_are_checked_too(sim: Sim) -> None:
    await sim.act("/sim/phone/messages", kind="image")
    media_id = sim.receiver.received[-1].message["image"]["id"]
    messages = f"/v25.0/{NUMBER_ID}/messages?appsecret_proof="
    assert (await sim.graph(text_to(), path=messages + proof()))[0] == 200
    assert (await sim.graph(text_to(), path=messages + "no"))[1]["error"]["code"] == 100
    media = f"/v25.0/{media_id}?appsecret_proof="
    assert (await sim.graph(None, path=media + proof(), method="GET"))[0] == 200
    assert (await sim.graph(None, path=media + "no", method="GET"))[1]["error"]["code"] == 100
    assert len((await sim.conversation())["messages"]) == 2


async def test_a_number_may_want_one(sim: Sim) -> None:
    await sim.register(require_appsecret_proof=True)
    await sim.write()
    _, body = await sim.graph(text_to())
    assert body["error"]["code"] == 100
    assert "require an appsecret_proof" in body["error"]["message"]
    path = f"/v25.0/{NUMBER_ID}/messages?appsecret_proof={proof()}"
    assert (await sim.graph(text_to(), path=path))[0] == 200
    await sim.register()
    assert (await sim.graph(text_to()))[0] == 400, "registering again keeps it"
    await sim.register(require_appsecret_proof=False)
    assert (await sim.graph(text_to()))[0] == 200


async def test_a_proof_with_a_time_holds_five_minutes(sim: Sim) -> None:
    at = int(sim.clock.now)
    timed = f"{PATHS[0]}?appsecret_time={at}&appsecret_proof={proof(f'{TOKEN}|{at}')}"
    assert (await sim.graph(None, path=timed, method="GET"))[0] == 200
    sim.clock.advance(301)
    assert (await sim.graph(None, path=timed, method="GET"))[1]["error"]["code"] == 100
    untimed = f"{PATHS[0]}?appsecret_time=x&appsecret_proof={proof()}"
    assert (await sim.graph(None, path=untimed, method="GET"))[1]["error"]["code"] == 100


async def test_the_token_check_proves_itself_with_the_apps_token(sim: Sim) -> None:
    app_token = f"{APP_ID}|{SECRET}"
    path = f"/v25.0/debug_token?input_token={TOKEN}&appsecret_proof="
    right = path + proof(app_token)
    assert (await sim.graph(None, path=right, method="GET", token=app_token))[0] == 200
    wrong = path + proof()
    assert (await sim.graph(None, path=wrong, method="GET", token=app_token))[0] == 400


async def test_proofs_are_cut_in_the_log(sim: Sim) -> None:
    await sim.graph(None, path=f"{PATHS[0]}?appsecret_proof={proof()}", method="GET")
    assert proof() not in str(await sim.requests())
