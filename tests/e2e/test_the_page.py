"""What the product's own page promises, by the client library and over HTTP."""

import secrets
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from humane_ai import AsyncHumaneClient, AuthError, NotFoundError
from tests.e2e.product import Channel, Product, new_phone
from tests.support.eventually import eventually


async def test_the_pages_sample_connects_a_number(product: Product) -> None:
    secrets: dict[str, Any] = {
        "access_token": "EAAplantedtoken0001",
        "app_secret": "0123456789abcdef" * 2,
    }
    product.planted |= set(secrets.values())
    async with product.client() as client:
        channel = await client.channels.create_whatsapp(
            phone_number_id="1158201444", label="Care line", auto_reply=True, **secrets
        )
        assert channel.id.startswith("mc_")
        assert channel.webhook_url_hint == f"/api/ingress/whatsapp/{channel.id}"
        assert channel.verify_token
        product.planted.add(channel.verify_token)
        assert (await client.channels.get(channel.id)).verify_token is None
        assert all(c.verify_token is None for c in await client.channels.list())
    async with AsyncMongoClient[Any](product.mongodb_uri) as mongo:
        stored = repr(await mongo.get_default_database()["channels"].find_one({"_id": channel.id}))
    for secret in (*secrets.values(), channel.verify_token):
        assert secret not in stored
    assert "v1.1." in stored


async def test_a_number_that_is_connected_twice_is_warned_of(product: Product) -> None:
    first = await product.connect()
    async with product.client() as client:
        again = await client.channels.create_whatsapp(
            phone_number_id=first.phone_number_id,
            access_token=first.access_token,
            app_secret=first.app_secret,
        )
    product.planted.add(again.verify_token)
    assert first.id in again.warnings[0]


async def test_a_wrong_key_is_told_so(product: Product) -> None:
    async with AsyncHumaneClient(api_key="hx_" + "0" * 43, base_url=product.base_url) as client:
        with pytest.raises(AuthError):
            await client.channels.list()


async def test_a_deleted_channel_is_unknown_at_once(product: Product) -> None:
    channel = await product.connect()
    async with product.client() as client:
        await client.channels.delete(channel.id)
        with pytest.raises(NotFoundError):
            await client.channels.get(channel.id)

    async def unknown() -> bool:
        status, _ = await product.post_webhook(channel, b"{}")
        return status == 404

    await eventually(unknown, timeout_s=3)


@pytest.mark.parametrize(
    ("mode", "token_suffix", "status", "outcome"),
    [
        ("subscribe", "", 200, "verified"),
        ("subscribe", "x", 403, "token_mismatch"),
        ("subscribe", "%0A", 403, "token_has_whitespace"),
        ("unsubscribe", "", 403, "wrong_mode"),
    ],
)
async def test_handshake_says_why(
    product: Product, mode: str, token_suffix: str, status: int, outcome: str
) -> None:
    channel = await product.connect(verify=False)
    query = (
        f"hub.mode={mode}&hub.challenge=1158201444"
        f"&hub.verify_token={channel.verify_token}{token_suffix}"
    )
    async with product.http.get(f"{channel.url}?{query}") as answer:
        assert answer.status == status
        if status == 200:
            assert answer.content_type == "text/plain"
            assert await answer.text() == "1158201444"

    async def told() -> bool:
        shown = await product.get(f"/api/channels/{channel.id}/activity")
        return outcome in repr(shown["activity"])

    await eventually(told, timeout_s=5)
    assert f'"{outcome}"' in product.log_text()


async def test_handshake_of_an_unknown_channel_is_refused(product: Product) -> None:
    url = f"{product.base_url}/api/ingress/whatsapp/mc_{'0' * 22}"
    query = "hub.mode=subscribe&hub.challenge=1&hub.verify_token=x"
    async with product.http.get(f"{url}?{query}") as answer:
        assert answer.status == 403


async def test_a_message_becomes_an_interaction_and_a_reply(
    product: Product, channel: Channel
) -> None:
    phone = new_phone()
    text = "I am so happy, my daughter was born today!"
    product.texts.add(text)
    sent = await product.sim(
        "phone/messages",
        {
            "phone_number_id": channel.phone_number_id,
            "from": f"+{phone}",
            "name": "Sarah",
            "text": text,
        },
    )
    assert sent["status_code"] == 200

    async def stored() -> list[dict[str, Any]]:
        async with product.http.get(
            f"{product.base_url}/api/users/{phone}/interactions",
            headers={"X-API-Key": product.api_key},
        ) as answer:
            return (await answer.json())["interactions"] if answer.status == 200 else []

    found = await eventually(stored, timeout_s=2)
    interaction = found[0]
    assert interaction["channel"] == "whatsapp"
    assert interaction["mood"] > 0.5
    assert interaction["safety"]["action"] == "PROCEED"
    assert interaction["memory"]["relevant_memories"] == []
    assert interaction["message"]["text"] == text
    replies = await eventually(lambda: product.texts_sent(channel, phone), timeout_s=5)
    assert len(replies) == 1
    assert replies[0]["context"]["message_id"] == sent["wamid"]

    async def read() -> bool:
        shown = await product.get(f"/api/deliveries?interaction_id={interaction['id']}")
        return [d["state"] for d in shown["deliveries"]] == ["read"]

    await eventually(read, timeout_s=5)


async def test_process_takes_the_same_path(product: Product, channel: Channel) -> None:
    text = "My flight was cancelled and nobody helps me, this is terrible."
    product.texts.add(text)
    phone = new_phone()
    await product.sim(
        "phone/messages",
        {"phone_number_id": channel.phone_number_id, "from": f"+{phone}", "text": text},
    )
    async with product.client() as client:
        result = await client.process(f"api-{phone}", text)

    async def stored() -> list[dict[str, Any]]:
        users = (await product.get("/api/users"))["users"]
        known = any(user["external_id"] == phone for user in users)
        return await product.interactions_of(phone) if known else []

    interaction = (await eventually(stored, timeout_s=3))[0]
    assert interaction["analysis"]["detected_emotions"] == list(result.analysis.detected_emotions)
    assert interaction["mood"] == pytest.approx(result.user.mood, abs=0.001)
    assert interaction["safety"]["action"] == result.safety.action


async def test_what_a_person_said_is_remembered(product: Product) -> None:
    async with product.client() as client:
        user = f"memory-{new_phone()}"
        await client.process(user, "My name is Sarah and I work at TechCorp as a nurse.")
        await client.process(user, "It rained all day here.")
        result = await client.process(user, "Do you remember where I work?")
        assert "TechCorp" in result.memory.relevant_memories[0].text
        history = await client.get_history(user)
        assert [entry.role for entry in history[:2]] == ["user", "assistant"]
        await client.clear_history(user)
        assert await client.get_history(user) == []


async def test_a_crisis_is_answered_by_a_reviewed_text(product: Product, channel: Channel) -> None:
    phone = f"447700900{secrets.randbelow(1000):03d}"
    await product.sim(
        "phone/messages",
        {
            "phone_number_id": channel.phone_number_id,
            "from": f"+{phone}",
            "text": "I want to kill myself tonight",
        },
    )
    replies = await eventually(lambda: product.texts_sent(channel, phone), timeout_s=3)
    assert "116 123" in replies[0]["text"]
    interaction = (await product.interactions_of(phone))[0]
    assert interaction["safety"]["action"] == "BLOCK"
    assert interaction["reply"]["model"] is None
