"""The page that the desk serves."""

import json

import pytest

from tests.tools.review_doubles import HOSTILE, LATER_SCAN, SCAN, add_flagged, add_scan


@pytest.fixture(name="two_scans")
def _two_scans(account):
    """Two scans, each with one video."""
    add_scan(account, HOSTILE)
    add_flagged(account, HOSTILE)
    add_scan(account, "b.mp4", scan_id=LATER_SCAN)
    add_flagged(account, "b.mp4", scan_id=LATER_SCAN)


def test_page(two_scans, entered):
    """The page is that of the file, and knows that it is at a desk, of which scans, and what it has seen."""
    with entered() as (_, browser):
        data = browser.page()

    assert [HOSTILE] == [video["key"] for video in data["flagged"]]
    desk = data["desk"]
    assert (SCAN, "grace", 5.0) == (desk["scan"], desk["decided_by"], desk["poll_s"])
    assert [{"id": SCAN, "bucket": "amzn-s3-demo-bucket", "day": None, "status": "closed"}] == [
        {name: scan[name] for name in ("id", "bucket", "day", "status")} for scan in desk["scans"]
    ]


def test_several_scans(two_scans, entered):
    """A desk for several scans shows the first one, and each of them by its id; no other one."""
    with entered(LATER_SCAN, SCAN) as (_, browser):
        pages = [browser.page(path)["desk"]["scan"] for path in ("/", f"/?scan={SCAN}", f"/scans/{LATER_SCAN}")]
        other = browser.ask("/?scan=01K742SG00000G40R40M30E20Z")

    assert [LATER_SCAN, SCAN, LATER_SCAN] == pages
    assert (404, "The desk was not started for this scan.") == (other.status, json.loads(other.data)["reason"])


def test_scan_that_it_was_not_started_for(two_scans, entered):
    """A scan of the table that the desk was not started for is shown on no path."""
    with entered(SCAN) as (_, browser):
        statuses = [
            browser.ask(path).status
            for path in (f"/scans/{LATER_SCAN}", f"/api/changes?scan={LATER_SCAN}", f"/media/{LATER_SCAN}/x")
        ]

    assert [404, 404, 404] == statuses


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "", "9" * 40, "%d9%a3"])
def test_bad_number(two_scans, entered, after):
    """A number of changes that no answer can have had is refused."""
    with entered() as (_, browser):
        answer = browser.ask(f"/api/changes?scan={SCAN}&after={after}")

    assert 400 == answer.status


def test_policy(two_scans, entered):
    """The page may load from its desk and from nowhere else; header and document say the same."""
    with entered() as (_, browser):
        answer = browser.ask("/")

    header = answer.headers["content-security-policy"]
    policy = dict(each.partition(" ")[::2] for each in header.split("; "))
    assert ("'none'", "'self'", "'self' data: blob:", "'self'") == tuple(
        policy[name] for name in ("default-src", "media-src", "img-src", "connect-src")
    )
    assert ("'script'", "'none'") == (policy["require-trusted-types-for"], policy["trusted-types"])
    shared = header.removesuffix("; frame-ancestors 'none'")
    assert f'content="{shared}"'.encode() in answer.data


def test_icon(two_scans, entered):
    """What a browser asks for of itself is no error."""
    with entered() as (_, browser):
        answer = browser.ask("/favicon.ico")

    assert (204, b"") == (answer.status, answer.data)
