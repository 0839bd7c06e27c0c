"""One run of `review_report.py`: find the scan, read its reports, join them with manifest and table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from handlers.adapters.table import ScanTable
from handlers.domain.identity import Video
from handlers.domain.record import Scan, Segment
from handlers.domain.states import ScanStatus
from tools.lib import deployment
from tools.lib.completion_report import ReportError, find_report
from tools.lib.errors import ToolError
from tools.lib.program import Surroundings, Target
from tools.lib.review import Review, review_of
from tools.lib.review_sources import BucketFiles, manifest_videos
from tools.lib.terminal import Bar, Terminal
from tools.lib.truth import ObjectFate, ReportNotes, TruthTable, join

_SHOWN_EVERY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for on the command line; without scan and job the newest scan is meant."""

    target: Target
    scan_id: str | None
    job_id: str | None
    without_manifest: bool


class ReviewRun:
    """The steps of one run."""

    def __init__(self, surroundings: Surroundings, terminal: Terminal, request: Request) -> None:
        self._request = request
        self._terminal = terminal
        self._clients = surroundings.connect(request.target.profile, request.target.region)
        self._clock = surroundings.clock

    def run(self) -> Review:
        """Review the scan that was asked for."""
        found = deployment.find(self._clients.cloudformation, self._request.target.stack)
        table = ScanTable(self._clients.dynamodb, found.table_name, self._clock)
        scan = self._scan(table)
        files = BucketFiles(self._clients.s3, found.work_bucket)
        with self._terminal.bar("objects") as bar:
            return self._review(table, scan, files, bar)

    def _scan(self, table: ScanTable) -> Scan:
        scans = table.scans()
        wanted = [scan for scan in scans if self._is_wanted(scan)]
        if wanted:
            return wanted[0]
        known = f"The newest of {len(scans):,} is {scans[0].id}." if scans else "There is none yet: submit one with submit_job.py."
        asked = self._request.scan_id or self._request.job_id
        raise ToolError(f"The table knows no scan{f' or job {asked}' if asked else ''}.", cure=known)

    def _is_wanted(self, scan: Scan) -> bool:
        if self._request.job_id is not None:
            return any(job.id == self._request.job_id for job in scan.jobs)
        return self._request.scan_id in (None, scan.id)

    def _review(self, table: ScanTable, scan: Scan, files: BucketFiles, bar: Bar) -> Review:
        bar.show("Reading the completion report", 0, None)
        notes, reported, missing = self._reports(scan, files)
        truth = TruthTable(expected=scan.objects)
        videos = self._videos(scan, files, reported)
        outcomes = _shown(join(videos, notes, table, scan.id, truth), scan.objects, bar)

        def segments_of(outcome: ObjectFate) -> Sequence[Segment]:
            record = outcome.record
            return list(table.segments(record.video.id, scan.id, record.attempt)) if record else ()

        review = review_of(scan, outcomes, truth, segments_of)
        review.warnings += missing + _unfinished(scan)
        return review

    def _reports(self, scan: Scan, files: BucketFiles) -> tuple[ReportNotes, list[Video], list[str]]:
        """Return what the reports say, their videos where there is no manifest to list them, and what to warn of."""
        notes, videos, missing = ReportNotes(), dict[Video, None](), list[str]()
        for job in scan.jobs:
            try:
                report = find_report(f"reports/{scan.id}", job.id, files)
                if report is None:
                    missing.append(f"Job {job.id} has no completion report: it is not over yet, or ended before its first task.")
                    continue
                for row in report.rows(files):
                    video = notes.take(row)
                    if self._lists_reports(scan):
                        videos[video] = None
            except ReportError as error:
                raise ToolError(
                    str(error), cure="Look at the report in the work bucket; a scan of the same objects writes a new one."
                ) from error
        return notes, list(videos), missing

    def _videos(self, scan: Scan, files: BucketFiles, reported: Iterable[Video]) -> Iterable[Video]:
        if self._lists_reports(scan) or scan.manifest_uri is None:
            return reported
        return manifest_videos(files, scan.manifest_uri)

    def _lists_reports(self, scan: Scan) -> bool:
        # A job made by hand in the console has a manifest of which we know nothing.
        return self._request.without_manifest or scan.manifest_uri is None


def _shown(outcomes: Iterator[ObjectFate], total: int | None, bar: Bar) -> Iterator[ObjectFate]:
    for number, outcome in enumerate(outcomes):
        if number % _SHOWN_EVERY == 0:
            bar.show("Joining with the table", number, total)
        yield outcome


def _unfinished(scan: Scan) -> list[str]:
    if scan.status is ScanStatus.CLOSED:
        return []
    return [f"The scan is {scan.status.value}, not closed: this is how it stands now."]
