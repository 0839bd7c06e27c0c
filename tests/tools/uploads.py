"""What the tests of uploads stand on: the scan of a day's uploads to a watched bucket, whose rows are its records."""

from handlers.adapters.table import CurrentUpload
from handlers.domain import watch
from handlers.domain.identity import Video
from handlers.domain.record import LabelSummary, ObjectFacts, Problem, Record, Scan
from handlers.domain.states import Lane, ScanStatus, State
from handlers.domain.watch import Watch
from tests.tools.review_doubles import BUCKET, HOSTILE

# The clock of an account begins on this day, at 08:53:20 UTC.
DAY = "2025-10-09"
DAY_SCAN = watch.scan_id(BUCKET, DAY)
HOSTILE_KEYS = (HOSTILE, 'a, "b"\n+%2F 100% 🎬.mp4', "é" * 510 + ".mp4", "</script><script>alert(1)</script>.mp4")


def add_day(account, day=DAY, *, bucket=BUCKET, status=ScanStatus.CLOSED, **fields):
    """Write the scan of a day, and return it."""
    created_at = watch.begin_of(day) + 60
    closed_at = watch.end_of(day) + 3_600 if status is ScanStatus.CLOSED else None
    known = {"created_at": created_at, "closed_at": closed_at, **fields}
    scan = Scan(watch.scan_id(bucket, day), bucket, Lane.EXPRESS, status, day=day, **known)
    account.table.scans.put_scan(scan)
    account.table.watches.begin(bucket, created_at)
    return scan


def add_upload(account, key, state, *, etag=None, version_id=None, day=DAY, code=None, superseded=False, **fields):
    """Write the record of an upload in its state, its note as the newest content of its key, and return the record."""
    now = account.clock.now()
    upload = Video(BUCKET, key, version_id, etag)
    scan_id = watch.scan_id(BUCKET, day)
    known = {
        "queued_at": now,
        "uploaded_at": watch.begin_of(day) + 3_600,
        "lane": Lane.EXPRESS,
        "facts": ObjectFacts(etag or "of-a-version", 3, version_id),
        "problem": Problem(code, f"said {code}") if code else None,
        "finished_at": now if state.final else None,
        "superseded_at": now if superseded else None,
    }
    record = Record(upload, scan_id, state, **(known | fields))
    account.table.records.register(record, None)
    if not superseded:
        current = CurrentUpload(BUCKET, key, upload.id, scan_id, watch.begin_of(day) + 3_600)
        account.table.watches.note_current(current, account.table.watches.current(BUCKET, key))
    return record


def add_flagged_upload(account, key, **fields):
    """Write the record of a flagged upload, and return it."""
    label = LabelSummary("Weapons", "Violence", 2, 99.5, 1_500, 2_000)
    return add_upload(account, key, State.FLAGGED, labels=(label,), counted=("Weapons",), **fields)


def watching(account, *, bucket=BUCKET, stack="Watching"):
    """Deploy a stack that watches a bucket; return the options that choose it, and the URL of its queue of uploads."""
    url = account.sqs.create_queue(QueueName="Uploads")["QueueUrl"]
    outputs = {
        "UploadsQueueUrl": url,
        "UploadsDeadLettersUrl": f"{url}DeadLetters",
        "WatchedBuckets": watch.text({bucket: Watch(bucket)}),
        "WatchRuleNames": f'{{"{bucket}":"rule"}}',
    }
    account.deploy(stack, **outputs)
    return ("--stack", stack), url
