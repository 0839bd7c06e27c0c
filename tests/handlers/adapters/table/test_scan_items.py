"""What is counted of a scan: the change that a transition makes, and the sum of all."""

from dataclasses import replace

import pytest

from handlers.adapters.table import scan_items
from handlers.domain.record import Problem
from handlers.domain.states import State
from tests.handlers.doubles import waiting

WAITING = waiting()
FAILED = WAITING.as_failed(Problem("empty", "The object has 0 bytes."), at=1.0)
CLEAN = replace(WAITING, state=State.CLEAN, duration_ms=60_000)
FLAGGED = replace(CLEAN, state=State.FLAGGED)


@pytest.mark.parametrize(
    ("left", "entered", "change"),
    [
        (None, WAITING, {}),
        (None, FAILED, {"failed": 1, "failed#empty": 1}),
        (None, replace(FAILED, problem=None), {"failed": 1, "failed#trouble": 1}),
        (WAITING, replace(WAITING, state=State.CANCELLED), {"cancelled": 1}),
        (replace(WAITING, state=State.RUNNING), CLEAN, {"clean": 1, "clean_ms": 60_000}),
        (FAILED, WAITING, {"failed": -1, "failed#empty": -1}),
        (CLEAN, FLAGGED, {"clean": -1, "clean_ms": -60_000, "flagged": 1, "flagged_ms": 60_000}),
        (FLAGGED, FLAGGED, {}),
        (FAILED, replace(FAILED, problem=Problem("missing", "gone")), {"failed#empty": -1, "failed#missing": 1}),
        (None, replace(CLEAN, images=3), {"clean": 1, "clean_ms": 60_000, "images": 3}),
        (None, replace(WAITING, images=3), {}),
        (FAILED, replace(FAILED, images=3), {}),
        (FLAGGED, replace(CLEAN, images=3), {"flagged": -1, "flagged_ms": -60_000, "clean": 1, "clean_ms": 60_000}),
    ],
)
def test_change(left, entered, change):
    """Only final states count: who enters one is added, with minutes and reason, and who leaves one is taken off again."""
    assert change == scan_items.totals_change(left, entered)


def test_sum():
    """The totals of a scan are the sum of all its items, and reasons that no video has any more are not among them."""
    items = [
        {"clean": 2, "clean_ms": 10, "failed": 1, "failed#empty": 1, "failed#missing": 1, "images": 4},
        {"clean": 3, "flagged": 1, "flagged_ms": 5, "failed#missing": -1, "failed#empty": 2, "images": 5},
        {},
    ]

    totals = scan_items.totals_from(items)

    assert {State.CLEAN: 5, State.FLAGGED: 1, State.FAILED: 1, State.CANCELLED: 0} == totals.videos
    assert {State.CLEAN: 10, State.FLAGGED: 5, State.FAILED: 0, State.CANCELLED: 0} == totals.milliseconds
    assert ({"empty": 3}, 9) == (totals.failures, totals.images)


def test_sum_of_nothing():
    """A scan of which nothing is final has zeros."""
    totals = scan_items.totals_from([])

    assert ({0}, {0}, {}, 0) == (
        set(totals.videos.values()),
        set(totals.milliseconds.values()),
        totals.failures,
        totals.images,
    )
