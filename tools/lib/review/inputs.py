"""The inputs of a review: the scan, its manifest, the list of what was left out of it, and the reports of its jobs."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from itertools import chain
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from handlers.adapters.table import Records
from handlers.domain import BatchJob, ObjectFacts, Problem, Scan, State, Video
from handlers.domain.languages import ENGLISH, Phrase, phrase
from tools.lib.aws import key_of_form
from tools.lib.bounded import csv_rows
from tools.lib.cli import Bar, Invocation, options
from tools.lib.errors import ToolError
from tools.lib.review.completion_report import BucketFiles, ReportError, find_report
from tools.lib.review.draw import Draw
from tools.lib.review.join import Named, ObjectResult, ObjectStatus, ReportNotes, TruthTable, join, named_of
from tools.lib.review.recorded import recorded_of
from tools.lib.review.uploads import uploads
from tools.lib.scans import find
from tools.lib.text import counted

# Of a manifest: bucket and key, and the version where the bucket has versions.
_COLUMNS = (2, 3)
# Of the list of objects that were left out: bucket, key, version or nothing, the reason code, what was found, etag or nothing, and
# size. Lists of version 0.2.0 and before lack the last three, those of some later ones the last two.
_SET_ASIDE_COLUMNS = (4, 5, 7)
_SET_ASIDE = "left out of the batch job when the scan was submitted"
# Rows between two updates of the progress bar.
_SHOWN_EVERY = 100
_UNREPORTED = phrase(
    "An object without a record counts as never attempted, though it may have been skipped; retrying it costs nothing then."
)


@contextmanager
def fetched_manifest(files: BucketFiles, uri: str) -> Iterator[Manifest]:
    """Fetch the manifest of a scan while the block runs.

    Raises:
        ToolError: It is gone.
    """
    with _fetched(files, uri) as path:
        if path is None:
            raise ToolError(
                f"{uri}: the manifest of the scan is gone, so it is unknown what was to be scanned.",
                cure="Upload the local copy from manifests/ again, or review only the job's report with --without-manifest.",
            )
        yield Manifest(uri, path)


@contextmanager
def fetched_set_aside(files: BucketFiles, uri: str) -> Iterator[SetAside]:
    """Fetch the list of what was left out of a scan's manifest, which is beside it, while the block runs."""
    listed = f"{uri.removesuffix('.csv')}-ineligible.csv"
    with _fetched(files, listed) as path:
        yield SetAside(listed, path)


@contextmanager
def _fetched(files: BucketFiles, uri: str) -> Iterator[Path | None]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        with path.open("wb") as target:
            found = files.fetch(uri.removeprefix("s3://").partition("/")[2], target)
        yield path if found else None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The objects that a scan's manifest names, in its order, one for each row; can be read again and again.

    Raises:
        ToolError: A row is invalid.
    """

    uri: str
    path: Path

    def __iter__(self) -> Iterator[Named]:
        return (_named(self.uri, number, row) for number, row in _rows(self.uri, self.path))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An object that was left out of a scan's job, why, and its content as it was listed; None where that is not known."""

    video: Video
    problem: Problem
    facts: ObjectFacts | None


@dataclass(frozen=True, slots=True)
class SetAside:
    """The objects that were left out of a scan's job because they cannot be analysed, with the reasons; often none."""

    uri: str
    path: Path | None

    def __iter__(self) -> Iterator[LeftOut]:
        for number, row in _rows(self.uri, self.path) if self.path else ():
            if len(row) not in _SET_ASIDE_COLUMNS:
                columns = " or ".join(map(str, _SET_ASIDE_COLUMNS))
                raise _damaged(f"{self.uri}, row {number}: {counted(len(row), 'column')}, but such a list has {columns}.")
            code, message = (*row[3:], _SET_ASIDE)[:2]
            yield LeftOut(Video(*_named(self.uri, number, row[:3])), Problem(code, message), _facts(self.uri, number, row))


def _rows(uri: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV file with their numbers."""
    number = 0
    with path.open(encoding="utf-8", newline="") as text:
        try:
            for number, row in enumerate(csv_rows(text), 1):
                yield number, row
        except (csv.Error, UnicodeDecodeError) as error:
            raise _damaged(f"{uri}, after row {number}: not CSV in UTF-8 ({error}).") from error


def _named(uri: str, number: int, row: list[str]) -> Named:
    if len(row) not in _COLUMNS:
        columns = " or ".join(map(str, _COLUMNS))
        raise _damaged(f"{uri}, row {number}: {counted(len(row), 'column')}, but a manifest of submit_job.py has {columns}.")
    try:
        # As the function decodes the key of a task: the record has that name.
        key = key_of_form(row[1])
    except UnicodeDecodeError as error:
        raise _damaged(f"{uri}, row {number}: the key {row[1]!r} is not percent-encoded UTF-8.") from error
    return row[0], key, (row[2] or None) if len(row) > 2 else None  # noqa: PLR2004 - see _COLUMNS


def _facts(uri: str, number: int, row: list[str]) -> ObjectFacts | None:
    """Return the content of an object as it was listed; an inventory may lack its etag or its size, which is negative then."""
    etag, size = row[5:] or ("", "-1")
    try:
        bytes_ = int(size)
    except ValueError as error:
        raise _damaged(f"{uri}, row {number}: the size {size!r} is not a number.") from error
    return ObjectFacts(etag, bytes_, row[2] or None) if etag and bytes_ >= 0 else None


def _damaged(message: str) -> ToolError:
    return ToolError(message, cure="Upload the local copy from manifests/ again.")


@dataclass(frozen=True, slots=True)
class ReportPlace:
    """Where the report of a job is: in which bucket, and below which prefix."""

    files: BucketFiles
    prefix: str


def take_reports(
    notes: ReportNotes, scan: Scan, place_of: Callable[[BatchJob], ReportPlace], named: dict[Named, None] | None = None
) -> None:
    """Note the reports of all jobs of a scan, in the order of the jobs; they replace earlier notes about the same objects.

    `named` collects the objects that the reports name, each once.

    Raises:
        ToolError: A report is damaged.
    """
    for job in scan.jobs:
        try:
            gap = _take(notes, place_of(job), job, named)
        except ReportError as error:
            cure = "Look at the report in the work bucket; a scan of the same objects writes a new one."
            raise ToolError(str(error), cure=cure) from error
        notes.gaps += [gap] if gap else []


def _take(notes: ReportNotes, place: ReportPlace, job: BatchJob, named: dict[Named, None] | None) -> Phrase | None:
    """Note the report of a job; return why it does not cover every task, or None if it does."""
    report = find_report(place.prefix, job.id, place.files)
    if report is None:
        if job.terminal_since is None:
            return phrase("Job {job} has no completion report: it is not over yet, or ended before its first task.", job=job.id)
        return phrase(
            "Job {job} ended ({status}) without a completion report. {unreported}",
            job=job.id,
            status=job.status,
            unreported=_UNREPORTED,
        )
    succeeded, before = 0, notes.rows
    for row in report.rows(place.files):
        notes.take(row)
        succeeded += row.succeeded
        if named is not None:
            named[row[:3]] = None
    return _gap(job, succeeded, notes.rows - before - succeeded)


def _gap(job: BatchJob, succeeded: int, failed: int) -> Phrase | None:
    """Return what a report lacks, by the last known counts of its job, which may be None."""
    if succeeded == 0 and job.succeeded is None:
        return phrase(
            "The report of job {job} has only rows of failed tasks: "
            "either no task succeeded, or the job reports only failed tasks. {unreported}",
            job=job.id,
            unreported=_UNREPORTED,
        )
    if succeeded == 0 and job.succeeded:
        return phrase(
            "The report of job {job} lacks the rows of its {tasks} succeeded {tasks:task|tasks}: "
            "the job reports only failed tasks. {unreported}",
            job=job.id,
            tasks=job.succeeded,
            unreported=_UNREPORTED,
        )
    known = (job.succeeded or 0) + (job.failed or 0)
    if succeeded + failed < known:
        return phrase(
            "The report of job {job} has {rows} {rows:row|rows}, but {known} of its tasks ended. {unreported}",
            job=job.id,
            rows=succeeded + failed,
            known=known,
            unreported=_UNREPORTED,
        )
    return None


def unreported_videos(records: Records, scan_id: str, notes: ReportNotes) -> Iterator[Video]:
    """Yield the videos of a scan that have a record but are in no report, each once.

    For a job made by hand, whose manifest is unknown: a report of failed tasks only, or a missing one, names too few.
    """
    seen: set[bytes] = set()
    for state in State:
        ids = (video_id for video_id in records.in_state(scan_id, state) if notes.of(bytes.fromhex(video_id)) is None)
        for record in records.records((video_id, scan_id) for video_id in ids):
            if (key := record.video.digest) not in seen:  # its state may change while the index is read
                seen.add(key)
                yield record.video


@dataclass(frozen=True, slots=True)
class ScanChoice:
    """Which scan to review: by its id, by one of its jobs, or the newest; and whether to ignore its manifest."""

    scan_id: str | None = None
    job_id: str | None = None
    without_manifest: bool = False

    def find(self, run: Invocation) -> Scan:
        """Return the chosen scan, by default the newest that was submitted.

        Raises:
            ToolError: There is none.
        """
        return find(run.table.scans, self.scan_id, self.job_id)


def scan_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose a scan, and pass them as `choice`."""

    @wraps(command)
    def run(*arguments: Any, scan: str | None, job: str | None, without_manifest: bool, **given: Any) -> Any:  # noqa: ANN401 - whatever the command takes and returns
        if scan and job:
            raise click.UsageError("--scan and --job both choose the scan; pass one of them.")
        return command(*arguments, choice=ScanChoice(scan, job, without_manifest), **given)

    return options(
        click.option(
            "--scan", metavar="ID", help="The id of the scan, as submit_job.py printed it; default: the newest submitted."
        ),
        click.option("--job", metavar="ID", help="The scan of this S3 Batch Operations job."),
        click.option("--without-manifest", is_flag=True, help="Account only for the objects in the completion report."),
    )(run)


@dataclass(slots=True)
class ScanReading:
    """Reads manifest, reports and table of a scan, and joins them.

    Attributes:
        truth: Counts the results while they are read.
        whole: Whether to yield every object with its record. Otherwise clean objects may only be counted, and objects that a
            review does not show come with their state only.
        warnings: Complete once all results are read.
        draw: Is offered each clean video, once.
    """

    run: Invocation
    scan: Scan
    choice: ScanChoice
    truth: TruthTable
    bar: Bar
    whole: bool
    warnings: list[Phrase] = field(default_factory=list)
    draw: Draw = field(default_factory=Draw)

    def results(self) -> Iterator[ObjectResult]:
        """Yield a result for each row of the manifest, or for each upload of a day, and for what was left out.

        Raises:
            ToolError: A report or the manifest is damaged or gone; raised while results are read.
        """
        for outcome in self._results():
            if self.draw.count and outcome.status is ObjectStatus.CLEAN and not (outcome.again or outcome.superseded):
                self.draw.offer(outcome.video, outcome.video.digest)
            yield outcome

    def _results(self) -> Iterator[ObjectResult]:
        if self.scan.day is not None:
            return self._by_records()
        self.bar.show("Reading the completion report", 0, None)
        if self.choice.without_manifest or self.scan.manifest_uri is None:  # the manifest of a job made by hand is unknown
            return self._by_reports()
        return self._by_manifest(self.scan.manifest_uri)

    def _by_manifest(self, uri: str) -> Iterator[ObjectResult]:
        """Yield the result of each row of the manifest and of what was left out of it; the index is read while reports are."""
        scan, files = self.scan, self._work_bucket()
        with (
            fetched_manifest(files, uri) as manifest,
            fetched_set_aside(files, uri) as aside,
            recorded_of(self.run.table, scan, whole=self.whole) as recorded,
        ):
            clean = recorded.clean()
            notes = ReportNotes()
            for left_out in aside:
                notes.set_aside(left_out.video, left_out.problem, left_out.facts)
                self.truth.set_aside += 1
            take_reports(notes, scan, self._place)
            notes.take_clean(clean)
            notes.gaps += _missing_jobs(scan)
            self.warnings += notes.gaps
            yield from join(
                lambda: self._shown(chain(manifest, (named_of(left_out.video) for left_out in aside))),
                notes,
                recorded,
                self.truth,
                self.draw,
            )

    def _by_reports(self) -> Iterator[ObjectResult]:
        """Yield the result of each object that the reports name; the index is not used, because reports may name fewer."""
        notes, reported = ReportNotes(), dict[Named, None]()
        take_reports(notes, self.scan, self._place, reported)
        self.warnings += notes.gaps
        if self.warnings and self.scan.manifest_uri is None:
            raise ToolError(
                f"{' '.join(map(ENGLISH.render, self.warnings))} Without it the objects of the scan are unknown.",
                cure="Wait until the job is over; if it was created without a report of all tasks, create it again with one.",
            )
        named: Iterable[Named] = reported
        if not self.choice.without_manifest:
            named = chain(reported, map(named_of, unreported_videos(self.run.table.records, self.scan.id, notes)))
        with recorded_of(self.run.table, self.scan, whole=self.whole) as recorded:
            yield from join(lambda: self._shown(named), notes, recorded, self.truth, self.draw)

    def _by_records(self) -> Iterator[ObjectResult]:
        """Yield the result of each upload of a day."""
        with recorded_of(self.run.table, self.scan, whole=True) as recorded:
            for number, outcome in enumerate(uploads(recorded, self.truth, self.run.clock)):
                self._show(number)
                yield outcome

    def _place(self, job: BatchJob) -> ReportPlace:
        """Return where a job's report is; for a job made by hand only S3 knows, for 90 days after its end."""
        ours = ReportPlace(self._work_bucket(), f"reports/{self.scan.id}")
        if self.scan.manifest_uri is not None:
            return ours
        clients, deployment = self.run.clients, self.run.deployment
        try:
            described = clients.s3control.describe_job(AccountId=deployment.account_id, JobId=job.id)["Job"]
        except ClientError as error:
            if fault_of(error) is Fault.MISSING:
                return ours
            raise
        report = described.get("Report", {})
        bucket = report.get("Bucket", "").rpartition(":")[2] or deployment.work_bucket
        return ReportPlace(BucketFiles(clients.s3, bucket), report.get("Prefix", ""))

    def _work_bucket(self) -> BucketFiles:
        return BucketFiles(self.run.clients.s3, self.run.deployment.work_bucket)

    def _shown(self, named: Iterable[Named]) -> Iterator[Named]:
        for number, each in enumerate(named):
            self._show(number)
            yield each

    def _show(self, number: int) -> None:
        if number % _SHOWN_EVERY == 0:
            step = "Joining with the table" if self.scan.day is None else "Reading the records"
            self.bar.show(step, number, self.scan.objects)


def _missing_jobs(scan: Scan) -> list[Phrase]:
    """Return a warning if a scan of an earlier version, which could have several jobs, lacks some."""
    if not (scan.missing_jobs and scan.jobs):
        return []
    lacking = phrase(
        "Jobs of this scan that were not submitted: {missing} of {planned}. `python tools/control_scan.py cancel {scan}` ends it.",
        missing=scan.missing_jobs,
        planned=scan.planned_jobs or 1,
        scan=scan.id,
    )
    return [lacking]
