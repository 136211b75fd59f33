"""Real Chromium on the running product's pages."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from playwright.async_api import Browser, Page, async_playwright

WIDTHS = (360, 1440)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The system's own."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser")
    assert binary is not None, "Chromium is not installed: run `make test`"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def signed_in(
    browser: Browser, base_url: str, api_key: str, **context: Any
) -> AsyncIterator[Page]:
    """A page of somebody who gave the key. What the page's scripts could not do fails the test."""
    opened = await browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **context})
    page = await opened.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    try:
        await page.goto(f"{base_url}/app")
        await page.get_by_label("API key").fill(api_key)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(f"{base_url}/app")
        yield page
        assert wrong == []
    finally:
        await opened.close()
