"""Completing: a notice becomes hits, segments and a verdict. Only the job id is taken from the notice; Rekognition says the rest.

Design, sections 3, 4 and 5. Hits, then segments, are written before the one final transition, so that a final record is never
without them, and doing it twice costs reading and no more.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from handlers.adapters import aws_errors
from handlers.adapters.hits import HitFile, HitStore
from handlers.adapters.rekognition import AnalysisReader, NoSuchJobError, StalePagesError
from handlers.adapters.table import Records
from handlers.domain import identity, notice, reasons
from handlers.domain.analysis import JobFacts, JobStatus, Page
from handlers.domain.identity import Analysis
from handlers.domain.policy import Policy
from handlers.domain.record import Findings, Problem, Record
from handlers.domain.segments import SegmentBuilder
from handlers.runtime.clock import Clock
from handlers.runtime.logs import Log

LAST_SECONDS = 30.0
"""Reading stops so long before the invocation's end; the rest is for writing up to 5,000 segments."""

READINGS = 3
"""So often a job is read anew whose page tokens went stale on the way."""

MAX_MESSAGE = 1_000


class CompletionError(Exception):
    """Some notices could not be dealt with; Lambda is to repeat the event. What is done already is not done again."""


class Completing:
    """Deals with completion notices."""

    def __init__(
        self, records: Records, reader: AnalysisReader, hits: HitStore, policy: Policy, clock: Clock, *, topic_arn: str
    ) -> None:
        self._records = records
        self._reader = reader
        self._hits = hits
        self._policy = policy
        self._clock = clock
        self._topic_arn = topic_arn

    def respond(self, event: object, *, deadline: float) -> None:
        """Deal with every notice of an event; one that fails does not keep the others back.

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
        except Exception as error:  # noqa: BLE001 # the event's other notices must not suffer; it is raised at the end
            log.alarm("notice not dealt with", cause=error, reason=aws_errors.code_of(error))
            return False
        return True

    def _complete(self, job_id: str, until: float, log: Log) -> None:
        for _ in range(READINGS):
            try:
                return self._read(job_id, until, log)
            except StalePagesError:
                log.warning("page token went stale")
        raise aws_errors.ThrottledError(f"the page tokens went stale {READINGS} times")

    def _read(self, job_id: str, until: float, log: Log) -> None:
        pages = self._reader.pages(job_id, until=until)
        first = next(pages)
        analysis = identity.parse_tag(first.facts.tag)
        record = None if analysis is None else self._records.record(analysis.video_id, analysis.scan_id)
        reason = _foreign(analysis, record, first.facts, job_id)
        if record is None or reason is not None:
            log.warning("notice ignored", reason=reason)
            return
        log = log.bind(scan_id=record.scan_id, video_id=record.video.id)
        if first.facts.status is JobStatus.IN_PROGRESS or record.state.final:
            log.info("notice ignored", reason=f"{first.facts.status.value}, record {record.state.value}")
        elif first.facts.status is JobStatus.FAILED:
            self._fail(record, job_id, first.facts, log)
        else:
            with self._hits.file(record) as file:
                findings = _findings(itertools.chain([first], pages), file)
                self._hits.keep(file)
            self._judge(record, first.facts, findings, file, job_id=job_id, log=log)

    def _fail(self, record: Record, job_id: str, facts: JobFacts, log: Log) -> None:
        problem = Problem(reasons.ANALYSIS_FAILED, facts.message[:MAX_MESSAGE] or "Rekognition gave no reason.")
        failed = replace(record.as_failed(problem, at=self._clock.now()), rekognition_job_id=job_id)
        outcome = self._records.finish(failed)
        log.warning("video failed", reason=problem.code, detail=problem.message, outcome=outcome.value)

    def _judge(self, record: Record, facts: JobFacts, findings: Findings, file: HitFile, *, job_id: str, log: Log) -> None:
        verdict = self._policy.judge(findings)
        final = replace(
            record,
            state=verdict.state,
            rekognition_job_id=job_id,
            finished_at=self._clock.now(),
            model_version=facts.model_version,
            policy_hash=self._policy.hash,
            duration_ms=facts.duration_ms,
            labels=findings.labels,
            gap_ms=findings.gap_ms,
            counted=tuple(label.name for label in verdict.counted),
            mail_due=verdict.alert,
            hits_key=file.key,
            hits_count=file.count,
        )
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
    """Write down and merge hits page after page: what is held of them in memory is bounded, however many there are."""
    builder = SegmentBuilder()
    for page in pages:
        for hit in file.take(page.hits):
            builder.add(hit)
    return builder.findings()


def _foreign(analysis: Analysis | None, record: Record | None, facts: JobFacts, job_id: str) -> str | None:
    """Return why a job is not the one of its record's current attempt, or None where it is; `analysis` is what its tag says.

    A record may be WAITING still: the starter died between Start and its write.
    """
    if analysis is None:
        return "the job's tag is none of ours"
    if record is None:
        return "there is no record of the job's tag"
    if analysis.attempt != record.attempt:
        return f"the job is of attempt {analysis.attempt}, the record of {record.attempt}"
    if record.rekognition_job_id not in (None, job_id):
        return "the record waits for another job"
    return None if _same_video(record, facts) else "the job looked at another video or version"


def _same_video(record: Record, facts: JobFacts) -> bool:
    """Compare what Rekognition says it looked at; what it leaves out says nothing."""
    version = record.video.version_id if record.start is None else record.start.version_id
    told = ((facts.bucket, record.video.bucket), (facts.key, record.video.key), (facts.version_id, version))
    return all(said == ours or not said or ours is None for said, ours in told)
