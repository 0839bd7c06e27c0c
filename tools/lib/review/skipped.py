"""How many objects of a scan were not looked at, once it is over: the table keeps nothing of them, only the reports tell."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from handlers.adapters.table import Records
from handlers.domain.identity import Video
from handlers.domain.record import BatchJob, Scan, Totals
from tools.lib.review.completion_report import BucketFiles, ReportError, find_report
from tools.lib.review.join import ObjectStatus, note_of, result_of

# Records asked for at a time: what one BatchGetItem takes.
BATCH = 100


def not_looked_at(scan: Scan, totals: Totals, files: BucketFiles, records: Records) -> int:
    """Return how many objects were skipped, as a review counts them; the reports are read only where objects lack a record.

    Where a report is missing or damaged, every object without a record counts: the review will say what is the matter with each.
    """
    unrecorded = None if scan.objects is None else max(0, scan.objects - totals.final)
    if unrecorded == 0:
        return 0
    try:
        return sum(_without_record(_skipped(scan, files), records, scan.id))
    except ReportError:
        return unrecorded or 0


def _skipped(scan: Scan, files: BucketFiles) -> Iterator[Video]:
    """Yield the objects that the reports of a scan's jobs call skipped."""
    for job in scan.jobs:
        yield from _skipped_by(job, f"reports/{scan.id}", files)


def _skipped_by(job: BatchJob, prefix: str, files: BucketFiles) -> Iterator[Video]:
    report = find_report(prefix, job.id, files)
    if report is None:
        raise ReportError(f"the job {job.id} has written no report")
    for row in report.rows(files):
        video, note = Video(row.bucket, row.key, row.version_id), note_of(row)
        if note.succeeded and result_of(video, note, None).status is ObjectStatus.SKIPPED:
            yield video


def _without_record(videos: Iterator[Video], records: Records, scan_id: str) -> Iterator[int]:
    """Yield, batch by batch, how many have no record: what a retry found to be a video has one, and the table's word counts."""
    while batch := list(islice(videos, BATCH)):
        known = {record.video.id for record in records.records((video_id, scan_id) for video_id in {each.id for each in batch})}
        yield sum(video.id not in known for video in batch)
