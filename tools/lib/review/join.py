"""Manifest, completion reports and table of a scan joined, so that every object has exactly one status.

A succeeded batch task only means that a video was accepted, so the report alone does not show what became of it. A failed task may
have left no record, so the table alone does not either.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from handlers.domain import Decision, Judgement, ObjectFacts, Problem, Record, State, Video
from handlers.domain.decision import FOUND, content_of
from handlers.domain.identity import digest_of
from handlers.domain.languages import ENGLISH, Phrase
from handlers.domain.reasons import INELIGIBLE
from tools.lib.review.completion_report import ReportRow
from tools.lib.review.draw import Draw
from tools.lib.review.ids import IdNotes
from tools.lib.review.recorded import Known, Recorded

# Bucket, key and version of an object. A `Video` takes ten times as long to make, and of a million most are only counted.
Named: TypeAlias = tuple[str, str, str | None]

# Distinct rows whose notes are remembered.
_MAX_ROWS = 1_024

# The state of the note about an object that was left out of the job.
SET_ASIDE = "INELIGIBLE"


def named_of(video: Video) -> Named:
    """Return what a manifest names of a video."""
    return video.bucket, video.key, video.version_id


class ObjectStatus(StrEnum):
    """The status of an object in a review; docs/architecture.md#states has what each means.

    `SUPERSEDED` is counted and listed in place of the status of an upload that another one replaced.
    """

    CLEAN = "clean"
    FLAGGED = "flagged"
    FAILED = "failed"
    INELIGIBLE = "ineligible"
    CANCELLED = "cancelled"
    RUNNING = "running"
    WAITING = "waiting"
    SKIPPED = "skipped"
    NEVER_ATTEMPTED = "never attempted"
    LOST = "lost"
    SUPERSEDED = "superseded"


# Statuses with a verdict.
ANALYSED = frozenset({ObjectStatus.CLEAN, ObjectStatus.FLAGGED})
# Statuses without one that a person may make up for.
UNANALYSED = frozenset({ObjectStatus.FAILED, ObjectStatus.INELIGIBLE})


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """One row of the manifest with its status.

    Attributes:
        reason: Why it failed or was skipped, as a code; `message` says it in a sentence.
        again: Whether an earlier row of the manifest names the same object: two rows, one record.
        listed: Its content as it was listed, if it was left out of the job.
        decision: What a person decided about its content, in this scan or another; None where that was withdrawn or not read.
        logged: Whether anything was ever decided about its content, as far as that was read.
    """

    video: Video
    status: ObjectStatus
    record: Record | None = None
    reason: str | None = None
    message: str | None = None
    again: bool = False
    listed: ObjectFacts | None = None
    decision: Decision | None = None
    logged: bool = False

    @property
    def facts(self) -> ObjectFacts | None:
        """Return its content as it was last looked at, or as it was listed."""
        return self.record.facts if self.record else self.listed

    @property
    def etag(self) -> str | None:
        """Return the etag of its content, None where that is not known."""
        return self.facts.etag if self.facts else self.video.etag

    @property
    def content(self) -> tuple[str, str] | None:
        """Return what a decision about it is about, None where its content is not known."""
        return content_of(self.video, self.etag) if self.etag else None

    @property
    def superseded(self) -> bool:
        """Tell whether it is final and another upload has replaced it, so that there is nothing to be done about it."""
        return self.record is not None and self.record.state.final and self.record.superseded


@dataclass(frozen=True, slots=True)
class TaskNote:
    """What a report says about a task that has no record."""

    succeeded: bool
    state: str | None = None
    reason: str | None = None
    message: str | None = None
    facts: ObjectFacts | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the manifest: its video with its id, the note about it, and whether an earlier row names the same video."""

    video: Video
    key: bytes
    note: TaskNote | None
    again: bool


# Flags of an object: a report names it; the index calls it clean; the manifest names it; and it did when read a second time.
_NOTED, CLEAN, MET, MET_AGAIN = 1, 2, 4, 8


class ReportNotes:
    """What the reports of a scan say about each object, the latest job's report counting, and which the index calls clean.

    Ten million objects must fit into memory, so rows that say the same share one note.

    Attributes:
        rows: How many rows were noted.
        clean: How many objects the index calls clean.
        unmet: How many objects of the reports no row of the manifest has named.
        gaps: Why the reports do not cover every task that ran, a sentence for each reason.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.clean = 0
        self.unmet = 0
        self.gaps: list[Phrase] = []
        self._notes: list[TaskNote | None] = [None]
        # Where in `_notes` a note is.
        self._place: dict[TaskNote, int] = {}
        # The same by the text of a row: most rows of a report say the same, and need not be parsed.
        self._rows: dict[tuple[bool, str, str, str], int] = {}
        # The place of each object's note, and its flags.
        self._ids = IdNotes()

    def take(self, row: ReportRow) -> None:
        """Note how a task ended; a later row about the same object takes the place of an earlier one."""
        text = row[3:]
        place = self._rows.get(text)
        if place is None:
            place = self._placed(note_of(row))
            if len(self._rows) < _MAX_ROWS:
                self._rows[text] = place
        if not self._ids.put(digest_of(*row[:3]), _NOTED, place) & _NOTED:
            self.unmet += 1
        self.rows += 1

    def set_aside(self, video: Video, problem: Problem, facts: ObjectFacts | None = None) -> None:
        """Note that an object was left out of the job, and why; a report that names it later replaces this.

        Where its content is known it has a note of its own: a review lists each of these objects anyway.
        """
        place = self._placed(TaskNote(True, SET_ASIDE, problem.code, problem.message, facts))
        if not self._ids.put(video.digest, _NOTED, place) & _NOTED:
            self.unmet += 1

    def take_clean(self, ids: Iterable[bytes]) -> None:
        """Note the objects that the index calls clean; it may name one twice that moved while it was read."""
        mark = self._ids.mark
        self.clean += sum(not mark(key, CLEAN) & CLEAN for key in ids)

    def _placed(self, note: TaskNote) -> int:
        """Return the place of a note, which is added if it is new."""
        place = self._place.setdefault(note, len(self._notes))
        if place == len(self._notes):
            self._notes.append(note)
        return place

    def of(self, key: bytes) -> TaskNote | None:
        """Return what the reports say about an object, None if nothing."""
        return self._notes[self._ids.place(key)]

    def meet(self, key: bytes) -> int:
        """Note that a row of the manifest names an object; return its flags before."""
        flags = self._ids.mark(key, MET)
        if flags & (_NOTED | MET) == _NOTED:
            self.unmet -= 1
        return flags

    def meet_again(self, key: bytes) -> int:
        """As `meet`, where the manifest is read a second time."""
        return self._ids.mark(key, MET_AGAIN)


@dataclass(slots=True)
class TruthTable:
    """How many objects have each status, and whether the counts add up to the manifest, or to the totals of a day's scan.

    Attributes:
        decided: Those that a person decided about, by their status; of clean ones only what the review reads one by one.
        repeated: Rows of the manifest that name an object of an earlier row.
        expected: Rows that the manifest had when the scan was submitted, or records that a day's scan has by its totals; None if
            unknown.
        set_aside: Objects that were left out of the job; `expected` does not include them.
        foreign: Objects that the reports name and the manifest does not.
    """

    statuses: Counter[ObjectStatus] = field(default_factory=Counter)
    decided: Counter[tuple[ObjectStatus, Judgement]] = field(default_factory=Counter)
    repeated: int = 0
    expected: int | None = None
    set_aside: int = 0
    foreign: int = 0

    def count(self, outcome: ObjectResult) -> None:
        self.statuses[ObjectStatus.SUPERSEDED if outcome.superseded else outcome.status] += 1
        self.repeated += outcome.again

    def count_decision(self, outcome: ObjectResult) -> None:
        if outcome.decision is not None and not outcome.superseded:
            self.decided[outcome.status, outcome.decision.judgement] += 1

    def looked_at(self, status: ObjectStatus) -> int:
        """Return how many objects of a status a person has decided about."""
        return sum(self.decided[status, judgement] for judgement in FOUND)

    @property
    def total(self) -> int:
        return self.statuses.total()

    @property
    def adds_up(self) -> bool:
        """Tell whether every row of the manifest is accounted for, and nothing else."""
        return self.foreign == 0 and self.statuses[ObjectStatus.LOST] == 0 and self.expected in (None, self.total - self.set_aside)

    @property
    def settled(self) -> bool:
        """Tell whether every object has a verdict or the decision of a person, or needs none because it is superseded.

        A skipped one has neither.
        """
        settled = sum(self.statuses[status] for status in (*ANALYSED, ObjectStatus.SUPERSEDED))
        return self.adds_up and settled + sum(map(self.looked_at, UNANALYSED)) == self.total


def join(
    named: Callable[[], Iterable[Named]],
    notes: ReportNotes,
    recorded: Recorded,
    truth: TruthTable,
    draw: Draw | None = None,
) -> Iterator[ObjectResult]:
    """Yield the results of the objects that the manifest names, and count them in `truth`; memory holds ids only.

    `draw` is offered the clean videos that are only counted.

    Objects that the index does not call clean are read from the table, in the order of the manifest. The others are only counted if
    the totals show that the index is right; if it is not, they are read from the table too, afterwards.
    """
    clean, counted = Counter[int](), Counter[State]()
    draw = draw or Draw()
    by_index = draw.another()
    yield from _joined(_not_clean(named(), notes, clean, by_index), notes, recorded, truth, counted)
    truth.foreign = notes.unmet
    counted[State.CLEAN] += notes.clean
    if not clean or recorded.agrees(counted):
        truth.statuses[ObjectStatus.CLEAN] += clean.total()
        truth.repeated += clean[MET]
        draw.take(by_index)
    else:
        yield from _joined(_clean_by_index(named(), notes), notes, recorded, truth, counted)


def _not_clean(named: Iterable[Named], notes: ReportNotes, clean: Counter[int], draw: Draw) -> Iterator[Row]:
    """Yield the rows that the index does not call clean.

    Draw of the others, and count them, separately those that repeat an earlier row (MET).
    """
    meet = notes.meet
    for each in named:
        key = digest_of(*each)
        flags = meet(key)
        if flags & CLEAN:
            clean[flags & MET] += 1
            if draw.count and not flags & MET:
                draw.offer(Video(*each), key)
        else:
            yield Row(Video(*each), key, notes.of(key), again=bool(flags & MET))


def _clean_by_index(named: Iterable[Named], notes: ReportNotes) -> Iterator[Row]:
    for each in named:
        key = digest_of(*each)
        flags = notes.meet_again(key)
        if flags & CLEAN:
            yield Row(Video(*each), key, notes.of(key), again=bool(flags & MET_AGAIN))


def _joined(
    rows: Iterable[Row], notes: ReportNotes, recorded: Recorded, truth: TruthTable, counted: Counter[State]
) -> Iterator[ObjectResult]:
    unreported = ENGLISH.render(notes.gaps[0]) if notes.gaps else None
    for row, known in recorded.ask(rows):
        if known is not None and not row.again:
            counted[known.state if isinstance(known, Record) else known] += 1
        outcome = result_of(row.video, row.note, known, again=row.again, unreported=unreported)
        truth.count(outcome)
        yield outcome


def result_of(
    video: Video, note: TaskNote | None, known: Known | None, *, again: bool = False, unreported: str | None = None
) -> ObjectResult:
    """Return the result of a video: by the table if it knows the video, else by the report, else by the manifest.

    `unreported` says why a missing row of the report does not prove that there was no task. An object without record and row still
    counts as never attempted, since another attempt is what it needs: an object that is not a video costs nothing then.
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
    status = _UNRECORDED.get(note.state, ObjectStatus.LOST)
    return ObjectResult(video, status, None, note.reason, note.message, again, note.facts)


def note_of(row: ReportRow) -> TaskNote:
    """Return what a report's row says: the JSON of our function if the row has it, else the words of AWS."""
    result = _result_of_function(row.message)
    if row.succeeded:
        return TaskNote(succeeded=True, state=result.get("state"), reason=result.get("reason"), message=result.get("message"))
    return TaskNote(
        succeeded=False,
        reason=result.get("reason") or row.error_code or None,
        message=result.get("message") or (None if result else row.message),
    )


def _result_of_function(message: str) -> Mapping[str, str]:
    try:
        result = json.loads(message)
    except ValueError:
        return {}
    return {name: text for name, text in result.items() if isinstance(text, str)} if isinstance(result, dict) else {}


_UNRECORDED: Mapping[str | None, ObjectStatus] = {"SKIPPED": ObjectStatus.SKIPPED, SET_ASIDE: ObjectStatus.INELIGIBLE}
_STATUSES = {state: ObjectStatus(state.value.lower()) for state in State}
