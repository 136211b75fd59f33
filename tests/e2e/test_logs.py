"""What an operator reads: events, never secrets, never what people wrote."""

import json

from tests.e2e.leaks import forms, leaks_in_database, leaks_in_logs
from tests.e2e.product import Product, new_phone, text_message, webhook
from tests.support.eventually import eventually


async def test_no_secret_token_or_text_in_any_log_line(product: Product) -> None:
    channel = await product.connect()
    phone, secret_text = new_phone(), "a planted sentence that nobody else may read"
    product.phones.add(phone)
    product.texts.add(secret_text)
    body = webhook(channel, text_message(phone, secret_text))
    assert (await product.post_webhook(channel, body, signature="sha256=00"))[0] == 401
    assert (await product.post_webhook(channel, body))[0] == 200
    assert (await product.post_webhook(channel, b"{" + secret_text.encode()))[0] == 200
    replies = await eventually(lambda: product.texts_sent(channel, phone))
    product.texts |= {reply["text"] for reply in replies}
    async with product.client() as client:
        await client.process("somebody", secret_text)
        await client.channels.update(channel.id, rotate_verify_token=True)
    assert len(product.log_text().splitlines()) > 20
    assert leaks_in_logs(product) == []
    assert await leaks_in_database(product) == []


async def test_log_lines_are_json_events_with_a_trace(product: Product) -> None:
    channel = await product.connect()
    phone = new_phone()
    await product.post_webhook(channel, webhook(channel, text_message(phone, "hello there")))
    await eventually(lambda: product.texts_sent(channel, phone))
    traced = 0
    for name in product.services:
        for line in (product.folder / f"{name}.log").read_text().splitlines():
            event = json.loads(line)
            assert event["event"]
            assert event["service"]
            traced += "trace_id" in event
    assert traced


async def test_the_search_finds_what_is_there(product: Product) -> None:
    """Lest it finds nothing because it looks nowhere."""
    channel = await product.connect(auto_reply=False)
    known = product.planted
    product.planted = {channel.id}
    try:
        assert leaks_in_logs(product) == [channel.id[:6] + "…"]
        assert f"channels: {channel.id[:6]}…" in await leaks_in_database(product)
    finally:
        product.planted = known
    assert all(form in b"a/b b/a a%2Fb 612f62 YS9i" for form in forms("a/b"))
