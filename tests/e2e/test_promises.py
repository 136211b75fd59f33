"""The promises of the house, each against real processes, a real broker and a real database."""

import asyncio
import json
import secrets
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from bson.raw_bson import RawBSONDocument
from jsonschema import Draft202012Validator
from pymongo import AsyncMongoClient

from humane_ai import NotFoundError
from tests.e2e.product import Channel, Product, new_phone, sign, text_message, webhook
from tests.support.eventually import eventually

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


async def interactions_known(product: Product, phone: str) -> list[dict[str, Any]]:
    """Interactions of a person who may not have arrived yet."""
    async with product.http.get(
        f"{product.base_url}/api/users/{phone}", headers={"X-API-Key": product.api_key}
    ) as answer:
        if answer.status == 404:
            return []
    return await product.interactions_of(phone)


class TestNoForgedMessageGetsIn:
    async def test_forgeries(self, product: Product, channel: Channel) -> None:
        phone = new_phone()
        body = webhook(channel, text_message(phone, "forged"))
        good = sign(channel.app_secret, body)
        forgeries = [
            (body, ""),
            (body, good.removeprefix("sha256=")),
            (body, "sha256=" + "zz" * 32),
            (body, "sha256=" + "00" * 32),
            (body, good.upper()),
            (body, sign("wrong secret", body)),
            (body + b" ", good),
            (body.replace(b"forged", b"forgee"), good),
        ]
        for forged, signature in forgeries:
            status, answer = await product.post_webhook(channel, forged, signature=signature)
            assert status == 401, signature
            assert good.removeprefix("sha256=") not in repr(answer)
        assert good.removeprefix("sha256=") not in product.log_text()
        status, _ = await product.post_webhook(channel, webhook(channel, text_message(phone, "ok")))
        assert status == 200
        found = await eventually(lambda: interactions_known(product, phone))
        assert [i["message"]["text"] for i in found] == ["ok"]

    async def test_another_channels_number_is_dropped(
        self, product: Product, channel: Channel
    ) -> None:
        phone = new_phone()
        body = webhook(
            channel,
            text_message(phone, "injected"),
            metadata={"phone_number_id": "999", "display_phone_number": "1"},
        )
        status, answer = await product.post_webhook(channel, body)
        assert (status, answer) == (200, {"status": "ignored"})


class TestOnlyUserAuthoredMessagesReachTheBrain:
    @pytest.mark.parametrize(
        "parts",
        [
            {"statuses": [{"id": "wamid.x", "status": "read", "timestamp": "1"}]},
            {"messages": []},
            {"messages": [{"id": "wamid.r", "from": "1", "type": "reaction", "reaction": {}}]},
            {"messages": [{"id": "wamid.e", "from": "1", "type": "edit", "edit": {}}]},
            {"messages": [{"id": "wamid.g", "from": "1", "type": "text", "group_id": "g"}]},
            {"message_echoes": [{"id": "wamid.o", "from": "1", "type": "text"}]},
            {"unheard_of": {"deep": [1, {"er": None}]}},
        ],
        ids=["status", "empty", "reaction", "edit", "group", "echo", "unknown field"],
    )
    async def test_ignored(self, product: Product, channel: Channel, parts: dict[str, Any]) -> None:
        status, answer = await product.post_webhook(channel, webhook(channel, **parts))
        assert (status, answer) == (200, {"status": "ignored"})

    @pytest.mark.parametrize("body", [b"{not json", b"[]", b"null", b'{"entry": 7}', b""])
    async def test_signed_nonsense_is_ignored(
        self, product: Product, channel: Channel, body: bytes
    ) -> None:
        assert await product.post_webhook(channel, body) == (200, {"status": "ignored"})

    async def test_a_body_over_metas_limit_is_refused(
        self, product: Product, channel: Channel
    ) -> None:
        status, _ = await product.post_webhook(channel, b" " * (3 * 1024 * 1024 + 1))
        assert status == 413


async def test_no_accepted_message_is_lost_in_a_batch_of_1000(
    product: Product, channel: Channel
) -> None:
    quiet = await product.connect(auto_reply=False)
    phones = [new_phone() for _ in range(10)]
    entries = []
    for entry in range(4):
        changes = []
        for change in range(5):
            messages = [
                text_message(phones[n % 10], f"message {entry}/{change}/{n}") for n in range(50)
            ]
            changes += json.loads(webhook(quiet, *messages))["entry"][0]["changes"]
        entries.append({"id": str(entry), "changes": changes})
    body = json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()
    assert await product.post_webhook(quiet, body) == (200, {"status": "accepted"})

    async def counted() -> bool:
        found = [await interactions_known(product, phone) for phone in phones]
        return sum(map(len, found)) == 1000

    await eventually(counted, timeout_s=60, every_s=0.5)


async def test_each_message_has_one_effect(product: Product, channel: Channel) -> None:
    phone = new_phone()
    body = webhook(channel, text_message(phone, "I just wanted to say hello to everybody"))
    answers = await asyncio.gather(*(product.post_webhook(channel, body) for _ in range(3)))
    assert [status for status, _ in answers] == [200, 200, 200]
    await eventually(lambda: product.texts_sent(channel, phone))
    await asyncio.gather(*(product.restart(name) for name in ("brain", "outbound", "ingress")))
    assert (await product.post_webhook(channel, body))[0] == 200
    marker = webhook(channel, text_message(phone, "and this is a second thing to say"))
    assert (await product.post_webhook(channel, marker))[0] == 200

    async def both() -> bool:
        return len(await product.texts_sent(channel, phone)) >= 2

    await eventually(both)
    assert len(await product.interactions_of(phone)) == 2
    replies = await product.texts_sent(channel, phone)
    assert len({reply["context"]["message_id"] for reply in replies}) == len(replies) == 2


async def test_a_conversation_is_handled_in_order(product: Product) -> None:
    quiet = await product.connect(auto_reply=False)
    phones = [new_phone() for _ in range(5)]
    for number in range(20):
        answers = await asyncio.gather(
            *(
                product.post_webhook(quiet, webhook(quiet, text_message(phone, f"number {number}")))
                for phone in phones
            )
        )
        assert {status for status, _ in answers} == {200}
    for phone in phones:

        async def complete(phone: str = phone) -> list[dict[str, Any]]:
            found = await interactions_known(product, phone)
            return found if len(found) == 20 else []

        found = await eventually(complete, timeout_s=20)
        in_order = sorted(found, key=lambda i: i["user"]["interaction_count"])
        assert [i["message"]["text"] for i in in_order] == [f"number {n}" for n in range(20)]


async def test_subscriber_gets_each_event_once_the_interaction_is_readable(
    product: Product, channel: Channel
) -> None:
    phone = new_phone()
    # Letters only: digits in a row may be masked as somebody's number.
    words = ["".join(secrets.choice("bdfgklmnprst") for _ in range(8)) for _ in range(5)]
    texts = [f"my planted sentence about {word}" for word in words]
    product.texts |= set(texts)
    connection = await aio_pika.connect(product.amqp_url)
    async with connection:
        amqp = await connection.channel()
        exchange = await amqp.get_exchange("interactions", ensure=False)
        queue = await amqp.declare_queue("analytics.interactions.v1", durable=True)
        await queue.bind(exchange, "interaction.processed.#")
        for text in texts:
            await product.post_webhook(channel, webhook(channel, text_message(phone, text)))
        seen: dict[str, dict[str, Any]] = {}
        async with queue.iterator(timeout=20) as messages:
            async for message in messages:
                async with message.process():
                    raw = message.body.decode()
                    event = json.loads(raw)
                    interaction = await product.get(
                        f"/api/interactions/{event['data']['interaction_id']}"
                    )
                    assert interaction["id"] == event["data"]["interaction_id"]
                    assert phone not in raw
                    assert "planted" not in raw
                    assert message.routing_key == "interaction.processed.whatsapp"
                    assert message.message_id == event["id"]
                    schema = json.loads((SCHEMAS / f"{event['type']}.json").read_text())
                    Draft202012Validator(schema).validate(event)
                    seen[interaction["message"]["text"]] = event
                if len(seen) == len(texts):
                    break
        assert set(seen) == set(texts)
        await queue.delete(if_unused=False, if_empty=False)


@pytest.mark.timeout(180)
async def test_erase_means_gone(product: Product, channel: Channel) -> None:
    """Every collection and log is searched afterwards, and Meta sends the message again.

    Queues hold no text of it any more: it was handled, and events and dead letters carry none.
    """
    phone = new_phone()
    said = f"my name is Xanthippe{secrets.token_hex(4)} and I like to be forgotten"
    name = said.split()[3]
    body = webhook(
        channel,
        text_message(phone, said),
        contacts=[{"wa_id": phone, "profile": {"name": f"Profile {name}"}}],
    )
    assert (await product.post_webhook(channel, body))[0] == 200
    (interaction,) = await eventually(lambda: interactions_known(product, phone))
    (reply,) = await eventually(lambda: product.texts_sent(channel, phone))

    async def delivered() -> bool:
        found = await product.get(f"/api/interactions/{interaction['id']}")
        return bool(found["reply"]["deliveries"])

    await eventually(delivered)
    async with product.client() as client:
        erasure = await client.privacy.erase(phone)
        assert erasure.complete
        assert erasure.erased["interactions"] == 1
        with pytest.raises(NotFoundError):
            await client.users.get(phone)

    assert (await product.post_webhook(channel, body))[0] == 200
    later = webhook(channel, text_message(new_phone(), "somebody else"))
    assert (await product.post_webhook(channel, later))[0] == 200

    left: list[str] = []

    async def gone() -> bool:
        left[:] = await places_of(product, (said, name, phone, reply["text"]))
        return not left

    await eventually(gone, timeout_s=30, every_s=0.5, message=f"still there: {left}")
    assert await interactions_known(product, phone) == []
    written = product.log_text(simulator=False)
    assert not any(word in written for word in (said, name, phone))


async def places_of(product: Product, words: tuple[str, ...]) -> list[str]:
    """Collections that hold any of ``words``.

    A pace ends by itself within minutes; an erasure names its conversations until its second round,
    a minute later (``tests/integration/brain/test_brain_erase.py``).
    """
    found = []
    options: dict[str, Any] = {"document_class": RawBSONDocument}
    async with AsyncMongoClient[Any](product.mongodb_uri, **options) as client:
        database = client.get_default_database()
        for collection in await database.list_collection_names():
            dump = b"".join([row.raw async for row in database[collection].find({})])
            if collection not in ("paces", "erasures") and any(
                word.encode() in dump for word in words
            ):
                found.append(collection)
    return found
