"""The list of the page: what it shows of a hostile bucket, filters, sorting, paging and keys."""

import colorsys
import re
from dataclasses import replace

import pytest

from tests.browser.reviews import BUCKET, HOSTILE_KEYS, MADE_AT, review

ESCAPE = re.compile(r"\\u([0-9a-f]{4})")


@pytest.fixture
def many(pages):
    """A page of 126 videos, of which 6 failed."""
    return pages.open(*review(flagged_count=120, failed_count=6))


def names(page):
    """Return the names of the videos that are shown."""
    return page.locator("tr.row .open").all_inner_texts()


def status(page):
    """Return what the list says of itself."""
    return page.locator("#count").inner_text()


def test_hostile_keys_are_text(pages):
    """Every key is shown to the letter, with what is hidden made visible, and none of them became an element or ran."""
    page = pages.open(*review(flagged_count=0, failed_count=0, keys=HOSTILE_KEYS, unknown="<b>new</b>\u202elabel"))

    rows = page.locator("tr.row th").evaluate_all(
        "rows => rows.map(row => [row.children[1]?.textContent ?? '', row.children[0].textContent])"
    )

    shown = {ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), prefix + name) for prefix, name in rows}
    assert set(HOSTILE_KEYS) == shown
    assert not any(not character.isprintable() for row in rows for text in row for character in text)
    assert page.title().startswith("Review of scan")
    assert 0 == page.locator("main :is(img, script, b, iframe, object, embed, a:not([href^='https://']))").count()


def test_a_name_is_cut_off_for_the_eye_only(pages):
    """A key of 1,024 bytes widens nothing, on a phone either, and is there in full."""
    page = pages.open(*review(flagged_count=0, keys=["k" * 1_024, "x " * 512]))
    page.set_viewport_size({"width": 360, "height": 740})

    page.locator("tr.row .open").first.click()
    page.locator("tr.row .open").last.click()

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert "k" * 1_024 in names(page)


def test_search(many):
    """The search finds text anywhere in the URI, in any case, and the count is told."""
    many.locator("#filter-text").fill("INTERVIEW-0")
    many.locator("#count", has_text=" of 126 videos").wait_for()

    found = names(many)
    assert found
    assert all(name.startswith("interview-0") for name in found)
    assert f"{len(found)} of 126 videos" == status(many)
    assert "status" == many.locator("#count").get_attribute("role")


def test_nothing_matches(many):
    """A search without a match says so, and clearing the filters brings all back."""
    many.locator("#filter-text").fill("no such video")
    many.locator("#count", has_text="No video matches").wait_for()

    many.get_by_role("button", name="Clear filters").click()
    many.locator("#count", has_text="126 videos").wait_for()

    assert 50 == len(names(many))


def test_prefix(many):
    """A prefix is matched at the start of the key only."""
    many.locator("#filter-prefix").fill("uploads/2019/")
    many.locator("#count", has_text=" of 126").wait_for()

    prefixes = many.locator("tr.row .prefix").all_inner_texts()
    assert {"uploads/2019/"} == set(prefixes)


def test_label_and_confidence(pages):
    """Label and confidence are asked of the same label; a category takes in all that stands below it."""
    made, totals = review(flagged_count=120)
    page = pages.open(made, totals)
    hits = [video for video in made.flagged if any(label.confidence >= 97 for label in weapons(video.outcome.record))]

    page.locator("#filter-label").select_option(label="Weapons")
    page.locator("#filter-confidence").fill("97")
    page.locator("#count", has_text=f"{len(hits)} of 126").wait_for()

    assert {video.outcome.video.key.rpartition("/")[2] for video in hits} == set(names(page))
    assert 0 < len(hits) < 40


def weapons(record):
    """Return the label Weapons of a record, where it counts."""
    return [label for label in record.labels if label.name == "Weapons" and label.name in record.counted]


def test_chart_filters(many):
    """A category of the chart is a button that filters the list, and shows that it does."""
    bar = many.locator(".bar").first
    expected = bar.locator(".number").inner_text().split()[0]

    bar.click()

    assert "true" == bar.get_attribute("aria-pressed")
    assert status(many).startswith(f"{expected} of ")
    assert bar.locator(".name").inner_text() in many.locator("#filter-label option:checked").inner_text()


def test_state(many):
    """Failed videos are listed with their reason, and by state."""
    many.locator("#filter-state").select_option("failed")
    many.locator("#count", has_text="6 of 126").wait_for()

    assert all("Failed" in text for text in many.locator("tr.row .cell-found").all_inner_texts())


def test_what_to_do(many):
    """The details of a video without a verdict say what to do about it."""
    many.locator("#filter-state").select_option("failed")
    many.locator("#count", has_text="6 of 126").wait_for()
    many.locator("tr.row .open").first.click()

    shown = many.locator(".failure").inner_text()

    assert "What to do: " in shown
    assert "undefined" not in shown


@pytest.mark.parametrize(("title", "column"), [("Video", "key"), ("Confidence", "confidence"), ("First seen", "seen")])
def test_sort(many, title, column):
    """Each column sorts both ways and says which; failed videos, which have no confidence, come last both ways."""
    head = many.get_by_role("columnheader", name=title)
    orders = {}

    for _ in range(2):
        head.get_by_role("button").click()
        orders[head.get_attribute("aria-sort")] = values(many, column)

    assert orders["ascending"] == sorted(orders["ascending"])
    assert orders["descending"] == sorted(orders["descending"], reverse=True)
    assert 1 == many.locator("th[aria-sort]").count()


def values(page, column):
    """Return what is sorted by, as it is shown on the first page."""
    if column == "key":
        return page.locator("tr.row th").evaluate_all(
            "rows => rows.map(row => row.children[1].textContent + row.children[0].textContent)"
        )
    texts = page.locator(f"tr.row .cell-{column}").all_inner_texts()
    assert "\N{EN DASH}" not in texts
    return [float(text.removesuffix(" %")) for text in texts] if column == "confidence" else texts


def test_pages(many):
    """Fifty rows are drawn at a time, and all are reached."""
    seen = [*names(many)]

    for _ in range(2):
        many.get_by_role("button", name="Next").click()
        seen += names(many)

    assert 126 == len(seen)
    assert "Page 3 of 3" == many.locator("#place").inner_text()
    assert many.get_by_role("button", name="Next").is_disabled()


def test_keys(many):
    """The list is used with the keyboard alone: forward, back, open, decide, write, close."""
    many.locator("tr.row .open").first.focus()

    many.keyboard.press("j")
    many.keyboard.press("ArrowDown")
    many.keyboard.press("k")
    many.keyboard.press("Enter")
    many.keyboard.press("c")
    many.keyboard.press("n")
    many.keyboard.type("jkcf")
    many.keyboard.press("Escape")

    second = many.locator("tr.row").nth(1)
    assert "Confirmed (note)" == second.locator(".cell-decision").inner_text()
    assert 0 == many.locator("tr.detail-row").count()
    assert second.locator(".open").evaluate("opener => opener === document.activeElement")


def test_keys_cross_pages(many):
    """The next video after a page's last is the next page's first."""
    many.locator("tr.row .open").last.focus()

    many.keyboard.press("j")

    assert "Page 2 of 3" == many.locator("#place").inner_text()
    assert many.locator("tr.row .open").first.evaluate("opener => opener === document.activeElement")


def test_letters_elsewhere_do_nothing(many):
    """A letter outside the list decides nothing (WCAG 2.1.4)."""
    many.locator("#export").focus()

    many.keyboard.press("c")

    assert many.locator("#progress").inner_text().startswith("0 of 120")


def test_print(pages):
    """On paper stand all rows that match, without what only a screen can use."""
    page = pages.open(*review(flagged_count=120))
    page.emulate_media(media="print")

    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    printed = len(names(page))
    controls = page.locator("#filters, #pager, .export").evaluate_all("all => all.map(each => getComputedStyle(each).display)")
    page.evaluate("dispatchEvent(new Event('afterprint'))")

    assert 126 == printed
    assert {"none"} == set(controls)
    assert 50 == len(names(page))


def test_the_rest_is_counted(pages):
    """A page that has no room for all says how many are missing, and which command has them."""
    made, totals = review(flagged_count=1, failed_count=1)
    made.failed *= 5_002
    page = pages.open(made, totals)

    notice = page.locator("#left-out").inner_text()

    assert "no room for 2 failed" in notice
    assert f"python tools/review_report.py --scan {made.scan.id} --json" in notice


def test_ineligible(pages):
    """What could not be analysed is told apart from what failed: own figure, own state, own reason; nothing is "not finished"."""
    page = pages.open(*review(flagged_count=1, failed_count=1, ineligible_count=3))
    figures = dict(
        page.locator(".figure").evaluate_all(
            "all => all.map(each => [...each.querySelectorAll('dt, strong')].map(part => part.textContent))"
        )
    )
    page.locator("#filter-state").select_option("ineligible")
    page.locator("#count", has_text="3 of 5 videos").wait_for()

    assert ("1", "3", "0") == (figures["Failed"], figures["Ineligible"], figures["Not final"])
    assert {"Ineligible archived", "Ineligible empty", "Ineligible too-large"} == set(
        page.locator(".cell-found").all_inner_texts()
    ) - {"Found"}
    assert (
        ", 1 failed, 3 could not be analysed as they are, 8 skipped and so not looked at. All"
        in page.locator("#verdict").inner_text()
    )


def test_names_are_read_without_marks(pages):
    """The arrow before a name is not part of the name that a screen reader says."""
    page = pages.open(*review(flagged_count=1, failed_count=0))
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    names = {node["name"]["value"] for node in nodes if node["role"]["value"] == "button" and "name" in node}

    assert page.locator("tr.row .open").inner_text() in names
    assert not [name for name in names if set(name) & set("▸▾↕↑↓✓")]


def test_empty(pages):
    """A scan in which nothing was flagged has a page too."""
    page = pages.open(*review(flagged_count=0, failed_count=0, clean=3))

    assert (
        "Nothing was flagged, 8 skipped and so not looked at. All 11 objects are accounted for."
        == page.locator("#verdict").inner_text()
    )
    assert BUCKET in page.locator("h1").inner_text()


def test_the_focus_ring_covers_no_text(many):
    """The ring around a name that has the focus ends above the text of its prefix."""
    many.locator("tr.row .open").first.focus()
    many.keyboard.press("Shift+Tab")
    many.keyboard.press("Tab")

    ring, text = many.evaluate(
        """() => {
            const name = document.activeElement;
            const style = getComputedStyle(name);
            const range = document.createRange();
            range.selectNodeContents(name.parentElement.querySelector(".prefix"));
            return [
                name.getBoundingClientRect().bottom + parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth),
                range.getBoundingClientRect().top,
            ];
        }"""
    )

    assert ring <= text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_category_has_the_colour_of_clean(pages_with, scheme):
    """Green means clean: no category of labels has its hue."""
    page = pages_with(color_scheme=scheme).open(*review(flagged_count=1, failed_count=0))
    names = ["green", *(f"category-{number}" for number in range(11))]

    colours = page.evaluate(
        "names => names.map(name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`))", names
    )

    clean, *categories = [
        colorsys.rgb_to_hls(*(int(colour.strip()[at : at + 2], 16) / 255 for at in (1, 3, 5))) for colour in colours
    ]
    for hue, _, saturation in categories:
        assert saturation < 0.25 or abs(hue - clean[0]) * 360 > 40


def test_superseded_uploads(pages):
    """What another upload replaced comes last, with a word for it, what it was, nothing to decide; uploads have their times."""
    made, totals = review(flagged_count=1, failed_count=0)
    video = made.flagged[0].outcome
    record = replace(video.record, video=replace(video.video, etag="e2"), uploaded_at=MADE_AT - 60, missed=True)
    old = replace(record, video=replace(video.video, etag="e1"), superseded_at=MADE_AT - 30)
    made.flagged = [replace(made.flagged[0], outcome=replace(video, video=record.video, record=record))]
    made.superseded = [replace(video, video=old.video, record=old)]
    made.scan = replace(made.scan, day="2026-11-29", jobs=())
    page = pages.open(made, totals)

    rows, title = page.locator("tr.row"), page.locator("#title").inner_text()
    found = rows.locator(".cell-found").all_inner_texts()
    rows.nth(1).locator(".open").click()
    details = page.locator(".details").inner_text()

    assert ("Uploads of 2026-11-29 to amzn-s3-demo-bucket", "Superseded flagged") == (title, found[-1])
    assert "uploaded 20" in rows.nth(0).inner_text()
    assert "Another upload replaced this content: there is nothing to decide." in details
    assert "(found by the daily comparison)" in details
    assert 0 == page.locator(".details .decision").count()
    assert page.locator("#progress").inner_text() == "0 of 1 flagged video decided."

    page.locator("#filter-state").select_option("superseded")
    page.locator("#count", has_text="1 of 2 videos").wait_for()
