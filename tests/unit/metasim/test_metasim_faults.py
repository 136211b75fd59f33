import asyncio
import json
import time

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from metasim import SimConfig, build_app
from tests.support.eventually import eventually
from tests.unit.metasim.harness import DIGITS, NUMBER_ID, Sim, mark_read, text_to


async def set_fault(sim: Sim, action: dict, **rule) -> None:
    await sim.command("POST", "/sim/faults", {"action": action, **rule}, expected=201)


async def replies(sim: Sim) -> list[dict]:
    messages = (await sim.conversation())["messages"]
    return [item for item in messages if item["direction"] == "business"]


async def test_an_error_is_answered_as_many_times_as_asked(sim: Sim) -> None:
    await sim.write()
    action = {"type": "error", "code": 131000, "subcode": 7, "details": "so it is", "status": 503}
    await set_fault(sim, action, times=2)
    for _ in range(2):
        status, body = await sim.graph(text_to())
        assert status == 503
        error = body["error"]
        assert (error["code"], error["error_subcode"]) == (131000, 7)
        assert error["error_data"]["details"] == "so it is"
    assert (await sim.graph(text_to()))[0] == 200
    assert (await sim.command("GET", "/sim/faults"))["faults"] == []
    assert len(await replies(sim)) == 1


async def test_a_fault_for_ever_stands_until_it_is_removed(sim: Sim) -> None:
    await sim.write()
    await set_fault(sim, {"type": "html_500"}, times=None)
    for _ in range(3):
        async with sim.client.post(f"/v25.0/{NUMBER_ID}/messages", json=text_to()) as answer:
            assert answer.status == 500
            assert answer.content_type == "text/html"
    (rule,) = (await sim.command("GET", "/sim/faults"))["faults"]
    assert (rule["hits"], rule["times_left"]) == (3, None)
    await sim.command("DELETE", "/sim/faults", expected=204)
    assert (await sim.graph(text_to()))[0] == 200


@pytest.mark.parametrize(
    "match",
    [
        {"kind": "text"},
        {"to": DIGITS},
        {"to": "+1 555 123-4567"},
        {"path_contains": "/messages"},
        {"phone_number_id": NUMBER_ID},
        {"kind": "text", "to": DIGITS},
    ],
)
async def test_a_fault_happens_to_what_it_matches(sim: Sim, match) -> None:
    await sim.write()
    await set_fault(sim, {"type": "error", "code": 2}, match=match)
    assert (await sim.graph(text_to()))[1]["error"]["code"] == 2


@pytest.mark.parametrize(
    "match",
    [
        {"kind": "read"},
        {"to": "1999"},
        {"path_contains": "debug_token"},
        {"phone_number_id": NUMBER_ID[:-1]},
        {"kind": "text", "to": "1999"},
    ],
)
async def test_a_fault_spares_what_it_does_not_match(sim: Sim, match) -> None:
    await sim.write()
    await set_fault(sim, {"type": "error", "code": 2}, match=match)
    assert (await sim.graph(text_to()))[0] == 200


async def test_reading_and_typing_are_kinds(sim: Sim) -> None:
    wamid = (await sim.write())["wamid"]
    await set_fault(sim, {"type": "error", "code": 2}, match={"kind": "typing"})
    assert (await sim.graph(mark_read(wamid)))[0] == 200
    typing = mark_read(wamid, typing_indicator={"type": "text"})
    assert (await sim.graph(typing))[1]["error"]["code"] == 2


async def test_a_timeout_before_processing_leaves_no_message(sim: Sim) -> None:
    await sim.write()
    await set_fault(sim, {"type": "timeout_before"})
    with pytest.raises(TimeoutError):
        await sim.graph(text_to(), timeout_s=0.1)
    assert await replies(sim) == []
    outcome = (await sim.requests())[0]["outcome"]
    assert (outcome["answered"], outcome["status"]) == (False, None)


async def test_the_ambiguous_case_sends_the_message_and_says_nothing(start) -> None:
    sim = await start()
    await sim.write()
    await set_fault(sim, {"type": "timeout_after"})
    with pytest.raises(TimeoutError):
        await sim.graph(text_to(biz_opaque_callback_data="delivery-7"), timeout_s=0.2)
    (reply,) = await replies(sim)
    await eventually(lambda: len(sim.receiver.statuses()) == 3)
    seen = {(item["id"], item["biz_opaque_callback_data"]) for item in sim.receiver.statuses()}
    assert seen == {(reply["wamid"], "delivery-7")}
    outcome = (await sim.requests())[0]["outcome"]
    assert outcome["wamid"] == reply["wamid"]
    assert (outcome["fault"], outcome["status"]) == ("timeout_after", 200)
    assert outcome["answered"] is False


async def test_a_timeout_can_close_soon(sim: Sim) -> None:
    await sim.write()
    await set_fault(sim, {"type": "timeout_after", "hang_ms": 1})
    with pytest.raises(aiohttp.ClientConnectionError):
        await sim.graph(text_to())
    assert len(await replies(sim)) == 1


async def test_a_refusal_stays_a_refusal_when_nobody_hears_it(sim: Sim) -> None:
    await set_fault(sim, {"type": "timeout_after", "hang_ms": 1})
    with pytest.raises(aiohttp.ClientConnectionError):
        await sim.graph(text_to())
    assert (await sim.requests())[0]["outcome"]["code"] == 131047


async def test_a_reset_closes_the_connection_before_processing(sim: Sim) -> None:
    await sim.write()
    await set_fault(sim, {"type": "reset"})
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await sim.graph(text_to())
    assert await replies(sim) == []
    assert (await sim.graph(text_to()))[0] == 200


async def test_a_delay_delays(sim: Sim) -> None:
    await sim.write()
    await set_fault(sim, {"type": "delay", "delay_ms": 80})
    started = time.monotonic()
    assert (await sim.graph(text_to()))[0] == 200
    assert time.monotonic() - started >= 0.08


async def test_a_message_may_fail_after_it_was_accepted(start) -> None:
    sim = await start()
    await sim.write()
    await set_fault(sim, {"type": "fails_later", "code": 131026})
    assert (await sim.graph(text_to()))[0] == 200
    await eventually(sim.receiver.statuses)
    (status,) = sim.receiver.statuses()
    assert status["status"] == "failed"
    assert status["errors"][0]["title"] == "Message undeliverable"


async def test_a_single_request_can_ask_for_its_fault(sim: Sim) -> None:
    await sim.write()
    wanted = {"X-Sim-Fault": json.dumps({"type": "error", "code": 130429, "status": 429})}
    status, body = await sim.graph(text_to(), headers=wanted)
    assert (status, body["error"]["code"]) == (429, 130429)
    assert (await sim.graph(text_to()))[0] == 200
    for wrong in ("{", '{"type": "nope"}', "[]"):
        status, body = await sim.graph(text_to(), headers={"X-Sim-Fault": wrong})
        assert status == 400
        assert isinstance(body["error"], str)


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"action": {"type": "nope"}},
        {"action": {"type": "error"}},
        {"action": {"type": "error", "code": "x"}},
        {"action": {"type": "error", "code": 1, "status": 200}},
        {"action": {"type": "delay", "delay_ms": -1}},
        {"action": {"type": "reset"}, "times": 0},
        {"action": {"type": "reset"}, "match": []},
    ],
)
async def test_a_wrong_rule_is_refused(sim: Sim, rule) -> None:
    assert (await sim.command("POST", "/sim/faults", rule, expected=400))["error"]


async def test_shutdown_lets_held_requests_and_long_polls_go() -> None:
    client = TestClient(TestServer(build_app(SimConfig())))
    await client.start_server()
    held = {"X-Sim-Fault": json.dumps({"type": "timeout_before"})}
    hanging = asyncio.ensure_future(client.get("/v25.0/1", headers=held))
    waiting = asyncio.ensure_future(client.get("/sim/phone/1555000/wait?timeout_s=100"))

    async def arrived() -> bool:
        async with client.get("/sim/requests") as answer:
            return len((await answer.json())["requests"]) == 1

    await eventually(arrived)
    started = time.monotonic()
    await client.server.close()
    assert time.monotonic() - started < 5
    with pytest.raises(aiohttp.ClientConnectionError):
        await hanging
    await asyncio.gather(waiting, return_exceptions=True)
    await client.close()
