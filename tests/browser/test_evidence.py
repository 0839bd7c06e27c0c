"""Pictures in the file: drawn in its cards and details, blurred, with nothing loaded from anywhere."""

import base64
from dataclasses import replace

import pytest

from tests.browser import axe
from tests.browser.reviews import page_of, review
from tools.emulator.samples import Still, encode_still
from tools.lib.review.page import render


@pytest.fixture
def page(pages):
    """A page of three flagged videos, of which the first has two pictures."""
    data = page_of(*review(flagged_count=3, failed_count=0))
    picture = "data:image/jpeg;base64," + base64.b64encode(encode_still(Still())).decode()
    first, *rest = data.values["flagged"]
    at = first["segments"][1]
    flagged = [{**first, "evidence": [[at, picture], [at + 500, picture]]}, *rest]
    path = pages.folder / "page.html"
    with path.open("w", encoding="utf-8") as target:
        render(replace(data, values={**data.values, "flagged": flagged}), target)
    return pages.goto(path)


def test_pictures_of_a_file(page):
    """A file with pictures begins with cards: blurred, with times and labels. It stays a file."""
    page.locator(".card-pictures").scroll_into_view_if_needed()
    page.locator(".card-pictures img").first.wait_for()
    page.locator("tr.row .open").first.click()

    blurred = page.locator(".evidence").evaluate_all("all => all.map(each => getComputedStyle(each).filter)")
    widths = page.locator(".evidence").evaluate_all("all => all.map(each => each.naturalWidth)")

    assert ["blur(10px) grayscale(1)"] * 4 == blurred
    assert [128] * 4 == widths
    assert page.locator(".moments img").first.get_attribute("alt").startswith("Picture at ")
    assert 1 == page.locator(".card-pictures").count()
    assert 0 == page.locator("video").count()
    assert page.get_by_role("button", name="Export decisions").is_visible()
    assert [] == axe.findings(page)


def test_the_view_is_kept(page):
    """The list can be had without cards, and that is kept."""
    page.get_by_label("List", exact=True).check()
    before = page.locator(".card-pictures").count()
    page.reload()

    assert 0 == before == page.locator(".card-pictures").count()
    assert page.get_by_label("List", exact=True).is_checked()


def test_undo_in_a_file(page):
    """In a file, too, decisions are undone one after another, back to what was there, and a key pressed twice takes one back."""
    page.locator("tr.row .open").first.focus()

    page.keyboard.press("c")
    page.keyboard.press("f")
    twice = page.locator("tr.row .cell-decision").first.inner_text()
    page.keyboard.press("u")
    once = page.locator("tr.row .cell-decision").first.inner_text()
    page.keyboard.press("u")
    none = page.locator("tr.row .cell-decision").first.inner_text()
    page.keyboard.press("u")

    assert ("False alarm", "Confirmed", "Undecided") == (twice, once, none)
    assert "There is nothing to undo." == page.locator("#message").inner_text()
