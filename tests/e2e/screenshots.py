"""Pictures of every page for docs/dashboard.md: `make screenshots`.

The product runs in one process on the simulator; people write to it, and Chromium looks.
"""

import asyncio
import tempfile
from pathlib import Path

import aiohttp
from playwright.async_api import Page

from devstack.app import stack
from devstack.demo import DEMO_NUMBER_ID
from devstack.info import Info
from shared.telemetry.logging import configure_logging
from tests.e2e.browser import SCHEMES, WIDTHS, chromium, signed_in
from tests.support.eventually import eventually

FOLDER = Path("docs/dashboard")
SARAH, OMAR, LENA, TOM = "447700900123", "4915112345678", "5511987654321", "15550001111"
SAID = (
    (SARAH, "Hello, my name is Sarah and I work at TechCorp."),
    (OMAR, "Thank you so much, the nurse was wonderful today! 😊"),
    (SARAH, "Work is too much, I have not slept for three nights."),
    (TOM, "I cannot go on. I want to end my life tonight."),
    (LENA, "Estoy muy enojada, nadie me llamó."),
    (SARAH, "My sister came over and we cooked together. I feel better."),
    (SARAH, "Do you remember where I work?"),
    (LENA, "Let me talk to a real person please"),
)


async def people_write(info: Info, http: aiohttp.ClientSession) -> None:
    for phone, text in SAID:
        body = {"phone_number_id": DEMO_NUMBER_ID, "from": phone, "text": text}
        async with http.post(f"{info.simulator_url}/sim/phone/messages", json=body) as answer:
            assert (await answer.json())["delivered"]

    async def understood() -> bool:
        url = f"{info.base_url}/api/interactions"
        async with http.get(url, headers={"X-API-Key": info.api_key}) as answer:
            rows = (await answer.json())["interactions"]
        return len(rows) == len(SAID) and all(row["reply"]["status"] != "pending" for row in rows)

    await eventually(understood, timeout_s=30)


async def paths(page: Page, info: Info) -> dict[str, str]:
    """Every page by the name of its picture."""
    base = info.base_url
    await page.goto(f"{base}/app/users?q={SARAH}")
    user = await page.locator("#people tbody a").get_attribute("href")
    await page.goto(f"{base}/app/users/{(user or '').rpartition('/')[2]}")
    message = await page.locator(".talk details a").last.get_attribute("href")
    return {
        "overview": "/app?hours=2",
        "safety": "/app/safety",
        "people": "/app/users",
        "person": user or "",
        "erase": f"{user}/erase",
        "interactions": "/app/interactions",
        "interaction": message or "",
        "channels": "/app/channels",
        "connect": "/app/channels/new",
        "channel": f"/app/channels/{info.demo_channel_id}",
        "delete": f"/app/channels/{info.demo_channel_id}/delete",
        "keys": "/app/keys",
        "audit": "/app/audit",
        "settings": "/app/settings",
        "phone": "/app/phone",
    }


async def photograph(info: Info) -> None:
    FOLDER.mkdir(exist_ok=True)
    async with aiohttp.ClientSession() as http:
        await people_write(info, http)
    async with chromium() as browser:
        for width in WIDTHS:
            for scheme in SCHEMES:
                size = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
                async with signed_in(browser, info.base_url, info.api_key, **size) as page:
                    for name, path in (await paths(page, info)).items():
                        await page.goto(info.base_url + path)
                        await page.wait_for_load_state("load")
                        file = FOLDER / f"{name}-{width}-{scheme}.png"
                        await page.screenshot(path=file, full_page=True)
                    await page.get_by_role("button", name="Sign out").click()
                    file = FOLDER / f"sign-in-{width}-{scheme}.png"
                    await page.screenshot(path=file)
        print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}")


async def main() -> None:
    configure_logging("ERROR", "screenshots")
    with tempfile.TemporaryDirectory() as folder:
        async with stack(Path(folder), 8080, 0) as info:
            await photograph(info)


if __name__ == "__main__":
    asyncio.run(main())
