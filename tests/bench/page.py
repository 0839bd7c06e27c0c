"""The page of 20,000 flagged videos: how large it is, and how soon Chromium takes input on it.

In the time, on the browser's own clock: from the start of the navigation until the script has drawn the list, and from a text in
the search until the list is filtered (less the 80 ms that the filter waits). Not in it: Chromium's start, and making the page.
Each round opens the file in a new profile.
"""

import statistics
import tempfile
from pathlib import Path

from tests.browser.chromium import chromium, interactive_seconds
from tests.browser.reviews import page_of, review
from tools.lib.review.page import render

FLAGGED = 20_000


def measure(options):
    """Return the page's size, and the median of some rounds."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = _written(Path(folder) / "page.html")
        seconds = [interactive_seconds(browser, path) for _ in range(options.rounds)]
        return {"page_20k": {"bytes": path.stat().st_size, "interactive_s": round(statistics.median(seconds), 2)}}


def _written(path):
    """Write the page, and check that no video of it is left out."""
    data = page_of(*review(flagged_count=FLAGGED, failed_count=0))
    assert FLAGGED == len(data.values["flagged"]), len(data.values["flagged"])
    with path.open("w", encoding="utf-8") as target:
        render(data, target)
    return path
