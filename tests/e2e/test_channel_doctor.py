"""A number is connected with one call, and the doctor says why when it does not work."""

import secrets
from typing import Any

from tests.e2e.product import Product
from tests.support.eventually import eventually


async def number_at_meta(product: Product) -> dict[str, Any]:
    """A number whose account is subscribed to nothing and whose webhooks go nowhere."""
    number: dict[str, Any] = {
        "phone_number_id": str(secrets.randbelow(10**15) + 10**15),
        "access_token": "EAA" + secrets.token_hex(20),
        "app_secret": secrets.token_hex(16),
    }
    product.planted |= {number["access_token"], number["app_secret"]}
    await product.sim("numbers", {**number, "subscribed": False})
    return number


async def test_one_call_connects_a_number_and_the_doctor_agrees(product: Product) -> None:
    number = await number_at_meta(product)
    async with product.client() as client:
        channel = await client.channels.create_whatsapp(
            **number, public_base_url=product.base_url, subscribe=True, check=True
        )
        assert channel.verify_token is not None
        product.planted.add(channel.verify_token)
        assert channel.setup is not None
        assert channel.setup.state == "ok", channel.setup.problems
        assert channel.check is not None
        # Nobody has written yet.
        assert {found.code for found in channel.check.problems} == {
            "waba_learnt",
            "verified_no_delivery",
        }
        written = {"phone_number_id": number["phone_number_id"], "from": "447700900123"}
        assert (await product.sim("phone/messages", {**written, "text": "Hello"}))["delivered"]

        async def arriving() -> bool:
            return (await client.channels.diagnosis(channel.id)).code == "webhooks_arriving"

        await eventually(arriving, timeout_s=5)
        report = await client.channels.check(channel.id, public_base_url=product.base_url)
    assert [found.code for found in report.problems] == ["waba_learnt"]


async def test_a_token_at_a_mistyped_address_is_told_to_its_channel(product: Product) -> None:
    channel = await product.connect(verify=False)
    query = f"hub.mode=subscribe&hub.challenge=1&hub.verify_token={channel.verify_token}"
    async with product.http.get(f"{channel.url[:-1]}?{query}") as answer:
        assert answer.status == 403
    async with product.client() as client:

        async def told() -> bool:
            return (await client.channels.diagnosis(channel.id)).code == "wrong_integration_id"

        await eventually(told, timeout_s=5)
