"""WhatsApp, both directions: conversations by script against the simulator of Meta."""

import secrets
from typing import Any

from tests.e2e.product import Channel, Product, new_phone
from tests.support.eventually import eventually
from tests.support.model_double import ModelDouble

LOCATION = {"latitude": 48.21, "longitude": 16.37, "name": "Café Central"}
ORDER = {
    "catalog_id": "tea-shop",
    "items": [{"product_retailer_id": "tea", "quantity": 2, "item_price": 5, "currency": "EUR"}],
}
EVERYTHING: list[tuple[dict[str, Any], str, str]] = [
    ({"text": "my name is Zaphod and I love tea"}, "text", "my name is Zaphod and I love tea"),
    ({"kind": "voice"}, "audio", "[voice note]"),
    ({"kind": "audio"}, "audio", "[audio]"),
    ({"kind": "image", "caption": "my cup"}, "image", "[image] my cup"),
    ({"kind": "video"}, "video", "[video]"),
    ({"kind": "document", "filename": "list.pdf"}, "document", "[document: list.pdf]"),
    ({"kind": "sticker"}, "sticker", "[sticker]"),
    ({"kind": "location", **LOCATION}, "location", "[location: Café Central, 48.21, 16.37]"),
    (
        {"kind": "contacts", "name": "Ann Lee", "phone": "+15551234567"},
        "contacts",
        "[contact: Ann Lee]",
    ),
    ({"kind": "button", "text": "Yes"}, "button", "Yes"),
    ({"kind": "button_reply", "id": "b1", "title": "Call me"}, "interactive", "Call me"),
    ({"kind": "list_reply", "id": "r1", "title": "Tuesday"}, "interactive", "Tuesday"),
    ({"kind": "flow_reply", "response": {"how": "quite well"}}, "interactive", "quite well"),
    ({"kind": "order", **ORDER}, "order", "[order: 2 \u00d7 tea at 5.00 EUR]"),
    ({"kind": "poll"}, "unsupported", "[unsupported message: poll]"),
]


async def write(product: Product, channel: Channel, who: str, **message: Any) -> str:
    """Write as a person; the id of the message, once its webhook was taken."""
    said = {"phone_number_id": channel.phone_number_id, "from": who, **message}
    written = await product.sim("phone/messages", said)
    assert written["delivered"], written
    return str(written["wamid"])


async def users(product: Product) -> dict[str, dict[str, Any]]:
    found = await product.get("/api/users?limit=200")
    return {user["id"]: user for user in found["users"]}


async def known(product: Product, who: str) -> dict[str, Any] | None:
    async with product.http.get(
        f"{product.base_url}/api/users/{who}", headers={"X-API-Key": product.api_key}
    ) as answer:
        return await answer.json() if answer.status == 200 else None


async def counted(product: Product, who: str, count: int) -> list[dict[str, Any]]:
    """The person's interactions, oldest first, once there are so many."""

    async def all_there() -> list[dict[str, Any]] | None:
        if await known(product, who) is None:
            return None
        found = await product.interactions_of(who)
        return found[::-1] if len(found) >= count else None

    found = await eventually(all_there, timeout_s=30, message=f"{count} interactions of {who}")
    assert len(found) == count
    return found


async def test_one_person_through_everything(product: Product, channel: Channel) -> None:
    phone, new_number, hidden = new_phone(), new_phone(), f"GB.{secrets.token_hex(8)}"
    ids = [
        await write(product, channel, phone, user_id=hidden, **message)
        for message, _, _ in EVERYTHING
    ]
    rows = await counted(product, phone, len(EVERYTHING))
    by_wamid = {row["provider_message_id"]: row for row in rows}
    for wamid, (_, kind, text) in zip(ids, EVERYTHING, strict=True):
        message = by_wamid[wamid]["message"]
        assert message["type"] == kind
        assert message["text"].endswith(text), message
        assert message["content"]["type"] == kind
    person = rows[0]["user_id"]

    # What is no message starts no turn.
    about = {"phone_number_id": channel.phone_number_id, "from": phone}
    await product.sim(
        "phone/edits", {**about, "wamid": ids[0], "text": "my name is Zaphod and I love coffee"}
    )
    await product.sim("phone/reactions", {**about, "wamid": ids[5], "emoji": "❤️"})
    await product.sim("phone/revokes", {**about, "wamid": ids[3]})
    at = {wamid: f"/api/interactions/{row['id']}" for wamid, row in by_wamid.items()}

    async def applied() -> bool:
        edited = (await product.get(at[ids[0]]))["message"]
        revoked = (await product.get(at[ids[3]]))["message"]
        reacted = (await product.get(at[ids[5]]))["message"]
        return bool(
            edited["text"].endswith("coffee")
            and revoked["text"] == ""
            and reacted["reaction"]["emoji"]
        )

    await eventually(applied, message="the edit, the deletion and the reaction are there")

    # A new number, and with it a new scoped id; then the number is hidden.
    changed = await product.sim(f"people/{phone}/number", {"new_number": new_number})
    scoped = changed["user_id"]
    assert scoped not in {None, hidden}
    await eventually(lambda: known(product, new_number), message="the new number is known")
    await write(product, channel, new_number, text="what is my name?")
    await write(product, channel, new_number, text="and what do I love?", hide_phone=True)
    later = await counted(product, scoped, len(EVERYTHING) + 2)
    assert {row["user_id"] for row in later} == {person}
    assert await known(product, phone) is None
    user = await known(product, scoped)
    assert user is not None
    assert user["interaction_count"] == len(EVERYTHING) + 2
    assert any("Zaphod" in fact["value"] for fact in user["profile"])
    asked = next(row for row in later if row["message"]["text"] == "what is my name?")
    assert "Zaphod" in str(asked["memory"]["relevant_memories"])
    assert [u["id"] for u in (await users(product)).values() if u["id"] == person] == [person]

    async def answered() -> bool:
        sent = await product.texts_sent(channel, scoped)
        return any(m["context"] and m["context"]["message_id"] for m in sent[-2:])

    await eventually(answered, message="the hidden person is answered")


async def test_four_messages_within_a_second_get_one_reply(
    product: Product,
) -> None:
    channel, phone = await product.connect(debounce_ms=1200), new_phone()
    async with ModelDouble().running() as model:
        model.delay_s = 2.0
        model.text = "One answer to all of it."
        await product.restart("brain", LLM_BASE_URL=model.url, LLM_MODEL="asked-1")
        try:
            thought = ("hi", "I had a bad day", "my boss shouted at me", "what should I do?")
            for text in thought:
                await write(product, channel, phone, text=text)
            waited = await product.sim_get(f"phone/{phone}/wait?after=0&timeout_s=20")
            rows = await counted(product, phone, 4)
            more = await product.sim_get(f"phone/{phone}/wait?after=1&timeout_s=3")
        finally:
            await product.restart("brain")
    assert [reply["text"] for reply in waited["replies"]] == ["One answer to all of it."]
    assert more["timed_out"]
    assert [row["message"]["text"] for row in rows] == list(thought)
    assert [row["reply"]["status"] for row in rows] == ["joined"] * 3 + ["model"]
    assert len(model.prompts) == 1
    assert all(text in model.prompts[0][-1]["content"] for text in thought)


async def test_an_expired_token_keeps_the_queue_until_it_is_replaced(
    product: Product, channel: Channel
) -> None:
    people = [new_phone() for _ in range(3)]
    number = {"phone_number_id": channel.phone_number_id, "app_secret": channel.app_secret}
    fresh = "EAA" + secrets.token_hex(20)
    product.planted.add(fresh)
    await product.sim("numbers", {**number, "access_token": fresh})
    for phone in people:
        await write(product, channel, phone, text="hello there")

    async def health(state: str) -> dict[str, Any] | None:
        shown = (await product.get(f"/api/channels/{channel.id}"))["health"]
        return shown if shown["state"] == state else None

    needs = await eventually(lambda: health("needs_attention"), timeout_s=20)
    assert (needs["problem"], needs["code"]) == ("token_rejected", 190)
    assert "access token" in needs["detail"]
    tried = await product.sim_get("requests")
    sends = [
        call
        for call in tried["requests"]
        if channel.phone_number_id in call["path"] and call["body"].get("type") == "text"
    ]
    assert 1 <= len(sends) <= len(people)
    assert all(call["outcome"]["code"] == 190 for call in sends)

    async with product.client() as client:
        await client.channels.update(channel.id, access_token=fresh)
    for phone in people:
        waited = await product.sim_get(f"phone/{phone}/wait?after=0&timeout_s=20")
        assert len(waited["replies"]) == 1, phone
    await eventually(lambda: health("ok"), timeout_s=20)
    kept = await product.get(f"/api/channels/{channel.id}/activity")
    assert any(item["kind"] == "problem" for item in kept["activity"])


async def test_a_file_is_served_through_every_service(product: Product, channel: Channel) -> None:
    phone = new_phone()
    wamid = await write(product, channel, phone, kind="voice")
    (row,) = await counted(product, phone, 1)
    async with product.http.get(
        f"{product.base_url}/api/interactions/{row['id']}/media",
        headers={"X-API-Key": product.api_key},
    ) as answer:
        body = await answer.read()
        assert (answer.status, answer.content_type) == (200, "audio/ogg")
    shown = await product.sim_get(f"phone/{phone}/messages")
    (bubble,) = (item for item in shown["messages"] if item["wamid"] == wamid)
    async with product.http.get(
        f"{product.simulator_url}/sim/media/{bubble['content']['id']}"
    ) as original:
        assert body == await original.read()


async def test_a_human_takes_over_from_the_phone_app_and_from_the_api(
    product: Product, channel: Channel
) -> None:
    phone = new_phone()
    await write(product, channel, phone, text="hello")
    await product.sim_get(f"phone/{phone}/wait?after=0&timeout_s=20")
    about = {"phone_number_id": channel.phone_number_id, "to": phone}
    await product.sim("echoes", {**about, "text": "Hi, Ann here."})

    async def held() -> bool:
        user = await known(product, phone)
        return user is not None and user["held_until"] is not None

    await eventually(held, message="the machine is silent")
    await write(product, channel, phone, text="thanks Ann")
    rows = await counted(product, phone, 2)
    assert rows[1]["reply"]["reason"] == "held_for_human"
    async with product.http.post(
        f"{product.base_url}/api/users/{phone}/messages",
        headers={"X-API-Key": product.api_key},
        json={"text": "You are welcome."},
    ) as answer:
        assert answer.status == 202
        sent = await answer.json()
    waited = await product.sim_get(f"phone/{phone}/wait?after=2&timeout_s=20")
    assert waited["replies"][0]["text"] == "You are welcome."

    async def told() -> bool:
        shown = (await product.get(f"/api/users/{phone}/messages"))["messages"]
        mine = next(item for item in shown if item["id"] == sent["id"])
        return bool(mine["deliveries"]) and mine["deliveries"][0]["state"] == "sent"

    await eventually(told, message="what became of it is told")
    back = await product.patch(f"/api/users/{phone}", {"auto_reply": "on"})
    assert back["held_until"] is None


async def delivery_of(product: Product, who: str) -> dict[str, Any] | None:
    """The one delivery of a person's one interaction, when nothing is left to do with it."""
    (row,) = await counted(product, who, 1)
    shown = await product.get(f"/api/deliveries?interaction_id={row['id']}")
    found = [d for d in shown["deliveries"] if d["next_attempt_at"] is None]
    return found[0] if found else None


async def one_message(product: Product, phone: str) -> None:
    """The person has one reply, and no second one comes."""
    waited = await product.sim_get(f"phone/{phone}/wait?after=1&timeout_s=8")
    assert (waited["total"], waited["timed_out"]) == (1, True)


async def test_a_send_whose_answer_is_lost_reaches_the_person_once(
    product: Product, channel: Channel
) -> None:
    phone = new_phone()
    lost = {"type": "timeout_after", "hang_ms": 200}
    await product.sim("faults", {"match": {"to": phone, "kind": "text"}, "action": lost})
    await write(product, channel, phone, text="hello there")
    delivery = await eventually(lambda: delivery_of(product, phone), timeout_s=20)
    assert delivery["state"] in {"sent", "delivered", "read"}
    assert (delivery["attempts"], delivery["resent"]) == (1, False)
    await one_message(product, phone)


async def test_a_kill_between_the_send_and_its_record_reaches_the_person_once(
    product: Product, channel: Channel
) -> None:
    phone = new_phone()
    held = {"type": "timeout_after", "hang_ms": 60_000}
    await product.sim("faults", {"match": {"to": phone, "kind": "text"}, "action": held})
    await write(product, channel, phone, text="hello there")
    waited = await product.sim_get(f"phone/{phone}/wait?after=0&timeout_s=20")
    assert waited["total"] == 1
    await product.services["outbound"].kill()
    await product.start("outbound")
    delivery = await eventually(lambda: delivery_of(product, phone), timeout_s=40)
    assert delivery["state"] in {"sent", "delivered", "read"}
    assert delivery["resent"] is False
    await one_message(product, phone)


async def test_an_account_that_meta_stops_keeps_its_queue_until_it_is_reinstated(
    product: Product, channel: Channel
) -> None:
    phone = new_phone()
    about = {"phone_number_id": channel.phone_number_id}
    await product.sim("account", {**about, "preset": "disabled"})

    async def health(state: str) -> dict[str, Any] | None:
        shown = (await product.get(f"/api/channels/{channel.id}"))["health"]
        return shown if shown["state"] == state else None

    needs = await eventually(lambda: health("needs_attention"), timeout_s=20)
    assert (needs["problem"], needs["paused"]) == ("account_disabled", True)
    await write(product, channel, phone, text="is anybody there?")
    (row,) = await counted(product, phone, 1)

    async def waits() -> bool:
        shown = await product.get(f"/api/deliveries?interaction_id={row['id']}")
        return [d["waiting"] for d in shown["deliveries"]] == ["channel"]

    await eventually(waits, message="the reply waits for the channel")
    assert await product.texts_sent(channel, phone) == []
    await product.sim("account", {**about, "preset": "reinstated"})
    await eventually(lambda: health("ok"), timeout_s=20)
    waited = await product.sim_get(f"phone/{phone}/wait?after=0&timeout_s=20")
    assert waited["total"] == 1
