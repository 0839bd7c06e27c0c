"""Decisions about what is not flagged: the sample of clean videos, and what failed or is ineligible."""

from dataclasses import replace

import pytest

from handlers.domain.decision import Judgement
from handlers.domain.languages import LANGUAGES
from handlers.domain.record import ObjectFacts
from tests.browser.reviews import HOSTILE_KEYS, clean, decided, review
from tests.browser.test_details import exported
from tools.lib.review.sample import CleanSample

HOSTILE = "</script>\u202e.mp4"


@pytest.fixture(name="made")
def _made():
    """Return a review of one flagged, two failed, an ineligible and three drawn clean videos; one that failed was never read."""
    made, totals = review(flagged_count=1, failed_count=2, ineligible_count=1)
    read, never = made.failed
    made.failed = [replace(read, record=replace(read.record, facts=ObjectFacts("e2", 3, None))), never]
    made.sample = CleanSample(7, tuple(map(clean, ("clean/1.mp4", "clean/2.mp4", HOSTILE))), whole=False)
    return made, totals


def decisions_of(page):
    """Return what the list says of decisions, in its order."""
    return page.locator("tr.row .cell-decision").all_inner_texts()


def test_the_sample_is_marked_and_follows_what_was_flagged(pages, made):
    """Drawn videos are listed below the flagged ones, marked as what they are, in the order in which they were drawn."""
    page = pages.open(*made)

    found = page.locator("tr.row .cell-found").all_inner_texts()

    assert ["Clean in the sample"] * 3 == found[1:4]
    assert ["Undecided"] * 4 + ["\N{EN DASH}"] * 3 == decisions_of(page)
    assert "0 of 1 flagged video decided. 0 of 3 of the clean sample." == page.locator("#progress").inner_text()
    assert "Still to be looked at: 3 of 3 sampled clean videos." in page.locator("#warnings").inner_text()


def test_everything_is_decided_with_the_keyboard_and_exported(pages, made):
    """The same keys decide about flagged, clean and failed videos, each with a word of its own, and exported in the stored one."""
    page = pages.open(*made)
    page.locator("tr.row .open").first.focus()

    for key in ("c", "j", "c", "j", "f", "j", "j", "c"):
        page.keyboard.press(key)

    assert ["Confirmed", "Missed", "Cleared", "Undecided", "Found", "\N{EN DASH}", "\N{EN DASH}"] == decisions_of(page)
    assert (
        "1 of 1 flagged video decided. 2 of 3 of the clean sample. 1 without a verdict." == page.locator("#progress").inner_text()
    )
    file = exported(page)
    assert "video-moderation-decisions-1" == file["format"]
    assert ["confirmed", "confirmed", "false-alarm", "confirmed"] == [each["decision"] for each in file["decisions"]]
    assert ["e1", "e1", "e2"] == [each["etag"] for each in file["decisions"][1:]]
    assert ["clean/1.mp4", "clean/2.mp4"] == [each["key"] for each in file["decisions"][1:3]]


def test_details_of_what_is_not_flagged(pages, made):
    """A drawn video has the choice and what was found below the thresholds; one that was never read says why it has no choice."""
    page = pages.open(*made)

    page.locator("tr.row .open").nth(3).click()
    drawn = page.locator(".details").inner_text()
    page.get_by_role("button", name="Something is there").click()
    page.get_by_label("Note").fill("at 0:12")
    after = page.locator("tr.row .cell-decision").nth(3).inner_text()
    page.locator("tr.row .open").nth(5).click()
    never = page.locator(".details")

    assert "Nothing in it counts under the policy. It is in the sample: look at it." in drawn
    assert "Weapons 55.0 %" in drawn
    assert "Missed (note)" == after
    assert "It was never read, so nothing tells its content from a later one: no decision can be taken here." in never.inner_text()
    assert 0 == never.locator(".decision").count()


def test_filters(pages, made):
    """Undecided is what waits for a decision: what failed does not, and is found once it was decided about."""
    page = pages.open(*made)
    page.locator("tr.row .open").nth(4).focus()
    page.keyboard.press("f")

    found = {}
    for value in ("open", "confirmed", "false-alarm"):
        page.locator("#filter-decision").select_option(value)
        page.locator("#count", has_text="of 7" if value != "confirmed" else "No video").wait_for()
        found[value] = page.locator("tr.row").count()
    page.locator("#filter-decision").select_option("")
    page.locator("#filter-state").select_option("clean")
    page.locator("#count", has_text="3 of 7").wait_for()

    assert {"open": 4, "confirmed": 0, "false-alarm": 1} == found


def test_recorded_decisions_and_the_rate(pages, made):
    """What was applied before is shown by its words, with the rate of misses and how many were decided about, in Spanish too."""
    review_, totals = made
    first, *rest = review_.sample.videos
    review_.sample = replace(review_.sample, videos=(decided(first, Judgement.CONFIRMED, note="<i>"), *rest))
    review_.failed[0] = decided(review_.failed[0], Judgement.FALSE_ALARM)
    review_.truth.count_decision(review_.failed[0])

    page = pages.open(review_, totals)
    english = [decisions_of(page), page.locator("#warnings").inner_text(), page.locator("#figures").inner_text()]
    page.locator("tr.row .open").nth(1).click()
    details = page.locator(".details").inner_text()
    spanish = pages.open(review_, totals, name="es.html", language=LANGUAGES["es"])

    assert "Missed (recorded)" == english[0][1]
    assert "Cleared (recorded)" == english[0][4]
    assert "1 of 1 looked at was missed" in english[1]
    assert "; 1 decided by a person" in english[2]
    assert "Recorded earlier: Missed by Ana, 2026-10-30 10:00 UTC: <i>" in details
    assert "Pasado por alto (registrada)" == decisions_of(spanish)[1]


def test_any_key_in_the_sample(pages, made):
    """Keys of drawn videos are shown as text, whatever they hold."""
    review_, totals = made
    review_.sample = CleanSample(7, tuple(map(clean, HOSTILE_KEYS)), whole=False)

    page = pages.open(review_, totals)

    assert len(HOSTILE_KEYS) + 4 == page.locator("tr.row").count()
    assert "owned" != page.title()
