"""Media on the Graph side: an id gives a link, the link gives the bytes, and what goes wrong."""

import base64
import hashlib
from urllib.parse import urlsplit

import aiohttp
import pytest

from metasim.samples import sample
from tests.unit.metasim.harness import NUMBER_ID, TOKEN, Sim

DATA = sample("image/jpeg")
OTHER_TOKEN = "EAAG-another-token"
HANDLE = "attachments"


async def sent_image(sim: Sim, **more) -> dict:
    """The image object of a webhook."""
    await sim.act("/sim/phone/messages", kind="image", **more)
    return sim.receiver.received[-1].message["image"]


async def described(sim: Sim, media_id: str, query: str = "", token: str = TOKEN):
    path = f"/v25.0/{media_id}{query}"
    return await sim.graph(None, path=path, method="GET", token=token)


async def fetched(sim: Sim, url: str, token: str | None = TOKEN) -> tuple[int, bytes]:
    parts = urlsplit(url)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with sim.client.get(f"{parts.path}?{parts.query}", headers=headers) as answer:
        return answer.status, await answer.read()


async def set_fault(sim: Sim, action: dict, path: str = HANDLE) -> None:
    rule = {"match": {"path_contains": path}, "action": action}
    await sim.command("POST", "/sim/faults", rule, expected=201)


async def test_an_id_gives_a_link_and_the_link_gives_the_bytes(sim: Sim) -> None:
    image = await sent_image(sim)
    status, about = await described(sim, image["id"], f"?phone_number_id={NUMBER_ID}")
    assert status == 200
    url = about.pop("url")
    assert about == {
        "messaging_product": "whatsapp",
        "mime_type": "image/jpeg",
        "sha256": hashlib.sha256(DATA).hexdigest(),
        "file_size": str(len(DATA)),
        "id": image["id"],
    }
    assert url.startswith(str(sim.client.make_url("/whatsapp_business/attachments/?mid=")))
    assert await fetched(sim, url) == (200, DATA)
    assert await fetched(sim, image["url"]) == (200, DATA), "the webhook's own link works too"
    assert base64.b64decode(image["sha256"]) == hashlib.sha256(DATA).digest()


async def test_the_answer_names_the_type(sim: Sim) -> None:
    await sim.act("/sim/phone/messages", kind="voice")
    url = urlsplit(sim.receiver.received[-1].message["audio"]["url"])
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with sim.client.get(f"{url.path}?{url.query}", headers=headers) as answer:
        assert answer.headers["Content-Type"] == "audio/ogg; codecs=opus"


async def test_a_link_lives_five_minutes_and_another_can_be_had(sim: Sim) -> None:
    image = await sent_image(sim)
    sim.clock.advance(299)
    assert (await fetched(sim, image["url"]))[0] == 200
    sim.clock.advance(1)
    assert (await fetched(sim, image["url"]))[0] == 404
    _, about = await described(sim, image["id"])
    assert (await fetched(sim, about["url"]))[0] == 200


async def test_a_link_needs_the_numbers_own_token_and_an_untouched_query(sim: Sim) -> None:
    await sim.register(phone_number_id="2", access_token=OTHER_TOKEN)
    url = (await sent_image(sim))["url"]
    assert (await fetched(sim, url, token=None))[0] == 401
    assert (await fetched(sim, url, token="wrong"))[0] == 401
    assert (await fetched(sim, url, token=OTHER_TOKEN))[0] == 401
    assert (await fetched(sim, url.replace("ext=1", "ext=2")))[0] == 404
    assert (await fetched(sim, url + "0"))[0] == 404
    assert (await fetched(sim, url.partition("?")[0]))[0] == 404


async def test_media_of_another_number_is_refused(sim: Sim) -> None:
    await sim.register(phone_number_id="2")
    await sim.register(phone_number_id="3", access_token=OTHER_TOKEN)
    media_id = (await sent_image(sim))["id"]
    for query, token in (
        ("?phone_number_id=2", TOKEN),
        ("?phone_number_id=3", OTHER_TOKEN),
        ("", OTHER_TOKEN),
    ):
        status, body = await described(sim, media_id, query, token)
        assert status == 400
        assert (body["error"]["code"], body["error"]["error_subcode"]) == (100, 33)
    assert (await described(sim, media_id, token="wrong"))[1]["error"]["code"] == 190
    assert (await described(sim, media_id, token=None))[1]["error"]["code"] == 190
    assert (await described(sim, "1" * 16))[1]["error"]["code"] == 100


async def test_media_is_kept_for_seven_days(sim: Sim) -> None:
    media_id = (await sent_image(sim))["id"]
    sim.clock.advance(7 * 24 * 3600 - 1)
    _, about = await described(sim, media_id)
    sim.clock.advance(1)
    status, body = await described(sim, media_id)
    assert (status, body["error"]["code"]) == (404, 100)
    assert (await fetched(sim, about["url"]))[0] == 404


async def test_links_lead_where_the_configuration_says(start) -> None:
    sim = await start(statuses=(), public_url="http://metasim:9099/", media_path="/files/")
    image = await sent_image(sim)
    assert image["url"].startswith("http://metasim:9099/files/?mid=")
    assert await fetched(sim, image["url"]) == (200, DATA)


async def test_corrupt_bytes_have_another_digest(sim: Sim) -> None:
    image = await sent_image(sim)
    await set_fault(sim, {"type": "corrupt"})
    status, body = await fetched(sim, image["url"])
    assert (status, len(body)) == (200, len(DATA))
    assert base64.b64encode(hashlib.sha256(body).digest()).decode() != image["sha256"]
    assert await fetched(sim, image["url"]) == (200, DATA), "once"


async def test_more_may_come_than_was_announced(sim: Sim) -> None:
    image = await sent_image(sim)
    await set_fault(sim, {"type": "oversize", "extra_bytes": 70_000})
    parts = urlsplit(image["url"])
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with sim.client.get(f"{parts.path}?{parts.query}", headers=headers) as answer:
        assert answer.content_length is None
        body = await answer.read()
    assert body == DATA + bytes(70_000)


async def test_a_body_may_stop_half_way(sim: Sim) -> None:
    image = await sent_image(sim)
    await set_fault(sim, {"type": "slow_body", "delay_ms": 60_000})
    parts = urlsplit(image["url"])
    headers = {"Authorization": f"Bearer {TOKEN}"}
    timeout = aiohttp.ClientTimeout(total=0.2)
    async with sim.client.get(
        f"{parts.path}?{parts.query}", headers=headers, timeout=timeout
    ) as answer:
        assert answer.content_length == len(DATA)
        with pytest.raises(TimeoutError):
            await answer.read()


async def test_a_slow_body_is_whole_in_the_end(sim: Sim) -> None:
    image = await sent_image(sim)
    await set_fault(sim, {"type": "slow_body", "delay_ms": 1})
    assert await fetched(sim, image["url"]) == (200, DATA)


async def test_a_link_can_be_gone_once(sim: Sim) -> None:
    image = await sent_image(sim)
    await set_fault(sim, {"type": "error", "code": 100, "status": 404})
    assert (await fetched(sim, image["url"]))[0] == 404
    assert (await fetched(sim, image["url"]))[0] == 200


async def test_the_lookup_can_fail_too(sim: Sim) -> None:
    media_id = (await sent_image(sim))["id"]
    await set_fault(sim, {"type": "error", "code": 131000}, path=media_id)
    assert (await described(sim, media_id))[0] == 500
    assert (await described(sim, media_id))[0] == 200


async def test_the_log_of_calls_does_not_give_the_link_away(sim: Sim) -> None:
    image = await sent_image(sim)
    await fetched(sim, image["url"])
    (call,) = await sim.requests()
    assert call["query"]["mid"] == image["id"]
    assert call["query"]["hash"] not in image["url"]


async def test_the_page_sees_media_without_a_token(sim: Sim) -> None:
    media_id = (await sent_image(sim))["id"]
    async with sim.client.get(f"/sim/media/{media_id}") as answer:
        assert (answer.content_type, await answer.read()) == ("image/jpeg", DATA)
    await sim.command("GET", "/sim/media/1", expected=404)
    await sim.command("POST", "/sim/reset", expected=204)
    await sim.command("GET", f"/sim/media/{media_id}", expected=404)
