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
