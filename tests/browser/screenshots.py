"""Take the README's pictures anew: `python -m tests.browser.screenshots`."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.browser import desks
from tests.browser.chromium import chromium
from tests.browser.offline import CONTEXT
from tests.browser.reviews import page_of, review
from tests.once import assemble
from tools.lib.review.page import render

PICTURES_FOLDER = Path(__file__).parent / "pictures"
WIDE, NARROW = {"width": 1280, "height": 960}, {"width": 390, "height": 844}
DESK_PICTURES = {
    "desk-cards": ("light", WIDE, False),
    "desk-triage": ("dark", WIDE, True),
    "desk-narrow": ("light", NARROW, True),
}
"""By file name: colour scheme, size of the window, and whether a video is open."""

# Objects that the scan left out for their suffixes.
NOT_SELECTED = {".jpg": 310, ".txt": 42, ".webm": 3}


def main():
    """Write the pictures into tests/browser/pictures."""
    PICTURES_FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, chromium() as browser:
        page = Path(folder) / "page.html"
        with page.open("w", encoding="utf-8") as target:
            render(page_of(*review(ineligible_count=5, not_selected=NOT_SELECTED)), target)
        picture(browser, page.as_uri(), PICTURES_FOLDER / "review-light.png")
        of_the_desk(browser, Path(folder))


def of_the_desk(browser, folder):
    """Scan films in the offline world, serve the desk, and take its pictures."""
    assemble(folder / "assembly", **CONTEXT)
    with desks.scanned(folder, folder / "assembly") as made, made.served() as address, browser.new_context() as first:
        first.new_page().goto(address)
        state = first.storage_state()
        for name, (scheme, size, opened) in DESK_PICTURES.items():
            with browser.new_context(color_scheme=scheme, viewport=size, storage_state=state) as context:
                page = context.new_page()
                page.goto(address.partition("?")[0])
                page.locator(".card-pictures img[src]").nth(8).wait_for()
                page.get_by_label("Decided by").fill("Ana")
                page.locator("tr.row .open").first.focus()
                for key in ("f", "c", "v", *(["Enter"] if opened else [])):
                    page.keyboard.press(key)
                wait_for_pictures(page)
                page.mouse.move(0, 0)
                page.screenshot(path=PICTURES_FOLDER / f"{name}.png")


def wait_for_pictures(page):
    """Wait until the pictures in sight are there: the server decodes two at a time."""
    for _ in range(600):
        if page.evaluate(
            """() => [...document.querySelectorAll("img.evidence, video.evidence")].every((each) => {
                const { top, bottom } = each.getBoundingClientRect();
                return bottom < 0 || top > innerHeight || each.naturalWidth || each.videoWidth;
            })"""
        ):
            return
        page.wait_for_timeout(100)


def picture(browser, address, path):
    """Take the picture of a page as it opens."""
    with browser.new_context(color_scheme="light", viewport=WIDE) as context:
        page = context.new_page()
        page.goto(address)
        page.screenshot(path=path)


if __name__ == "__main__":
    main()
