"""Accessibility: axe finds nothing serious, in light and dark, on a desk and a phone."""

import pytest

from handlers.domain.languages import Phrase, phrase
from tests.browser import axe
from tests.browser.reviews import HOSTILE_KEYS, clean, review
from tools.lib.review.sample import CleanSample

SIZES = {"desk": {"width": 1280, "height": 1000}, "phone": {"width": 390, "height": 844}}


@pytest.fixture
def in_scheme(pages_with):
    """Open a page of everything in a colour scheme and size, with a notice, a decision and open details."""

    def open_page(scheme, size):
        pages = pages_with(color_scheme=scheme)
        made, totals = review(flagged_count=60, failed_count=5_002, keys=HOSTILE_KEYS)
        made.warnings.append(phrase("The scan is {status}, not closed: the counts may still change.", status=Phrase("open", {})))
        page = pages.open(made, totals)
        page.set_viewport_size(size)
        for number in (1, 0):
            page.locator("tr.row .open").nth(number).click()
            page.get_by_role("button", name=("Confirm", "False alarm")[number]).click()
        return page

    return open_page


@pytest.mark.parametrize(("scheme", "size"), [("light", "desk"), ("dark", "desk"), ("light", "phone")])
def test_axe(in_scheme, scheme, size):
    """No serious or critical finding with the details of a video open."""
    assert [] == axe.findings(in_scheme(scheme, SIZES[size]))


def test_axe_failed(in_scheme):
    """No serious or critical finding with the details of a failed video open, the cost's parts and the keys too."""
    page = in_scheme("light", SIZES["desk"])
    page.locator("#filter-state").select_option("failed")
    page.locator("#count", has_text="5,000 of").wait_for()

    page.locator("tr.row .open").first.click()
    for summary in page.locator("details > summary").all():
        summary.click()

    assert [] == axe.findings(page)


def test_axe_sample(pages):
    """No serious or critical finding with a drawn clean video open and decided about."""
    made, totals = review(flagged_count=1)
    made.sample = CleanSample(7, tuple(map(clean, HOSTILE_KEYS)), whole=False)
    page = pages.open(made, totals)
    page.locator("#filter-state").select_option("clean")
    page.locator("#count", has_text=f"{len(HOSTILE_KEYS)} of").wait_for()

    page.locator("tr.row .open").first.click()
    page.get_by_role("button", name="Nothing is there").click()

    assert [] == axe.findings(page)


def test_axe_would_find(pages):
    """The check bites: a control that loses its name is found."""
    page = pages.open(*review(flagged_count=1, failed_count=0))

    page.evaluate("document.querySelector('#filter-text').closest('label').firstChild.remove()")

    # Without its text the field is lower, and may be half behind the bar at the bottom of the window: that is another finding.
    assert {"label"} <= {rule for rule, _, _ in axe.findings(page)}


def test_landmarks(in_scheme):
    """The page has its landmarks, and its first link leads past the summary."""
    page = in_scheme("light", SIZES["desk"])

    roles = {role: page.get_by_role(role).count() for role in ("banner", "main", "search", "navigation")}
    page.reload()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert {"banner": 1, "main": 1, "search": 1, "navigation": 1} == roles
    assert "videos" == page.evaluate("document.activeElement.id")


def test_no_row_hides_behind_the_bar(in_scheme):
    """The row that has the focus is never behind the bar at the foot of the window."""
    page = in_scheme("light", SIZES["desk"])
    page.keyboard.press("Escape")
    page.locator("tr.row .open").first.focus()

    for _ in range(20):
        page.keyboard.press("j")

    row, bar = page.evaluate(
        "[document.activeElement.closest('tr'), document.querySelector('.export')].map(each => each.getBoundingClientRect())"
    )
    assert row["bottom"] <= bar["top"]
