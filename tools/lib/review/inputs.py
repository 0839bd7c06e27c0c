"""The inputs of a review: a scan found in its deployment, its manifest and report files, joined with the table."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TypedDict, Unpack

import click
from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from handlers.adapters.table import Records
from handlers.domain.identity import Video
from handlers.domain.record import BatchJob, Scan
from handlers.domain.states import State
from tools.lib.aws.objects import key_of_form
from tools.lib.cli import Bar, Invocation, options
from tools.lib.errors import ToolError
from tools.lib.review.completion_report import BucketFiles, ReportError, find_report
from tools.lib.review.join import ObjectResult, ReportNotes, TruthTable, join
from tools.lib.review.recorded import recorded_of
from tools.lib.scans.status import find

_SET_ASIDE_COLUMNS = 4
"""Bucket, key, version or nothing, and the code of the reason."""
_COLUMNS = (2, 3)
"""Bucket and key, and the version where the bucket has versions."""
_SHOWN_EVERY = 100


@contextmanager
def fetched_manifest(files: BucketFiles, uri: str) -> Iterator[Manifest]:
    """Fetch the manifest of a scan for as long as the block runs.

    Raises:
        ToolError: It is gone.
    """
    with _fetched(files, uri) as path:
        if path is None:
            raise ToolError(
                f"{uri}: the manifest of the scan is gone: what should have been scanned is unknown.",
                cure="Put the local copy from manifests/ back there, or review the job's report alone with --without-manifest.",
            )
        yield Manifest(uri, path)


@contextmanager
def fetched_set_aside(files: BucketFiles, uri: str) -> Iterator[SetAside]:
    """Fetch the list of what was left out of a scan's manifest, which lies beside it, for as long as the block runs."""
    listed = f"{uri.removesuffix('.csv')}-ineligible.csv"
    with _fetched(files, listed) as path:
        yield SetAside(listed, path)


@contextmanager
def _fetched(files: BucketFiles, uri: str) -> Iterator[Path | None]:
    """Fetch a file for as long as the block runs; None where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        with path.open("wb") as target:
            found = files.fetch(uri.removeprefix("s3://").partition("/")[2], target)
        yield path if found else None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of a scan on this machine, to be read as often as is wanted: its videos in its order, one for each row.

    Raises:
        ToolError: A row of it is none.
    """

    uri: str
    path: Path

    def __iter__(self) -> Iterator[Video]:
        """Yield its videos from the first row on."""
        return (_video(self.uri, number, row) for number, row in _rows(self.uri, self.path))


@dataclass(frozen=True, slots=True)
class SetAside:
    """Objects that were left out of a scan's job because they cannot be analysed: a list beside the manifest, or none."""

    uri: str
    path: Path | None

    def __iter__(self) -> Iterator[tuple[Video, str]]:
        """Yield each object with the code of its reason.

        Raises:
            ToolError: A row of the list is none.
        """
        for number, row in _rows(self.uri, self.path) if self.path else ():
            if len(row) != _SET_ASIDE_COLUMNS:
                raise _damaged(f"{self.uri}, row {number}: {len(row)} columns where such a list has {_SET_ASIDE_COLUMNS}.")
            yield _video(self.uri, number, row[:-1]), row[-1]

    def videos(self) -> Iterator[Video]:
        """Yield the objects alone."""
        return (video for video, _ in self)


def _rows(uri: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV file with their numbers.

    Raises:
        ToolError: It is none.
    """
    number = 0
    with path.open(encoding="utf-8", newline="") as text:
        try:
            for number, row in enumerate(csv.reader(text), 1):
                yield number, row
        except (csv.Error, UnicodeDecodeError) as error:
            raise _damaged(f"{uri}, after row {number}: no CSV of UTF-8 ({error}).") from error


def _video(uri: str, number: int, row: list[str]) -> Video:
    if len(row) not in _COLUMNS:
        columns = " or ".join(map(str, _COLUMNS))
        raise _damaged(f"{uri}, row {number}: {len(row)} columns where a manifest of ours has {columns}.")
    try:
        # As the function decodes the key of a task: the record was written under that name.
        key = key_of_form(row[1])
    except UnicodeDecodeError as error:
        raise _damaged(f"{uri}, row {number}: the key {row[1]!r} is not percent-encoded UTF-8.") from error
    return Video(row[0], key, (row[2] or None) if len(row) > 2 else None)  # noqa: PLR2004 - see _COLUMNS


def _damaged(message: str) -> ToolError:
    return ToolError(message, cure="Put the local copy from manifests/ back there.")


# --- the reports of a scan ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Reports:
    """The completion reports of a scan's jobs.

    Attributes:
        notes: What they say of each object; its gaps are what a person must be warned of.
        videos: The objects they name, each once, if they were asked to list them.
    """

    notes: ReportNotes = field(default_factory=ReportNotes)
    videos: dict[Video, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReportPlace:
    """Where the report of a job is: the files of its bucket, and the prefix the job was given."""

    files: BucketFiles
    prefix: str


def reports_of(
    scan: Scan, place_of: Callable[[BatchJob], ReportPlace], *, listing: bool, notes: ReportNotes | None = None
) -> Reports:
    """Read the reports of all jobs of a scan, in the order of the jobs; what they say counts more than what was noted before.

    Raises:
        ToolError: A report is damaged.
    """
    reports = Reports(notes or ReportNotes())
    for job in scan.jobs:
        try:
            gap = _take(reports, place_of(job), job, listing=listing)
        except ReportError as error:
            cure = "Look at the report in the work bucket; a scan of the same objects writes a new one."
            raise ToolError(str(error), cure=cure) from error
        reports.notes.gaps += [gap] if gap else []
    return reports


def _take(reports: Reports, place: ReportPlace, job: BatchJob, *, listing: bool) -> str | None:
    """Note the report of a job; return why it does not tell of every task, if it does not."""
    report = find_report(place.prefix, job.id, place.files)
    if report is None:
        return _no_report(job)
    succeeded, before = 0, reports.notes.rows
    for row in report.rows(place.files):
        reports.notes.take(row)
        succeeded += row.succeeded
        if listing:
            reports.videos[Video(row.bucket, row.key, row.version_id)] = None
    return _gap(job, succeeded, reports.notes.rows - before - succeeded)


_UNREPORTED = (
    "An object without a record counts as never attempted, though it may have been skipped; to try it again costs nothing."
)


def _no_report(job: BatchJob) -> str:
    if job.terminal_since is None:
        return f"Job {job.id} has no completion report: it is not over yet, or ended before its first task."
    return f"Job {job.id} ended ({job.status}) without a completion report. {_UNREPORTED}"


def _gap(job: BatchJob, succeeded: int, failed: int) -> str | None:
    """Return what a report lacks; its job's counts are the last ones known, or None."""
    if succeeded == 0 and job.succeeded is None:
        return f"The report of job {job.id} has rows of failed tasks only: none succeeded, or it was ordered so. {_UNREPORTED}"
    if succeeded == 0 and job.succeeded:
        return (
            f"The report of job {job.id} has no rows of its {job.succeeded:,} succeeded tasks: "
            f"it was ordered for failed tasks only. {_UNREPORTED}"
        )
    known = (job.succeeded or 0) + (job.failed or 0)
    if succeeded + failed < known:
        return f"The report of job {job.id} has {succeeded + failed:,} rows, and {known:,} of its tasks ended. {_UNREPORTED}"
    return None


def unreported_videos(records: Records, scan_id: str, notes: ReportNotes) -> Iterator[Video]:
    """Yield the videos of the records of a scan that no report names, each once.

    For a job made by hand, whose manifest we do not know: a report of failed tasks only, or none, names too few.
    """
    seen: set[bytes] = set()
    for state in State:
        ids = (video_id for video_id in records.in_state(scan_id, state) if notes.of(bytes.fromhex(video_id)) is None)
        for record in records.records((video_id, scan_id) for video_id in ids):
            if (key := record.video.digest) not in seen:  # it may change its state while the index is read
                seen.add(key)
                yield record.video


class ScanOptions(TypedDict):
    """The options that `scan_options` adds, by name."""

    scan: str | None
    job: str | None
    without_manifest: bool


@dataclass(frozen=True, slots=True)
class ScanChoice:
    """Which scan is meant: by its id, by one of its jobs, or the newest; and whether its manifest is disregarded."""

    scan_id: str | None = None
    job_id: str | None = None
    without_manifest: bool = False

    def find(self, run: Invocation) -> Scan:
        """Return the scan; ToolError: there is none."""
        return find(run, self.scan_id, self.job_id)

    @classmethod
    def of(cls, **given: Unpack[ScanOptions]) -> ScanChoice:
        """Return the choice that the options make.

        Raises:
            click.UsageError: Two of them choose.
        """
        if given["scan"] and given["job"]:
            raise click.UsageError("--scan and --job both choose the scan; pass one of them.")
        return cls(given["scan"], given["job"], given["without_manifest"])


# The options that `ScanChoice.of` takes.
scan_options = options(
    click.option("--scan", metavar="ID", help="The scan, as submit_job.py named it; default: the newest."),
    click.option("--job", metavar="ID", help="The scan that this S3 Batch Operations job belongs to."),
    click.option("--without-manifest", is_flag=True, help="Account for the objects of the completion report only."),
)


class ScanReading:
    """Reads what became of the objects of a deployment's scans."""

    def __init__(self, run: Invocation) -> None:
        self.clients, self.deployment, self.table = run.clients, run.deployment, run.table
        self._files = BucketFiles(self.clients.s3, self.deployment.work_bucket)

    def results(
        self, scan: Scan, choice: ScanChoice, truth: TruthTable, bar: Bar, *, whole: bool
    ) -> tuple[Iterator[ObjectResult], list[str]]:
        """Return what became of each object of a scan, and what to warn of; both are filled, and `truth` too, as results are drawn.

        `whole`: every object comes, with its record. Else clean ones may be counted in `truth` alone, and those that a review
        does not show come with their state alone.

        Raises:
            ToolError: A report or the manifest is damaged or gone; raised as results are drawn.
        """
        gaps: list[str] = []
        bar.show("Reading the completion report", 0, None)
        if _lists_reports(scan, choice):
            return self._by_reports(scan, choice, truth, gaps, bar, whole=whole), gaps
        return self._by_manifest(scan, truth, gaps, bar, whole=whole), gaps

    def _by_manifest(self, scan: Scan, truth: TruthTable, gaps: list[str], bar: Bar, *, whole: bool) -> Iterator[ObjectResult]:
        """Yield what became of each row of the manifest, and of what was left out; the index is read while reports are."""
        with (
            fetched_manifest(self._files, scan.manifest_uri or "") as manifest,
            fetched_set_aside(self._files, scan.manifest_uri or "") as aside,
            recorded_of(self.table, scan, whole=whole) as recorded,
        ):
            clean = recorded.clean()
            notes = ReportNotes()
            for video, reason in aside:
                notes.set_aside(video, reason)
                truth.set_aside += 1
            reports_of(scan, lambda job: self._place(scan, job), listing=False, notes=notes)
            notes.take_clean(clean)
            notes.gaps += _missing_jobs(scan)
            gaps += notes.gaps
            yield from join(lambda: _shown(chain(manifest, aside.videos()), scan.objects, bar), notes, recorded, truth)

    def _by_reports(
        self, scan: Scan, choice: ScanChoice, truth: TruthTable, gaps: list[str], bar: Bar, *, whole: bool
    ) -> Iterator[ObjectResult]:
        """Yield what became of each object that the reports name; the index does not count here: reports may name fewer."""
        reports = reports_of(scan, lambda job: self._place(scan, job), listing=True)
        gaps += reports.notes.gaps
        if gaps and scan.manifest_uri is None:
            raise ToolError(
                f"{' '.join(gaps)} Without it the objects of the scan are unknown.",
                cure="Wait for the job's end; if it was made without a report of all tasks, make it again with one.",
            )
        with recorded_of(self.table, scan, whole=whole) as recorded:
            videos = _shown(self._reported(scan, choice, reports), scan.objects, bar)
            yield from join(lambda: videos, reports.notes, recorded, truth)

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
            if fault_of(error) is Fault.MISSING:
                return ours
            raise
        bucket = report.get("Bucket", "").rpartition(":")[2] or self.deployment.work_bucket
        return ReportPlace(BucketFiles(self.clients.s3, bucket), report.get("Prefix", ""))

    def _reported(self, scan: Scan, choice: ScanChoice, reports: Reports) -> Iterable[Video]:
        if choice.without_manifest:
            return reports.videos
        return chain(reports.videos, unreported_videos(self.table.records, scan.id, reports.notes))


def _lists_reports(scan: Scan, choice: ScanChoice) -> bool:
    # A job made by hand in the console has a manifest of which we know nothing.
    return choice.without_manifest or scan.manifest_uri is None


def _shown(videos: Iterable[Video], total: int | None, bar: Bar) -> Iterator[Video]:
    for number, video in enumerate(videos):
        if number % _SHOWN_EVERY == 0:
            bar.show("Joining with the table", number, total)
        yield video


def _missing_jobs(scan: Scan) -> list[str]:
    """Return what to warn of where a scan of an earlier version, which could have several jobs, lacks some."""
    if not (scan.missing_jobs and scan.jobs):
        return []
    return [
        (
            f"{scan.missing_jobs:,} of the {scan.planned_jobs:,} jobs of this scan were not submitted: "
            f"`python tools/control_scan.py cancel {scan.id}` ends it."
        )
    ]
