"""Complete: turns a notice into hits, segments and a verdict. Only the job id is taken from the notice, all else from Rekognition.

A job is ours if a RUNNING item names its id, which Start returned for our token. The tag proves nothing: anyone in the account may
start a job with our tag and other parameters. A notice that comes before the starter has written the id is ignored; the sweeper
polls the job later.

Hits and segments are written before the one final transition, so a final record is never without them, and completing twice
changes nothing. See docs/architecture.md#completing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from handlers.adapters import AnalysisReader, HitFile, HitStore, NoSuchJobError, StalePagesError, aws_errors
from handlers.adapters.table import Records
from handlers.domain import Findings, JobFacts, JobStatus, Page, Policy, Problem, Record, SegmentBuilder, State, notice, reasons
from handlers.flows import verdict
from handlers.runtime import Clock, Log

# Reading stops this long before the end of the invocation: writing 5,000 segments takes the rest.
LAST_SECONDS = 30.0

# How often a job is read from its first page because a page token expired.
READINGS = 3

MAX_MESSAGE = 1_000


class CompletionError(Exception):
    """Some notices failed; Lambda is to retry the event. What is done already is not done again."""


@dataclass(frozen=True, slots=True)
class CompleteFlow:
    """Reads, judges and stores the results of the analyses that notices name."""

    _records: Records
    _reader: AnalysisReader
    _hits: HitStore
    _policy: Policy
    _clock: Clock
    _topic_arn: str

    def respond(self, event: object, *, deadline: float) -> None:
        """Process every notice of an event, also after one has failed.

        Raises:
            CompletionError: At the end, if any failed.
        """
        notices = notice.parse_event(event, self._topic_arn)
        for refusal in notices.refused:
            Log().warning("notice refused", reason=refusal)
        failed = [job_id for job_id in notices.job_ids if not self._completed(job_id, deadline - LAST_SECONDS)]
        if failed:
            raise CompletionError(f"not completed: {', '.join(failed)}")

    def _completed(self, job_id: str, until: float) -> bool:
        log = Log({"job_id": job_id})
        try:
            self._complete(job_id, until, log)
        except NoSuchJobError as error:
            log.warning("notice ignored", reason="Rekognition does not know the job", detail=str(error))
        except Exception as error:  # noqa: BLE001 # the other notices are still processed; raised at the end
            log.alarm("notice not dealt with", cause=error, reason=aws_errors.code_of(error))
            return False
        return True

    def _complete(self, job_id: str, until: float, log: Log) -> None:
        for _ in range(READINGS):
            try:
                return self._read(job_id, until, log)
            except StalePagesError:
                log.warning("page token went stale")
        raise aws_errors.ThrottledError(f"the page tokens expired {READINGS} times")

    def _read(self, job_id: str, until: float, log: Log) -> None:
        record = self._record_of(job_id)
        if record is None:
            log.info("notice ignored", reason="no analysis that runs is this job: it is over, not named yet, or not ours")
            return
        log = log.bind(scan_id=record.scan_id, video_id=record.video.id)
        pages = self._reader.pages(job_id, until=until)
        first = next(pages)
        if first.facts.status is JobStatus.IN_PROGRESS:
            log.info("notice ignored", reason=first.facts.status.value)
        elif not _same_video(record, first.facts):
            self._fail(record, "Rekognition analysed another video or version in this job.", log)
        elif first.facts.status is JobStatus.FAILED:
            self._fail(record, first.facts.message, log)
        else:
            with self._hits.file(record) as file:
                findings = _findings(itertools.chain([first], pages), file)
                self._hits.keep(file)
            self._judge(record, first.facts, findings, file, log)

    def _record_of(self, job_id: str) -> Record | None:
        """Return the RUNNING record that names this job, or None."""
        found = next((running for running in self._records.running() if running.job_id == job_id), None)
        record = None if found is None else self._records.record(found.video_id, found.scan_id)
        ours = record is not None and record.state is State.RUNNING and record.rekognition_job_id == job_id
        return record if ours else None

    def _fail(self, record: Record, message: str, log: Log) -> None:
        problem = Problem(reasons.ANALYSIS_FAILED, message[:MAX_MESSAGE] or "Rekognition gave no reason.")
        outcome = self._records.finish(record.as_failed(problem, at=self._clock.now()))
        log.warning("video failed", reason=problem.code, detail=problem.message, outcome=outcome.value)

    def _judge(self, record: Record, facts: JobFacts, findings: Findings, file: HitFile, log: Log) -> None:
        analysed = replace(record, model_version=facts.model_version, duration_ms=facts.duration_ms)
        final = verdict.judged(analysed, findings, self._policy, file, at=self._clock.now())
        self._records.write_segments(final, findings.segments)
        outcome = self._records.finish(final)
        log.info(
            "analysis completed",
            state=final.state.value,
            hits=file.count,
            segments=len(findings.segments),
            outcome=outcome.value,
        )


def _findings(pages: Iterator[Page], file: HitFile) -> Findings:
    """Store and merge hits page by page: memory is bounded, however many there are."""
    builder = SegmentBuilder()
    for page in pages:
        for hit in file.take(page.hits):
            builder.add(hit)
    return builder.findings()


def _same_video(record: Record, facts: JobFacts) -> bool:
    """Tell whether Rekognition analysed the record's video; what it does not report is not compared."""
    version = record.video.version_id if record.start is None else record.start.version_id
    compared = ((facts.bucket, record.video.bucket), (facts.key, record.video.key), (facts.version_id, version))
    return all(theirs == ours or not theirs or ours is None for theirs, ours in compared)
