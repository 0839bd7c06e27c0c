"""Batch jobs that cannot work: each shows why, and the outcome of its objects is reported."""

import csv
import io
import json

import pytest

from handlers.domain.states import State
from tests.harness.line import BUCKET, refusing

SCAN = "01JDEM00000000000000000001"


def report_of(line, job):
    """Return the rows of a job's completion report: bucket, key, version, status, error code, HTTP status, result."""
    s3, work = line.client("s3"), line.outputs["WorkBucketName"]
    prefix = f"{job['Report']['Prefix']}/job-{job['JobId']}"
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=work, Prefix=prefix).get("Contents", [])]
    bodies = [s3.get_object(Bucket=work, Key=key)["Body"].read().decode() for key in keys if key.endswith(".csv")]
    return [row for body in bodies for row in csv.reader(io.StringIO(body, newline=""))]


def tasks(job):
    """Return the counts of a job's tasks: total, succeeded, failed."""
    return tuple(job["ProgressSummary"][f"{name}Tasks{end}"] for name, end in COUNTS)


COUNTS = (("TotalNumberOf", ""), ("NumberOf", "Succeeded"), ("NumberOf", "Failed"))


@pytest.mark.parametrize(
    ("etag", "reason"),
    [("0" * 32, "The manifest's ETag is"), ('"{etag}"', "it must be given without quotes")],
    ids=["other", "quoted"],
)
def test_a_manifest_with_a_wrong_etag_fails_the_job_with_a_reason(line, etag, reason):
    """The job fails before its first task; with the manifest's true ETag it scans everything."""
    line.put("a.mp4")
    good = line.upload_manifest(f"{BUCKET},a.mp4", scan_id=SCAN)
    location = good["Manifest"]["Location"]
    wrong = location | {"ETag": etag.format(etag=location["ETag"])}

    job = line.run_job(good | {"Manifest": good["Manifest"] | {"Location": wrong}, "ClientRequestToken": "wrong"})
    before = (line.invocations("batch_invoke"), line.table.scans.scans())
    fixed = line.run_job(good)

    (failure,) = job["FailureReasons"]
    assert ("Failed", (0, 0, 0)) == (job["Status"], tasks(job))
    assert reason in failure["FailureReason"]
    assert ([], []) == before
    assert ("Complete", State.CLEAN) == (fixed["Status"], line.record("a.mp4", SCAN).state)


def test_submit_job_shows_why_its_job_failed(line):
    """A manifest that is replaced meanwhile ends `submit_job.py --wait` with 1, S3's reason and a cure."""
    line.put("a.mp4")
    work = line.outputs["WorkBucketName"]

    def replace_manifest():
        (listed,) = line.client("s3").list_objects_v2(Bucket=work, Prefix="manifests/")["Contents"]
        line.storage.write(work, listed["Key"], f"{BUCKET},b.mp4\n".encode())

    line.before("s3control.CreateJob", replace_manifest)
    result = line.submit("--wait")

    assert 1 == result.exit_code
    assert "The manifest's ETag is" in result.stderr
    assert "Cure:" in result.stderr
    assert [] == line.analysed


def test_review_shows_what_was_never_attempted(line):
    """After a job that failed before its first task the review accounts for every object of the manifest and exits with 3."""
    for key in ("a.mp4", "b.mp4"):
        line.put(key)
    line.before("s3control.CreateJob", lambda: line.storage.forbidden.add(line.outputs["WorkBucketName"]))
    line.submit("--wait")
    line.storage.forbidden.clear()

    review = line.review()

    assert (2, 2) == (review["objects"], review["states"]["never attempted"])
    assert ["a.mp4", "b.mp4"] == sorted(unfinished["key"] for unfinished in review["unfinished"])


@pytest.mark.parametrize("arguments", [{"scan_id": "latest"}, {"scan_id": SCAN, "lane": "fast"}])
def test_a_job_made_by_hand_without_good_arguments_fails_each_task_with_a_reason(line, arguments):
    """Such a job completes with all tasks failed; its report names each fault and the tool that avoids it."""
    request = line.upload_manifest(*(f"{BUCKET},{number}.mp4" for number in range(3)))
    function = request["Operation"]["LambdaInvoke"] | {"UserArguments": arguments}

    job = line.run_job(request | {"Operation": {"LambdaInvoke": function}})

    rows = report_of(line, job)
    assert ("Complete", (3, 0, 3)) == (job["Status"], tasks(job))
    assert {"unintelligible"} == {json.loads(row[6])["reason"] for row in rows}
    assert ["0.mp4", "1.mp4", "2.mp4"] == sorted(row[1] for row in rows)


def test_a_job_of_which_every_task_fails_loses_nothing(line):
    """If objects vanish after the listing, the job completes with all failed, each has a record and a reason, and the code is 3."""
    keys = [f"{number}.mp4" for number in range(5)]
    for key in keys:
        line.put(key)

    def vanish():
        for key in keys:
            line.client("s3").delete_object(Bucket=BUCKET, Key=key)

    line.before("s3control.CreateJob", vanish)
    result = line.scan()

    review = line.review()
    assert ("Complete", 5, 0, 5) == tuple(result["result"]["job"][name] for name in ("status", "tasks", "succeeded", "failed"))
    assert (3, dict.fromkeys(keys, "missing")) == (
        result["result"]["exit_code"],
        {failed["key"]: failed["reason"] for failed in review["failed"]},
    )
    assert (5, True, "closed") == (review["objects"], review["adds_up"], review["status"])
    assert {State.FAILED} == {line.record(key, result["scan_id"]).state for key in keys}


def test_a_job_of_which_every_task_meets_trouble_can_be_repeated(line):
    """AWS faults beyond all retries and redrives are in the report; the same manifest then scans every object."""
    keys = [f"{number}.mp4" for number in range(2)]
    for key in keys:
        line.put(key)
    request = line.upload_manifest(*(f"{BUCKET},{key}" for key in keys), scan_id=SCAN)
    line.before("s3.HeadObject", *[refusing("ExpiredToken")] * 6)

    job = line.run_job(request, seconds=600)
    again = line.run_job(request | {"ClientRequestToken": "again"}, seconds=600)

    assert ("Complete", (2, 0, 2)) == (job["Status"], tasks(job))
    assert {"ExpiredToken"} == {json.loads(row[6])["reason"] for row in report_of(line, job)}
    assert (2, 2, 0) == tasks(again)
    assert [State.CLEAN, State.CLEAN] == [line.record(key, SCAN).state for key in keys]


def test_a_job_that_fails_from_a_thousand_tasks_on_reports_each_that_ran(line):
    """S3 fails a job after about 1,000 failures; the report holds each task that ran, and the rest was not tried."""
    rows = [f"{BUCKET},{number}%FF.mp4" for number in range(1_200)]

    job = line.run_job(line.upload_manifest(*rows), seconds=600)

    total, succeeded, failed = tasks(job)
    (failure,) = job["FailureReasons"]
    report = report_of(line, job)
    assert ("Failed", "JobFailureRateExceeded") == (job["Status"], failure["FailureCode"])
    assert (1_200, 0, len(report), len(report)) == (total, succeeded, failed, len({row[1] for row in report}))
    assert 1_000 <= failed < 1_200
    assert {"unintelligible"} == {json.loads(row[6])["reason"] for row in report}
