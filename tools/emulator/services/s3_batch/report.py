"""The completion report (`Report_CSV_20180820`): the result of each task that ran.

The columns are in the order of real reports, HTTPStatusCode before ErrorCode, although `ReportSchema` says otherwise
[aws-samples sample-replicate-on-tag fixtures; AWS's own sample rows].
"""

from __future__ import annotations

import csv
import hashlib
import json
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from typing import IO

from tools.emulator.core import Objects
from tools.emulator.services.s3_batch.invocation import MAX_RESULT_STRING, Answer, TaskOutcome
from tools.emulator.services.s3_batch.manifest import Row

SCHEMA = "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"
# Undocumented; AWS says "one or more files".
ROWS_PER_FILE = 100_000

_IN_MEMORY_BYTES = 4 * 1024 * 1024
_NANOSECONDS = 1_000_000_000


class Results:
    """Rows of one kind, spooled to disk, in files with a maximum number of rows."""

    def __init__(self, rows_per_file: int) -> None:
        # The rows are written while the job runs and read when it ends; they go with the job if a world is dropped before.
        self._spool: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - closed by the next line
        weakref.finalize(self, self._spool.close)
        self._ends: list[int] = []
        self._size = 0
        self._rows = 0
        self._rows_per_file = rows_per_file

    def add(self, line: bytes) -> None:
        if self._rows and self._rows % self._rows_per_file == 0:
            self._ends.append(self._size)
        self._spool.write(line)
        self._size += len(line)
        self._rows += 1

    def files(self) -> Iterator[bytes]:
        """Yield the contents of each file; none without rows."""
        self._spool.seek(0)
        at = 0
        for end in [*self._ends, self._size] if self._rows else []:
            yield self._spool.read(end - at)
            at = end

    def close(self) -> None:
        self._spool.close()


class Report:
    """The report of a job that is running.

    Its keys begin with `<prefix>/job-<id>/`, so a prefix that ends in a slash gives two. `failed_strings` says whether the
    resultStrings of failed tasks are in it.
    """

    def __init__(
        self, bucket: str, prefix: str, *, failed_tasks_only: bool, failed_strings: bool, rows_per_file: int = ROWS_PER_FILE
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._failed_tasks_only = failed_tasks_only
        self._failed_strings = failed_strings
        self._results = {"succeeded": Results(rows_per_file), "failed": Results(rows_per_file)}
        self._line = csv.writer(_Echo(), lineterminator="\r\n").writerow

    def add(self, row: Row, answer: Answer) -> None:
        """Append the row of a task that ended."""
        succeeded = answer.outcome is TaskOutcome.SUCCEEDED
        if succeeded and self._failed_tasks_only:
            return
        hidden = answer.from_function and not succeeded and not self._failed_strings
        message = "" if hidden else answer.message[:MAX_RESULT_STRING]
        status = "succeeded" if succeeded else "failed"
        columns = (row.bucket, row.key, row.version_id or "", status, answer.http_status, answer.error_code, message)
        line: str = self._line(columns)
        self._results[status].add(line.encode("utf-8", errors="replace"))  # functions may return lone surrogates

    def write(self, objects: Objects, job_id: str, now: float, digits: Callable[[], str]) -> None:
        """Store the result files, then manifest.json, then its MD5.

        `digits` returns the 40 hexadecimal digits of a file's name.

        Raises:
            NoSuchObjectError: There is no such bucket.
            ObjectForbiddenError: The bucket must not be written.
        """
        folder = f"{self._prefix}/job-{job_id}" if self._prefix else f"job-{job_id}"
        bucket = self._bucket
        listed = []
        for status, results in self._results.items():
            for body in results.files():
                key = f"{folder}/results/{digits()}.csv"
                objects.write(bucket, key, body)
                listed.append({"TaskExecutionStatus": status, "Bucket": bucket, "MD5Checksum": _md5(body), "Key": key})
        manifest = {"Format": "Report_CSV_20180820", "ReportCreationDate": _date(now), "Results": listed, "ReportSchema": SCHEMA}
        body = json.dumps(manifest).encode()
        objects.write(bucket, f"{folder}/manifest.json", body)
        objects.write(bucket, f"{folder}/manifest.json.md5", _md5(body).encode())

    def close(self) -> None:
        for results in self._results.values():
            results.close()


class _Echo:
    """A file for `csv.writer`: `writerow` returns what `write` returns, here the line itself."""

    def write(self, line: str) -> str:
        return line


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _date(now: float) -> str:
    """Return a time with the nine decimals of real reports."""
    seconds, nanoseconds = divmod(int(now * _NANOSECONDS), _NANOSECONDS)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds:09d}Z"
