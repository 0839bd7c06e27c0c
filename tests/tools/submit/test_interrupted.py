"""Ctrl-C at any moment of a submission leaves nothing, or something that the next command goes on with."""

import json
from dataclasses import replace
from hashlib import md5

import pytest

from handlers.domain.states import ScanStatus
from tests.tools.submit.runs import BUCKET, going_on
from tools import review_report
from tools.emulator.samples import Clip, encode

SCAN = ("--bucket", BUCKET)
EMPTY = f'{BUCKET},2024/zero.mp4,,empty,"The object has 0 bytes.","{md5(b"").hexdigest()}",0'
ROWS = [f"{BUCKET},2024/{number}%20%2B%2C.mp4" for number in range(5)]


def assert_whole(runs):
    """There is one scan, with one job and each row in it, and the list of what is left out."""
    [scan] = runs.line.table.scans.scans()
    jobs = runs.jobs()
    assert 1 == len(jobs) == len({job.id for job in scan.jobs})
    assert sorted(ROWS) == sorted(row for _, rows in jobs for row in rows)
    assert (1, ScanStatus.OPEN) == (scan.planned_jobs, scan.status)
    kept = runs.line.storage.read(runs.line.outputs["WorkBucketName"], f"manifests/{scan.id}-ineligible.csv", None)
    assert f"{EMPTY}\n".encode() == kept.body


@pytest.fixture(name="begun")
def _begun(runs):
    """The output of a run that was interrupted when its scan was registered and its job not created yet."""
    place = 0
    while not runs.line.table.scans.scans():
        runs.forget()
        interrupted = runs.submit(*SCAN, at=(place := place + 1))
    return interrupted


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_wherever_it_is_interrupted_the_next_command_completes_it(runs, after):
    """At every AWS call: what says how to go on can be gone on with; what does not has left nothing, and is run again."""
    places = 0
    while (interrupted := runs.submit(*SCAN, at=places, after=after)).exit_code:
        plan = going_on(interrupted)
        assert (130, plan is None) == (interrupted.exit_code, not list(runs.folder.glob("*"))), interrupted.stderr
        assert plan is not None or not runs.line.table.scans.scans()
        assert (plan is None) == ("Interrupted before anything was submitted; no files were kept." in interrupted.stderr)

        gone_on = runs.submit(*(["--run-plan", plan] if plan else SCAN))

        assert 0 == gone_on.exit_code, gone_on.stderr
        assert_whole(runs)
        runs.forget()
        places += 1

    assert_whole(runs)
    assert places > 10


@pytest.mark.slow
def test_interrupted_while_headers_are_read_no_file_is_left(runs):
    """What a header speaks against is on its way from one file into the other: neither is there before both are right."""
    runs.line.put("2024/vp9.mp4", encode(Clip(1.0, codec="vp9")))
    dry = ("--bucket", BUCKET, "--measure", "9", "--dry-run")
    places = 0

    while (interrupted := runs.submit(*dry, at=places)).exit_code:
        assert (130, []) == (interrupted.exit_code, list(runs.folder.glob("*"))), interrupted.stderr
        places += 1

    [side] = runs.folder.glob("*-ineligible.csv")
    empty, codec = side.read_text().splitlines()
    assert EMPTY == empty
    assert codec.startswith(f'{BUCKET},2024/vp9.mp4,,codec,"The codec is vp9; Rekognition takes H.264.",')
    assert places > 8


@pytest.mark.slow
@pytest.mark.parametrize(("place", "after"), [(8, True), (9, False), (9, True)])
def test_interrupted_twice_and_long_after(runs, begun, place, after):
    """A second run may be interrupted too, and what is left may wait: tokens are forgotten by then, S3's list of jobs is not."""
    first = begun
    runs.line.clock.advance(60.0)
    second = runs.submit("--run-plan", going_on(first), at=place, after=after)
    runs.line.clock.advance(60.0)

    last = runs.submit("--run-plan", going_on(second) or going_on(first), "--wait", "--json")

    output = json.loads(last.stdout)
    assert 1 == len(runs.jobs())
    assert {"CLEAN": 5} == {state: count for state, count in output["result"]["videos"].items() if count}


@pytest.mark.slow
def test_a_plan_that_was_submitted_is_not_submitted_again(runs):
    """Running a plan twice makes no second job, and leaves a scan closed that is."""
    made = json.loads(runs.submit(*SCAN, "--wait", "--json").stdout)
    [plan] = runs.folder.glob("*.plan.json")

    again = json.loads(runs.submit("--run-plan", str(plan), "--json").stdout)

    assert made["job_ids"] == again["job_ids"]
    assert 1 == len(runs.jobs())
    assert ScanStatus.CLOSED is runs.line.table.scans.scan(made["scan_id"]).status


@pytest.mark.parametrize("other", [{"bucket": "amzn-s3-demo-bucket2"}, {"objects": 7}])
def test_a_plan_of_another_scan_is_refused(runs, begun, other):
    """Where the table has the scan with another bucket or number of objects, the plan was edited: it gets no job."""
    [scan] = runs.line.table.scans.scans()
    table, client = runs.line.outputs["TableName"], runs.line.client("dynamodb")
    client.delete_item(TableName=table, Key={"pk": {"S": "SCANS"}, "sk": {"S": scan.id}})
    runs.line.table.scans.put_scan(replace(scan, **other))

    refused = runs.submit("--run-plan", going_on(begun))

    assert (1, []) == (refused.exit_code, runs.jobs())
    assert "The plan was edited" in refused.stderr


@pytest.mark.slow
def test_a_scan_is_not_closed_while_its_job_is_missing(runs, begun):
    """The sweeper waits for the job that is planned, however long that takes."""
    [scan] = runs.line.table.scans.scans()

    runs.line.clock.advance(1_200.0)

    assert ((), ScanStatus.OPEN) == (scan.jobs, runs.line.table.scans.scan(scan.id).status)
    assert "No job was created; nothing is scanned. To continue: " in begun.stderr


def test_a_cancelled_scan_gets_no_job(runs, begun):
    """Who cancels a scan that is half submitted has the last word: it ends, and its plan is refused."""
    [scan] = runs.line.table.scans.scans()
    runs.control("cancel", scan.id, "--yes")

    refused = runs.submit("--run-plan", going_on(begun))
    runs.line.clock.advance(1_200.0)

    assert 1 == refused.exit_code
    assert f"Error: Scan {scan.id} is cancelled" in refused.stderr
    assert not runs.line.table.scans.scan(scan.id).live


def test_a_retry_waits_for_the_whole_scan(runs, begun):
    """A scan that lacks its job is not retried: what was never handed over is not lost, it is to be submitted."""
    [scan] = runs.line.table.scans.scans()

    refused = runs.line._command(review_report.main, "retry", "--scan", scan.id, "--dry-run")

    assert 1 == refused.exit_code
    assert f"Jobs of scan {scan.id} that are not submitted yet: 1 of 1." in refused.stderr
