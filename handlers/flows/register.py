"""Register: turns a batch task into a message in a lane and a WAITING record, or into the reason why not.

The message is sent before the record is written, so every record has had its message. The record is read before either, so a clone
of a batch job does not flood the lane. Transient errors are retried in place for 30 s; after that S3 repeats the task.
See docs/architecture.md#registering.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from handlers.adapters import LaneQueues, ObjectStore, aws_errors
from handlers.adapters.table import Outcome, Records, Scans
from handlers.domain import (
    RETRIABLE,
    ObjectFacts,
    Problem,
    Record,
    Request,
    Result,
    ResultCode,
    State,
    Task,
    Video,
    batch_event,
    reasons,
)
from handlers.runtime import Clock, Log, backoff_seconds

# How long an invocation retries in place; the function itself may run for five minutes.
RETRY_SECONDS = 30.0

# For how long an environment relies on a scan being there, open, and knowing its batch job.
SCAN_ENSURED_SECONDS = 60.0

# The state in the report of an object that is not a video; it gets no record.
SKIPPED = "SKIPPED"

# Reasons that fail a task permanently: if most tasks fail so, S3 should stop the job.
_NOT_READABLE = frozenset({reasons.MISSING, reasons.FORBIDDEN})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Registered:
    """The result of a task: its state in the report, and the problem, if any."""

    state: str
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class _Order:
    """One valid task: which video for which scan, and until when to retry in place."""

    request: Request
    scan_id: str
    video: Video
    until: float


@dataclass(slots=True)
class RegisterFlow:
    """Answers S3 Batch's events; one instance serves an environment."""

    _records: Records
    _scans: Scans
    _objects: ObjectStore
    _queues: LaneQueues
    _clock: Clock
    _ensured: dict[tuple[str, str], float] = field(default_factory=dict)

    def respond(self, event: object) -> dict[str, Any]:
        """Return the response to an event: one result for each task, whatever happens."""
        request = batch_event.parse(event)
        until = self._clock.now() + RETRY_SECONDS
        return batch_event.response(request, [self._result(request, task, until) for task in request.tasks])

    def _result(self, request: Request, task: Task, until: float) -> Result:
        if task.video is None or request.scan_id is None:
            return _refusal(request, task)
        log = Log({"scan_id": request.scan_id, "video_id": task.video.id})
        log.debug("task", bucket=task.video.bucket, key=task.video.key)
        try:
            registered = self._register(_Order(request, request.scan_id, task.video, until))
        except Exception as error:  # noqa: BLE001 # an exception would fail the task without a reason
            log.alarm("task not registered", cause=error, reason=aws_errors.code_of(error))
            return _trouble(request, task, error)
        log.info("task registered", state=registered.state, reason=registered.problem and registered.problem.code)
        return _answer(request, task, registered)

    def _register(self, order: _Order) -> _Registered:
        self._with_retries(order, lambda: self._ensure_scan(order))
        previous = self._with_retries(order, lambda: self._records.record(order.video.id, order.scan_id))
        if previous is not None and not _is_retried(previous, order.request.retry):
            return self._leave_as_it_is(order, previous)
        look = self._with_retries(order, lambda: self._objects.look(order.video))
        if look.problem is not None and look.problem.code == reasons.NOT_A_VIDEO and previous is None:
            return _Registered(SKIPPED, look.problem)
        record = self._new_record(order, look.facts)
        if look.problem is not None:
            return self._write(order, record.as_failed(look.problem, at=self._clock.now()), previous)
        self._with_retries(order, lambda: self._queues.send(record))
        return self._write(order, record, previous)

    def _leave_as_it_is(self, order: _Order, previous: Record) -> _Registered:
        """Change no record. If a retry finds it waiting, send its message once more: the first may be lost."""
        if previous.state is State.WAITING and previous.attempt < order.request.retry:
            self._with_retries(order, lambda: self._queues.send(previous))
        return _registered(previous)

    def _write(self, order: _Order, record: Record, previous: Record | None) -> _Registered:
        outcome = self._with_retries(order, lambda: self._records.register(record, previous))
        if outcome is Outcome.DONE:
            return _registered(record)
        # Another task was first, or this write was repeated and its analysis may run already: answer with the record as it is now.
        now = self._with_retries(order, lambda: self._records.record(order.video.id, order.scan_id))
        return _registered(now or record)

    def _new_record(self, order: _Order, facts: ObjectFacts | None) -> Record:
        return Record(
            video=order.video,
            scan_id=order.scan_id,
            state=State.WAITING,
            attempt=order.request.retry,
            lane=order.request.lane,
            facts=facts,
            batch_job_id=order.request.job_id,
            queued_at=self._clock.now(),
        )

    def _ensure_scan(self, order: _Order) -> None:
        """Write the scan if it is missing, and check again after a minute: a registration must reopen a closed scan."""
        name, now = (order.scan_id, order.request.job_id), self._clock.now()
        self._ensured = {known: at for known, at in self._ensured.items() if now - at < SCAN_ENSURED_SECONDS}
        if name not in self._ensured:
            retry = order.request.retry > 0
            self._scans.ensure_scan(order.scan_id, order.video.bucket, order.request.lane, order.request.job_id, retry=retry)
            self._ensured[name] = now

    def _with_retries(self, order: _Order, step: Callable[[], T]) -> T:
        """Run a step, retrying transient errors. Each step can be repeated harmlessly."""
        attempt = 0
        while True:
            try:
                return step()
            except Exception as error:
                wait = backoff_seconds(attempt, base=0.2, cap=5.0)
                if not aws_errors.fault_of(error).transient or self._clock.now() + wait > order.until:
                    raise
            self._clock.sleep(wait)
            attempt += 1


def unavailable(event: object, error: Exception) -> dict[str, Any]:
    """Return the response of a function that cannot work: S3 repeats every task later."""
    request = batch_event.parse(event)
    return batch_event.response(request, [_trouble(request, task, error) for task in request.tasks])


def _is_retried(previous: Record, retry: int) -> bool:
    """Tell whether a task retries a video: only a task of a retry job does, not a redrive or a clone."""
    return previous.state in RETRIABLE and previous.attempt < retry


def _registered(record: Record) -> _Registered:
    return _Registered(record.state.value, record.problem)


def _answer(request: Request, task: Task, registered: _Registered) -> Result:
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
