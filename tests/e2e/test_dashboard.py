"""The dashboard as an operator uses it, in real Chromium, on the running product."""

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from tests.e2e.browser import SCHEMES, WIDTHS, chromium, signed_in
from tests.e2e.product import Channel, Product, new_phone
from tests.support.eventually import eventually

PAGES = (
    "/app",
    "/app/safety",
    "/app/safety?state=all",
    "/app/users",
    "/app/interactions",
    "/app/channels",
    "/app/channels/new",
    "/app/keys",
    "/app/audit",
    "/app/settings",
)
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=alert(1)>",
    "\u202eevil\u202c \u2067right to left\u2069 \u05e9\u05dc\u05d5\u05dd",
    "\U0001f600" * 4096,
)


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture
async def page(browser: Browser, product: Product) -> AsyncIterator[Page]:
    async with signed_in(browser, product.base_url, product.api_key) as opened:
        yield opened


async def write(product: Product, channel: Channel, sender: str, text: str) -> None:
    message = {"phone_number_id": channel.phone_number_id, "from": sender, "text": text}
    assert (await product.sim("phone/messages", message))["delivered"]
    if len(text) > 15 and " " in text:
        product.texts.add(text)
    product.phones.add(sender)


async def test_the_pages_whole_walk(page: Page, product: Product) -> None:
    base = product.base_url
    number = {
        "phone_number_id": str(secrets.randbelow(10**15) + 10**15),
        "access_token": "EAA" + secrets.token_hex(20),
        "app_secret": secrets.token_hex(16),
    }
    product.planted |= {number["access_token"], number["app_secret"]}
    await product.sim("numbers", number)
    # Connect.
    await page.goto(f"{base}/app/channels")
    await page.get_by_role("link", name="Connect WhatsApp").click()
    await page.get_by_label("Label").fill("Night line")
    secret = page.get_by_label("App secret")
    await secret.fill("too short")
    await expect(page.locator("#app_secret-wrong")).to_contain_text("32 characters")
    await page.get_by_label("Phone number ID").fill(number["phone_number_id"])
    await page.get_by_label("Access token").fill(number["access_token"])
    await secret.fill(number["app_secret"])
    await expect(page.locator("#app_secret-wrong")).to_be_empty()
    await page.get_by_label("Let the machine answer").check()
    await page.get_by_role("button", name="Create").click()
    callback = await page.get_by_label("Callback URL").input_value()
    token = await page.locator("#verify_token").input_value()
    product.planted.add(token)
    diagnosis = page.locator("#diagnosis")
    await expect(diagnosis).to_contain_text("Waiting for Meta")
    # A wrong token shows the cause, the right one turns it green, without a reload.
    wrong = {**number, "callback_url": callback, "verify_token": "not-the-token"}
    await product.sim("numbers", wrong)
    await expect(diagnosis).to_have_attribute("data-code", "token_mismatch")
    await product.sim("numbers", {**wrong, "verify_token": token})
    await expect(diagnosis).to_contain_text("Meta verified the address")
    await expect(diagnosis).to_have_class("notice good")
    # A message from the phone: the person appears on an open page.
    channel = Channel(
        id=callback.rpartition("/")[2],
        phone_number_id=number["phone_number_id"],
        access_token=number["access_token"],
        app_secret=number["app_secret"],
        verify_token=token,
        url=callback,
    )
    people = await page.context.new_page()
    await people.goto(f"{base}/app/users")
    phone = new_phone()
    await write(product, channel, phone, "Hello, my name is Sarah and I work at TechCorp.")
    await expect(diagnosis).to_have_attribute("data-code", "webhooks_arriving")
    row = people.locator("tr", has_text=phone)
    await expect(row).to_contain_text("whatsapp")
    await expect(row).to_contain_text("fine")
    await people.close()
    await page.goto(f"{base}/app/users?q={phone}")
    await page.locator("#people tbody a").click()
    await expect(page.locator(".talk .person")).to_have_count(1)
    await expect(page.locator(".talk .machine .tick")).to_contain_text("read")
    await write(product, channel, phone, "Do you remember where I work?")
    await expect(page.locator(".talk .person")).to_have_count(2)
    await page.locator(".talk details").last.click()
    told = page.locator(".talk .person").last
    for part in ("Emotions", "Intent", "Moved", "Remembered", "TechCorp"):
        await expect(told).to_contain_text(part)
    await expect(page.get_by_role("img", name="Mood and energy after")).to_be_visible()
    await page.get_by_label("Ask as a message would").fill("Where do they work?")
    await page.get_by_role("button", name="Recall").click()
    await expect(page.locator("#memories")).to_contain_text("alike")
    # Take over, answer, hand back.
    await page.get_by_role("button", name="Take over").click()
    await expect(page.locator("#standing")).to_contain_text("You have taken over")
    await page.get_by_label("Your answer").fill("This is Ana, a human. How can I help?")
    await page.get_by_role("button", name="Send").click()
    human = page.locator(".talk .human")
    await expect(human).to_contain_text("This is Ana")
    await expect(human.locator(".tick")).to_be_visible()

    async def arrived() -> bool:
        return any("This is Ana" in m["text"] for m in await product.texts_sent(channel, phone))

    await eventually(arrived, timeout_s=10)
    await page.get_by_role("button", name="Hand back").click()
    await expect(page.get_by_role("button", name="Take over")).to_be_visible()
    # Export, erase.
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Export").click()
    exported = json.loads(Path(await (await download.value).path()).read_text())
    assert "TechCorp" in json.dumps(exported)
    await page.get_by_role("link", name="Erase").click()
    await page.get_by_label("to go on").fill("somebody else")
    await page.get_by_role("button", name="Erase for ever").click()
    await expect(page.get_by_role("alert")).to_contain_text("nothing was erased")
    await page.get_by_label("to go on").fill(phone)
    await page.get_by_role("button", name="Erase for ever").click()
    await expect(page.get_by_role("heading", name="Erased")).to_be_visible()
    await page.goto(f"{base}/app/users?q={phone}")
    await expect(page.get_by_text("Nobody fits")).to_be_visible()


async def test_a_crisis_is_in_the_inbox_within_two_seconds_until_somebody_acknowledges_it(
    page: Page, product: Product, channel: Channel
) -> None:
    await page.goto(f"{product.base_url}/app/safety")
    phone = new_phone()
    await write(product, channel, phone, "I cannot go on, I want to end my life tonight")
    card = page.locator("article", has_text=phone)
    await expect(card).to_be_visible(timeout=2_000)
    await expect(card).to_contain_text("in danger")
    await expect(page).to_have_title(f"({await waiting(page)}) Safety inbox · Humane")
    # Whoever types is not disturbed by the next cry for help, and still sees it.
    note = card.get_by_label("Note")
    await note.press_sequentially("half a not")
    other = new_phone()
    await write(product, channel, other, "I am going to kill myself, goodbye everybody")
    await expect(page.locator("article", has_text=other)).to_be_visible(timeout=2_000)
    await note.press("e")
    await expect(note).to_be_focused()
    await expect(note).to_have_value("half a note")
    await card.get_by_label("Assign to").fill("Ana")
    await card.get_by_role("button", name="Assign", exact=True).click()
    await expect(card).to_contain_text("with Ana")
    await card.get_by_label("Note").fill("I am calling her now.")
    await card.get_by_role("button", name="Acknowledge").click()
    await expect(card).to_have_count(0)
    await page.get_by_role("link", name="Acknowledged").click()
    done = page.locator("article", has_text=phone)
    await expect(done).to_contain_text("I am calling her now.")
    await done.get_by_role("button", name="Open again").click()
    await page.goto(f"{product.base_url}/app/safety")
    await expect(page.locator("article", has_text=phone)).to_be_visible()


async def waiting(page: Page) -> str | None:
    return await page.locator("#open-count").get_attribute("data-open")


async def test_what_people_write_is_shown_harmless(
    page: Page, product: Product, channel: Channel
) -> None:
    phone = new_phone()
    for text in HOSTILE:
        await write(product, channel, phone, text)
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.goto(f"{product.base_url}/app/users?q={phone}")
    await page.locator("#people tbody a").click()
    await expect(page.locator(".talk .person")).to_have_count(3)
    said = page.locator(".talk .person .said")
    assert await said.first.inner_text() == HOSTILE[0]
    assert "owned" not in await page.title()
    for path in (page.url, f"{product.base_url}/app/interactions", f"{product.base_url}/app/phone"):
        await page.goto(path)
        assert await overflows(page) == 0, path


async def overflows(page: Page) -> int:
    width: int = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return max(0, width)


async def test_the_policy_blocks_an_injected_script(page: Page, product: Product) -> None:
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text))
    await page.goto(f"{product.base_url}/app/settings")
    await page.evaluate(
        """() => { const script = document.createElement('script');
        script.textContent = "document.title = 'owned'"; document.body.append(script);
        const image = new Image(); image.src = 'https://example.com/x.png'; document.body.append(image); }"""
    )

    async def refused() -> bool:
        return sum("Content Security Policy" in text for text in blocked) >= 2

    await eventually(refused)
    assert "owned" not in await page.title()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_axe_finds_nothing(
    browser: Browser, product: Product, channel: Channel, width: int, scheme: str
) -> None:
    phone = new_phone()
    await write(product, channel, phone, "I want to kill myself, I have the pills here")
    await write(product, channel, phone, "sorry, I am so tired of everything")
    user = await known(product, phone)
    interaction = (await product.interactions_of(user))[0]["id"]
    size = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    async with signed_in(browser, product.base_url, product.api_key, **size) as page:
        for path in (
            *PAGES,
            f"/app/users/{user}",
            f"/app/users/{user}/erase",
            f"/app/interactions/{interaction}",
            f"/app/channels/{channel.id}",
            f"/app/channels/{channel.id}/delete",
            "/app/nowhere",
        ):
            await page.goto(product.base_url + path)
            found = await Axe().run(page)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
            assert await overflows(page) == 0, path
            html = await page.content()
            assert len(html.encode()) < 100_000, path
        await page.get_by_role("button", name="Sign out").click()
        assert (await Axe().run(page)).violations_count == 0


async def known(product: Product, phone: str) -> str:
    """Our id of somebody who wrote twice and was understood."""

    async def both() -> bool:
        found = (await product.get(f"/api/users?q={phone}"))["users"]
        return bool(found) and found[0]["interaction_count"] == 2

    await eventually(both, timeout_s=10)
    user_id: str = (await product.get(f"/api/users?q={phone}"))["users"][0]["id"]
    return user_id


async def test_everything_but_live_parts_works_without_scripts(
    browser: Browser, product: Product, channel: Channel
) -> None:
    phone = new_phone()
    await write(product, channel, phone, "Good morning from the other side")
    await write(product, channel, phone, "Is anybody there this morning?")
    user = await known(product, phone)
    async with signed_in(
        browser, product.base_url, product.api_key, java_script_enabled=False
    ) as page:
        await page.goto(f"{product.base_url}/app/users/{user}")
        await page.get_by_role("button", name="Take over").click()
        await page.get_by_text("You have taken over").wait_for()
        await page.get_by_role("button", name="Hand back").click()
        await page.get_by_role("button", name="Take over").wait_for()


async def test_a_wrong_key_a_forged_form_and_a_foreign_site_are_refused(
    browser: Browser, product: Product
) -> None:
    opened = await browser.new_context()
    page = await opened.new_page()
    await page.goto(f"{product.base_url}/app/keys")
    await page.get_by_label("API key").fill("hx_" + "0" * 43)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("unknown")
    await page.get_by_label("API key").fill(product.api_key)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/app/keys")
    cookie = (await opened.cookies())[0]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert product.api_key not in cookie["value"]
    headers = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    forged = f"{product.base_url}/app/keys"
    for more in ({}, {"Sec-Fetch-Site": "cross-site"}):
        async with product.http.post(
            forged, data={"label": "x", "scopes": "admin"}, headers=headers | more
        ) as answer:
            assert answer.status == 403
    await opened.close()


async def test_a_service_that_dies_is_named_and_what_is_left_stays(
    page: Page, product: Product, channel: Channel
) -> None:
    phone = new_phone()
    await write(product, channel, phone, "I would like to talk to somebody")
    await page.goto(f"{product.base_url}/app")
    await expect(page.locator("#traffic .figures")).to_be_visible()
    missing = page.locator("#traffic [data-missing]")
    await product.services["brain"].kill()
    try:
        # The open page keeps what it showed, and says of when that is.
        await expect(missing).to_contain_text("What you see is of", timeout=30_000)
        await expect(page.locator("#traffic .figures")).to_be_visible()
        await page.reload()
        await expect(missing).to_contain_text("cannot be read right now")
        await expect(page.locator("#health")).to_contain_text("Care line")
    finally:
        await product.start("brain")
    await expect(page.locator("#traffic .figures")).to_be_visible(timeout=20_000)
    await expect(missing).to_have_count(0)
    await product.services["channels-api"].kill()
    try:
        await page.reload()
        await expect(page.locator("#health")).to_contain_text("cannot be read right now")
        await expect(page.locator("#traffic .figures")).to_be_visible()
    finally:
        await product.start("channels-api")
    await expect(page.locator("#health")).to_contain_text("Care line", timeout=20_000)


async def test_the_page_says_so_while_the_broker_is_gone_and_misses_nothing(
    page: Page, product: Product, channel: Channel
) -> None:
    await page.goto(f"{product.base_url}/app/interactions")
    await product.rabbit.stop()
    try:
        await expect(page.locator("#connection")).to_contain_text("broker", timeout=20_000)
    finally:
        await product.rabbit.start()
    phone = new_phone()

    async def written() -> bool:
        message = {
            "phone_number_id": channel.phone_number_id,
            "from": phone,
            "text": "Back again after the storm",
        }
        return bool((await product.sim("phone/messages", message))["delivered"])

    await eventually(written, timeout_s=30)
    await expect(page.locator("tr", has_text=phone).first).to_be_visible(timeout=30_000)
    await expect(page.locator("#connection")).to_be_hidden(timeout=20_000)
