"""Decisions that a browser sends, each written at once if what is stored is still what that browser saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from handlers.adapters.table import Noted, Outcome, Table
from handlers.adapters.table.decisions import TOGETHER
from handlers.domain import Decision, Problem
from handlers.domain.decision import time_of_decision
from handlers.domain.languages import Language, Phrase, phrase
from handlers.runtime.clock import Clock
from tools.lib.cli import as_tool_error
from tools.lib.desk.live_review import LiveReview
from tools.lib.desk.refusal import FROM_AWS, RefusedError
from tools.lib.review import ObjectResult
from tools.lib.review.apply import changed, record_of_left_out
from tools.lib.review.decisions import MAX_NAME, EntryError, decision_about, is_name
from tools.lib.review.inputs import LeftOut
from tools.lib.review.page.videos import recorded_json

# Decisions of one request.
MOST = 100

_LOOK_AGAIN = phrase("Load the page of the desk again, look at the video there, and decide again.")


class Written(StrEnum):
    """What became of a decision."""

    WRITTEN = "written"
    CONFLICT = "conflict"
    REFUSED = "refused"


class _NotShownError(Exception):
    """A decision that the desk does not take, whatever it says."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(reason.sentence)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Asked:
    """A decision that a browser asks for; `before` is the time of the one that it saw (epoch seconds), None if it saw none."""

    decision: Decision
    before: float | None

    def after(self, stored: Decision | None, now: float) -> Asked:
        """Return the same, made later than what is stored."""
        return replace(self, decision=replace(self.decision, decided_at=time_of_decision(now, stored)))


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a decision, and what the table has about the video now."""

    video_id: str
    outcome: Written
    recorded: Decision | None = None
    reason: str | Phrase | None = None
    cure: str | Phrase | None = None

    def as_json(self, language: Language) -> dict[str, Any]:
        return {
            "id": self.video_id,
            "outcome": self.outcome.value,
            "recorded": None if self.recorded is None else recorded_json(self.recorded),
            "reason": _in(language, self.reason),
            "cure": _in(language, self.cure),
        }


class Deciding:
    """Writes the decisions of one request about the videos of a review."""

    def __init__(self, table: Table, review: LiveReview, clock: Clock, report: Callable[[Exception], None]) -> None:
        self._table = table
        self._review = review
        self._clock = clock
        self._report = report

    def write(self, body: object) -> list[Answer]:
        """Write the decisions of a request, each whatever becomes of the others; return what became of them, in their order.

        Raises:
            RefusedError: The request as a whole breaks a rule.
        """
        decided_by, given = _checked(body)
        answers: dict[int, Answer] = {}
        asked: dict[int, Asked] = {}
        contents: set[tuple[str, str]] = set()
        for place, each in enumerate(given):
            try:
                asked[place] = self._asked(each, decided_by, contents)
            except _NotShownError as error:
                answers[place] = Answer(str(each.get("id")), Written.REFUSED, None, error.reason, _LOOK_AGAIN)
            except EntryError as error:
                broken = phrase("The request breaks a rule: {rule}.", rule=str(error))
                answers[place] = Answer(str(each.get("id")), Written.REFUSED, None, broken, _LOOK_AGAIN)
        answers |= dict(zip(asked, self._written_in_parts(list(asked.values())), strict=True))
        return [answers[place] for place in range(len(given))]

    def _asked(self, given: Mapping[str, object], decided_by: str, contents: set[tuple[str, str]]) -> Asked:
        """Return what a browser asks for, about a video that the desk itself shows, and add its content to those of the request.

        Raises:
            EntryError: It breaks a rule.
            _NotShownError: The desk does not show such a video, or the request has decided about it before.
        """
        video_id = given.get("id")
        outcome = self._review.find(video_id) if isinstance(video_id, str) else None
        if outcome is None:
            raise _NotShownError(phrase("The desk shows no such video."))
        before = _before(given.get("before"))
        at = time_of_decision(self._clock.now(), outcome.decision)
        decision = decision_about(outcome.video, given, scan_id=self._review.scan.id, decided_by=decided_by, decided_at=at)
        if decision.content in contents:
            raise _NotShownError(phrase("The request has two decisions about this video."))
        contents.add(decision.content)
        if outcome.record is None:
            self._register(outcome)
        return Asked(decision, before)

    def _register(self, outcome: ObjectResult) -> None:
        """Write the record of an object that was left out of the scan's job: it has none until it is decided about."""
        problem = Problem(outcome.reason or "", outcome.message or "")
        record = record_of_left_out(self._review.scan, LeftOut(outcome.video, problem, outcome.listed), self._clock.now())
        self._table.records.register(record, None)

    def _written_in_parts(self, asked: list[Asked]) -> list[Answer]:
        """Write as many decisions together as one transaction takes: where AWS fails, what was written before is said to be so."""
        answers: list[Answer] = []
        for first in range(0, len(asked), TOGETHER):
            try:
                answers += self._written(asked[first : first + TOGETHER])
            except FROM_AWS as error:
                if not answers:
                    raise
                self._report(error)
                explained = as_tool_error(error)
                answers += [Answer(each.decision.video.id, Written.REFUSED, None, *explained.phrases) for each in asked[first:]]
                break
        return answers

    def _written(self, asked: list[Asked]) -> list[Answer]:
        written = self._noted(asked)
        # A decision that another machine made, or withdrew, may have a later time than this machine's clock.
        late = [place for place, noted in enumerate(written) if _is_late(asked[place], noted)]
        later = [asked[place].after(written[place].stored, self._clock.now()) for place in late]
        for place, decision, noted in zip(late, later, self._noted(later), strict=True):
            asked[place], written[place] = decision, noted
        return [self._answer(each.decision, noted) for each, noted in zip(asked, written, strict=True)]

    def _noted(self, asked: Sequence[Asked]) -> list[Noted]:
        return self._table.decisions.note_decisions_as_seen([each.decision for each in asked], [each.before for each in asked])

    def _answer(self, decision: Decision, noted: Noted) -> Answer:
        video_id = decision.video.id
        if noted.outcome is not Outcome.BY_ANOTHER:
            self._review.note_decision(video_id, decision)
            return Answer(video_id, Written.WRITTEN, decision)
        if noted.record_changed:
            now = self._review.read_again(video_id)
            problem = changed(decision, now.record if now is not None else None)
            recorded = now.decision if now is not None else None
            reason = problem[0] if problem else phrase("its record was changed at the same moment")
            cure = _LOOK_AGAIN if problem else phrase("Decide again.")
            return Answer(video_id, Written.REFUSED, recorded, phrase("{reason}.", reason=reason), cure)
        self._review.note_decision(video_id, noted.stored)
        return Answer(video_id, Written.CONFLICT, noted.stored, *_first(noted.stored))


def _is_late(asked: Asked, noted: Noted) -> bool:
    """Tell whether a decision was not written for its time alone."""
    stored = noted.stored
    if noted.outcome is not Outcome.BY_ANOTHER or noted.record_changed or stored is None:
        return False
    seen = stored.decided_at == asked.before or (asked.before is None and not stored.stands)
    return seen and asked.decision.decided_at <= stored.decided_at


def _first(stored: Decision | None) -> tuple[Phrase, Phrase]:
    """Return who decided first, and what to do."""
    cure = phrase("Look at it again, and decide again if that is wrong.")
    if stored is None or not stored.stands:
        return phrase("The decision that the page showed was withdrawn meanwhile."), cure
    return phrase("{person} decided first.", person=stored.decided_by), cure


def _in(language: Language, sentence: str | Phrase | None) -> str | None:
    return language.render(sentence) if isinstance(sentence, Phrase) else sentence


def _checked(body: object) -> tuple[str, list[Mapping[str, object]]]:
    """Return who decides, and the entries of a request.

    Raises:
        RefusedError: It is not an object with a name and a list of objects.
    """
    values = body if isinstance(body, dict) else {}
    name, given = values.get("decided_by"), values.get("decisions")
    if not is_name(name):
        reason = phrase("Who decides must be a name of at most {most} characters.", most=MAX_NAME)
        raise RefusedError(HTTPStatus.BAD_REQUEST, reason, phrase("Fill in 'Decided by' on the page."))
    if not (isinstance(given, list) and len(given) <= MOST and all(isinstance(each, dict) for each in given)):
        reason = phrase('"decisions" must be a list of at most {most} objects.', most=MOST)
        raise RefusedError(HTTPStatus.BAD_REQUEST, reason, phrase("Send the rest with the next request."))
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
