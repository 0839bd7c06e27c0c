"""Completion reports of S3 Batch Operations jobs (`Report_CSV_20180820`), as real jobs write them.

A report is `<prefix>/job-<id>/manifest.json` and the result files it names; it exists once at least one task was invoked.
The columns of real result files differ from the `ReportSchema` beside them, so both are read: docs/aws.md#4-completion-reports.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, NamedTuple

from tools.lib.aws import fetch, key_of, md5_of
from tools.lib.bounded import MAX_DOCUMENT, csv_rows, parse_json, read_whole
from tools.lib.errors import ToolError
from tools.lib.text import counted

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Bucket, Key, VersionId, TaskStatus, HTTPStatusCode, ErrorCode (or these two the other way round), ResultMessage.
COLUMNS = 7

_HTTP_STATUS = re.compile(r"[1-5]\d\d")
_SPOOL_BYTES = 8 * 1024 * 1024


class ReportError(Exception):
    """A report is missing or damaged: the message names the file, the rule and the cure."""


@dataclass(frozen=True, slots=True)
class BucketFiles:
    """Fetches objects by their keys, with one client."""

    s3: S3Client
    bucket: str

    def fetch(self, key: str, target: IO[bytes]) -> bool:
        """Write the file to the target; False where there is none."""
        return fetch(self.s3, self.bucket, key, target)


class ReportRow(NamedTuple):
    """One task of a job: its key decoded, its version None where the field is empty."""

    bucket: str
    key: str
    version_id: str | None
    succeeded: bool
    http_status: str
    error_code: str
    message: str


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One result file of a report, with the MD5 (hex) that the report's manifest states."""

    key: str
    md5: str


@dataclass(frozen=True, slots=True)
class CompletionReport:
    """The report of one job, by its result files."""

    job_id: str
    files: tuple[ResultFile, ...]

    def rows(self, source: BucketFiles) -> Iterator[ReportRow]:
        """Yield the rows of every result file, after checking the file against its MD5.

        Raises:
            ReportError: A file is missing, does not match its MD5, or has an invalid row.
        """
        for file in self.files:
            with _fetched(file.key, source) as content:
                if content is None:
                    raise ReportError(f"{file.key}: the report of job {self.job_id} names this file, but it is gone; restore it.")
                if md5_of(content) != file.md5.lower():
                    raise ReportError(f"{file.key}: its MD5 is not that of the report's manifest.json; was the file edited?")
                yield from parse_rows(file.key, content)


def find_report(prefix: str, job_id: str, source: BucketFiles) -> CompletionReport | None:
    """Return the report of a job below a prefix, or None where there is none (S3 writes manifest.json last).

    Raises:
        ReportError: The report's manifest is not what S3 writes.
    """
    # S3 puts a slash after a prefix, even if it ends with one.
    key = f"{prefix}/job-{job_id}/manifest.json" if prefix else f"job-{job_id}/manifest.json"
    with _fetched(key, source) as content:
        if content is None:
            return None
        try:
            results = parse_json(read_whole(content, key, "the manifest of a completion report", MAX_DOCUMENT))["Results"]
            files = tuple(ResultFile(result["Key"], result["MD5Checksum"]) for result in results)
        except (ToolError, ValueError, KeyError, TypeError) as error:
            raise ReportError(
                f"{key}: not the manifest of a completion report ({type(error).__name__}: {error}); was it overwritten?"
            ) from error
    return CompletionReport(job_id, files)


def parse_rows(name: str, content: IO[bytes]) -> Iterator[ReportRow]:
    """Yield the rows of a result file (CSV without a header, RFC 4180).

    Raises:
        ReportError: The file is not CSV, a row does not have seven columns, or its key is not percent-encoded UTF-8.
    """
    # newline="" leaves line ends to csv: a quoted message may contain some, and only \r and \n end a row.
    text = io.TextIOWrapper(content, encoding="utf-8", newline="")
    number = 0
    try:
        for number, row in enumerate(csv_rows(text), 1):
            yield _row(name, number, row)
    except (csv.Error, UnicodeDecodeError) as error:
        raise ReportError(f"{name}, after row {number}: not CSV in UTF-8 ({error}); was the file edited?") from error
    finally:
        text.detach()


def _row(name: str, number: int, row: list[str]) -> ReportRow:
    if len(row) != COLUMNS:
        raise ReportError(f"{name}, row {number}: {counted(len(row), 'column')} where a report has {COLUMNS}; was the file edited?")
    bucket, key, version_id, status, fifth, sixth, message = row
    http_status, error_code = (sixth, fifth) if sixth and _HTTP_STATUS.fullmatch(sixth) else (fifth, sixth)
    try:
        # The report echoes the manifest's key, where a space is %20 and a plus may be a plus.
        decoded = key_of(key)
    except UnicodeDecodeError as error:
        raise ReportError(f"{name}, row {number}: the key {key!r} is not percent-encoded UTF-8; was the file edited?") from error
    return ReportRow(bucket, decoded, version_id or None, status == "succeeded", http_status, error_code, message)


@contextmanager
def _fetched(key: str, source: BucketFiles) -> Iterator[IO[bytes] | None]:
    with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as spool:
        found = source.fetch(key, spool)
        spool.seek(0)
        yield spool if found else None
