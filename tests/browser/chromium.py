"""Debian's Chromium, driven by Playwright: headless, with nothing of its own that goes out to the network."""

import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

PATH = "/usr/bin/chromium"
_OPTIONS = (
    "--no-sandbox",  # CI runs as root, where Chromium's sandbox does not start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium():
    """Run the browser while the block runs."""
    if shutil.which(PATH) is None:
        raise RuntimeError(f"{PATH} is missing: apt-get install --no-install-recommends chromium fonts-noto-core fonts-noto-cjk")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PATH, args=list(_OPTIONS))
        yield browser
        browser.close()


def interactive_seconds(browser, path):
    """Return after how many seconds a page that is opened from disk has drawn its list and takes input.

    The time runs from the start of the navigation (the browser's own clock) until a key typed into the search has filtered it, less
    the filter's own delay of 80 ms.
    """
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(path.as_uri())
        page.wait_for_function("performance.getEntriesByName('ready').length === 1")
        return page.evaluate(
            """() => new Promise((resolve) => {
                const ready = performance.getEntriesByName("ready")[0].startTime;
                const typed = performance.now();
                const seen = new MutationObserver(() => resolve((ready + performance.now() - typed - 80) / 1000));
                seen.observe(document.getElementById("rows"), { childList: true });
                const search = document.getElementById("filter-text");
                search.value = "clip";
                search.dispatchEvent(new Event("input", { bubbles: true }));
            })"""
        )
