"""The truth about a scan: manifest, completion reports and table joined, so that every object is in exactly one state.

A succeeded batch task only means that a video was accepted, so the report alone cannot tell what became of it; and a task that
failed may have left no record, so the table alone cannot either.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Protocol

from handlers.domain.identity import Video
from handlers.domain.record import Record
from handlers.domain.states import State
from tools.lib.completion_report import ReportRow

BATCH = 100
"""Records asked for at a time: what one BatchGetItem takes."""


class Fate(StrEnum):
    """What has become of an object: the states of the table, and what only the report or the manifest knows."""

    CLEAN = "clean"
    FLAGGED = "flagged"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RUNNING = "running"
    WAITING = "waiting"
    SKIPPED = "skipped"
    NEVER_ATTEMPTED = "never attempted"
    LOST = "lost"
    """Accepted by the batch task, and yet without a record: must not happen, and is said loudly."""


SETTLED = frozenset({Fate.CLEAN, Fate.FLAGGED, Fate.SKIPPED})
"""Final, and no failure."""


@dataclass(frozen=True, slots=True)
class ObjectFate:
    """One row of the manifest with what became of it; `reason` and `message` say why where it failed or was skipped."""

    video: Video
    fate: Fate
    record: Record | None = None
    reason: str | None = None
    message: str | None = None
    again: bool = False
    """This object stood in the manifest before: two rows, one record."""


class Records(Protocol):
    """The table, as far as the join needs it."""

    def records(self, keys: Iterable[tuple[str, str]]) -> Iterator[Record]:
        """Return the records there are among these (video id, scan id)."""
        ...


@dataclass(frozen=True, slots=True)
class TaskNote:
    """What the report says of a task, as far as it matters once the table has been asked."""

    succeeded: bool
    state: str | None = None
    reason: str | None = None
    message: str | None = None


@dataclass(slots=True)
class ReportNotes:
    """What the reports of a scan say of each object; a later job's word counts. Rows that say the same share one note."""

    notes: dict[bytes, TaskNote] = field(default_factory=dict)
    rows: int = 0
    _shared: dict[TaskNote, TaskNote] = field(default_factory=dict)

    def take(self, row: ReportRow) -> Video:
        """Note a row of a report and return its video."""
        video = Video(row.bucket, row.key, row.version_id)
        note = note_of(row)
        self.notes[bytes.fromhex(video.id)] = self._shared.setdefault(note, note)
        self.rows += 1
        return video

    def of(self, video: Video) -> TaskNote | None:
        """Return what the reports say of a video."""
        return self.notes.get(bytes.fromhex(video.id))


@dataclass(slots=True)
class TruthTable:
    """The counts of a truth table, and whether they add up to the manifest."""

    fates: Counter[Fate] = field(default_factory=Counter)
    repeated: int = 0
    expected: int | None = None
    foreign: int = 0

    def count(self, outcome: ObjectFate) -> None:
        """Count one object."""
        self.fates[outcome.fate] += 1
        self.repeated += outcome.again

    @property
    def total(self) -> int:
        """Return how many objects were counted."""
        return self.fates.total()

    @property
    def adds_up(self) -> bool:
        """Tell whether every row of the manifest is accounted for, and nothing else."""
        return self.foreign == 0 and self.fates[Fate.LOST] == 0 and self.expected in (None, self.total)

    @property
    def settled(self) -> bool:
        """Tell whether every object is final and none failed."""
        return self.adds_up and sum(self.fates[fate] for fate in SETTLED) == self.total


def join(videos: Iterable[Video], notes: ReportNotes, records: Records, scan_id: str, truth: TruthTable) -> Iterator[ObjectFate]:
    """Yield the fate of each video of the manifest, in its order, counting it; memory holds ids only.

    When the manifest is through, `truth.foreign` says how many objects the reports know that the manifest does not.
    """
    seen: set[bytes] = set()
    source = iter(videos)
    while batch := list(islice(source, BATCH)):
        known = _known(batch, records, scan_id)
        for video in batch:
            key = bytes.fromhex(video.id)
            outcome = fate_of(video, notes.of(video), known.get(video.id), again=key in seen)
            seen.add(key)
            truth.count(outcome)
            yield outcome
    truth.foreign = len(notes.notes.keys() - seen)


def fate_of(video: Video, note: TaskNote | None, record: Record | None, *, again: bool = False) -> ObjectFate:
    """Return what became of a video: the table's word first, then the report's, then the manifest's."""
    if record is not None:
        problem = record.problem
        reason, message = (problem.code, problem.message) if problem else (None, None)
        return ObjectFate(video, _FATES[record.state], record, reason, message, again)
    if note is None:
        return ObjectFate(video, Fate.NEVER_ATTEMPTED, again=again)
    if not note.succeeded:
        return ObjectFate(video, Fate.FAILED, None, note.reason, note.message, again)
    fate = Fate.SKIPPED if note.state == "SKIPPED" else Fate.LOST
    return ObjectFate(video, fate, None, note.reason, note.message, again)


def note_of(row: ReportRow) -> TaskNote:
    """Return what a report's row says: our own JSON where it holds some, else AWS's words."""
    said = _said(row.message)
    if row.succeeded:
        return TaskNote(succeeded=True, state=said.get("state"), reason=said.get("reason"), message=said.get("message"))
    return TaskNote(
        succeeded=False,
        reason=said.get("reason") or row.error_code or None,
        message=said.get("message") or (None if said else row.message),
    )


def _said(message: str) -> Mapping[str, str]:
    try:
        said = json.loads(message)
    except ValueError:
        return {}
    return {name: text for name, text in said.items() if isinstance(text, str)} if isinstance(said, dict) else {}


def _known(batch: list[Video], records: Records, scan_id: str) -> dict[str, Record]:
    ids = dict.fromkeys(video.id for video in batch)
    return {record.video.id: record for record in records.records((video_id, scan_id) for video_id in ids)}


_FATES = {
    State.CLEAN: Fate.CLEAN,
    State.FLAGGED: Fate.FLAGGED,
    State.FAILED: Fate.FAILED,
    State.CANCELLED: Fate.CANCELLED,
    State.RUNNING: Fate.RUNNING,
    State.WAITING: Fate.WAITING,
}
