"""What is known of a scan while it runs."""

import pytest

from handlers.domain.record import BatchJob, Scan, Settings, Totals
from tools.lib.scans.status import ScanProgress


def progress(**scan):
    """Return the progress of a scan of which nothing is final."""
    found = Scan("01K742SG00000G40R40M30E209", "amzn-s3-demo-bucket", **scan)
    return ScanProgress(scan=found, totals=Totals({}), running=0, settings=Settings(), slots=18, now=0.0, set_aside=0)


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
