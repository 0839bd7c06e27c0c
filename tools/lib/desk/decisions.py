"""Decisions that a browser sends, each written at once if what is stored is still what that browser saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from handlers.adapters.table import Outcome, Table
from handlers.domain import Decision, Problem
from handlers.runtime.clock import Clock
from tools.lib.desk.live_review import LiveReview
from tools.lib.desk.refusal import RefusedError
from tools.lib.review import ObjectResult
from tools.lib.review.apply import changed, record_of_left_out
from tools.lib.review.decisions import MAX_NAME, EntryError, decision_about, is_name
from tools.lib.review.inputs import LeftOut
from tools.lib.review.page.videos import recorded_json

# Decisions of one request.
MOST = 100
# Seconds: decisions are kept to the millisecond, and a later one has a later time whatever the clocks of two machines say.
_LATER = 0.001

_LOOK_AGAIN = "Load the page of the desk again, look at the video there, and decide again."


class Written(StrEnum):
    """What became of a decision."""

    WRITTEN = "written"
    CONFLICT = "conflict"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Asked:
    """A decision that a browser asks for; `before` is the time of the one that it saw (epoch seconds), None if it saw none."""

    decision: Decision
    before: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a decision, and what the table has about the video now."""

    video_id: str
    outcome: Written
    recorded: Decision | None = None
    reason: str | None = None
    cure: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.video_id,
            "outcome": self.outcome.value,
            "recorded": None if self.recorded is None else recorded_json(self.recorded),
            "reason": self.reason,
            "cure": self.cure,
        }


class Deciding:
    """Writes the decisions of one request about the videos of a review."""

    def __init__(self, table: Table, review: LiveReview, clock: Clock) -> None:
        self._table = table
        self._review = review
        self._clock = clock

    def write(self, body: object) -> list[Answer]:
        """Write the decisions of a request, each whatever becomes of the others; return what became of them, in their order.

        Raises:
            RefusedError: The request as a whole breaks a rule.
        """
        decided_by, given = _checked(body)
        answers: dict[int, Answer] = {}
        asked: dict[int, Asked] = {}
        for place, each in enumerate(given):
            try:
                asked[place] = self._asked(each, decided_by)
            except EntryError as error:
                answers[place] = Answer(str(each.get("id")), Written.REFUSED, None, f"{error}.", _LOOK_AGAIN)
        answers |= dict(zip(asked, self._written(list(asked.values())), strict=True))
        return [answers[place] for place in range(len(given))]

    def _asked(self, given: Mapping[str, object], decided_by: str) -> Asked:
        """Return what a browser asks for, about a video that the desk itself shows.

        Raises:
            EntryError: It breaks a rule, or the desk does not show such a video.
        """
        video_id = given.get("id")
        outcome = self._review.find(video_id) if isinstance(video_id, str) else None
        if outcome is None:
            raise EntryError("the desk shows no such video")
        before = _before(given.get("before"))
        now = round(self._clock.now(), 3)
        at = now if before is None else max(now, round(before + _LATER, 3))
        decision = decision_about(outcome.video, given, scan_id=self._review.scan.id, decided_by=decided_by, decided_at=at)
        if outcome.record is None:
            self._register(outcome)
        return Asked(decision, before)

    def _register(self, outcome: ObjectResult) -> None:
        """Write the record of an object that was left out of the scan's job: it has none until it is decided about."""
        problem = Problem(outcome.reason or "", outcome.message or "")
        record = record_of_left_out(self._review.scan, LeftOut(outcome.video, problem, outcome.listed), self._clock.now())
        self._table.records.register(record, None)

    def _written(self, asked: Sequence[Asked]) -> list[Answer]:
        outcomes = self._table.decisions.note_decisions([each.decision for each in asked])
        return [self._answer(each.decision, outcome) for each, outcome in zip(asked, outcomes, strict=True)]

    def _answer(self, decision: Decision, outcome: Outcome) -> Answer:
        video_id = decision.video.id
        if outcome is not Outcome.BY_ANOTHER:
            self._review.note_decision(video_id, decision)
            return Answer(video_id, Written.WRITTEN, decision)
        # Only now anything is read: a decision that is written takes one request.
        now = self._review.read_again(video_id)
        recorded = now.decision if now is not None else None
        problem = changed(decision, now.record if now is not None else None)
        if problem is not None:
            return Answer(video_id, Written.REFUSED, recorded, f"{problem[0]}.", problem[1])
        if recorded is None:
            return Answer(video_id, Written.CONFLICT, None, "Its record was changed at the same moment.", "Decide again.")
        who = f"{recorded.decided_by} decided first: {recorded.judgement.value}."
        return Answer(video_id, Written.CONFLICT, recorded, who, "Look at that decision, and decide again if it is wrong.")


def _checked(body: object) -> tuple[str, list[Mapping[str, object]]]:
    """Return who decides, and the entries of a request.

    Raises:
        RefusedError: It is not an object with a name and a list of objects.
    """
    values = body if isinstance(body, dict) else {}
    name, given = values.get("decided_by"), values.get("decisions")
    if not is_name(name):
        reason = f'"decided_by" must be a name of at most {MAX_NAME} characters.'
        raise RefusedError(HTTPStatus.BAD_REQUEST, reason, "Fill in 'Decided by' on the page.")
    if not (isinstance(given, list) and len(given) <= MOST and all(isinstance(each, dict) for each in given)):
        reason = f'"decisions" must be a list of at most {MOST} objects.'
        raise RefusedError(HTTPStatus.BAD_REQUEST, reason, "Send the rest with the next request.")
    return name.strip(), given


def _before(given: object) -> float | None:
    """Return the time of the decision that a browser saw.

    Raises:
        EntryError: It is neither null nor a time with its zone.
    """
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else None
        seconds = moment.timestamp() if moment is not None and moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        seconds = None
    if seconds is None:
        raise EntryError('"before" must be null, or the time of the decision that the page showed')
    return round(seconds, 3)
