"""The reports of a scan as real jobs write them, and what is said where they are incomplete."""

import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.identity import Video
from handlers.domain.languages import ENGLISH
from handlers.domain.record import BatchJob, Record, Scan
from handlers.domain.states import State
from tests.tools.review_doubles import SCAN, add_scan, output_of, review
from tools.emulator.services.s3_batch.invocation import Answer, TaskOutcome
from tools.emulator.services.s3_batch.manifest import Row
from tools.emulator.services.s3_batch.report import Report
from tools.lib.errors import ToolError
from tools.lib.review.inputs import ReportPlace, fetched_manifest, take_reports, unreported_videos
from tools.lib.review.join import ObjectStatus, ReportNotes, TruthTable, join

REPORTS = Path(__file__).parents[2] / "events/reports"
BUCKET = "amzn-s3-demo-bucket"
SCAN_ID = "01JDABCDEFGHJKMNPQRSTVWXYZ"
WHOLE = "11111111-1111-4111-8111-111111111111"
FAILED_ONLY = "22222222-2222-4222-8222-222222222222"
SCHEMA_ORDER = "33333333-3333-4333-8333-333333333333"
NO_REPORT = "44444444-4444-4444-8444-444444444444"
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
MESSAGES = st.text(st.characters(exclude_categories=["Cs"]), max_size=1024)


@pytest.mark.parametrize(("planned", "warned"), [(1, False), (2, True), (None, False)])
def test_jobs_that_are_missing(account, planned, warned):
    """Where a scan of an earlier version lacks jobs, the review says how many of how many, and how to end the scan."""
    add_scan(account, "a.mp4", planned_jobs=planned)

    warnings = output_of(review(account, "--json"))["warnings"]

    sentence = f"not submitted: 1 of {planned}. `python tools/control_scan.py cancel {SCAN}` ends it."
    assert warned == any(sentence in warning for warning in warnings)
    assert warned == any("not submitted" in warning for warning in warnings)


class Fixtures:
    """The work bucket, with the reports of the fixtures in it."""

    def fetch(self, key, target):
        """Write a file to the target."""
        path = REPORTS / key.removeprefix(f"reports/{SCAN_ID}/")
        if not path.exists():
            return False
        target.write(path.read_bytes())
        return True


class Files:
    """A work bucket in memory: written by the emulator, read by the review."""

    def __init__(self, **files):
        self.files = files

    def write(self, bucket, key, body):
        """Store an object."""
        self.files[key] = body

    def fetch(self, key, target):
        """Write a file to the target."""
        if key not in self.files:
            return False
        target.write(self.files[key])
        return True


def rows_of(files):
    """Read the manifest among these files."""
    with fetched_manifest(files, "s3://amzn-s3-demo-work/m.csv") as manifest:
        return list(manifest)


def scan(*jobs):
    """Make a scan with these jobs."""
    return Scan(SCAN_ID, BUCKET, jobs=jobs)


def at(files):
    """Return where the reports of the scan's jobs are, among these files."""
    return lambda _: ReportPlace(files, f"reports/{SCAN_ID}")


def read(job_id, **counts):
    """Read the report of one job of the fixtures."""
    return taken(Fixtures(), BatchJob(job_id, "Complete", **counts))


def taken(files, *jobs):
    """Read the reports of jobs; return the notes and the keys that they name."""
    notes, named = ReportNotes(), {}
    take_reports(notes, scan(*jobs), at(files), named)
    return SimpleNamespace(notes=notes, keys=[key for _, key, _ in named])


def results(reports, known, *keys):
    """Join a manifest of these keys with the reports and a table that knows these states."""
    named = [(BUCKET, key, None) for key in keys]
    table = SimpleNamespace(ask=lambda rows: ((row, known.get(row.video.key)) for row in rows))
    return list(join(lambda: named, reports.notes, table, TruthTable()))


def test_report_of_a_real_job():
    """All result files are read, keys decoded once, and each kind of failure keeps its reason."""
    reports = read(WHOLE, tasks=7, succeeded=4, failed=3)

    assert [] == reports.notes.gaps
    assert ["a b.mp4", "c+d.mp4", "映画.mp4", "notes.txt", "gone.mp4", "slow.mp4", "old.mp4"] == reports.keys
    skipped, missing, died, refused = results(reports, {}, "notes.txt", "gone.mp4", "slow.mp4", "old.mp4")
    assert (ObjectStatus.SKIPPED, "not-a-video") == (skipped.status, skipped.reason)
    assert (ObjectStatus.FAILED, "missing", "no such key") == (missing.status, missing.reason, missing.message)
    assert died.message.endswith('Task timed out after 3.00 seconds"}')
    assert ("InvalidRequest", "Task failed due to missing VersionId") == (refused.reason, refused.message)


def test_columns_in_the_other_order():
    """The order that ReportSchema announces is read too, line ends within a message included."""
    [outcome] = results(read(SCHEMA_ORDER, succeeded=0, failed=1), {}, "gone.mp4")

    assert ("PermanentFailure", 'two\r\nlines, and a "quote"') == (outcome.reason, outcome.message)


@pytest.mark.parametrize(
    ("counts", "message"),
    [({"succeeded": 4, "failed": 3}, "lacks the rows of its 4 succeeded"), ({}, "only rows of failed tasks")],
)
def test_failed_only_report(counts, message):
    """A report of failed tasks only is said to be one; a record means what it says, and no record counts as never attempted."""
    reports = read(FAILED_ONLY, **counts)

    outcomes = results(reports, {"a b.mp4": State.CLEAN}, "a b.mp4", "notes.txt", "gone.mp4")

    assert [ObjectStatus.CLEAN, ObjectStatus.NEVER_ATTEMPTED, ObjectStatus.FAILED] == [outcome.status for outcome in outcomes]
    [gap] = map(ENGLISH.render, reports.notes.gaps)
    assert message in gap
    assert ("not-reported", gap) == (outcomes[1].reason, outcomes[1].message)


def test_all_tasks_failed():
    """A job none of whose tasks succeeded has no rows of such, and that is not a gap."""
    assert [] == read(FAILED_ONLY, tasks=3, succeeded=0, failed=3).notes.gaps


def test_fewer_rows_than_tasks():
    """A report with fewer rows than tasks ended is said to be incomplete."""
    [gap] = map(ENGLISH.render, read(WHOLE, tasks=9, succeeded=6, failed=3).notes.gaps)

    assert "7 rows, but 9 of its tasks ended" in gap


@pytest.mark.parametrize("counts", [{}, {"succeeded": 7}, {"failed": 7}, {"succeeded": 1, "failed": 6}])
def test_counts_that_are_not_known(counts):
    """A report is complete if it has a row for each task that is known to have ended, whatever is not known of its job."""
    assert [] == read(WHOLE, **counts).notes.gaps


@pytest.mark.parametrize("counts", [{"succeeded": 8}, {"failed": 8}, {"succeeded": 1, "failed": 7}])
def test_one_row_is_missing(counts):
    """A report that lacks one row says how many it has, and how many tasks are known to have ended."""
    (gap,) = map(ENGLISH.render, read(WHOLE, **counts).notes.gaps)

    assert gap.startswith(f"The report of job {WHOLE} has 7 rows, but 8 of its tasks ended. An object without a record counts as")


@pytest.mark.parametrize(
    ("since", "message"), [(None, "not over yet"), (1_760_000_000.0, r"ended \(Complete\) without a completion report")]
)
def test_job_without_a_report(since, message):
    """A job that died before it wrote a report, or still runs, is said; its records count all the same."""
    reports = read(NO_REPORT, terminal_since=since)

    outcomes = results(reports, {"a": State.FLAGGED}, "a", "b")

    assert [ObjectStatus.FLAGGED, ObjectStatus.NEVER_ATTEMPTED] == [outcome.status for outcome in outcomes]
    assert re.search(message, ENGLISH.render(reports.notes.gaps[0]))


def test_several_jobs():
    """A later job's word counts, and one incomplete report is enough for a warning."""
    jobs = (BatchJob(WHOLE, succeeded=4, failed=3), BatchJob(SCHEMA_ORDER, succeeded=0, failed=1), BatchJob(NO_REPORT))

    reports = taken(Fixtures(), *jobs)

    [gone] = results(reports, {}, "gone.mp4")
    assert "PermanentFailure" == gone.reason
    assert 8 == reports.notes.rows
    assert 1 == len(reports.notes.gaps)


def test_damaged_report():
    """A damaged report ends in a sentence with a cure."""
    files = Files()
    files.write("work", f"reports/{SCAN_ID}/job-J/manifest.json", b"[]")

    with pytest.raises(ToolError, match=r"job-J/manifest\.json"):
        taken(files, BatchJob("J"))


@pytest.mark.slow
@given(
    tasks=st.lists(st.tuples(KEYS, MESSAGES, st.booleans()), min_size=1, max_size=8, unique_by=lambda task: task[0]),
    per_file=st.integers(1, 3),
)
def test_what_the_emulator_writes(tasks, per_file):
    """Arbitrary keys and messages survive writing by the emulator and reading here, over any number of result files."""
    files = Files()
    report = Report("work", f"reports/{SCAN_ID}", failed_tasks_only=False, failed_strings=True, rows_per_file=per_file)
    for key, message, succeeded in tasks:
        status = TaskOutcome.SUCCEEDED if succeeded else TaskOutcome.FAILED
        report.add(Row(BUCKET, quote(key, safe="/"), None), Answer(status, 200, "" if succeeded else "Code", message))
    numbers = iter(range(1000))
    report.write(files, "J", 1_760_000_000.5, lambda: f"{next(numbers):040x}")
    report.close()
    succeeded = sum(task[2] for task in tasks)

    reports = taken(files, BatchJob("J", succeeded=succeeded, failed=len(tasks) - succeeded))

    assert [] == reports.notes.gaps
    assert {key for key, _, _ in tasks} == set(reports.keys)
    assert all(reports.notes.of(Video(BUCKET, key).digest).succeeded is succeeded for key, _, succeeded in tasks)


def test_videos_that_no_report_names():
    """Of a job made by hand, the records that its report does not name are listed, each once."""
    reports = read(FAILED_ONLY, succeeded=4, failed=3)
    records = {
        record.video.id: record for record in (Record(Video(BUCKET, key), SCAN_ID, State.CLEAN) for key in ("a b.mp4", "gone.mp4"))
    }

    class Table:
        def in_state(self, scan_id, state):
            return iter(records if state in {State.RUNNING, State.CLEAN} else ())

        def records(self, keys):
            return (records[video_id] for video_id, _ in keys)

    assert [Video(BUCKET, "a b.mp4")] == list(unreported_videos(Table(), SCAN_ID, reports.notes))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"bucket,a\nbucket\n", "row 2: 1 column,"),
        (b"bucket,%ff\n", "row 1: the key '%ff' is not percent-encoded UTF-8"),
        (b"bucket,\xff\n", "after row 0"),
        (b"bucket," + b"a" * 200_000, "field larger than field limit"),
    ],
)
def test_damaged_manifest(body, message):
    """A manifest that is none ends in a sentence with row and cure, not in a traceback."""
    with pytest.raises(ToolError, match=message):
        rows_of(Files(**{"m.csv": body}))


def test_manifest_rows():
    """Rows come in their order, with and without a version, line ends LF or CRLF."""
    body = b'bucket,a%20b\r\n"bucket",c%2Bd,v1\nbucket,e,\n'

    named = rows_of(Files(**{"m.csv": body}))

    assert [("bucket", "a b", None), ("bucket", "c+d", "v1"), ("bucket", "e", None)] == named
