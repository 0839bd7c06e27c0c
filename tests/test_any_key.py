"""Any key survives every text form between the listing and the review unchanged."""

import json
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.adapters.table import items
from handlers.domain import batch_event, lane_message
from handlers.domain.batch_event import Result, ResultCode
from handlers.domain.identity import Video
from handlers.domain.record import Record
from handlers.domain.states import State
from tools.emulator.core.ports import InvocationResult
from tools.emulator.services.s3_batch import invocation
from tools.emulator.services.s3_batch import manifest as s3_manifest
from tools.emulator.services.s3_batch.report import Report
from tools.emulator.services.s3_batch.request import parse as parse_job
from tools.lib.listing import Batch, ListedObject
from tools.lib.manifest import manifest_rows
from tools.lib.review.completion_report import find_report
from tools.lib.review.inputs import fetched_manifest
from tools.lib.review.join import ObjectStatus, ReportNotes, TruthTable, join

BUCKET = "amzn-s3-demo-bucket"
SCAN = "01JD8Z0Q4N6T9W2XK5C7R3VBHM"
JOB = "2c1b2d2e-0000-4000-8000-000000000001"
LONGEST = 1024  # bytes: Amazon S3 user guide, object keys


def fits(key):
    """Tell whether S3 can hold a key: 1 to 1,024 bytes of UTF-8."""
    return 1 <= len(key.encode()) <= LONGEST


# Any text that UTF-8 can hold, control characters and NUL included; and texts that look like what encodings use.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=LONGEST)
TREACHEROUS = st.lists(
    st.sampled_from(
        ["%", "%2F", "%00", "+", " ", ",", '"', '""', "\n", "\r\n", "\x00", "#", "?", "&", "/", "//", "..", "\\", "ä", "🎬"]
    ),
    min_size=1,
    max_size=60,
).map("".join)
LONG = st.sampled_from(["a", " ", "%", "ä", "🎬", '"']).map(lambda text: text * (LONGEST // len(text.encode())))
KEYS = st.one_of(ANY_TEXT, TREACHEROUS, LONG).filter(fits)
# S3's version ids are opaque; "null" is what an object from before versioning has, None is an unversioned bucket.
VERSIONS = st.one_of(st.none(), st.just("null"), st.text("abcXYZ019._-", min_size=1, max_size=32))


@dataclass
class Files:
    """A bucket: written by the emulator's report, read by the review."""

    stored: dict[str, bytes] = field(default_factory=dict)

    def write(self, _bucket, key, body):
        """Store a file."""
        self.stored[key] = body

    def fetch(self, key, target):
        """Write a file to the target; False where there is none."""
        target.write(self.stored.get(key, b""))
        return key in self.stored


@dataclass
class Table:
    """A table of one record, held as its item."""

    item: dict

    def ask(self, rows):
        """Return each with the record, if it is about it."""
        record = items.record_from(self.item)
        return ((row, record if row.video.id == record.video.id else None) for row in rows)


def manifest_of(key, version):
    """Return the bytes of a manifest of one object as submit_job writes it, and its fields."""
    rows = manifest_rows(BUCKET, Batch.of([ListedObject(key, 1, version)]))
    return rows, ("Bucket", "Key") if version is None else ("Bucket", "Key", "VersionId")


def job_of(fields, schema):
    """Return a job's request as the emulator reads it."""
    arguments = {"UserArguments": {"scan_id": SCAN}} if schema == "2.0" else {}
    function = {"FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:f", "InvocationSchemaVersion": schema, **arguments}
    return parse_job(
        {
            "AccountId": "111122223333",
            "ClientRequestToken": SCAN,
            "Priority": 1,
            "RoleArn": "arn:aws:iam::111122223333:role/batch",
            "Operation": {"LambdaInvoke": function},
            "Manifest": {
                "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": list(fields)},
                "Location": {"ObjectArn": "arn:aws:s3:::work/manifest.csv", "ETag": "0"},
            },
            "Report": {"Enabled": False},
        },
        "111122223333",
    )


def batch_task(row, fields, schema):
    """Return what the function understands of the event that the emulator sends for a row."""
    event = invocation.event(job_of(fields, schema), JOB, row, invocation_id="i", task_id="t")
    return batch_event.parse(json.loads(event))


def report_of(row, request):
    """Return a bucket with the report on a row whose task the function accepted."""
    text = batch_event.result_text(scan=request.scan_id, state="WAITING")
    answer = batch_event.response(request, [Result("t", ResultCode.SUCCEEDED, text)])
    result = InvocationResult(200, json.dumps(answer).encode())
    files, report = Files(), Report("work", "reports", failed_tasks_only=False, failed_strings=True)
    judged = invocation.judge(result, schema_version=request.schema_version, invocation_id="i", task_id="t")
    report.add(row, judged)
    report.write(files, JOB, 0.0, lambda: "0" * 40)
    report.close()
    return files


@settings(max_examples=200, deadline=None)
@given(KEYS, VERSIONS, st.sampled_from(["1.0", "2.0"]))
def test_any_key_comes_out_as_it_went_in(key, version, schema):
    """Listing, manifest, batch task, lane, record, report and review agree on the key, and the review finds its record."""
    body, fields = manifest_of(key, version)

    [row] = s3_manifest.rows(body, fields)
    request = batch_task(row, fields, schema)
    [task] = request.tasks
    assert task.refusal is None
    record = Record(task.video, request.scan_id, State.CLEAN)
    message = lane_message.parse(lane_message.body(record))
    item = items.record_item(record)
    files = report_of(row, request)
    [row] = find_report("reports", JOB, files).rows(files)
    files.write("work", "manifests/m.csv", body)
    notes, truth = ReportNotes(), TruthTable(expected=1)
    notes.take(row)
    with fetched_manifest(files, "s3://amzn-s3-demo-work/manifests/m.csv") as manifest:
        [outcome] = join(lambda: manifest, notes, Table(item), truth)

    expected = Video(BUCKET, key, version)
    assert [expected] * 5 == [
        task.video,
        message.video,
        items.record_from(item).video,
        Video(row.bucket, row.key, row.version_id),
        outcome.video,
    ]
    assert (outcome.status, outcome.record) == (ObjectStatus.CLEAN, record)
    assert (truth.adds_up, truth.settled) == (True, True)


@settings(max_examples=200, deadline=None)
@given(st.lists(KEYS, min_size=1, max_size=20, unique=True))
def test_keys_of_one_manifest_stay_apart(keys):
    """No two keys share a row, a task or a record, however similar they are."""
    body = manifest_rows(BUCKET, Batch.of(ListedObject(key, 1) for key in keys))

    fields = ("Bucket", "Key")
    assert len(keys) == s3_manifest.check(body, fields)
    videos = [batch_task(row, fields, "2.0").tasks[0].video for row in s3_manifest.rows(body, fields)]

    assert keys == [video.key for video in videos]
    assert len(keys) == len({video.id for video in videos})
