"""What is known of a scan while it runs."""

from types import SimpleNamespace

import pytest

from handlers.domain.record import BatchJob, Scan, Settings, Totals
from handlers.domain.states import State
from tools.lib.errors import ToolError
from tools.lib.scans.status import ScanProgress, find, past


def progress(*, totals=None, **scan):
    """Return the progress of a scan, of which by default nothing is final."""
    found = Scan("01K742SG00000G40R40M30E209", "amzn-s3-demo-bucket", **scan)
    return ScanProgress(scan=found, totals=totals or Totals({}), running=0, settings=Settings(), slots=18, now=0.0, set_aside=0)


@pytest.mark.parametrize(
    ("scan", "total"),
    [
        ({"objects": 7, "jobs": (BatchJob("one", tasks=9),)}, 7),
        ({"jobs": (BatchJob("one", tasks=9), BatchJob("retry", tasks=2), BatchJob("new"))}, 9),
        ({"jobs": (BatchJob("new"),)}, None),
        ({}, None),
    ],
)
def test_total(scan, total):
    """A scan has the objects of its manifest; one that was made by hand those of its largest job, for retries repeat some."""
    assert total == progress(**scan).total


def test_past():
    """A list of scans shows how many videos ended in each state, and how many seconds of video they are."""
    totals = Totals({State.CLEAN: 2, State.FLAGGED: 1}, {State.CLEAN: 90_500, State.FLAGGED: 1_000})

    shown = past(progress(totals=totals, objects=3, jobs=(BatchJob("one"),), mails_sent=1, created_at=5.0))

    assert {"clean": 90.5, "flagged": 1.0, "failed": 0.0, "cancelled": 0.0} == shown["seconds"]
    assert (3, ["one"], 1, 5.0, None) == tuple(shown[name] for name in ("objects", "jobs", "mails_sent", "created_at", "closed_at"))


@pytest.mark.parametrize("scans", [[], [Scan("one", "b")]])
def test_a_job_without_a_scan(scans):
    """A job may exist though there is no scan of it: whoever asks for it is told where the reason is."""
    with pytest.raises(ToolError, match="no scan of job j") as refused:
        find(SimpleNamespace(submitted=lambda: scans), job_id="j")

    assert "its completion report says why" in refused.value.cure
