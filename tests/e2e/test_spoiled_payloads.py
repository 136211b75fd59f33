"""Signed webhooks gone wrong, through every service: never a 5xx, never an unhandled exception."""

import copy
import json
import random
from collections import Counter
from typing import Any

from tests.e2e.product import Channel, Product, new_phone, text_message, webhook
from tests.support.eventually import eventually

SEED = 20261123
WEBHOOKS = 250
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    10**30,
    1e308,
    "",
    "\u202e\u0000\x1b[31mred",
    "9" * 400,
    "US.13491208655302741918",
    [],
    {},
    [[[[[[]]]]]],
    {"a": {"b": {"c": {"d": {}}}}},
    ["\ud83d\ude00"] * 50,
]

SAID: list[tuple[str, Any]] = [
    ("text", {"body": "hello"}),
    ("image", {"id": "1", "caption": "look", "mime_type": "image/jpeg", "sha256": "x"}),
    ("audio", {"id": "1", "voice": True}),
    ("document", {"id": "1", "filename": "a.pdf", "caption": "c"}),
    ("location", {"latitude": 1.5, "longitude": 2.5, "name": "n", "address": "a"}),
    ("contacts", [{"name": {"formatted_name": "Ann"}, "phones": [{"phone": "1"}]}]),
    ("button", {"payload": "p", "text": "Yes"}),
    ("interactive", {"type": "nfm_reply", "nfm_reply": {"response_json": '{"a": "b"}'}}),
    ("order", {"catalog_id": "c", "product_items": [{"quantity": 1, "item_price": 2}]}),
    ("unsupported", {"type": "poll"}),
    ("hologram", {"caption": "c"}),
    ("reaction", {"message_id": "wamid.1", "emoji": "x"}),
    (
        "edit",
        {"original_message_id": "wamid.1", "message": {"type": "text", "text": {"body": "x"}}},
    ),
    ("revoke", {"original_message_id": "wamid.1"}),
    ("system", {"type": "user_changed_number", "wa_id": "2", "user_id": "US.1", "body": "b"}),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(inner, (*path, key))
    return found


def spoiled(rng: random.Random, body: dict[str, Any]) -> bytes:
    """``body`` with some parts gone, and some replaced by what nobody expects."""
    body = copy.deepcopy(body)
    for _ in range(rng.randint(1, 3)):
        path = rng.choice([place for place in places(body) if "metadata" not in place])
        parent: Any = body
        try:
            for key in path[:-1]:
                parent = parent[key]
            if rng.random() < 0.4:
                del parent[path[-1]]
            else:
                parent[path[-1]] = copy.deepcopy(rng.choice(ODD))
        except (KeyError, IndexError, TypeError):
            continue
        if not places(body):
            break
    return json.dumps(body).encode()


def errors(product: Product) -> Counter[tuple[str, str | None]]:
    """Events that services logged as errors, and why."""
    lines = (json.loads(line) for line in product.log_text().splitlines() if line[:1] == "{")
    return Counter(
        (line["event"], line.get("reason") or line.get("error"))
        for line in lines
        if line["level"] == "error"
    )


async def test_spoiled_webhooks_stop_nothing(product: Product, channel: Channel) -> None:
    rng = random.Random(SEED)
    before = errors(product)
    for number in range(WEBHOOKS):
        kind, content = rng.choice(SAID)
        message = text_message(new_phone(), "hi", wamid=f"wamid.spoiled.{number}")
        message.pop("text")
        whole = json.loads(webhook(channel, {**message, "type": kind, kind: content}))
        status, answer = await product.post_webhook(channel, spoiled(rng, whole))
        assert status == 200, (number, answer)
    phone = new_phone()
    last = webhook(channel, text_message(phone, "still there?"))
    assert (await product.post_webhook(channel, last))[0] == 200

    async def answered() -> bool:
        return bool(await product.texts_sent(channel, phone))

    await eventually(answered, timeout_s=60, message="a good message is answered")
    assert "Traceback" not in product.log_text()
    # What names no author, or no message, is kept whole for a person to look at.
    known = {("message_dead", "no_sender"), ("message_dead", "notice_without_message")}
    assert set(errors(product) - before) <= known
