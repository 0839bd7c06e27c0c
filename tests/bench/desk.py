"""A desk of 20,000 flagged videos: how soon Chromium paints it, and how soon it shows that a decision is written.

The desk's server, its table (the offline world's, in memory) and Chromium are real, and share this machine. In the times, on the
browser's own clock: from the start of the navigation until the first paint, and until the list takes input; from the key until the
list shows the decision, and until it shows that the table has it. Not in them: Chromium's start, and the network between a desk and
AWS. Each round is a new browser profile. The rounds decide about one video, in turn that it is confirmed and that it is a false alarm;
so each of them loads a page that the server has to make anew.
"""

import os
import statistics
import tempfile
from pathlib import Path
from unittest import mock

from tests.browser.chromium import chromium
from tests.tools.conftest import NO_AWS, account_of_its_own
from tests.tools.desk.conftest import desk_of
from tests.tools.desk.many import LAST, reviews_of_many

PAINT_S = 1.0
DECISION_S = 0.1

DECIDE = """(key) => new Promise((resolve) => {
    const row = document.querySelector("tr.row");
    const times = {};
    const from = performance.now();
    new MutationObserver(() => requestAnimationFrame(() => {
        const text = row.querySelector(".cell-decision").textContent;
        times.shown ??= performance.now() - from;
        if (text.includes("being written")) return;
        times.written = performance.now() - from;
        resolve({ ...times, text });
    })).observe(row, { childList: true, subtree: true });
    row.querySelector(".open").focus();
    row.querySelector(".open").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
})"""


def measure(options):
    """Return the medians of some rounds."""
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, NO_AWS),
        account_of_its_own(Path(folder)) as account,
        reviews_of_many(account),
        desk_of(account) as desk,
        chromium() as browser,
    ):
        state = _entered(browser, desk.address)
        origin = f"http://127.0.0.1:{desk.port}/"
        rounds = [_round(browser, origin, state, "cf"[number % 2]) for number in range(options.rounds)]
    found = {f"{name}_s": round(statistics.median(each[name] for each in rounds), 3) for name in rounds[0]}
    slow = found["painted_s"] > PAINT_S or found["written_s"] > DECISION_S
    return {"desk_20k": found, **({"faults": [f"the desk of 20,000 videos: {found}"]} if slow else {})}


def _entered(browser, address):
    """Return what a browser keeps that has come in by the desk's first address, which lets in once."""
    with browser.new_context() as context:
        context.new_page().goto(address)
        return context.storage_state()


def _round(browser, origin, state, key):
    """Return the times of one browser, in seconds."""
    with browser.new_context(storage_state=state) as context:
        page = context.new_page()
        page.goto(origin)
        page.locator("tr.row").first.wait_for()
        painted, ready = page.evaluate(
            """() => ["first-contentful-paint", "ready"].map((name) => performance.getEntriesByName(name)[0].startTime)"""
        )
        page.locator("#filter-text").fill(LAST)
        page.locator("#count", has_text="1 of 20,000").wait_for()
        decided = page.evaluate(DECIDE, key)
        assert decided["text"] in {"Confirmed", "False alarm"}, decided
    times = {"painted": painted, "ready": ready, "shown": decided["shown"], "written": decided["written"]}
    return {name: milliseconds / 1000 for name, milliseconds in times.items()}
