"""Polling overdue analyses: a notice may be lost, or `completion` may have failed on it."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.adapters import AnalysisReader, CompletionFunction, NoSuchJobError, code_of, fault_of
from handlers.adapters.table import Outcome, Records, Running
from handlers.domain import JobStatus, Problem, Record, State, notice, reasons
from handlers.flows.sweep import rules
from handlers.flows.sweep.context import SweepContext
from handlers.runtime import Clock, Log

# Rekognition takes 5 Gets a second in small Regions (General Reference), and completion needs them for its pages.
PACE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class CheckOverdue:
    """Polls analyses that are overdue and passes finished ones to `completion`; it never reads results itself."""

    _records: Records
    _reader: AnalysisReader
    _completion: CompletionFunction
    _clock: Clock
    _topic_arn: str

    def run(self, context: SweepContext, until: float) -> None:  # noqa: ARG002 # analyses are looked at one by one
        """Poll overdue analyses, least recently polled first."""
        now = self._clock.now()
        due = [running for running in self._records.running() if rules.overdue(running, now)]
        for running in sorted(due, key=rules.last_polled):
            if self._clock.now() > until or not self._checked(running):
                return

    def _checked(self, running: Running) -> bool:
        """Poll or give up one analysis; return False if Rekognition throttles or fails, so that no more can be polled."""
        problem = rules.given_up(running, self._clock.now())
        if problem is not None or running.job_id is None:
            self._fail(running, problem or Problem(reasons.RESULT_LOST, "Its job is unknown."))
            return True
        if self._records.note_polled(running, at=self._clock.now()) is not Outcome.DONE:
            # Another sweeper polls it, or it is over.
            return True
        answered = self._polled(running, running.job_id)
        self._clock.sleep(PACE_SECONDS)
        return answered

    def _polled(self, running: Running, job_id: str) -> bool:
        log = _log(running)
        try:
            status = self._reader.poll(job_id)
        except NoSuchJobError as error:
            self._fail(running, Problem(reasons.RESULT_LOST, f"Rekognition no longer knows the job ({error})."))
            return True
        except Exception as error:
            if not fault_of(error).transient:
                raise
            log.info("Rekognition would not answer", reason=code_of(error))
            return False
        if status is JobStatus.IN_PROGRESS:
            log.info("analysis still runs")
        elif self._record(running) is None:
            self._forget(running)
        else:
            log.warning("notice lost or not dealt with: handed over again", status=status.value)
            self._completion.invoke(notice.as_event(job_id, self._topic_arn, self._clock.now()))
        return True

    def _fail(self, running: Running, problem: Problem) -> None:
        record = self._record(running)
        if record is None:
            self._forget(running)
            return
        outcome = self._records.finish(record.as_failed(problem, at=self._clock.now()))
        _log(running).alarm("video failed", reason=problem.code, detail=problem.message, outcome=outcome.value)

    def _record(self, running: Running) -> Record | None:
        """Return the record of an analysis, or None if no record runs it: it was deleted, changed by hand, or retried."""
        record = self._records.record(running.video_id, running.scan_id)
        runs = record is not None and record.state is State.RUNNING and record.attempt == running.attempt
        return record if runs else None

    def _forget(self, running: Running) -> None:
        """Free the slot of an analysis that no record runs; until it was over, it took one of the account's jobs."""
        outcome = self._records.forget_running(running)
        _log(running).alarm("an analysis runs that its record does not know", outcome=outcome.value)


def _log(running: Running) -> Log:
    return Log({"scan_id": running.scan_id, "video_id": running.video_id, "job_id": running.job_id})
