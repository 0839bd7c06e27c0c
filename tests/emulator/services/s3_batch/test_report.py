import csv
import hashlib
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tools.emulator.services.s3_batch.invocation import Answer, TaskOutcome
from tools.emulator.services.s3_batch.manifest import Row
from tools.emulator.services.s3_batch.report import Report
from tools.emulator.settings import EmulatorSettings

REPORT = {"Enabled": True, "Bucket": "arn:aws:s3:::work", "Format": "Report_CSV_20180820", "ReportScope": "AllTasks"}


def _halves(answer):
    """Return answers by which even keys succeed and odd ones fail permanently."""
    return lambda event: answer(
        event, *(("Succeeded", "ok") if int(event["tasks"][0]["s3Key"][5]) % 2 == 0 else ("PermanentFailure", "no"))
    )


def _written(bench, job_id):
    return sorted(key for _, key in bench.objects.stored if f"job-{job_id}" in key)


def test_tree(bench, answer):
    """The report is manifest.json, its MD5, and a file each for succeeded and failed tasks, named with 40 hexadecimal digits."""
    bench.functions.answer = _halves(answer)
    job_id = bench.run(10)

    folder = f"reports/job-{job_id}"
    manifest_body = bench.objects.stored["work", f"{folder}/manifest.json"]
    manifest = json.loads(manifest_body)

    assert {"Format", "ReportCreationDate", "Results", "ReportSchema"} == set(manifest)
    assert "Report_CSV_20180820" == manifest["Format"]
    assert "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage" == manifest["ReportSchema"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", manifest["ReportCreationDate"])
    assert ["succeeded", "failed"] == [result["TaskExecutionStatus"] for result in manifest["Results"]]
    for result in manifest["Results"]:
        assert re.fullmatch(rf"{folder}/results/[0-9a-f]{{40}}\.csv", result["Key"])
        assert hashlib.md5(bench.objects.stored["work", result["Key"]]).hexdigest() == result["MD5Checksum"]
    assert hashlib.md5(manifest_body).hexdigest().encode() == bench.objects.stored["work", f"{folder}/manifest.json.md5"]
    assert 4 == len(_written(bench, job_id))


def test_rows(bench, answer):
    """Rows have no header, end in CRLF, and give HTTPStatusCode before ErrorCode."""
    bench.functions.answer = _halves(answer)
    job_id = bench.run(b"videos,000000%20.mp4\nvideos,000001.mp4\n")

    bodies = [bench.objects.stored["work", key] for key in _written(bench, job_id) if key.endswith(".csv")]

    assert {
        b"videos,000000%20.mp4,,succeeded,200,,ok\r\n",
        b"videos,000001.mp4,,failed,200,PermanentFailure,no\r\n",
    } == set(bodies)


@pytest.mark.parametrize(
    ("prefix", "folder"), [("reports/01J", "reports/01J/job-"), ("reports/", "reports//job-"), (None, "job-"), ("r", "r/job-")]
)
def test_prefix(bench, prefix, folder):
    """The job's folder follows the prefix and a slash, so a prefix that ends in a slash gives two."""
    report = REPORT if prefix is None else {**REPORT, "Prefix": prefix}

    job_id = bench.run(Report=report)

    assert all(key.startswith(f"{folder}{job_id}/") for key in _written(bench, job_id))
    assert 3 == len(bench.report(job_id, folder.removesuffix("job-")))


def test_failed_tasks_only(bench, answer):
    """FailedTasksOnly leaves succeeded tasks out of the report, but not out of the counters."""
    bench.functions.answer = _halves(answer)

    job_id = bench.run(10, Report={**REPORT, "Prefix": "reports", "ReportScope": "FailedTasksOnly"})

    assert ["failed"] * 5 == [row[3] for row in bench.report(job_id)]
    assert (10, 5, 5) == bench.counts(job_id)


def test_failed_tasks_only_without_failures(bench):
    """With FailedTasksOnly and no failed task, the manifest lists no results."""
    job_id = bench.run(Report={**REPORT, "Prefix": "reports", "ReportScope": "FailedTasksOnly"})

    assert [] == bench.report(job_id)
    assert bench.has_report(job_id)


def test_no_report_requested(bench):
    """A job without a report leaves none."""
    job_id = bench.run(Report={"Enabled": False})

    assert "Complete" == bench.status(job_id)
    assert not bench.has_report(job_id)


def test_report_is_there_when_complete(bench):
    """The report can be read as soon as the status is Complete, and not before Completing."""
    job_id = bench.submit()
    while bench.status(job_id) != "Complete":
        assert not bench.has_report(job_id)
        bench.clock.advance(0.25)

    assert 3 == len(bench.report(job_id))


def test_missing_report_bucket(bench):
    """A job completes although its report cannot be delivered, and gives the reason."""
    job_id = bench.run(Report={**REPORT, "Bucket": "arn:aws:s3:::missing"})

    assert "Complete" == bench.status(job_id)
    assert "no bucket missing" in bench.reason(job_id)


def test_foreign_report_bucket(bench):
    """A job fails if ExpectedBucketOwner does not own the bucket."""
    job_id = bench.run(Report={**REPORT, "ExpectedBucketOwner": "444455556666"})

    assert "Failed" == bench.status(job_id)
    assert [] == bench.functions.events


@pytest.mark.parametrize("length", [1024, 1025, 5000])
def test_cut(bench, answer, length):
    """A resultString is cut at 1,024 characters."""
    bench.functions.answer = lambda event: answer(event, text="é" * length)

    job_id = bench.run(1)

    assert "é" * 1024 == bench.report(job_id)[0][6]


@pytest.mark.parametrize(("reach", "text"), [(True, "no"), (False, "")])
def test_strings_of_failed_tasks(make_bench, answer, reach, text):
    """Whether a failed task's resultString reaches the report is a setting; S3's own messages always do."""
    bench = make_bench(EmulatorSettings(batch_failed_strings_reach_report=reach))
    bench.functions.answer = _halves(answer)
    failed = bench.run(b"videos,000001.mp4\n")
    bench.functions.answer = lambda event: answer(event, invocationId="wrong")
    broken = bench.run(1)

    assert text == bench.report(failed)[0][6]
    assert "Lambda returned another invocationId than it was given" == bench.report(broken)[0][6]


class _Kept:
    """Objects that are only stored."""

    def __init__(self):
        self.stored = {}

    def write(self, bucket, key, body):
        self.stored[key] = body


texts = st.text(max_size=50)


@examples(max_examples=50)
@given(st.lists(st.tuples(texts, texts, st.booleans()), max_size=20), st.integers(1, 5))
def test_any_row_parses(tasks, rows_per_file):
    """The csv module reads any key and result back, from files that have at most the maximum of rows."""
    report, kept = Report("work", "", failed_tasks_only=False, failed_strings=True, rows_per_file=rows_per_file), _Kept()
    names = iter(range(1000))
    for key, text, good in tasks:
        report.add(
            Row("videos", key, None),
            Answer(TaskOutcome.SUCCEEDED if good else TaskOutcome.FAILED, message=text, from_function=True),
        )

    report.write(kept, "1", 0.0, lambda: f"{next(names):040x}")
    report.close()

    results = json.loads(kept.stored["job-1/manifest.json"])["Results"]
    read = []
    for result in results:
        file = list(csv.reader(io.StringIO(kept.stored[result["Key"]].decode(), newline="")))
        assert 1 <= len(file) <= rows_per_file
        read += [(row[1], row[6], row[3] == "succeeded") for row in file]
        assert {result["TaskExecutionStatus"]} == {row[3] for row in file}
    assert sorted(tasks) == sorted(read)
