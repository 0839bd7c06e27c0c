"""Pages of reviews, opened from disk in Chromium; each must be content with itself and ask no one else for anything."""

import pytest

from tests.browser.chromium import chromium
from tests.browser.reviews import page_of
from tools.lib.review.page import render


@pytest.fixture(scope="session")
def browser():
    """One browser for all tests."""
    with chromium() as running:
        yield running


class Pages:
    """Pages of one test, in one browser profile of its own."""

    def __init__(self, browser, folder, **options):
        self.folder = folder
        self.errors = []
        self.requests = []
        self.context = browser.new_context(accept_downloads=True, viewport={"width": 1280, "height": 1000}, **options)
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.context.on("console", lambda message: self.errors.append((message.type, message.text)))
        self.context.on("weberror", lambda error: self.errors.append(("error", str(error.error))))

    def write(self, made, totals, name="page.html", **more):
        """Write a review's page and return its path."""
        path = self.folder / name
        with path.open("w", encoding="utf-8") as target:
            render(page_of(made, totals, **more), target)
        return path

    def open(self, made, totals, **more):
        """Open a review's page."""
        return self.goto(self.write(made, totals, **more))

    def goto(self, path):
        """Open a page from disk."""
        page = self.context.new_page()
        page.goto(path.as_uri())
        return page

    @property
    def foreign(self):
        """Return the requests for anything but the pages themselves."""
        return [url for url in self.requests if not url.startswith(self.folder.as_uri())]


@pytest.fixture
def pages_with(browser, tmp_path):
    """Open pages with options of the browser's context; in the end the page has reported no error and sent no request."""
    made = []

    def open_with(**options):
        made.append(Pages(browser, tmp_path, **options))
        return made[-1]

    yield open_with
    for pages in made:
        pages.context.close()
    assert [] == [error for pages in made for error in pages.errors]
    assert [] == [url for pages in made for url in pages.foreign]


@pytest.fixture
def pages(pages_with):
    """Open pages in a browser as it comes."""
    return pages_with()
