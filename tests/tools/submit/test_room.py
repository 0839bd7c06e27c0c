"""Several jobs of one scan in an account that takes six at a time."""

import json

import pytest

from tests.harness.line import ACCOUNT, BUCKET
from tests.tools.submit.runs import Runs
from tools.lib.aws.batch_jobs import ACTIVE_JOBS, OPEN
from tools.lib.doctor import Findings

OVER = {"Complete", "Failed", "Cancelled"}


@pytest.fixture(params=[False, True], ids=["S3 lets a job more wait", "S3 refuses a job more"])
def crowded(make_line, request):
    """Return a line with nine videos; what S3 does with a seventh job is not documented."""
    line = make_line(batch_full_account_refuses_job=request.param)
    for number in range(9):
        line.put(f"{number}.mp4")
    return Runs(line, examine=lambda _case: Findings(()))


def test_no_more_jobs_than_the_account_may_have(crowded):
    """The seventh job waits until one of six is over; in the end all nine have been, and every video is analysed."""
    most = []
    listed = crowded.line.batch.list_jobs
    crowded.line.before("s3control.CreateJob", *[lambda: most.append(sum(job["Status"] in OPEN for job in listed()[0]))] * 9)

    done = crowded.submit("--bucket", BUCKET, "--rows-per-job", "1", "--wait", "--json")

    told = json.loads(done.stdout)
    assert (9, ACTIVE_JOBS - 1) == (len(most), max(most))
    assert "The account may have 6 active jobs and has 6: job 7 of 9 waits until one has ended" in done.stderr
    assert {"CLEAN": 9} == {state: count for state, count in told["result"]["videos"].items() if count}


def test_jobs_of_others_count_too(crowded):
    """The limit is the account's: a job that somebody else keeps waiting takes a place of six."""
    foreign = crowded.line.upload_manifest(f"{BUCKET},0.mp4")
    crowded.line.client("s3control").create_job(**foreign | {"ConfirmationRequired": True})

    done = crowded.submit("--bucket", BUCKET, "--rows-per-job", "1")

    assert 0 == done.exit_code
    assert "job 6 of 9 waits until one has ended" in done.stderr


def test_suspended_jobs_wait_for_a_confirmation(crowded):
    """With --suspended nothing is handed over before somebody confirms the job."""
    told = json.loads(crowded.submit("--bucket", BUCKET, "--suspended", "--json").stdout)
    s3control = crowded.line.client("s3control")
    job = {"AccountId": ACCOUNT, "JobId": told["job_id"]}
    crowded.line.clock.advance(120.0)
    before = s3control.describe_job(**job)["Job"]["Status"]

    s3control.update_job_status(**job, RequestedJobStatus="Ready")
    crowded.line.clock.advance(120.0)

    assert ("Suspended", "Complete") == (before, s3control.describe_job(**job)["Job"]["Status"])
