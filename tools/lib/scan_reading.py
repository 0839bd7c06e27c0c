"""Reading a scan: find it in its deployment, and join its reports with manifest and table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from handlers.adapters.table import ScanTable
from handlers.domain.identity import Video
from handlers.domain.record import Scan
from tools.lib import deployment
from tools.lib.completion_report import ReportError, find_report
from tools.lib.errors import ToolError
from tools.lib.program import Surroundings, Target
from tools.lib.review_sources import BucketFiles, manifest_videos
from tools.lib.terminal import Bar
from tools.lib.truth import ObjectFate, ReportNotes, TruthTable, join

_SHOWN_EVERY = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which scan is meant: by its id, by one of its jobs, or the newest; and whether its manifest is left aside."""

    scan_id: str | None = None
    job_id: str | None = None
    without_manifest: bool = False


class ScanReading:
    """A deployment, opened for reading its scans.

    Attributes:
        clients: AWS.
        deployment: What the stack says of itself.
        table: Its table.
    """

    def __init__(self, surroundings: Surroundings, target: Target) -> None:
        self.clients = surroundings.connect(target.profile, target.region)
        self.deployment = deployment.find(self.clients.cloudformation, target.stack)
        self.table = ScanTable(self.clients.dynamodb, self.deployment.table_name, surroundings.clock)
        self._files = BucketFiles(self.clients.s3, self.deployment.work_bucket)

    def find(self, wanted: Wanted) -> Scan:
        """Return the scan that is meant.

        Raises:
            ToolError: There is none.
        """
        scans = self.table.scans()
        found = [scan for scan in scans if _is(scan, wanted)]
        if found:
            return found[0]
        known = f"The newest of {len(scans):,} is {scans[0].id}." if scans else "There is none yet: submit one with submit_job.py."
        asked = wanted.scan_id or wanted.job_id
        raise ToolError(f"The table knows no scan{f' or job {asked}' if asked else ''}.", cure=known)

    def fates(self, scan: Scan, wanted: Wanted, truth: TruthTable, bar: Bar) -> tuple[Iterator[ObjectFate], list[str]]:
        """Return the fate of each object of a scan, which fills `truth` as it is drawn, and what to warn of.

        Raises:
            ToolError: A report or the manifest is damaged or gone.
        """
        bar.show("Reading the completion report", 0, None)
        by_reports = _lists_reports(scan, wanted)
        notes, reported, missing = self._reports(scan, keep=by_reports)
        videos = reported if by_reports else manifest_videos(self._files, scan.manifest_uri or "")
        return _shown(join(videos, notes, self.table, scan.id, truth), scan.objects, bar), missing

    def _reports(self, scan: Scan, *, keep: bool) -> tuple[ReportNotes, Iterable[Video], list[str]]:
        """Return what the reports say, their videos where there is no manifest to list them, and what to warn of.

        Jobs stand in the order in which they were made: what the job of a retry says of an object comes after, and counts.
        """
        notes, videos, missing = ReportNotes(), dict[Video, None](), list[str]()
        for job in scan.jobs:
            try:
                report = find_report(f"reports/{scan.id}", job.id, self._files)
                if report is None:
                    missing.append(f"Job {job.id} has no completion report: it is not over yet, or ended before its first task.")
                    continue
                for row in report.rows(self._files):
                    video = notes.take(row)
                    if keep:
                        videos[video] = None
            except ReportError as error:
                raise ToolError(
                    str(error), cure="Look at the report in the work bucket; a scan of the same objects writes a new one."
                ) from error
        return notes, list(videos), missing


def _is(scan: Scan, wanted: Wanted) -> bool:
    if wanted.job_id is not None:
        return any(job.id == wanted.job_id for job in scan.jobs)
    return wanted.scan_id in (None, scan.id)


def _lists_reports(scan: Scan, wanted: Wanted) -> bool:
    # A job made by hand in the console has a manifest of which we know nothing.
    return wanted.without_manifest or scan.manifest_uri is None


def _shown(outcomes: Iterator[ObjectFate], total: int | None, bar: Bar) -> Iterator[ObjectFate]:
    for number, outcome in enumerate(outcomes):
        if number % _SHOWN_EVERY == 0:
            bar.show("Joining with the table", number, total)
        yield outcome
