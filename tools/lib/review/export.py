"""Exports of a review: CSV for spreadsheets, JSON Lines for programs, one row per video or per segment.

Rows are written as they come, so that memory does not grow with them. A file replaces an earlier one only when it is complete.

There is no Parquet, because `pyarrow` (171 MB installed) would be three times as large as everything else that the tools need, and
DuckDB, pandas, Athena and Spark convert JSON Lines in one statement.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TextIO, TypeAlias

from handlers.domain import Decision, Record, Segment
from handlers.domain.decision import LogEntry
from tools.lib.cli import STANDARD_STREAM, Terminal, replace_atomically
from tools.lib.json_keys import iso_or_none, scan_keys
from tools.lib.review.cures import cure_of
from tools.lib.review.join import ObjectResult
from tools.lib.videos import label_json, named, upload_json

Value: TypeAlias = str | int | float | bool | list[dict[str, str | int | float]] | None
Row: TypeAlias = Mapping[str, Value]

_NAMED = ("bucket", "key", "version_id", "state")
_DECIDED = ("decision", "note", "decided_by", "decided_at")
_VIDEO = ("labels", "confidence", "duration_seconds", "changed_during_scan")
_LOOKED_AT = ("etag", "size", "scan", "attempt", "queued_at", "started_at", "finished_at", "model_version", "policy_hash")
_SEGMENT = ("label", "parent", "level", "start_seconds", "end_seconds", "confidence", "hits")
# Columns under the keys that `--json` has; the former ones (scan, ..._at) stay for one more release.
_TIMES = ("queued_time", "started_time", "finished_time")
_WHOSE = ("scan_id", "decided_time")
# Of uploads to watched buckets.
_UPLOADED = ("uploaded_time", "missed", "superseded")
# How the object was analysed; an image has no interval.
_ENGINE = ("engine", "interval_seconds", "images", "decoded_seconds")
VIDEO_COLUMNS = (
    *_NAMED,
    "repeated",
    "reason",
    "message",
    *_VIDEO,
    *_DECIDED,
    *_LOOKED_AT,
    *_WHOSE,
    *_TIMES,
    "cure",
    *_UPLOADED,
    *_ENGINE,
)
_LOGGED = ("decision", "note", "decided_by", "decided_time", "scan_id", "attempt", "etag")
DECISION_COLUMNS = (*_NAMED, *_LOGGED, "before_decision", "before_decided_by", "before_decided_time")
SEGMENT_COLUMNS = (*_NAMED, *_SEGMENT, *_DECIDED, "scan", "attempt", *_WHOSE, "etag", *_UPLOADED)


class Form(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSONL = "jsonl"


class Rows(StrEnum):
    """What a row is."""

    VIDEOS = "videos"
    SEGMENTS = "segments"
    DECISIONS = "decisions"


COLUMNS = {Rows.VIDEOS: VIDEO_COLUMNS, Rows.SEGMENTS: SEGMENT_COLUMNS, Rows.DECISIONS: DECISION_COLUMNS}

_FULLWIDTH = (
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)
# How text may begin that a spreadsheet takes for a formula (OWASP, CSV Injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", *_FULLWIDTH)
_GUARD = "'"


class Export:
    """One file that is being written."""

    def __init__(self, write: Callable[[Row], object], rows: Rows) -> None:
        self._write = write
        self.rows = rows

    def add(self, outcome: ObjectResult, found: Iterable[Segment] | Iterable[LogEntry] = ()) -> None:
        """Write the row of a video, or the rows of its segments or its log (none if its row of the manifest repeats another)."""
        if self.rows is Rows.VIDEOS:
            self._write(video_row(outcome))
            return
        for each in () if outcome.again else found:
            self._write(log_row(outcome, each) if isinstance(each, LogEntry) else segment_row(outcome, each))


@contextmanager
def writer(path: Path, form: Form, rows: Rows, terminal: Terminal) -> Iterator[Export]:
    """Write an export while the block runs; it replaces the file if the block ends without an exception.

    Raises:
        OSError: The file cannot be written; it names the path.
    """
    with replaced(path, terminal) as file:
        if form is Form.JSONL:
            yield Export(_jsonl_writer(file, COLUMNS[rows]), rows)
            return
        with _csv_writer(file, COLUMNS[rows]) as write:
            yield Export(write, rows)


@contextmanager
def writers(paths: Iterable[tuple[Form, Path]], rows: Rows, terminal: Terminal) -> Iterator[list[Export]]:
    """As `writer`, for several files at once."""
    with ExitStack() as stack:
        yield [stack.enter_context(writer(path, form, rows, terminal)) for form, path in paths]


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with an apostrophe before a formula's start or another apostrophe."""
    return _GUARD + text if text.startswith((*FORMULA_STARTS, _GUARD)) else text


@contextmanager
def _csv_writer(file: TextIO, columns: tuple[str, ...]) -> Iterator[Callable[[Row], object]]:
    """Yield a function that writes rows as in RFC 4180, below a header: every text in quotes, line ends CRLF.

    The header comes with the first row, or at the end where there is none: whoever reads stdout gets nothing of an export that
    fails before.
    """
    lines = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    header = [columns]

    def write(row: Row) -> None:
        while header:
            lines.writerow(header.pop())
        lines.writerow([_cell(row.get(name)) for name in columns])

    yield write
    while header:
        lines.writerow(header.pop())


def _cell(value: Value) -> str | int | float | None:
    if isinstance(value, list):
        return guarded("; ".join(str(each["name"]) for each in value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return guarded(value) if isinstance(value, str) else value


def _jsonl_writer(file: TextIO, columns: tuple[str, ...]) -> Callable[[Row], object]:
    """Return a function that writes rows as one JSON object per line, in ASCII, where no reader finds other line ends."""
    encode = json.JSONEncoder(separators=(",", ":")).encode
    return lambda row: file.write(encode({name: row.get(name) for name in columns}) + "\n")


@contextmanager
def replaced(path: Path, terminal: Terminal) -> Iterator[TextIO]:
    """Open a text file that replaces the old one when the block ends without an exception.

    Stdout (`-`), a pipe or a device is written to at once.
    """
    if str(path) == STANDARD_STREAM:
        with terminal.data() as out:
            if isinstance(out, io.TextIOWrapper):
                out.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")  # as `_opened`
            yield out
        return
    if path.is_dir():  # checked now, not after an hour of writing
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        with _opened(path, "w") as file:
            yield file
        return
    target = path.resolve()  # a link stays a link
    with replace_atomically(target) as part, _opened(part, "x") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _opened(path: Path, mode: str) -> TextIO:
    # An unpaired surrogate, which JSON allows in a message of the report, is written as \udXXX: UTF-8 cannot encode it.
    # newline="": line ends are written as they are, those within a key too.
    return path.open(mode, encoding="utf-8", errors="backslashreplace", newline="")  # type: ignore[return-value]  # text modes only


def video_row(outcome: ObjectResult) -> Row:
    """Return the row of a video: times in ISO 8601 (UTC), durations in seconds, confidences in percent."""
    return {
        **_named(outcome),
        "repeated": outcome.again,
        "reason": outcome.reason,
        "message": outcome.message,
        "cure": cure_of(outcome.reason),
        **_decided(outcome.decision),
        **(_recorded(outcome.record) if outcome.record else {}),
    }


def segment_row(outcome: ObjectResult, segment: Segment) -> Row:
    """Return the row of a segment of a video."""
    named = {**_named(outcome), **_decided(outcome.decision)}
    if outcome.record:
        named |= {**scan_keys(outcome.record.scan_id), "attempt": outcome.record.attempt, "etag": outcome.record.etag}
    return {
        **named,
        "label": segment.label,
        "parent": segment.parent,
        "level": segment.level,
        "start_seconds": segment.start_ms / 1000,
        "end_seconds": segment.end_ms / 1000,
        "confidence": segment.confidence,
        "hits": segment.hits,
    }


def log_row(outcome: ObjectResult, entry: LogEntry) -> Row:
    """Return the row of a decision about the content of a video, made in this scan or another, and what it replaced."""
    decision, before = entry.decision, entry.before
    replaced: dict[str, Value] = {}
    if before is not None:
        replaced = {"before_decision": before.judgement.value, "before_decided_by": before.decided_by}
        replaced["before_decided_time"] = iso_or_none(before.decided_at)
    about: dict[str, Value] = {"scan_id": decision.scan_id, "attempt": decision.attempt, "etag": decision.etag}
    return {**_named(outcome), **_decided(decision), **about, **replaced}


def _named(outcome: ObjectResult) -> dict[str, Value]:
    return {**named(outcome.video), "state": outcome.status.value, **upload_json(outcome.record)}


def _recorded(record: Record) -> dict[str, Value]:
    labels = sorted(record.labels, key=lambda label: label.confidence, reverse=True)
    return {
        "labels": [{"name": label.name, "parent": label.parent, "level": label.level, **label_json(label)} for label in labels],
        "confidence": labels[0].confidence if labels else None,
        "duration_seconds": _seconds(record.duration_ms),
        "changed_during_scan": record.changed_during_scan,
        "etag": record.etag,
        "size": record.facts.size if record.facts else None,
        **scan_keys(record.scan_id),
        "attempt": record.attempt,
        "queued_at": _moment(record.queued_at),
        "started_at": _moment(record.started_at),
        "finished_at": _moment(record.finished_at),
        "queued_time": iso_or_none(record.queued_at),
        "started_time": iso_or_none(record.started_at),
        "finished_time": iso_or_none(record.finished_at),
        "model_version": record.model_version,
        "policy_hash": record.policy_hash,
        "engine": record.engine.value,
        "interval_seconds": _seconds(record.interval_ms),
        "images": record.images,
        "decoded_seconds": _seconds(record.decoded_ms),
    }


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _decided(decision: Decision | None) -> dict[str, Value]:
    if decision is None:
        return {}
    return {
        "decision": str(decision.judgement),
        "note": decision.note,
        "decided_by": decision.decided_by,
        "decided_at": _moment(decision.decided_at),
        "decided_time": iso_or_none(decision.decided_at),
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
