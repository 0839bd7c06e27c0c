"""Register: turns a batch task into a message in a lane and a WAITING record, or into the reason why not.

The record is read before anything else, so a clone of a batch job does not flood the lane. Transient errors are retried in place
for 30 s; after that S3 repeats the task.
See docs/architecture.md#registering.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from handlers.adapters import aws_errors
from handlers.adapters.table import Scans
from handlers.domain import Engine, Problem, Record, Request, Result, ResultCode, State, Task, Video, batch_event, reasons
from handlers.flows.registration import NO_FRAMES, Others, Registered, Registration, Retries, is_retried
from handlers.runtime import Clock, Log

# For how long an environment relies on a scan being there, open, and knowing its batch job.
SCAN_ENSURED_SECONDS = 60.0

# Reasons that fail a task permanently: if most tasks fail so, S3 should stop the job.
_NOT_READABLE = frozenset({reasons.MISSING, reasons.FORBIDDEN})


@dataclass(frozen=True, slots=True)
class _Order:
    """One valid task: which video for which scan, and what retries in place."""

    request: Request
    scan_id: str
    video: Video
    retries: Retries


@dataclass(slots=True)
class RegisterFlow:
    """Answers S3 Batch's events; one instance serves an environment."""

    _registration: Registration
    _scans: Scans
    _clock: Clock
    _ensured: dict[tuple[str, str], float] = field(default_factory=dict)

    def respond(self, event: object) -> dict[str, Any]:
        """Return the response to an event: one result for each task, whatever happens."""
        request = batch_event.parse(event)
        retries = self._registration.retries()
        return batch_event.response(request, [self._result(request, task, retries) for task in request.tasks])

    def _result(self, request: Request, task: Task, retries: Retries) -> Result:
        if task.video is None or request.scan_id is None:
            return _refusal(request, task)
        if Engine.FRAMES in (request.engine, request.others) and not self._registration.takes_frames:
            return _refusal(request, replace(task, refusal=NO_FRAMES))
        log = Log({"scan_id": request.scan_id, "video_id": task.video.id})
        log.debug("task", bucket=task.video.bucket, key=task.video.key)
        try:
            registered = self._register(_Order(request, request.scan_id, task.video, retries))
        except Exception as error:  # noqa: BLE001 # an exception would fail the task without a reason
            log.alarm("task not registered", cause=error, reason=aws_errors.code_of(error))
            return _trouble(request, task, error)
        log.info("task registered", state=registered.state, reason=registered.problem and registered.problem.code)
        return _answer(request, task, registered)

    def _register(self, order: _Order) -> Registered:
        registration, retries, request = self._registration, order.retries, order.request
        retries.run(lambda: self._ensure_scan(order))
        record = self._new_record(order)
        previous = registration.previous(record, retries)
        if previous is not None and not is_retried(previous, request.retry):
            return registration.leave(previous, request.retry, retries)
        look = registration.look(order.video, retries, request.engine, others=request.others)
        others = Others(request.others, request.interval_ms)
        return registration.enter(record, look, previous, retries, others=others)

    def _new_record(self, order: _Order) -> Record:
        return Record(
            video=order.video,
            scan_id=order.scan_id,
            state=State.WAITING,
            attempt=order.request.retry,
            lane=order.request.lane,
            batch_job_id=order.request.job_id,
            engine=order.request.engine,
            interval_ms=order.request.interval_ms if order.request.engine is Engine.FRAMES else None,
        )

    def _ensure_scan(self, order: _Order) -> None:
        """Write the scan if it is missing, and check again after a minute: a registration must reopen a closed scan."""
        name, now = (order.scan_id, order.request.job_id), self._clock.now()
        self._ensured = {known: at for known, at in self._ensured.items() if now - at < SCAN_ENSURED_SECONDS}
        if name not in self._ensured:
            retry = order.request.retry > 0
            self._scans.ensure_scan(order.scan_id, order.video.bucket, order.request.lane, order.request.job_id, retry=retry)
            self._ensured[name] = now


def unavailable(event: object, error: Exception) -> dict[str, Any]:
    """Return the response of a function that cannot work: S3 repeats every task later."""
    request = batch_event.parse(event)
    return batch_event.response(request, [_trouble(request, task, error) for task in request.tasks])


def _answer(request: Request, task: Task, registered: Registered) -> Result:
    problem = registered.problem
    if problem is None:
        text = batch_event.result_text(scan=request.scan_id, state=registered.state)
        return Result(task.task_id, ResultCode.SUCCEEDED, text)
    if problem.code in _NOT_READABLE:
        return _failure(request, task, ResultCode.PERMANENT_FAILURE, problem)
    text = batch_event.result_text(scan=request.scan_id, state=registered.state, reason=problem.code, message=problem.message)
    return Result(task.task_id, ResultCode.SUCCEEDED, text)


def _refusal(request: Request, task: Task) -> Result:
    refusal = task.refusal or request.refusal or "the task names no object"
    Log().warning("task refused", scan_id=request.scan_id, reason=reasons.UNINTELLIGIBLE)
    return _failure(request, task, ResultCode.PERMANENT_FAILURE, Problem(reasons.UNINTELLIGIBLE, refusal))


def _trouble(request: Request, task: Task, error: Exception) -> Result:
    problem = Problem(aws_errors.code_of(error), aws_errors.message_of(error))
    return _failure(request, task, ResultCode.TEMPORARY_FAILURE, problem)


def _failure(request: Request, task: Task, code: ResultCode, problem: Problem) -> Result:
    text = batch_event.result_text(scan=request.scan_id, reason=problem.code, message=problem.message)
    return Result(task.task_id, code, text)
