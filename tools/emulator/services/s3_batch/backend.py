"""The engine of S3 Batch Operations: the job operations of s3control, and the life of a job.

It runs LambdaInvoke only, with CSV manifests and those that S3 generates. It emits no CloudTrail events and so no EventBridge
ones, checks nothing of IAM but the role's account, and finds a job at once after CreateJob. What AWS does not document is a setting
(`EmulatorSettings.batch_*`).
"""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tools.emulator.core import Clock, Functions, NoSuchObjectError, ObjectForbiddenError, Objects
from tools.emulator.services.s3_batch import request
from tools.emulator.services.s3_batch.errors import BatchError, bad_request, missing_job
from tools.emulator.services.s3_batch.job import ENDING, KEPT_SECONDS, SUSPENDED_SECONDS, TERMINAL, Job, Status
from tools.emulator.services.s3_batch.manifest import Manifest
from tools.emulator.services.s3_batch.pace import Ramp, Rate
from tools.emulator.services.s3_batch.preparation import PreparationError, prepare
from tools.emulator.services.s3_batch.report import Report
from tools.emulator.services.s3_batch.runner import Runner
from tools.emulator.services.s3_batch.tasks import Tasks
from tools.emulator.settings import EmulatorSettings

MAX_LISTED = 1000
# How long Completing, Cancelling and Failing last once no task is running; undocumented.
ENDING_SECONDS = 1.0

_CONTENDING = (Status.READY, Status.ACTIVE, Status.PAUSING, Status.PAUSED)
_REPORT_NAME_BYTES = 20


class BatchOperations:
    """The jobs of one account in one Region. Thread-safe; requests and answers have the form of boto3's `s3control`.

    Args:
        clock: The time, and who calls the engine back.
        settings: The account, the Region and the limits.
        objects: S3, for manifests and reports.
        functions: Lambda, for tasks.
        seed: A number for the same ids and the same order of tasks in each run; None for random ones.
    """

    def __init__(
        self, *, clock: Clock, settings: EmulatorSettings, objects: Objects, functions: Functions, seed: int | None = None
    ) -> None:
        self._clock = clock
        self.settings = settings
        self._objects = objects
        self._random = random.Random(seed)  # noqa: S311 - ids of an emulator need not be secret
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        rate = Rate(settings.batch_tasks_per_second)
        self._runner = Runner(clock, settings, functions, self._lock, self._random, self._drained, rate)

    def reset(self) -> None:
        """Forget all jobs; results that still arrive for them are dropped."""
        with self._lock:
            for job in self._jobs.values():
                job.forgotten = True
                self._release(job)
            self._jobs.clear()

    def ended_jobs(self) -> list[Job]:
        """Return the jobs of a world that has stopped; those that had not ended have failed."""
        with self._lock:
            for job in self._jobs.values():
                if job.status not in TERMINAL:
                    job.fail("InternalError", "The offline world ended before the job did")
                    job.enter(Status.FAILED, self._clock.now())
                self._release(job)
            return list(self._jobs.values())

    def restore(self, jobs: Sequence[Job]) -> None:
        """Add the jobs of an earlier world."""
        with self._lock:
            self._jobs |= {job.id: job for job in jobs}

    def create_job(self, given: Mapping[str, Any]) -> str:
        """Create a job and return its id; the same token with the same request returns the same id.

        Raises:
            BatchError: BadRequestException, IdempotencyException, TooManyRequestsException or AccessDenied.
            UnsupportedError: The emulator lacks something.
        """
        asked = request.parse(given, self.settings.account_id)
        with self._lock:
            self._age()
            for job in self._jobs.values():
                if job.request.token == asked.token:
                    return _same(job, asked)
            open_jobs = sum(job.status not in TERMINAL for job in self._jobs.values())
            if self.settings.batch_full_account_refuses_job and open_jobs >= self.settings.batch_active_jobs:
                raise BatchError("TooManyRequestsException", f"There are {open_jobs} active jobs in the account already")
            job = self._new_job(asked)
        self._clock.call_later(0.0, partial(self._start_preparing, job))
        return job.id

    def describe_job(self, job_id: str) -> dict[str, Any]:
        """Return a job as DescribeJob's `Job`, or raise `BatchError` if there is none."""
        with self._lock:
            return self._job(job_id).described(self._clock.now())

    def list_jobs(
        self, statuses: Sequence[str] = (), max_results: int | None = None, next_token: str | None = None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return a page of jobs, newest first, and the token of the next page, if there is one.

        Raises:
            BatchError: InvalidRequestException or InvalidNextTokenException.
        """
        most = MAX_LISTED if max_results is None else max_results
        if not 1 <= most <= MAX_LISTED or not set(statuses) <= set(Status):
            raise BatchError("InvalidRequestException", f"JobStatuses must be statuses, MaxResults from 1 to {MAX_LISTED}")
        with self._lock:
            self._age()
            newest_first = list(reversed(self._jobs.values()))
            if next_token is not None:
                newest_first = newest_first[self._after(next_token, newest_first) :]
            chosen = [job for job in newest_first if not statuses or job.status in statuses]
            page = chosen[:most]
            return [job.listed(self._clock.now()) for job in page], page[-1].id if len(chosen) > most else None

    def update_job_status(self, job_id: str, requested: str, reason: str | None = None) -> dict[str, Any]:
        """Confirm (Ready) or cancel (Cancelled) a job and return UpdateJobStatus's answer.

        Raises:
            BatchError: JobStatusException (the job's status does not allow it), NotFoundException or BadRequestException.
        """
        request.check("UpdateJobStatus", requested, "RequestedJobStatus")
        if reason:
            request.check("UpdateJobStatus", reason, "StatusUpdateReason")
        with self._lock:
            job = self._job(job_id)
            allowed = job.status is Status.SUSPENDED if requested == Status.READY else job.status not in TERMINAL | set(ENDING)
            if not allowed:
                raise BatchError("JobStatusException", f"A job in status {job.status} cannot be updated to {requested}")
            job.status_reason = reason
            job.enter(Status.READY if requested == Status.READY else Status.CANCELLING, self._clock.now())
            self._schedule()
            self._pump_soon(job)
            return {"JobId": job.id, "Status": str(job.status), "StatusUpdateReason": reason}

    def update_job_priority(self, job_id: str, priority: int) -> dict[str, Any]:
        """Change a job's priority and return UpdateJobPriority's answer.

        Raises:
            BatchError: BadRequestException (the priority is not valid, or the job has ended) or NotFoundException.
        """
        request.check("UpdateJobPriority", priority, "Priority")
        with self._lock:
            job = self._job(job_id)
            if job.status in TERMINAL:
                raise bad_request(f"The priority of a job in status {job.status} cannot be changed")
            job.priority = priority
            self._schedule()
            return {"JobId": job.id, "Priority": priority}

    def job_tags(self, job_id: str) -> tuple[tuple[str, str], ...]:
        """Return a job's tags as pairs of key and value."""
        with self._lock:
            return self._job(job_id).tags

    def put_job_tags(self, job_id: str, tags: Sequence[Mapping[str, Any]]) -> None:
        """Replace a job's tags, or raise `BatchError`: TooManyTagsException for more than 50."""
        with self._lock:
            self._job(job_id).tags = request.tags(tags)

    def _new_job(self, asked: request.JobRequest) -> Job:
        job_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        arn = f"arn:aws:s3:{self.settings.region}:{self.settings.account_id}:job/{job_id}"
        job = Job(job_id, arn, asked, self._clock.now(), asked.priority, asked.tags)
        self._jobs[job_id] = job
        return job

    def _job(self, job_id: str) -> Job:
        self._age()
        try:
            return self._jobs[job_id]
        except KeyError:
            raise missing_job(self.settings.batch_missing_job_error) from None

    def _after(self, token: str, jobs: Sequence[Job]) -> int:
        for at, job in enumerate(jobs, 1):
            if job.id == token:
                return at
        raise BatchError("InvalidNextTokenException", "NextToken is not one that ListJobs returned")

    def _age(self) -> None:
        """Catch up with time: fail jobs that were not confirmed, forget those that ended long ago."""
        now = self._clock.now()
        for job in list(self._jobs.values()):
            if job.status is Status.SUSPENDED and job.suspended is not None and now - job.suspended > SUSPENDED_SECONDS:
                job.fail("JobNotConfirmed", "The job was not confirmed within 30 days")
                job.enter(Status.FAILED, job.suspended + SUSPENDED_SECONDS)
                self._release(job)
            if job.terminated is not None and now - job.terminated > KEPT_SECONDS:
                del self._jobs[job.id]

    def _start_preparing(self, job: Job) -> None:
        with self._lock:
            if _is_still(job, Status.NEW):
                job.enter(Status.PREPARING, self._clock.now())
                self._clock.call_later(self.settings.batch_preparing_seconds, partial(self._prepare, job))

    def _prepare(self, job: Job) -> None:
        """Read the manifest without the lock, then go on to Suspended, Ready or Failing."""
        if not _is_still(job, Status.PREPARING):
            return
        prepared: Manifest | PreparationError
        try:
            prepared = prepare(
                job.request,
                self._objects,
                self.settings.account_id,
                job_id=job.id,
                now=self._clock.now(),
                all_versions=self.settings.batch_generates_all_versions,
            )
        except PreparationError as error:
            prepared = error
        with self._lock:
            if not _is_still(job, Status.PREPARING):
                return
            now = self._clock.now()
            if isinstance(prepared, PreparationError):
                job.fail(prepared.code, str(prepared))
                job.enter(Status.FAILING, now)
            else:
                self._prepared(job, prepared)
                job.enter(Status.SUSPENDED if job.request.needs_confirmation else Status.READY, now)
            self._schedule()
            self._pump_soon(job)

    def _prepared(self, job: Job, manifest: Manifest) -> None:
        asked = job.request
        job.total = manifest.rows
        job.generated = manifest.descriptor
        order = random.Random(self._random.getrandbits(64))  # noqa: S311 - the order is no secret
        job.tasks = Tasks(manifest.read(), order)
        if asked.report_bucket is not None:
            strings = self.settings.batch_failed_strings_reach_report
            job.report = Report(
                asked.report_bucket, asked.report_prefix, failed_tasks_only=asked.failed_tasks_only, failed_strings=strings
            )

    def _schedule(self) -> None:
        """Make the jobs of the highest priority active, up to the limit; of equal ones those that are active stay so."""
        now, most = self._clock.now(), self.settings.batch_active_jobs
        contenders = [job for job in self._jobs.values() if job.status in _CONTENDING]
        contenders.sort(key=lambda job: (-job.priority, job.status is not Status.ACTIVE))
        for job in contenders[most:]:
            if job.status is Status.ACTIVE:
                job.enter(Status.PAUSING, now)
                self._pump_soon(job)
        taken = sum(job.status in (Status.ACTIVE, Status.PAUSING) for job in contenders)
        for job in contenders[:most]:
            if job.status in (Status.READY, Status.PAUSED) and taken < most:
                job.enter(Status.ACTIVE, now)
                job.ramp = Ramp(self.settings.batch_initial_concurrency, now)
                taken += 1
                self._pump_soon(job)

    def _pump_soon(self, job: Job) -> None:
        """Have the runner look at a job, but not in this call, which holds the lock."""
        self._clock.call_later(0.0, partial(self._runner.pump, job))

    def _drained(self, job: Job) -> None:
        """Go on with a job that has no task running and none to start; the lock is held."""
        now = self._clock.now()
        if job.status is Status.PAUSING:
            job.enter(Status.PAUSED, now)
        elif job.status is Status.ACTIVE:
            job.enter(Status.COMPLETING, now)
        if job.status in ENDING and not job.ending:
            job.ending = True
            self._clock.call_later(ENDING_SECONDS, partial(self._end, job))
        self._schedule()

    def _end(self, job: Job) -> None:
        """Write the report without the lock, then enter the final status."""
        with self._lock:
            if not _is_still(job, *ENDING):
                return
            for task in job.tasks.unfinished() if job.tasks is not None else ():
                if task.last is not None:  # it ran, and will not run again
                    self._runner.record(job, task.row, task.last)
        trouble = self._deliver(job)
        with self._lock:
            if not _is_still(job, *ENDING):
                return
            if trouble is not None:
                job.fail("ReportNotDelivered", trouble)
            job.enter(ENDING[job.status], self._clock.now())
            self._release(job)
            self._schedule()

    def _deliver(self, job: Job) -> str | None:
        """Store the report if a task ran, and return what went wrong; the job ends anyway [S3-2023:troubleshooting]."""
        if job.report is None or not job.executed:
            return None
        try:
            job.report.write(self._objects, job.id, self._clock.now(), lambda: self._random.randbytes(_REPORT_NAME_BYTES).hex())
        except NoSuchObjectError:
            return f"The completion report was not delivered: there is no bucket {job.request.report_bucket}"
        except ObjectForbiddenError:
            return "The completion report was not delivered: AccessDenied"
        return None

    def _release(self, job: Job) -> None:
        job.tasks = None
        if job.report is not None:
            job.report.close()
            job.report = None


def _is_still(job: Job, *statuses: Status) -> bool:
    return job.status in statuses and not job.forgotten


def _same(job: Job, asked: request.JobRequest) -> str:
    if job.request.fingerprint != asked.fingerprint:
        raise BatchError("IdempotencyException", "The ClientRequestToken was used before, with another request")
    return job.id
