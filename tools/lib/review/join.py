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
from typing import Protocol, TypeAlias

from handlers.domain.identity import Video
from handlers.domain.record import INELIGIBLE, Record
from handlers.domain.states import State
from tools.lib.review.completion_report import ReportRow

_MAX_ROWS = 1_024
_SET_ASIDE = "left out of the batch job when the scan was submitted"
BATCH = 100
"""Records asked for at a time: what one BatchGetItem takes."""


class ObjectStatus(StrEnum):
    """What has become of an object: the states of the table, and what only the report or the manifest knows."""

    CLEAN = "clean"
    FLAGGED = "flagged"
    FAILED = "failed"
    INELIGIBLE = "ineligible"
    """Could not be analysed as it is (empty, archived, too large): found out before any money was spent."""
    CANCELLED = "cancelled"
    RUNNING = "running"
    WAITING = "waiting"
    SKIPPED = "skipped"
    """Something else than a video by its first bytes, and so not looked at."""
    NEVER_ATTEMPTED = "never attempted"
    LOST = "lost"
    """Accepted by the batch task, and yet without a record: must not happen, and is said loudly."""


ANALYSED = frozenset({ObjectStatus.CLEAN, ObjectStatus.FLAGGED})
"""Looked at, with a verdict: what a scan is for."""


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """One row of the manifest with what became of it; `reason` and `message` say why where it failed or was skipped."""

    video: Video
    status: ObjectStatus
    record: Record | None = None
    reason: str | None = None
    message: str | None = None
    again: bool = False
    """This object stood in the manifest before: two rows, one record."""


Known: TypeAlias = Record | State
"""What the table knows of a video: its record, or the state alone where no more was asked for."""
Answered: TypeAlias = tuple[Video, bytes, Known | None]
"""A video of the manifest, its id as bytes, and what the table knows of it."""


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


class ReportNotes:
    """What the reports of a scan say of each object; a later job's word counts.

    A million objects must fit beside everything else: an id is its 16 bytes, and rows that say the same share one note.

    Attributes:
        rows: How many rows were noted.
        gaps: Why the reports do not tell of every task that ran, a sentence each; empty where they do.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.gaps: list[str] = []
        self._said: list[TaskNote | None] = [None]
        self._place: dict[TaskNote, int] = {}
        self._rows: dict[tuple[bool, str, str], int] = {}
        """The places of what rows say to the letter, the first of them: most rows of a report say the same."""
        self._marks: dict[bytes, int] = {}
        """Twice the place of an object's note in `_said` (0: none), and one more once a row of the manifest has named it."""

    def take(self, row: ReportRow) -> Video:
        """Note a row of a report and return its video."""
        video = Video(row.bucket, row.key, row.version_id)
        said = (row.succeeded, row.error_code, row.message)
        place = self._rows.get(said)
        if place is None:
            place = self._placed(note_of(row))
            if len(self._rows) < _MAX_ROWS:
                self._rows[said] = place
        self._marks[video.digest] = 2 * place
        self.rows += 1
        return video

    def set_aside(self, video: Video, reason: str) -> None:
        """Note that an object was left out of the job, and why; what a report says of it later counts."""
        self._marks[video.digest] = 2 * self._placed(TaskNote(True, SET_ASIDE, reason, _SET_ASIDE))

    def _placed(self, note: TaskNote) -> int:
        """Return the place of a note, which is added where it is new."""
        place = self._place.setdefault(note, len(self._said))
        if place == len(self._said):
            self._said.append(note)
        return place

    def of(self, video: Video) -> TaskNote | None:
        """Return what the reports say of a video."""
        return self._said[self._marks.get(video.digest, 0) >> 1]

    def knows(self, key: bytes) -> bool:
        """Tell whether a row of the reports names this object."""
        return self._marks.get(key, 0) > 1

    def begin(self) -> None:
        """Forget which objects the manifest named, so that another join may begin."""
        if any(mark & 1 for mark in self._marks.values()):
            self._marks = {key: mark & ~1 for key, mark in self._marks.items() if mark > 1}

    def meet(self, key: bytes) -> tuple[TaskNote | None, bool]:
        """Return what the reports say of an object that a row of the manifest names, and whether an earlier row did."""
        mark = self._marks.get(key, 0)
        self._marks[key] = mark | 1
        return self._said[mark >> 1], bool(mark & 1)

    @property
    def unmet(self) -> int:
        """Return how many objects of the reports no row of the manifest has named."""
        return sum(not mark & 1 for mark in self._marks.values())


@dataclass(slots=True)
class TruthTable:
    """The counts of a truth table, and whether they add up to the manifest."""

    statuses: Counter[ObjectStatus] = field(default_factory=Counter)
    repeated: int = 0
    expected: int | None = None
    set_aside: int = 0
    """Objects that were left out of the job when the scan was submitted, beyond `expected`."""
    foreign: int = 0

    def count(self, outcome: ObjectResult) -> None:
        """Count one object."""
        self.statuses[outcome.status] += 1
        self.repeated += outcome.again

    @property
    def total(self) -> int:
        """Return how many objects were counted."""
        return self.statuses.total()

    @property
    def adds_up(self) -> bool:
        """Tell whether every row of the manifest is accounted for, and nothing else."""
        return self.foreign == 0 and self.statuses[ObjectStatus.LOST] == 0 and self.expected in (None, self.total - self.set_aside)

    @property
    def settled(self) -> bool:
        """Tell whether every object was looked at, with a verdict; one that was skipped was not."""
        return self.adds_up and sum(self.statuses[status] for status in ANALYSED) == self.total


def join(videos: Iterable[Video], notes: ReportNotes, records: Records, scan_id: str, truth: TruthTable) -> Iterator[ObjectResult]:
    """Yield the status of each video of the manifest, in its order, counting it; memory holds ids only.

    When the manifest is through, `truth.foreign` says how many objects the reports know that the manifest does not.
    """
    return joined(_answered(videos, records, scan_id), notes, truth)


def answered(videos: Iterable[Video], answers: Iterable[tuple[bytes, Known | None]]) -> Iterator[Answered]:
    """Yield each video with the answer about it, which come in one order; see `tools/lib/review/asking.py`."""
    for video, (key, known) in zip(videos, answers, strict=True):
        yield video, key, known


def joined(answers: Iterable[Answered], notes: ReportNotes, truth: TruthTable) -> Iterator[ObjectResult]:
    """As `join`, where the table has been asked already."""
    notes.begin()
    unreported = notes.gaps[0] if notes.gaps else None
    for video, key, known in answers:
        note, again = notes.meet(key)
        outcome = result_of(video, note, known, again=again, unreported=unreported)
        truth.count(outcome)
        yield outcome
    truth.foreign = notes.unmet


def result_of(
    video: Video, note: TaskNote | None, known: Known | None, *, again: bool = False, unreported: str | None = None
) -> ObjectResult:
    """Return what became of a video: the table's word first, then the report's, then the manifest's.

    `unreported` says why the lack of a row does not prove that there was no task. An object without record and row counts as
    never attempted all the same, since another attempt is what it needs: what is not a video is skipped again, and costs nothing.
    """
    if isinstance(known, Record):
        problem = known.problem
        reason, message = (problem.code, problem.message) if problem else (None, None)
        ineligible = known.state is State.FAILED and reason in INELIGIBLE
        return ObjectResult(video, ObjectStatus.INELIGIBLE if ineligible else _STATUSES[known.state], known, reason, message, again)
    if known is not None:
        return ObjectResult(video, _STATUSES[known], again=again)
    if note is None:
        return ObjectResult(video, ObjectStatus.NEVER_ATTEMPTED, None, "not-reported" if unreported else None, unreported, again)
    if not note.succeeded:
        return ObjectResult(video, ObjectStatus.FAILED, None, note.reason, note.message, again)
    status = _UNRECORDED.get(note.state or "", ObjectStatus.LOST)
    return ObjectResult(video, status, None, note.reason, note.message, again)


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


def _answered(videos: Iterable[Video], records: Records, scan_id: str) -> Iterator[Answered]:
    source = iter(videos)
    while batch := [(video, video.digest) for video in islice(source, BATCH)]:
        ids = dict.fromkeys(key.hex() for _, key in batch)
        known = {record.video.digest: record for record in records.records((video_id, scan_id) for video_id in ids)}
        yield from ((video, key, known.get(key)) for video, key in batch)


SET_ASIDE = "INELIGIBLE"
"""The state of a note about an object that was left out of the job."""
_UNRECORDED = {"SKIPPED": ObjectStatus.SKIPPED, SET_ASIDE: ObjectStatus.INELIGIBLE}
_STATUSES = {
    State.CLEAN: ObjectStatus.CLEAN,
    State.FLAGGED: ObjectStatus.FLAGGED,
    State.FAILED: ObjectStatus.FAILED,
    State.CANCELLED: ObjectStatus.CANCELLED,
    State.RUNNING: ObjectStatus.RUNNING,
    State.WAITING: ObjectStatus.WAITING,
}
