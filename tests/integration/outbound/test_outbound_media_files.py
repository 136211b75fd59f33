"""People's files, fetched from the simulator as from Meta: two steps, one token, every check."""

from dataclasses import replace
from typing import Any

import pytest

from tests.integration.outbound.world import (
    PHONE,
    SERVICE_TOKEN,
    TENANT,
    Channel,
    Json,
    Outbound,
    World,
)


async def written(world: World, channel: Channel, **message: Any) -> Json:
    """The media object of a message that a person sent."""
    said = {"phone_number_id": channel.phone_number_id, "from": PHONE, **message}
    wamid = (await world.meta.call("POST", "/sim/phone/messages", said))["wamid"]
    shown = await world.meta.call("GET", f"/sim/phone/{PHONE}/messages")
    (bubble,) = (item for item in shown["messages"] if item["wamid"] == wamid)
    content: Json = bubble["content"]
    return content


async def fetched(
    outbound: Outbound, channel: Channel, media: Json, *, token: str = SERVICE_TOKEN, **query: str
) -> tuple[int, bytes, str]:
    port = outbound.running.ports["internal"]
    asked = {
        "tenant": TENANT,
        "channel_id": channel.id,
        "media_id": media["id"],
        "sha256": media["sha256"],
    }
    async with outbound.world.meta.http.get(
        f"http://127.0.0.1:{port}/internal/media",
        params=asked | query,
        headers={"Authorization": f"Bearer {token}"},
    ) as answer:
        return answer.status, await answer.read(), answer.content_type


async def original(world: World, media: Json) -> bytes:
    async with world.meta.http.get(f"{world.meta.url}/sim/media/{media['id']}") as answer:
        return await answer.read()


async def test_a_file_comes_whole_and_checked(world: World, outbound: Outbound, channel: Channel):
    for kind, mime_type in (("voice", "audio/ogg"), ("image", "image/jpeg")):
        media = await written(world, channel, kind=kind)
        status, body, content_type = await fetched(outbound, channel, media)
        assert (status, content_type) == (200, mime_type)
        assert body == await original(world, media)


async def test_a_large_file_waits_on_disk(world: World, outbound: Outbound, channel: Channel):
    media = await written(world, channel, kind="document", size=3_000_000)
    status, body, _ = await fetched(outbound, channel, media)
    assert (status, len(body)) == (200, 3_000_000)


@pytest.mark.parametrize(
    ("action", "status", "slug"),
    [
        ({"type": "corrupt"}, 502, b"media-altered"),
        ({"type": "oversize", "extra_bytes": 2_000_000}, 413, b"media-too-large"),
        ({"type": "error", "code": 100, "status": 404}, 404, b"media-gone"),
        ({"type": "html_500"}, 503, b"media-unavailable"),
        ({"type": "reset"}, 503, b"media-unavailable"),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else str(value),
)
async def test_what_goes_wrong_says_so(
    world: World, channel: Channel, action: Json, status: int, slug: bytes
):
    async with world.outbound(media_cap_mb=1) as outbound:
        media = await written(world, channel, kind="image")
        fault = {"match": {"path_contains": "attachments"}, "times": None, "action": action}
        await world.meta.call("POST", "/sim/faults", fault)
        answered, body, _ = await fetched(outbound, channel, media)
    assert answered == status
    assert slug in body


async def test_a_location_that_ran_out_is_asked_for_anew(
    world: World, outbound: Outbound, channel: Channel
):
    media = await written(world, channel, kind="image")
    gone = {"type": "error", "code": 100, "status": 404}
    fault = {"match": {"path_contains": "attachments"}, "times": 2, "action": gone}
    await world.meta.call("POST", "/sim/faults", fault)
    status, body, _ = await fetched(outbound, channel, media)
    assert (status, body) == (200, await original(world, media))


async def test_the_token_goes_to_no_other_host(world: World, channel: Channel):
    media = await written(world, channel, kind="image")
    async with world.outbound(media_hosts=("lookaside.fbsbx.com",)) as outbound:
        await world.meta.call("DELETE", "/sim/requests")
        status, body, _ = await fetched(outbound, channel, media)
        assert status == 502
        assert b"media-elsewhere" in body
    asked = (await world.meta.call("GET", "/sim/requests"))["requests"]
    assert not [call for call in asked if "attachments" in call["path"]]


async def test_a_wrong_digest_is_no_file(world: World, outbound: Outbound, channel: Channel):
    media = await written(world, channel, kind="image")
    status, body, _ = await fetched(outbound, channel, media | {"sha256": "0" * 64})
    assert status == 502
    assert b"media-altered" in body


async def test_only_services_of_ours_may_ask(world: World, outbound: Outbound, channel: Channel):
    media = await written(world, channel, kind="image")
    assert (await fetched(outbound, channel, media, token="x" * 40))[0] == 401
    assert (await fetched(outbound, channel, media, tenant="tn_other"))[0] == 404
    assert (await fetched(outbound, replace(channel, id="mc_none"), media))[0] == 404
    unknown = media | {"id": "9" * 15}
    assert (await fetched(outbound, channel, unknown))[0] == 404


async def test_a_rejected_token_says_so(world: World, outbound: Outbound, channel: Channel):
    media = await written(world, channel, kind="image")
    await world.meta.register(channel, token="another-token-at-meta")
    status, body, _ = await fetched(outbound, channel, media)
    assert status == 502
    assert b"media-refused" in body
    assert channel.token.encode() not in body
