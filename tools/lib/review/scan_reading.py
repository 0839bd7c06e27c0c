"""Reading a scan: find it in its deployment, and join its reports with manifest and table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, tee

from botocore.exceptions import ClientError

from handlers.adapters.table import open_table
from handlers.domain.identity import Video
from handlers.domain.record import BatchJob, Scan
from handlers.domain.states import State
from tools.lib.aws import batch_jobs, deployment
from tools.lib.aws.clients import code_of
from tools.lib.cli.output import Bar
from tools.lib.cli.program import Surroundings, Target
from tools.lib.errors import ToolError
from tools.lib.review import asking
from tools.lib.review.inputs import (
    BucketFiles,
    ReportPlace,
    Reports,
    fetched_manifest,
    fetched_set_aside,
    reports_of,
    unreported_videos,
)
from tools.lib.review.join import ObjectFate, ReportNotes, TruthTable, answered, joined

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
        self.table = open_table(self.clients.dynamodb, self.deployment.table_name, surroundings.clock)
        self._files = BucketFiles(self.clients.s3, self.deployment.work_bucket)

    def find(self, wanted: Wanted) -> Scan:
        """Return the scan that is meant.

        Raises:
            ToolError: There is none.
        """
        scans = self.table.scans.scans()
        found = [scan for scan in scans if _is(scan, wanted)]
        if found:
            return found[0]
        known = f"The newest of {len(scans):,} is {scans[0].id}." if scans else "There is none yet: submit one with submit_job.py."
        asked = wanted.scan_id or wanted.job_id
        raise ToolError(f"The table knows no scan{f' or job {asked}' if asked else ''}.", cure=known)

    def fates(
        self, scan: Scan, wanted: Wanted, truth: TruthTable, bar: Bar, whole: frozenset[State] = asking.SHOWN
    ) -> tuple[Iterator[ObjectFate], list[str]]:
        """Return the fate of each object of a scan and what to warn of; both are filled, and `truth` too, as the fates are drawn.

        Objects in the states of `whole` come with their record, others with their state alone.

        Raises:
            ToolError: A report or the manifest is damaged or gone; raised as the fates are drawn.
        """
        gaps: list[str] = []
        bar.show("Reading the completion report", 0, None)
        if _lists_reports(scan, wanted):
            outcomes = self._by_reports(scan, wanted, truth, gaps, whole)
        else:
            outcomes = self._by_manifest(scan, truth, gaps, whole)
        return _shown(outcomes, scan.objects, bar), gaps

    def _by_manifest(self, scan: Scan, truth: TruthTable, gaps: list[str], whole: frozenset[State]) -> Iterator[ObjectFate]:
        """Yield the fate of each row of the manifest, and of what was left out of it; the table is asked while reports are read."""
        with (
            fetched_manifest(self._files, scan.manifest_uri or "") as manifest,
            fetched_set_aside(self._files, scan.manifest_uri or "") as aside,
            asking.asked(chain(manifest, aside.videos()), scan, self.table, self.clients, whole) as answers,
        ):
            notes = ReportNotes()
            for video, reason in aside:
                notes.set_aside(video, reason)
                truth.set_aside += 1
            reports_of(scan, lambda job: self._place(scan, job), listing=False, notes=notes)
            notes.gaps += _missing_jobs(scan)
            gaps += notes.gaps
            yield from joined(answered(chain(manifest, aside.videos()), answers), notes, truth)

    def _by_reports(
        self, scan: Scan, wanted: Wanted, truth: TruthTable, gaps: list[str], whole: frozenset[State]
    ) -> Iterator[ObjectFate]:
        """Yield the fate of each object that the reports name."""
        reports = reports_of(scan, lambda job: self._place(scan, job), listing=True)
        gaps += reports.notes.gaps
        if gaps and scan.manifest_uri is None:
            raise ToolError(
                f"{' '.join(gaps)} Without it nobody can say which objects the scan was asked for.",
                cure="Wait for the job's end; if it was made without a report of all tasks, make it again with one.",
            )
        ahead, videos = tee(self._reported(scan, wanted, reports))
        with asking.asked(ahead, scan, self.table, self.clients, whole) as answers:
            yield from joined(answered(videos, answers), reports.notes, truth)

    def _place(self, scan: Scan, job: BatchJob) -> ReportPlace:
        """Return where a job's report is: ours have their place, one made by hand says where (S3 remembers it for 90 days)."""
        ours = ReportPlace(self._files, f"reports/{scan.id}")
        if scan.manifest_uri is not None:
            return ours
        try:
            report = self.clients.s3control.describe_job(AccountId=self.deployment.account_id, JobId=job.id)["Job"].get(
                "Report", {}
            )
        except ClientError as error:
            if code_of(error) in batch_jobs.UNKNOWN:
                return ours
            raise
        bucket = report.get("Bucket", "").rpartition(":")[2] or self.deployment.work_bucket
        return ReportPlace(BucketFiles(self.clients.s3, bucket), report.get("Prefix", ""))

    def _reported(self, scan: Scan, wanted: Wanted, reports: Reports) -> Iterable[Video]:
        if wanted.without_manifest:
            return reports.videos
        return chain(reports.videos, unreported_videos(self.table.records, scan.id, reports.notes))


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


def _missing_jobs(scan: Scan) -> list[str]:
    """Return what to warn of where a scan lacks jobs: whoever submitted it broke off, or is still at it."""
    if not (scan.missing_jobs and scan.jobs):
        return []
    return [
        (
            f"{scan.missing_jobs:,} of the {scan.planned_jobs:,} jobs of this scan are not submitted yet: "
            f"`submit_job.py --run-plan` goes on with manifests/{scan.id}.plan.json."
        )
    ]
