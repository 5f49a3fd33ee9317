"""Debian's Chromium, without a window."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright


@asynccontextmanager
async def open_chromium() -> AsyncIterator[Browser]:
    """Start the `chromium` that is on the PATH, and end it."""
    path = shutil.which("chromium")
    assert path is not None, "no chromium on the PATH: run scripts/tests.sh"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()
