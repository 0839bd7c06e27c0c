"""A desk of 20,000 flagged videos: how soon Chromium paints it, and how soon it shows that a decision is written.

The desk's server, its table (the offline world's, in memory) and Chromium are real, and share this machine. In the times, on the
browser's own clock: from the start of the navigation until the first paint, and until the list takes input; from the key until the
list shows the decision, and until it shows that the table has it. Not in them: Chromium's start, and the network between a desk and
AWS. Each round is a new browser profile. `painted_anew` is the first paint after a decision: the server makes the page anew.
"""

import os
import statistics
import tempfile
from contextlib import contextmanager
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
        loads = [_load(browser, origin, state) for _ in range(options.rounds)]
        decisions = [_decision(browser, origin, state, "cf"[number % 2]) for number in range(options.rounds + 1)]
    found = {**_medians(loads), **_medians(decisions[1:])}
    slow = found["painted_s"] > PAINT_S or found["written_s"] > DECISION_S
    return {"desk_20k": found, **({"faults": [f"the desk of 20,000 videos: {found}"]} if slow else {})}


def _medians(rounds):
    return {f"{name}_s": round(statistics.median(each[name] for each in rounds) / 1000, 3) for name in rounds[0]}


def _entered(browser, address):
    """Return what a browser keeps that has come in by the desk's first address, which lets in once."""
    with browser.new_context() as context:
        context.new_page().goto(address)
        return context.storage_state()


@contextmanager
def _opened(browser, origin, state):
    """Open the desk's page in a browser of its own; yield it, and the times of its load, in milliseconds."""
    with browser.new_context(storage_state=state) as context:
        page = context.new_page()
        page.goto(origin)
        page.locator("tr.row").first.wait_for()
        yield (
            page,
            page.evaluate("""() => Object.fromEntries([["painted", "first-contentful-paint"], ["ready", "ready"]].map(
            ([name, entry]) => [name, performance.getEntriesByName(entry)[0].startTime]))"""),
        )


def _load(browser, origin, state):
    with _opened(browser, origin, state) as (_, times):
        return times


def _decision(browser, origin, state, key):
    """Decide about the video that the table has."""
    with _opened(browser, origin, state) as (page, times):
        page.locator("#filter-text").fill(LAST)
        page.locator("#count", has_text="1 of 20,000").wait_for()
        decided = page.evaluate(DECIDE, key)
        assert decided.pop("text") in {"Confirmed", "False alarm"}, decided
        return {"painted_anew": times["painted"], **decided}
