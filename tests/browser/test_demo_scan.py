"""The demo's scan, made by the real programs offline: its page is looked through in Chromium, and what is decided comes back."""

import json
import shutil
import time
from datetime import datetime

import pytest

from tests.browser.offline import CONTEXT, SETTINGS, Offline
from tests.once import assembled
from tools.emulator.samples import demo_library
from tools.emulator.world import World

FLAGGED = {sample.key: sample for sample in demo_library() if sample.expected.state == "FLAGGED"}
FAILED = {sample.key: sample for sample in demo_library() if sample.expected.state == "FAILED"}
INELIGIBLE = {sample.key: sample for sample in demo_library() if sample.expected.state == "INELIGIBLE"}
CONFIRMED, FALSE_ALARM = 'quotes/"hello", she said.mp4', "emoji/🎬 première 🍿.mp4"
NOTE = 'a statue, not a "gesture"\n=1+1 <b>señora</b>'
REVIEWER = "Ana García"

pytestmark = pytest.mark.timeout(300)


class Demo(Offline):
    """The offline world after the scan of the demo's library."""

    def page(self, path):
        """Write the page of the scan, some videos of which failed, and return its path."""
        self.program("review_report.py", "page", path, codes=(3,))
        return path

    def apply(self, path):
        """Apply an export, all of which must be taken, and return what was said."""
        return json.loads(self.program("review_report.py", "apply", path, "--json"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo library, scanned; the world goes on."""
    folder = tmp_path_factory.mktemp("demo")
    with World(SETTINGS, directory=folder / "world") as world:
        made = Demo(world, folder)
        made.scan(assembled(tmp_path_factory, **CONTEXT), {sample.key: sample.body() for sample in demo_library()})
        yield made


@pytest.fixture(scope="module")
def written(demo, tmp_path_factory):
    """The page of the scan before anything was decided."""
    return demo.page(tmp_path_factory.mktemp("page") / "review.html")


@pytest.fixture
def page(written, pages):
    """That page, opened from disk."""
    return pages.goto(shutil.copy(written, pages.folder / written.name))


def shown(page):
    """Return the keys that are listed, in their order."""
    return page.locator("tr.row th").evaluate_all(
        "rows => rows.map(row => (row.children[1]?.textContent ?? '') + row.children[0].textContent)"
    )


def opened(page, key):
    """Open the details of a video and return them."""
    opener(page, key).click()
    return page.locator(".details")


def opener(page, key):
    """Return the button that opens a video."""
    return page.locator("tr.row .open", has=page.get_by_text(key.rpartition("/")[2], exact=True))


def badges(page):
    """Return what the list says of decisions on flagged videos, by key."""
    texts = page.locator("tr.row .cell-decision").all_inner_texts()
    return {key: text for key, text in zip(shown(page), texts, strict=True) if key in FLAGGED}


def best(key):
    """Return the best confidence that a flagged video was made with."""
    return max(card.confidence for card in FLAGGED[key].expected.labels)


def first_seen(key):
    """Return the second at which the first card is seen in a flagged video."""
    return min(card.start_s for card in FLAGGED[key].expected.labels)


def test_what_was_found_is_listed(page):
    """Exactly what the library was made to have flagged and failed is listed, and every object is accounted for."""
    listed = shown(page)

    assert sorted([*FLAGGED, *FAILED, *INELIGIBLE]) == sorted(listed)
    assert "All 14 objects are accounted for." in page.locator("#verdict").inner_text()


@pytest.mark.parametrize(
    ("choose", "left"),
    [
        (lambda page: page.locator("#filter-text").fill("PREMIÈRE"), {"emoji/🎬 première 🍿.mp4"}),
        (lambda page: page.locator("#filter-prefix").fill("clips/"), {"clips/100% real + raw %2B.mp4"}),
        (lambda page: page.locator("#filter-state").select_option("failed"), set(FAILED)),
        (lambda page: page.locator("#filter-state").select_option("ineligible"), set(INELIGIBLE)),
        (lambda page: page.locator("#filter-label").select_option(label="Hate Symbols (all)"), {"sport/final; the end.mp4"}),
        (lambda page: page.locator("#filter-confidence").fill("94"), {key for key in FLAGGED if best(key) > 94}),
    ],
    ids=["text", "prefix", "failed", "ineligible", "label", "confidence"],
)
def test_filters(page, choose, left):
    """Each filter leaves the videos of the library that it is about, and the count says how many."""
    choose(page)
    page.locator("#count", has_text=f"{len(left)} of 8 videos").wait_for()

    assert left == set(shown(page))


@pytest.mark.parametrize(("title", "value"), [("Confidence", best), ("First seen", first_seen)])
def test_sorting(page, title, value):
    """The list sorts both ways by what the cards in the videos were; what failed stands last both ways."""
    head = page.get_by_role("columnheader", name=title)
    orders = {}

    for _ in range(2):
        head.get_by_role("button").click()
        orders[head.get_attribute("aria-sort")] = shown(page)

    ascending = sorted(FLAGGED, key=value)
    assert ascending == orders["ascending"][:5]
    assert ascending[::-1] == orders["descending"][:5]


@pytest.mark.parametrize("key", FLAGGED)
def test_timeline(page, key):
    """On the timeline of a video each card has a bar where the card is in the picture, to half a second."""
    sample = FLAGGED[key]
    details = opened(page, key)

    bars = details.locator(".lane rect").evaluate_all(
        """bars => bars.map(bar => [
            bar.querySelector("title").textContent.split(",")[0],
            bar.x.baseVal.valueInSpecifiedUnits,
            bar.x.baseVal.valueInSpecifiedUnits + bar.width.baseVal.valueInSpecifiedUnits,
        ])"""
    )

    places = {name: (from_, to) for name, from_, to in bars}
    for card in sample.expected.labels:
        percent = 100 / sample.content.seconds
        expected = (card.start_s * percent, card.end_s * percent)
        assert pytest.approx(expected, abs=0.5 * percent + 0.5) == places[card.label]


def decide(page):
    """Confirm one video, call another a false alarm with a note, export, and return the file."""
    opened(page, CONFIRMED)
    page.get_by_role("button", name="Confirm", exact=True).click()
    opened(page, FALSE_ALARM)
    page.get_by_role("button", name="False alarm", exact=True).click()
    page.get_by_label("Note").fill(NOTE)
    page.get_by_label("Decided by").fill(REVIEWER)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export decisions").click()
    return download.value.path()


def test_decisions_come_back(demo, page, pages_with):
    """What was decided is applied once, stands on exactly those videos with who, when, what and note, and a new page shows it."""
    began = time.time()
    export = decide(page)
    ended = time.time()

    once = demo.apply(export)
    after_once = demo.review()
    twice = demo.apply(export)
    after_twice = demo.review()
    # In a profile of its own: nothing is known there but what the page says.
    others = pages_with()
    new = others.goto(demo.page(others.folder / "new.html"))

    scan = after_once["scan"]
    assert {"scan": scan, "scan_id": scan, "decided_by": REVIEWER, "written": 2, "already": 0, "refused": []} == once
    assert {**once, "written": 0, "already": 2} == twice
    assert after_once["flagged"] == after_twice["flagged"]
    decisions = decided(after_once)
    assert {
        CONFIRMED: {"decision": "confirmed", "by": REVIEWER, "note": "", "scan": scan, "scan_id": scan},
        FALSE_ALARM: {"decision": "false-alarm", "by": REVIEWER, "note": NOTE, "scan": scan, "scan_id": scan},
    } == {key: without_time(decision) for key, decision in decisions.items()}
    assert exported_moments(export) == {key: decision["at"] for key, decision in decisions.items()}
    assert all(began - 0.001 <= decision["at"] <= ended for decision in decisions.values())
    assert {CONFIRMED: "Confirmed (recorded)", FALSE_ALARM: "False alarm (recorded)"} == {
        key: text for key, text in badges(new).items() if text != "Undecided"
    }
    assert "2 of 5 flagged videos decided." == new.locator("#progress").inner_text()
    recorded = opened(new, FALSE_ALARM).get_by_text("Recorded earlier").inner_text()
    assert recorded.startswith(f"Recorded earlier: False alarm by {REVIEWER}, 20")
    assert all(line in recorded for line in NOTE.splitlines())


def decided(review):
    """Return the decisions of a review by key."""
    return {video["key"]: video["decision"] for video in review["flagged"] if video["decision"]}


def without_time(decision):
    """Return a decision without the time at which it was made."""
    return {name: value for name, value in decision.items() if name not in {"at", "decided_time"}}


def exported_moments(path):
    """Return when each video was decided, by key, in epoch seconds."""
    decisions = json.loads(path.read_text(encoding="utf-8"))["decisions"]
    return {decision["key"]: datetime.fromisoformat(decision["decided_at"]).timestamp() for decision in decisions}
