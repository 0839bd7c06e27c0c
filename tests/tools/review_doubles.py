"""What the tests of `review_report.py` stand on: a scan in the account of moto, with its manifest, reports and records."""

import csv
import hashlib
import io
import json
from urllib.parse import quote

from click.testing import CliRunner

from handlers.domain import Decision, Judgement
from handlers.domain.identity import Video
from handlers.domain.record import BatchJob, LabelSummary, ObjectFacts, Problem, Record, Scan
from handlers.domain.states import ScanStatus, State
from tools.lib.cli import ProgramContext
from tools.review_report import main

BUCKET = "amzn-s3-demo-bucket"
WORK_BUCKET = "amzn-s3-demo-work"
SCAN = "01K742SG00000G40R40M30E209"
LATER_SCAN = "01K742SG00000G40R40M30E20A"
JOB = "00000000-0000-4000-8000-00000000000a"
RETRY_JOB = "00000000-0000-4000-8000-000000000001"
HOSTILE = '=cmd|"/c calc"!A1,\n<script>alert(1)</script> %2B+\u202e🎬.mp4'
ETAG = "0123456789abcdef0123456789abcdef"


def review(account, *arguments, interactive=False, answer=None):
    """Run review_report in this process and return click's result."""
    return CliRunner(env={"VIDEO_MODERATION_MANIFESTS": str(account.manifests)}).invoke(
        main, list(arguments), obj=program_context(account, interactive=interactive), input=answer
    )


def program_context(account, *, interactive=False):
    """Return what a program of this account takes from its machine."""
    return ProgramContext(
        connect=lambda _profile, _region: account.clients, clock=account.clock, entropy=bytes, interactive=interactive
    )


def output_of(result):
    """Return the JSON that a run printed."""
    return json.loads(result.stdout)


def video(key, version_id=None):
    """Return the video of a key."""
    return Video(BUCKET, key, version_id)


def decision(key, version_id=None, **fields):
    """Return a decision about the content of a key: that it is confirmed, unless `fields` say another thing."""
    known = {"scan_id": SCAN, "attempt": 0, "judgement": Judgement.CONFIRMED, "note": "", "decided_by": "Ada", "decided_at": 5.0}
    return Decision(video=video(key, version_id), etag=ETAG, **(known | fields))


def add_record(account, key, state, *, scan_id=SCAN, etag=ETAG, version_id=None, code=None, **fields):
    """Write a record, and return it."""
    defaults = {"queued_at": account.clock.now(), "facts": ObjectFacts(etag, 3, version_id)}
    problem = Problem(code, f"said {code}") if code else None
    record = Record(video(key, version_id), scan_id, state, problem=problem, **{**defaults, **fields})
    account.table.records.register(record, None)
    return record


def add_flagged(account, key, **fields):
    """Write a flagged record, and return it."""
    label = LabelSummary("Weapons", "Violence", 2, 99.5, 1_500, 2_000)
    now = account.clock.now()
    return add_record(account, key, State.FLAGGED, labels=(label,), counted=("Weapons",), finished_at=now, **fields)


def add_scan(account, *keys, scan_id=SCAN, status=ScanStatus.CLOSED, job_status="Complete", versions=None, **fields):
    """Write a scan of these keys with its manifest; its one job is over."""
    versions = versions or {}
    rows = [[BUCKET, quote(key, safe="/"), *([versions[key]] if key in versions else [])] for key in keys]
    name = f"manifests/{scan_id}.csv"
    account.s3.put_object(Bucket=WORK_BUCKET, Key=name, Body=_csv(rows, "\n"))
    known = {
        "created_at": account.clock.now() - 7_200,
        "jobs": (BatchJob(JOB, job_status),),
        "manifest_uri": f"s3://{WORK_BUCKET}/{name}",
        "objects": len(keys),
    }
    scan = Scan(scan_id, BUCKET, status=status, **(known | fields))
    account.table.scans.put_scan(scan)
    account.jobs.states = [{"Status": job_status}]
    return scan


def add_report(account, rows, *, job_id=JOB, scan_id=SCAN):
    """Write a report of (key, succeeded, message), optionally with a version."""
    lines = [_report_row(*row) for row in rows]
    body = _csv(lines, "\r\n")
    key = f"reports/{scan_id}/job-{job_id}/results/aa.csv"
    account.s3.put_object(Bucket=WORK_BUCKET, Key=key, Body=body)
    checksum = hashlib.md5(body, usedforsecurity=False).hexdigest()
    content = {"Results": [{"Bucket": WORK_BUCKET, "Key": key, "MD5Checksum": checksum}]}
    account.s3.put_object(
        Bucket=WORK_BUCKET, Key=f"reports/{scan_id}/job-{job_id}/manifest.json", Body=json.dumps(content).encode()
    )


def set_aside(account, rows, *, scan_id=SCAN):
    """Write the list of objects that were left out of a scan's job: (key, version or "", reason[, found[, etag, size]])."""
    lines = [[BUCKET, quote(key, safe="/"), *rest] for key, *rest in rows]
    account.s3.put_object(Bucket=WORK_BUCKET, Key=f"manifests/{scan_id}-ineligible.csv", Body=_csv(lines, "\n"))


def _report_row(key, succeeded, message, version_id=""):
    outcome = ["succeeded", "200", ""] if succeeded else ["failed", "200", "PermanentFailure"]
    return [BUCKET, quote(key, safe="/"), version_id, *outcome, message]


def _csv(rows, line_end):
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end).writerows(rows)
    return text.getvalue().encode()
