"""Where a review gets its rows from: manifest and report files in the work bucket, and the jobs of a scan."""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from handlers.domain.identity import Video
from handlers.domain.record import BatchJob, Record, Scan
from handlers.domain.states import State
from tools.lib.aws.clients import code_of
from tools.lib.errors import ToolError
from tools.lib.review.completion_report import ReportError, ReportFiles, find_report
from tools.lib.review.join import ReportNotes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MISSING = frozenset({"404", "NoSuchKey", "NoSuchBucket"})
_SET_ASIDE_COLUMNS = 4
"""Bucket, key, version or nothing, and the code of the reason."""
_COLUMNS = (2, 3)
"""Bucket and key, and the version where the bucket has versions."""


class BucketFiles:
    """Files of one bucket; a `ReportFiles`."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def fetch(self, key: str, target: IO[bytes]) -> bool:
        """Write the file to the target; False where there is none."""
        try:
            self._s3.download_fileobj(self._bucket, key, target)
        except ClientError as error:
            if code_of(error) in _MISSING:
                return False
            raise
        return True


@contextmanager
def fetched_manifest(files: ReportFiles, uri: str) -> Iterator[Manifest]:
    """Fetch the manifest of a scan for as long as the block runs.

    Raises:
        ToolError: It is gone.
    """
    with _fetched(files, uri) as path:
        if path is None:
            raise ToolError(
                f"{uri}: the manifest of the scan is gone, so nobody can say what should have been scanned.",
                cure="Put the local copy from manifests/ back there, or review the job's report alone with --without-manifest.",
            )
        yield Manifest(uri, path)


@contextmanager
def fetched_set_aside(files: ReportFiles, uri: str) -> Iterator[SetAside]:
    """Fetch the list of what was left out of a scan's manifest, which lies beside it, for as long as the block runs."""
    listed = f"{uri.removesuffix('.csv')}-ineligible.csv"
    with _fetched(files, listed) as path:
        yield SetAside(listed, path)


@contextmanager
def _fetched(files: ReportFiles, uri: str) -> Iterator[Path | None]:
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
        key = unquote_plus(row[1], errors="strict")
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

    files: ReportFiles
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
    rows = Counter[bool]()
    for row in report.rows(place.files):
        video = reports.notes.take(row)
        rows[row.succeeded] += 1
        if listing:
            reports.videos[video] = None
    return _gap(job, rows[True], rows[False])


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


class Indexed(Protocol):
    """The records of a scan, as far as they are listed; `handlers.adapters.table.Records` is one."""

    def in_state(self, scan_id: str, state: State) -> Iterator[str]:
        """Return ids of videos in a state."""
        ...

    def records(self, keys: Iterable[tuple[str, str]]) -> Iterator[Record]:
        """Return the records there are among these (video id, scan id)."""
        ...


def unreported_videos(records: Indexed, scan_id: str, notes: ReportNotes) -> Iterator[Video]:
    """Yield the videos of the records of a scan that no report names, each once.

    For a job made by hand, whose manifest we do not know: a report of failed tasks only, or none, names too few.
    """
    seen: set[bytes] = set()
    for state in State:
        ids = (video_id for video_id in records.in_state(scan_id, state) if not notes.knows(bytes.fromhex(video_id)))
        for record in records.records((video_id, scan_id) for video_id in ids):
            if (key := record.video.digest) not in seen:  # it may change its state while the index is read
                seen.add(key)
                yield record.video
