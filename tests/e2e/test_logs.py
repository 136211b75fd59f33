"""What an operator reads: events, never secrets, never what people wrote."""

import json

from tests.e2e.product import Product, new_phone, text_message, webhook
from tests.support.eventually import eventually


def leaks(product: Product) -> list[str]:
    """The first characters of every planted value that stands in a log."""
    written = product.log_text()
    return [value[:6] + "…" for value in product.planted if value in written]


async def test_no_secret_token_or_text_in_any_log_line(product: Product) -> None:
    channel = await product.connect()
    phone, secret_text = new_phone(), "a planted sentence that nobody else may read"
    product.planted |= {phone, secret_text}
    body = webhook(channel, text_message(phone, secret_text))
    assert (await product.post_webhook(channel, body, signature="sha256=00"))[0] == 401
    assert (await product.post_webhook(channel, body))[0] == 200
    assert (await product.post_webhook(channel, b"{" + secret_text.encode()))[0] == 200
    replies = await eventually(lambda: product.texts_sent(channel, phone))
    product.planted |= {reply["text"] for reply in replies}
    async with product.client() as client:
        await client.process("somebody", secret_text)
        await client.channels.update(channel.id, rotate_verify_token=True)
    assert len(product.log_text().splitlines()) > 20
    assert leaks(product) == []


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
