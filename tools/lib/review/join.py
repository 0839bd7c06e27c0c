"""The truth about a scan: manifest, completion reports and table joined, so that every object is in exactly one state.

A succeeded batch task only means that a video was accepted, so the report alone cannot tell what became of it; and a task that
failed may have left no record, so the table alone cannot either.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from handlers.domain.identity import Video, digest_of
from handlers.domain.reasons import INELIGIBLE
from handlers.domain.record import Record
from handlers.domain.states import State
from tools.lib.review.completion_report import ReportRow
from tools.lib.review.ids import IdNotes
from tools.lib.review.recorded import Known, Recorded

_MAX_ROWS = 1_024
_SET_ASIDE = "left out of the batch job when the scan was submitted"


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


@dataclass(frozen=True, slots=True)
class TaskNote:
    """What the report says of a task, as far as it matters once the table has been asked."""

    succeeded: bool
    state: str | None = None
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the manifest: its video with its id, what the reports say of it, and whether an earlier row names it too."""

    video: Video
    key: bytes
    note: TaskNote | None
    again: bool


# What is marked of an object: a report tells of it; the index calls it clean; a row of the manifest names it, and did when the
# manifest was read a second time.
_NOTED, CLEAN, MET, MET_AGAIN = 1, 2, 4, 8


class ReportNotes:
    """What the reports of a scan say of each object, a later job's word counting, and which the index calls clean.

    Ten million objects must fit beside everything else: rows that say the same share one note.

    Attributes:
        rows: How many rows were noted.
        clean: How many objects the index calls clean.
        unmet: How many objects of the reports no row of the manifest has named.
        gaps: Why the reports do not tell of every task that ran, a sentence each; empty where they do.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.clean = 0
        self.unmet = 0
        self.gaps: list[str] = []
        self._said: list[TaskNote | None] = [None]
        self._place: dict[TaskNote, int] = {}
        self._rows: dict[tuple[bool, str, str], int] = {}
        """The places of what rows say to the letter, the first of them: most rows of a report say the same."""
        self._ids = IdNotes()
        """The place of each object's note in `_said`, and its marks."""

    def take(self, row: ReportRow) -> None:
        """Note a row of a report."""
        said = (row.succeeded, row.error_code, row.message)
        place = self._rows.get(said)
        if place is None:
            place = self._placed(note_of(row))
            if len(self._rows) < _MAX_ROWS:
                self._rows[said] = place
        self._put(digest_of(row.bucket, row.key, row.version_id), place)
        self.rows += 1

    def set_aside(self, video: Video, reason: str) -> None:
        """Note that an object was left out of the job, and why; what a report says of it later counts."""
        self._put(video.digest, self._placed(TaskNote(True, SET_ASIDE, reason, _SET_ASIDE)))

    def take_clean(self, ids: Iterable[bytes]) -> None:
        """Note the objects that the index calls clean; it may name one twice, which moved while it was read."""
        for key in ids:
            if not self._ids.mark(key, CLEAN) & CLEAN:
                self.clean += 1

    def _put(self, key: bytes, place: int) -> None:
        if not self._ids.put(key, _NOTED, place) & _NOTED:
            self.unmet += 1

    def _placed(self, note: TaskNote) -> int:
        """Return the place of a note, which is added where it is new."""
        place = self._place.setdefault(note, len(self._said))
        if place == len(self._said):
            self._said.append(note)
        return place

    def of(self, key: bytes) -> TaskNote | None:
        """Return what the reports say of an object."""
        return self._said[self._ids.place(key)]

    def meet(self, key: bytes) -> int:
        """Note that a row of the manifest names an object; return its marks before."""
        marks = self._ids.mark(key, MET)
        if marks & (_NOTED | MET) == _NOTED:
            self.unmet -= 1
        return marks

    def meet_again(self, key: bytes) -> int:
        """As `meet`, where the manifest is read a second time."""
        return self._ids.mark(key, MET_AGAIN)


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


def join(
    videos: Callable[[], Iterable[Video]], notes: ReportNotes, recorded: Recorded, truth: TruthTable
) -> Iterator[ObjectResult]:
    """Yield what became of the videos of the manifest, and count all of it; memory holds ids only.

    What the index calls clean is counted alone, once it is known to be right. Everything else is read from the table, in the
    order of the manifest; where the index was wrong, what it calls clean is too, afterwards. When all is through, `truth.foreign`
    says how many objects the reports know that the manifest does not.
    """
    clean, counted = Counter[int](), Counter[State]()
    yield from _joined(_not_clean(videos(), notes, clean), notes, recorded, truth, counted)
    truth.foreign = notes.unmet
    counted[State.CLEAN] += notes.clean
    if not clean or recorded.agrees(counted):
        truth.statuses[ObjectStatus.CLEAN] += clean.total()
        truth.repeated += clean[MET]
    else:
        yield from _joined(_said_clean(videos(), notes), notes, recorded, truth, counted)


def _not_clean(videos: Iterable[Video], notes: ReportNotes, clean: Counter[int]) -> Iterator[Row]:
    """Yield the rows that the index does not call clean; the others are counted, those that an earlier row names (MET) apart."""
    for video in videos:
        key = video.digest
        marks = notes.meet(key)
        if marks & CLEAN:
            clean[marks & MET] += 1
        else:
            yield Row(video, key, notes.of(key), again=bool(marks & MET))


def _said_clean(videos: Iterable[Video], notes: ReportNotes) -> Iterator[Row]:
    """Yield the rows that the index calls clean."""
    for video in videos:
        key = video.digest
        marks = notes.meet_again(key)
        if marks & CLEAN:
            yield Row(video, key, notes.of(key), again=bool(marks & MET_AGAIN))


def _joined(
    rows: Iterable[Row], notes: ReportNotes, recorded: Recorded, truth: TruthTable, counted: Counter[State]
) -> Iterator[ObjectResult]:
    unreported = notes.gaps[0] if notes.gaps else None
    for row, known in recorded.ask(rows):
        if known is not None and not row.again:
            counted[known.state if isinstance(known, Record) else known] += 1
        outcome = result_of(row.video, row.note, known, again=row.again, unreported=unreported)
        truth.count(outcome)
        yield outcome


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
