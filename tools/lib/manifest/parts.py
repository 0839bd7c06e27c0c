"""Cutting a manifest into the jobs of one scan: where each begins and ends, found in one pass with the manifest's hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

# Rows of one job unless asked otherwise: the smallest number of objects per job that AWS documents (S3 user guide,
# troubleshooting-batch-operations; for LambdaInvoke the newest text says 20 billion, `MAX_ROWS_PER_JOB`).
ROWS_PER_JOB = 1_000_000_000

# S3 user guide, batch-ops-invoke-lambda.
MAX_ROWS_PER_JOB = 20_000_000_000

_BLOCK = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one job: its number from 1, the manifest's first byte of it and the one after its last, and how many rows."""

    number: int
    start: int
    end: int
    rows: int


@dataclass(frozen=True, slots=True)
class Survey:
    """A manifest as it lies on the disk: its SHA-256 (hex), its rows, and its parts in their order; one without rows has one."""

    sha256: str
    rows: int
    parts: tuple[Part, ...]


def survey(path: Path, rows_per_job: int) -> Survey:
    """Return the survey of a manifest whose rows end in LF; memory does not grow with it."""
    digest, cutter = hashlib.sha256(), _Cutter(rows_per_job)
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            digest.update(block)
            cutter.take(block)
    return Survey(digest.hexdigest(), *cutter.finish())


class _Cutter:
    """Counts rows, and notes where a part is full."""

    def __init__(self, rows_per_job: int) -> None:
        self._most = rows_per_job
        self._parts: list[Part] = []
        self._start = 0  # of the open part
        self._rows = 0  # in the open part
        self._at = 0  # bytes taken

    def take(self, block: bytes) -> None:
        offset = 0
        while self._rows + block.count(b"\n", offset) >= self._most:
            for _ in range(self._most - self._rows):
                offset = block.index(b"\n", offset) + 1
            self._rows = self._most
            self._close(self._at + offset)
        self._rows += block.count(b"\n", offset)
        self._at += len(block)

    def finish(self) -> tuple[int, tuple[Part, ...]]:
        if self._rows or not self._parts:
            self._close(self._at)
        return sum(part.rows for part in self._parts), tuple(self._parts)

    def _close(self, end: int) -> None:
        self._parts.append(Part(len(self._parts) + 1, self._start, end, self._rows))
        self._start, self._rows = end, 0
