"""Reading completion reports as real jobs write them."""

import csv
import hashlib
import io
import json
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.lib.review.completion_report import ReportError, ReportRow, find_report, parse_rows

# Rows as real jobs order their columns (docs/aws.md#4-completion-reports), then as ReportSchema says they would.
REAL_ROWS = (
    b'bucket,a%20b.mp4,,succeeded,200,,"{""state"":""WAITING""}"\r\n'
    b"bucket,key,3HL4kqtJlcpXroDTDmJ,failed,400,InvalidRequest,Task failed due to missing VersionId\r\n"
    b'bucket,key2,,failed,200,PermanentFailure,"Lambda returned function error: '
    b'{""errorMessage"":""Task timed out after 3.00 seconds""}"\r\n'
)
SCHEMA_ORDER = b"bucket,key,,failed,PermanentFailure,200,no\r\n"
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@dataclass
class Folder:
    """Report files in memory."""

    files: dict[str, bytes] = field(default_factory=dict)

    def fetch(self, key, target):
        """Write a file to the target."""
        if key not in self.files:
            return False
        target.write(self.files[key])
        return True

    def add_report(self, *results, md5=None):
        """Add the report of job J with these result files."""
        listed = []
        for number, content in enumerate(results):
            key = f"reports/S/job-J/results/{number:040x}.csv"
            self.files[key] = content
            checksum = md5 or hashlib.md5(content).hexdigest()
            listed.append({"TaskExecutionStatus": "succeeded", "Bucket": "work", "MD5Checksum": checksum, "Key": key})
        self.files["reports/S/job-J/manifest.json"] = json.dumps(
            {
                "Format": "Report_CSV_20180820",
                "ReportCreationDate": "2025-07-20T21:18:22.395320681Z",
                "Results": listed,
                "ReportSchema": "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage",
            }
        ).encode()


def rows(content: bytes):
    """Parse one result file."""
    return list(parse_rows("results.csv", io.BytesIO(content)))


def test_rows_of_a_real_job():
    """Keys are decoded, an empty version is none, quotes and messages come out as they were."""
    assert rows(REAL_ROWS) == [
        ReportRow("bucket", "a b.mp4", None, True, "200", "", '{"state":"WAITING"}'),
        ReportRow("bucket", "key", "3HL4kqtJlcpXroDTDmJ", False, "400", "InvalidRequest", "Task failed due to missing VersionId"),
        ReportRow(
            "bucket",
            "key2",
            None,
            False,
            "200",
            "PermanentFailure",
            'Lambda returned function error: {"errorMessage":"Task timed out after 3.00 seconds"}',
        ),
    ]


def test_both_column_orders():
    """The HTTP status is the column that looks like one, whichever of the two it is."""
    assert [("200", "PermanentFailure")] == [(row.http_status, row.error_code) for row in rows(SCHEMA_ORDER)]


def test_plus_in_a_key_stays_a_plus():
    """The report echoes the manifest's key: a plus in it stands for itself."""
    assert ["a+b c.mp4"] == [row.key for row in rows(b"bucket,a+b%20c.mp4,,succeeded,200,,\r\n")]


@given(key=KEYS, message=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")))
def test_any_key_and_message(key, message):
    """Whatever a key or a message holds, it is read as it was written."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerow(["b", quote(key, safe="/"), "", "succeeded", "200", "", message])

    [row] = rows(file.getvalue().encode())

    assert (key, message) == (row.key, row.message)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"bucket,key,,succeeded\r\n", "row 1: 4 columns"), (b"bucket,%ff,,succeeded,200,,\r\n", "not percent-encoded UTF-8")],
)
def test_damaged_rows(content, message):
    """A row that is none is refused with its number, the rule and a question."""
    with pytest.raises(ReportError, match=message):
        rows(content)


def test_several_result_files():
    """Succeeded and failed rows are in separate files; all of them are read."""
    folder = Folder()
    folder.add_report(REAL_ROWS, SCHEMA_ORDER)

    report = find_report("reports/S", "J", folder)

    assert report is not None
    assert 4 == len(list(report.rows(folder)))


def test_no_report_yet():
    """A job that invoked nothing writes no report."""
    assert find_report("reports/S", "J", Folder()) is None


def test_changed_result_file():
    """A result file that does not match its MD5 is refused before its first row."""
    folder = Folder()
    folder.add_report(REAL_ROWS, md5="0" * 32)
    report = find_report("reports/S", "J", folder)

    with pytest.raises(ReportError, match="MD5"):
        next(report.rows(folder))


def test_missing_result_file():
    """A result file that the manifest names and that is missing is reported."""
    folder = Folder()
    folder.add_report(REAL_ROWS)
    report = find_report("reports/S", "J", folder)
    del folder.files[report.files[0].key]

    with pytest.raises(ReportError, match="is gone"):
        next(report.rows(folder))


def test_foreign_manifest():
    """A manifest.json that is none is refused with its key."""
    with pytest.raises(ReportError, match=r"job-J/manifest\.json"):
        find_report("reports/S", "J", Folder({"reports/S/job-J/manifest.json": b"[]"}))
