"""Ctrl-C at any moment of a submission leaves nothing, or something that the next command goes on with."""

import json

import pytest

from handlers.domain.states import ScanStatus
from tests.tools.submit.runs import BUCKET, going_on
from tools import review_report
from tools.emulator.samples import Clip, encode

IN_PARTS = ("--bucket", BUCKET, "--rows-per-job", "2")
ROWS = [f"{BUCKET},2024/{number}%20%2B%2C.mp4" for number in range(5)]


def assert_whole(runs, number_of_jobs):
    """There is one scan, with each of its jobs once and each row in one of them, and the list of what is left out."""
    [scan] = runs.line.table.scans.scans()
    jobs = runs.jobs()
    assert number_of_jobs == len({description for description, _ in jobs}) == len(jobs) == len({job.id for job in scan.jobs})
    assert sorted(ROWS) == sorted(row for _, rows in jobs for row in rows)
    assert (number_of_jobs, ScanStatus.OPEN) == (scan.planned_jobs, scan.status)
    kept = runs.line.storage.read(runs.line.outputs["WorkBucketName"], f"manifests/{scan.id}-ineligible.csv", None)
    assert f"{BUCKET},2024/zero.mp4,,empty\n".encode() == kept.body


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("arguments", "number_of_jobs"), [(IN_PARTS, 3), (("--bucket", BUCKET), 1)])
def test_wherever_it_is_broken_off_the_next_command_makes_it_whole(runs, arguments, number_of_jobs, after):
    """At every AWS call: what says how to go on can be gone on with; what does not has left nothing, and is run again."""
    places = 0
    while (broken := runs.submit(*arguments, at=places, after=after)).exit_code:
        plan = going_on(broken)
        assert (130, plan is None) == (broken.exit_code, not list(runs.folder.glob("*"))), broken.stderr
        assert plan is not None or not runs.line.table.scans.scans()
        assert (plan is None) == ("Broken off before anything was submitted; no file is left." in broken.stderr)

        gone_on = runs.submit(*(["--run-plan", plan] if plan else arguments))

        assert 0 == gone_on.exit_code, gone_on.stderr
        assert_whole(runs, number_of_jobs)
        runs.forget()
        places += 1

    assert_whole(runs, number_of_jobs)
    assert places > 10 * min(number_of_jobs, 2)


def test_broken_off_while_headers_are_read_no_file_is_left(runs):
    """What a header speaks against is on its way from one file into the other: neither is there before both are right."""
    runs.line.put("2024/vp9.mp4", encode(Clip(1.0, codec="vp9")))
    dry = ("--bucket", BUCKET, "--measure", "9", "--dry-run")
    places = 0

    while (broken := runs.submit(*dry, at=places)).exit_code:
        assert (130, []) == (broken.exit_code, list(runs.folder.glob("*"))), broken.stderr
        places += 1

    [side] = runs.folder.glob("*-ineligible.csv")
    assert [f"{BUCKET},2024/zero.mp4,,empty", f"{BUCKET},2024/vp9.mp4,,codec"] == side.read_text().splitlines()
    assert places > 8


@pytest.mark.parametrize("place", [22, 30])
def test_broken_off_twice_and_long_after(runs, place):
    """A second run may be broken off too, and what is left may wait: tokens are forgotten by then, S3's list of jobs is not."""
    first = runs.submit(*IN_PARTS, at=place)
    runs.line.clock.advance(60.0)
    second = runs.submit("--run-plan", going_on(first), at=8, after=True)
    runs.line.clock.advance(60.0)

    last = runs.submit("--run-plan", going_on(second) or going_on(first), "--wait", "--json")

    told = json.loads(last.stdout)
    assert 3 == len(set(told["job_ids"])) == len(runs.jobs())
    assert {"CLEAN": 5} == {state: count for state, count in told["result"]["videos"].items() if count}


def test_a_plan_that_was_submitted_is_not_submitted_again(runs):
    """Running a plan twice makes no second job, and leaves a scan closed that is."""
    made = json.loads(runs.submit(*IN_PARTS, "--wait", "--json").stdout)
    [plan] = runs.folder.glob("*.plan.json")

    again = json.loads(runs.submit("--run-plan", str(plan), "--json").stdout)

    assert made["job_ids"] == again["job_ids"]
    assert 3 == len(runs.jobs())
    assert ScanStatus.CLOSED is runs.line.table.scans.scan(made["scan_id"]).status


def test_a_scan_is_not_closed_while_jobs_of_it_are_missing(runs):
    """The sweeper waits for the jobs that are planned, however long those are over that there are."""
    broken = runs.submit(*IN_PARTS, at=24)
    [scan] = runs.line.table.scans.scans()
    assert 0 < len(scan.jobs) < 3

    runs.line.clock.advance(1_200.0)

    assert ScanStatus.OPEN is runs.line.table.scans.scan(scan.id).status
    assert {"Complete"} == {job.status for job in runs.line.table.scans.scan(scan.id).jobs}
    assert "of 3 jobs" in broken.stderr


def test_a_cancelled_scan_gets_no_further_job(runs):
    """Who cancels a scan that is half submitted has the last word: it ends, and its plan is refused."""
    broken = runs.submit(*IN_PARTS, at=24)
    [scan] = runs.line.table.scans.scans()
    runs.control("cancel", scan.id, "--yes")

    refused = runs.submit("--run-plan", going_on(broken))
    runs.line.clock.advance(1_200.0)

    assert 1 == refused.exit_code
    assert f"Error: The scan {scan.id} is cancelled" in refused.stderr
    assert not runs.line.table.scans.scan(scan.id).live


def test_a_retry_waits_for_the_whole_scan(runs):
    """A scan that lacks jobs is not retried: what was never handed over is not lost, it is to be submitted."""
    runs.submit(*IN_PARTS, at=24)
    [scan] = runs.line.table.scans.scans()

    refused = runs.line._command(review_report.main, "retry", "--scan", scan.id, "--dry-run")

    assert 1 == refused.exit_code
    assert f"of the 3 jobs of scan {scan.id} are not submitted yet." in refused.stderr
