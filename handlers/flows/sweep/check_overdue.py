"""Polling overdue analyses: a notice may be lost, or `completion` may have failed on it."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.adapters import AnalysisReader, CompletionFunction, NoSuchJobError, code_of, fault_of
from handlers.adapters.table import Outcome, Records, Running, Scans
from handlers.domain import JobStatus, Problem, Record, Scan, State, notice, reasons
from handlers.domain.record import FEW_LOST_NOTICES
from handlers.flows.sweep import rules
from handlers.flows.sweep.context import SweepContext
from handlers.runtime import Clock, Log

# Rekognition takes 5 Gets a second in small Regions (General Reference), and completion needs them for its pages.
PACE_SECONDS = 1.0

# The same while all slots are in use: all 20 jobs of an account can be asked about in one sweep.
PACE_SOON_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class CheckOverdue:
    """Polls analyses that are overdue and passes finished ones to `completion`; it never reads results itself."""

    _records: Records
    _scans: Scans
    _reader: AnalysisReader
    _completion: CompletionFunction
    _clock: Clock
    _topic_arn: str
    _slots: int

    def run(self, context: SweepContext, until: float) -> None:
        """Poll overdue analyses, least recently polled first; sooner and faster if all slots are in use, or notices are lost."""
        # In this order one that begins to run in between counts twice, never not at all.
        starting, running = self._records.starting(), self._records.running()
        now, slots = self._clock.now(), context.settings().slots or self._slots
        soon = len(starting) + len(running) >= slots or any(scan.handed_over_lately for scan in context.scans() if scan.live)
        due = [each for each in running if rules.overdue(each, now, soon=soon)]
        for each in sorted(due, key=rules.last_polled):
            if self._clock.now() > until or not self._checked(each, PACE_SOON_SECONDS if soon else PACE_SECONDS):
                return

    def _checked(self, running: Running, pace_seconds: float) -> bool:
        """Poll or give up one analysis; return False if Rekognition throttles or fails, so that no more can be polled."""
        problem = rules.given_up(running, self._clock.now())
        if problem is not None or running.job_id is None:
            self._fail(running, problem or Problem(reasons.RESULT_LOST, "Its job is unknown."))
            return True
        if self._records.note_polled(running, at=self._clock.now()) is not Outcome.DONE:
            # Another sweeper polls it, or it is over.
            return True
        answered = self._polled(running, running.job_id)
        self._clock.sleep(pace_seconds)
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
            self._count(running, log)
            self._completion.invoke(notice.as_event(job_id, self._topic_arn, self._clock.now()))
        return True

    def _count(self, running: Running, log: Log) -> None:
        """Count an analysis once as handed over, unless its Start was repeated: its notice may have come before it was known."""
        if running.handed_over or running.repeated:
            return
        scan = self._scans.count_handed_over(running.scan_id)
        if scan is not None and not scan.notices_mailed and scan.handed_over_lately >= FEW_LOST_NOTICES:
            self._mail_if_lacking(scan, log)
        self._records.note_handed_over(running)

    def _mail_if_lacking(self, scan: Scan, log: Log) -> None:
        """Have the operator mailed if too many notices are lost to be chance."""
        if scan.lacks_notices(self._scans.totals(scan.id).final) and self._scans.note_lost_notices(scan.id) is Outcome.DONE:
            log.alarm("completion notices do not arrive", handed_over=scan.handed_over)

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
