"""`--wait` tells the shell what a review of the same scan tells it, and counts what is ineligible as the review does."""

import json

import pytest

from tests.harness.line import BUCKET
from tests.harness.videos import unreadable, video
from tests.tools.submit.runs import Runs
from tools import review_report


def ended(runs, done):
    """Return the exit code of a run that waited, that of a review afterwards, and what both say is ineligible."""
    output = json.loads(done.stdout)
    review = runs.line._command(review_report.main, "--json", "--scan", output["scan_id"])
    counted = json.loads(review.stdout)["states"]["ineligible"]
    return done.exit_code, review.exit_code, output["result"]["ineligible"], counted


@pytest.mark.slow
@pytest.mark.parametrize(
    ("library", "code", "ineligible"),
    [
        (
            {
                "a.mp4": video(),
                "b.mp4": video((1_000, "Violence", 99.0)),
            },
            0,
            0,
        ),
        ({"a.mp4": video(), "c.mp4": b"just words"}, 3, 0),
        ({"a.mp4": video(), "zero.mp4": b""}, 3, 1),
        ({"a.mp4": video(), "failing.mp4": unreadable()}, 3, 0),
    ],
)
def test_after_a_scan(line, library, code, ineligible):
    """0 where all was analysed; 3 where one failed, was skipped as no video, or was left out of the job."""
    for key, body in library.items():
        line.put(key, body)
    runs = Runs(line)

    done = runs.submit("--bucket", BUCKET, "--wait", "--json")

    assert (code, code, ineligible, ineligible) == ended(runs, done)


def test_after_a_plan(line):
    """Of a plan, too, which knows what was left out when it was made."""
    line.put("a.mp4")
    line.put("zero.mp4", b"")
    runs = Runs(line)
    runs.submit("--bucket", BUCKET, "--dry-run")
    [plan] = runs.folder.glob("*.plan.json")

    done = runs.submit("--run-plan", str(plan), "--wait", "--json")

    assert (3, 3, 1, 1) == ended(runs, done)
    assert "1 left out as ineligible, the scan is closed" in done.stderr


@pytest.mark.slow
def test_after_a_retry(line):
    """What was left out and is restored is analysed then; what was left out and stays so still counts."""
    s3 = line.client("s3")
    s3.put_object(Bucket=BUCKET, Key="archived.mp4", Body=video(), StorageClass="GLACIER")
    line.put("a.mp4")
    line.put("zero.mp4", b"")
    runs = Runs(line)
    first = runs.submit("--bucket", BUCKET, "--wait", "--json")
    before = ended(runs, first)
    s3.put_object(Bucket=BUCKET, Key="archived.mp4", Body=video())

    retried = line._command(review_report.main, "retry", "--yes", "--wait", "--json", "--manifests", str(runs.folder))

    assert (3, 3, 2, 2) == before
    assert (3, 3, 1, 1) == ended(runs, retried)
