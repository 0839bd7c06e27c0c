"""How many objects of a scan were skipped: they have no record, so only the completion reports show it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from handlers.adapters.table import Records
from handlers.domain import Scan, Totals, Video
from tools.lib.review.completion_report import BucketFiles, ReportError, find_report
from tools.lib.review.join import ObjectStatus, note_of, result_of

# Records that are read at a time: as many as one BatchGetItem takes.
BATCH = 100


def not_looked_at(scan: Scan, totals: Totals, files: BucketFiles, records: Records) -> int:
    """Return how many objects of a scan that is over were skipped; the reports are read only if objects lack a record.

    If a report is missing or damaged, every object without a record counts: a review says what is wrong with each.
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
        report = find_report(f"reports/{scan.id}", job.id, files)
        if report is None:
            raise ReportError(f"job {job.id} has no report")
        for row in report.rows(files):
            video = Video(row.bucket, row.key, row.version_id)
            if result_of(video, note_of(row), None).status is ObjectStatus.SKIPPED:
                yield video


def _without_record(videos: Iterator[Video], records: Records, scan_id: str) -> Iterator[int]:
    """Yield for each batch how many have no record: an object that a retry found to be a video has one, which counts."""
    while batch := list(islice(videos, BATCH)):
        known = {record.video.id for record in records.records((video_id, scan_id) for video_id in {each.id for each in batch})}
        yield sum(video.id not in known for video in batch)
