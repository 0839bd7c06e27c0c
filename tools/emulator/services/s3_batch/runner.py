"""Runs the tasks of active jobs: invokes as fast as is allowed, takes the answers, and reports when a job has drained."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from tools.emulator.core import Clock, Functions, InvocationResult
from tools.emulator.services.s3_batch.invocation import Answer, TaskOutcome, event, judge
from tools.emulator.services.s3_batch.job import Job, Status
from tools.emulator.services.s3_batch.manifest import Row
from tools.emulator.services.s3_batch.pace import Rate
from tools.emulator.services.s3_batch.tasks import Task, opaque_id
from tools.emulator.settings import EmulatorSettings

# From this number of tasks on, more failures than successes fail the job [S3:batch-ops-job-status].
WATCHED_FROM_TASKS = 1000

# An empty field in a VersionId column [S3:troubleshooting-batch-operations].
MISSING_VERSION = Answer(TaskOutcome.FAILED, 400, "InvalidRequest", "Task failed due to missing VersionId")

_SHORTEST_WAIT = 0.001


@dataclass(slots=True)
class Runner:
    """Starts and settles tasks.

    It calls `drained`, with the lock held, whenever a job has no task running and none to start.
    """

    clock: Clock
    settings: EmulatorSettings
    functions: Functions
    lock: threading.RLock
    ids: random.Random
    drained: Callable[[Job], None]
    rate: Rate

    def pump(self, job: Job) -> None:
        """Start the tasks of a job that may be started. Call it without the lock: functions are invoked without it."""
        with self.lock:
            if job.pumping:
                return  # the other thread looks again before it stops
            job.pumping = True
        while tasks := self._take_or_stop(job):
            for task in tasks:
                payload = event(job.request, job.id, task.row, invocation_id=task.invocation_id, task_id=task.id)
                self.functions.invoke(job.request.function_arn, payload, partial(self._done, job, task))

    def record(self, job: Job, row: Row, answer: Answer) -> None:
        """Count a task that has ended, with the lock held."""
        if answer.outcome is TaskOutcome.SUCCEEDED:
            job.succeeded += 1
        else:
            job.failed += 1
        if job.report is not None:
            job.report.add(row, answer)
        too_many = job.executed >= WATCHED_FROM_TASKS and job.failed * 2 > job.executed
        if too_many and job.status in (Status.ACTIVE, Status.PAUSING):
            job.fail(
                "JobFailureRateExceeded", f"{job.failed} of the {job.executed} tasks that ran have failed: more than 50 percent"
            )
            job.enter(Status.FAILING, self.clock.now())

    def _take_or_stop(self, job: Job) -> list[Task]:
        with self.lock:
            tasks = self._take(job)
            job.pumping = bool(tasks)
            return tasks

    def _take(self, job: Job) -> list[Task]:
        tasks: list[Task] = []
        if job.forgotten:
            return tasks
        if job.status is Status.ACTIVE and job.tasks is not None and job.ramp is not None:
            now = self.clock.now()
            room = job.ramp.allowance(now) - job.in_flight
            while len(tasks) < room and job.status is Status.ACTIVE and self.rate.available(now):
                task = job.tasks.next(now)
                if task is None:
                    break
                self.rate.take()
                if task.row.version_id == "":
                    self.record(job, task.row, MISSING_VERSION)
                else:
                    task.invocation_id = opaque_id(self.ids)
                    tasks.append(task)
            job.in_flight += len(tasks)
            self._plan_waking(job, now)
        if not job.in_flight and (job.status is not Status.ACTIVE or job.tasks is None or job.tasks.exhausted):
            self.drained(job)
        return tasks

    def _plan_waking(self, job: Job, now: float) -> None:
        """Schedule the next look at a job, for when it may start what it may not start now."""
        if job.tasks is None or job.ramp is None or job.tasks.exhausted:
            return
        if job.in_flight >= job.ramp.allowance(now):
            wait = job.ramp.wait(now)
        elif not self.rate.available(now):
            wait = self.rate.wait()
        else:
            due = job.tasks.due()
            wait = None if due is None else due - now
        if wait is not None:
            self._wake(job, now + max(_SHORTEST_WAIT, wait))

    def _wake(self, job: Job, at: float) -> None:
        if job.wake_at is not None and job.wake_at <= at:
            return
        job.wake_at = at
        self.clock.call_later(at - self.clock.now(), partial(self._woken, job, at))

    def _woken(self, job: Job, at: float) -> None:
        with self.lock:
            if job.wake_at == at:
                job.wake_at = None
        self.pump(job)

    def _done(self, job: Job, task: Task, result: InvocationResult) -> None:
        answer = judge(result, schema_version=job.request.schema_version, invocation_id=task.invocation_id, task_id=task.id)
        if result.function_error is not None and self.settings.batch_function_errors_redriven:
            answer = replace(answer, outcome=TaskOutcome.TEMPORARY)
        with self.lock:
            job.in_flight -= 1
            if not job.forgotten:
                self._settle(job, task, answer)
        self.pump(job)

    def _settle(self, job: Job, task: Task, answer: Answer) -> None:
        if job.tasks is None or job.ramp is None:
            return
        now = self.clock.now()
        if answer.outcome is TaskOutcome.THROTTLED:
            job.ramp.throttled(now)
            if not self.settings.batch_throttle_spends_redrive:
                job.tasks.return_task(task)
                return
        else:
            job.ramp.accepted()
        if answer.outcome in (TaskOutcome.SUCCEEDED, TaskOutcome.FAILED) or task.redrives >= self.settings.batch_redrives:
            self.record(job, task.row, answer)
            return
        task.redrives += 1
        task.last = answer
        job.tasks.redrive(task, now + self.settings.batch_redrive_seconds)
