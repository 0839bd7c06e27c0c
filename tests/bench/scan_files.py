"""A finished scan of many objects as it lies in the work bucket, and what the table would say of each object."""

import csv
import hashlib
import json
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from handlers.adapters.table import expressions, items
from handlers.domain.identity import Video
from handlers.domain.record import BatchJob, LabelSummary, ObjectFacts, Problem, Record, Scan
from handlers.domain.states import ScanStatus, State
from tools.lib.review.join import ObjectStatus

BUCKET = "amzn-s3-demo-bucket"
TABLE = "videos"
SCAN_ID = "01JDABCDEFGHJKMNPQRSTVWXYZ"
JOB_ID = "3f0b2b5c-6f0e-4a8c-9a52-0c2f5b7a1d11"
ROWS_PER_FILE = 100_000
ACCEPTED = json.dumps({"state": "WAITING", "scan": SCAN_ID}, separators=(",", ":"))
SKIPPED = json.dumps({"state": "SKIPPED", "scan": SCAN_ID, "reason": "not-a-video"}, separators=(",", ":"))

LABELS = (
    LabelSummary("Alcohol", "", 1, 97.25, 12_500, 4_000),
    LabelSummary("Drinking", "Alcoholic Beverages", 3, 97.25, 2_500, 4_000),
    LabelSummary("Alcoholic Beverages", "Alcohol", 2, 88.5, 12_500, 4_000),
)


@dataclass
class ScanFiles:
    """The scan, its files (a `ReportFiles`), and what the join must come to."""

    folder: Path
    scan: Scan
    manifest: Path
    results: list[Path]
    statuses: dict[ObjectStatus, int]
    whole: int

    def fetch(self, key, target):
        """Copy a file, as a download would."""
        path = self.folder / key
        if not path.exists():
            return False
        with path.open("rb") as source:
            shutil.copyfileobj(source, target, 1 << 20)
        return True


def key_of(number):
    """Return a key: one in four has a space and a letter beyond ASCII."""
    name = "Besprechung für Gäste" if number % 4 == 0 else "recording"
    return f"videos/2024/{number % 365:03}/{name} {number:07}.mp4" if number % 4 == 0 else f"videos/{number:07}/{name}.mp4"


def status_of(number):
    """Return what became of an object: 3 % flagged, 0.5 % failed, 0.2 % skipped, 0.1 % failed without a record, else clean."""
    place = number % 1000
    bounds = ((30, ObjectStatus.FLAGGED), (35, ObjectStatus.FAILED), (37, ObjectStatus.SKIPPED), (38, None))
    return next((status for bound, status in bounds if place < bound), ObjectStatus.CLEAN)


def item_of(number, status):
    """Return the whole item of an object in the form of the wire."""
    failed = status is ObjectStatus.FAILED
    record = Record(
        video=Video(BUCKET, key_of(number)),
        scan_id=SCAN_ID,
        state=State(status.name),
        facts=ObjectFacts(f"{number:032x}", 1_000_000 + number, None),
        batch_job_id=JOB_ID,
        rekognition_job_id=f"{number:064x}",
        queued_at=1_760_000_000.123,
        started_at=1_760_000_100.5,
        finished_at=1_760_000_200.25,
        problem=Problem("analysis-failed", "Unsupported codec/format.") if failed else None,
        model_version="7.0",
        policy_hash="0" * 16,
        duration_ms=60_000,
        labels=() if failed else LABELS,
        gap_ms=None if failed else 1_000,
        counted=() if failed else ("Alcohol",),
    )
    return expressions.serialized_item(items.record_item(record))


def _row(number, status):
    key = quote(key_of(number), safe="/")
    if status is None:
        return (BUCKET, key, "", "failed", 200, "PermanentFailure", "Lambda returned function error: Task timed out")
    return (BUCKET, key, "", "succeeded", 200, "", SKIPPED if status is ObjectStatus.SKIPPED else ACCEPTED)


def write(folder, rows):
    """Write the files of a scan of `count` objects."""
    prefix = folder / f"reports/{SCAN_ID}/job-{JOB_ID}"
    (prefix / "results").mkdir(parents=True)
    manifest = folder / f"manifests/{SCAN_ID}.csv"
    manifest.parent.mkdir()
    with manifest.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows((BUCKET, quote(key_of(number), safe="/")) for number in range(rows))
    results = []
    for succeeded in (True, False):
        # A job runs its tasks in no order that we know: here the last one first.
        numbers = [number for number in range(rows - 1, -1, -1) if (status_of(number) is not None) is succeeded]
        for at in range(0, len(numbers), ROWS_PER_FILE):
            path = prefix / f"results/{len(results):040x}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\r\n")
                writer.writerows(_row(number, status_of(number)) for number in numbers[at : at + ROWS_PER_FILE])
            results.append(path)
    listed = [
        {"Bucket": "work", "MD5Checksum": hashlib.md5(path.read_bytes()).hexdigest(), "Key": str(path.relative_to(folder))}
        for path in results
    ]
    (prefix / "manifest.json").write_text(json.dumps({"Format": "Report_CSV_20180820", "Results": listed}))
    counts = Counter(status_of(number) for number in range(rows))
    job = BatchJob(JOB_ID, "Complete", rows, rows - counts[None], counts[None], 1_760_000_300.0)
    scan = Scan(
        SCAN_ID,
        BUCKET,
        status=ScanStatus.CLOSED,
        manifest_uri=f"s3://amzn-s3-demo-work/manifests/{SCAN_ID}.csv",
        objects=rows,
        jobs=(job,),
    )
    whole = counts[ObjectStatus.FLAGGED] + counts[ObjectStatus.FAILED]
    counts[ObjectStatus.FAILED] += counts.pop(None, 0)
    return ScanFiles(folder, scan, manifest, results, {status: count for status, count in counts.items() if count}, whole)
