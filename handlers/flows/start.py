"""Start: takes one message at a time, waits for a free Rekognition job, and starts the analysis.

No other flow calls StartContentModeration. Every attempt reads settings, scan and record again. If Rekognition certainly refused,
the flow waits in place. If the outcome is unknown, the note on the record stays and the message comes back, so that Start is
repeated with the same token and parameters. See docs/architecture.md#starting, also #slots and #pausing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from handlers.adapters import AnalysisStarter, Fault, NotStarted, ObjectStore, Started
from handlers.adapters.table import DayUsedUpError, Outcome, Records, Watches
from handlers.domain import LaneMessage, Problem, Record, StartParameters, reasons, watch
from handlers.domain.watch import Watch
from handlers.flows import start_rules
from handlers.flows.breaker import Breaker
from handlers.flows.day_limit import DayLimit
from handlers.flows.start_rules import Defer, Drop, Fail, Limits, Try
from handlers.runtime import Clock, Log, jitter

# The least time between two Starts of one environment: four starters stay below Rekognition's 5 a second (General Reference).
PACE_SECONDS = 1.0

# Bounds of the wait between two attempts while no job is free.
WAIT_SECONDS = (1.0, 2.0)

# No attempt begins with less time left: it may read the object (2 x 10 s), call Start (20 s) and write a few items.
LAST_SECONDS = 60.0

# After how long a message comes back if no job became free, if its Start may have happened, and if the fault was ours.
NO_SLOT_SECONDS = 1.0
UNKNOWN_SECONDS = 10.0
OUR_FAULT_SECONDS = 60.0

# After how long a Start is repeated whose repetition was refused: a message can be received 1,000 times, which then takes longer
# than the 6 days after which it is given up.
REFUSED_AGAIN_SECONDS = 600.0

_NO_SLOT = "all slots are in use"


@dataclass(frozen=True, slots=True)
class StartSettings:
    """The parameters of every Start, how many analyses may run, and the watched buckets, which may have a limit of minutes."""

    topic_arn: str
    role_arn: str
    min_confidence: float
    limits: Limits
    watched: Mapping[str, Watch] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Wait:
    """No job is free: try again in a moment."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Again:
    """The record was changed by another writer: read it again at once."""


@dataclass(frozen=True, slots=True)
class _Done:
    """Nothing is left to do for this message."""


_Result = Drop | Defer | _Wait | _Again | _Done


@dataclass(slots=True)
class _Session:
    """One message while it is processed; `noted` is its record once this invocation has noted a Start on it."""

    message: LaneMessage
    receives: int
    log: Log
    noted: Record | None = None


@dataclass(slots=True)
class StartFlow:
    """Starts analyses; one instance serves an environment and paces its Starts."""

    _records: Records
    _breaker: Breaker
    _watches: Watches
    _objects: ObjectStore
    _starter: AnalysisStarter
    _clock: Clock
    _settings: StartSettings
    _last_start: float = float("-inf")

    def start(self, message: LaneMessage, *, receives: int, deadline: float) -> Defer | None:
        """Process one message: None when it is done, else how long to defer it.

        `receives` counts how often it was received, including now; `deadline` is the end of the invocation (epoch seconds).
        """
        log = Log({"scan_id": message.analysis.scan_id, "video_id": message.analysis.video_id})
        log.debug("message", bucket=message.video.bucket, key=message.video.key, attempt=message.analysis.attempt)
        session = _Session(message, receives, log)
        while True:
            result = self._turn(session)
            if isinstance(result, _Wait):
                result = self._waited(result, deadline)
            if not isinstance(result, _Again):
                return self._leave(session, result)

    def _waited(self, wait: _Wait, deadline: float) -> _Again | Defer:
        seconds = jitter(*WAIT_SECONDS)
        if self._clock.now() + seconds + LAST_SECONDS > deadline:
            return Defer(NO_SLOT_SECONDS, wait.reason)
        self._clock.sleep(seconds)
        return _Again()

    def _leave(self, session: _Session, result: Drop | Defer | _Done) -> Defer | None:
        """Withdraw the note of this invocation if all its Starts were certainly refused."""
        if isinstance(result, _Done):
            return None
        if session.noted is not None and (isinstance(result, Drop) or result.certain):
            self._records.forget_start_tried(session.noted)
        session.log.info("message dropped" if isinstance(result, Drop) else "message handed back", reason=result.reason)
        return result if isinstance(result, Defer) else None

    def _turn(self, session: _Session) -> _Result:
        """Make one attempt, by the current state of the table."""
        self._keep_pace()
        situation = self._records.situation(session.message.analysis)
        step = start_rules.decide(
            situation,
            session.message.analysis,
            receives=session.receives,
            own_note=None if session.noted is None else session.noted.start_tried_at,
            now=self._clock.now(),
        )
        if isinstance(step, Fail):
            return self._fail(session, Try(step.record, may_have_started=True), step.problem)
        if not isinstance(step, Try):
            return step
        if step.may_have_started:
            return self._try(session, step)
        return self._try_if_free(session, step, start_rules.slots(situation.settings, self._settings.limits))

    def _try_if_free(self, session: _Session, step: Try, slots: int) -> _Result:
        """Make a Start that takes a slot, if there is a free one.

        The note is what takes it, so the slots are counted again after it: another starter may have noted a Start meanwhile, and
        at least the later of the two sees both.
        """
        if session.noted is None:
            if self._records.slots_in_use() >= slots:
                return _Wait(_NO_SLOT)
            noted = self._noted(session, step.record)
            if not isinstance(noted, Record):
                return noted
            step = replace(step, record=noted)
        if self._records.slots_in_use() > slots:
            self._records.forget_start_tried(step.record)
            session.noted = None
            return _Wait(_NO_SLOT)
        return self._try(session, step)

    def _keep_pace(self) -> None:
        wait = self._last_start + PACE_SECONDS - self._clock.now()
        if wait > 0:
            self._clock.sleep(wait)

    def _try(self, session: _Session, step: Try) -> _Result:
        record = step.record
        if record.start is None:
            raise LookupError("the record notes a Start without its parameters")
        # The writer of the note may still be running, and would withdraw it after a refusal whatever this Start does.
        if step.may_have_started and self._records.note_start_shared(record) is not Outcome.DONE:
            return _Again()
        self._last_start = self._clock.now()
        return self._act(session, step, self._starter.start(record.analysis, record.video, record.start))

    def _noted(self, session: _Session, record: Record) -> Record | _Result:
        """Check the object again, and note the Start and its parameters on the record."""
        look = self._objects.look(record.video)
        facts = start_rules.checked(look, record)
        if isinstance(facts, Problem):
            # It could be read when it was registered, so a permission of ours is missing.
            refused = self._refused_by_us if facts.code == reasons.FORBIDDEN else self._fail
            return refused(session, Try(record, may_have_started=False), facts)
        own = self._settings
        start = StartParameters(facts.version_id, own.min_confidence, own.topic_arn, own.role_arn)
        at = self._clock.now()
        record, limit_ms = DayLimit(self._watches, own.watched).reserving(record, look, facts, at)
        try:
            outcome = self._records.note_start_tried(record, facts, start, at=at, limit_ms=limit_ms)
        except DayUsedUpError:
            return Defer(start_rules.PAUSED_SECONDS, watch.LIMIT_REACHED)
        if outcome is not Outcome.DONE:
            return _Again()
        session.noted = replace(record, facts=facts, start=start, start_tried_at=at)
        return session.noted

    def _act(self, session: _Session, step: Try, result: Started | NotStarted) -> _Result:
        if isinstance(result, Started):
            return self._running(session, step, result.job_id)
        problem = result.problem
        match result.fault:
            case Fault.REFUSED:
                return _Wait(problem.code)
            case Fault.UNKNOWN:
                session.log.warning("start unknown", reason=problem.code)
                return Defer(UNKNOWN_SECONDS, problem.code, certain=False)
            case Fault.OBJECT:
                return self._object_refused(session, step, problem)
            case Fault.MISMATCH:
                # The parameters are stored, so another caller's job has our token: its result must not count.
                session.log.alarm("start mismatch", reason=problem.code, detail=problem.message)
                return self._fail(session, step, problem)
        return self._refused_by_us(session, step, problem)

    def _running(self, session: _Session, step: Try, job_id: str) -> _Done:
        outcome = self._records.enter_running(step.record, job_id, repeated=step.may_have_started)
        session.log.info("analysis started", job_id=job_id, outcome=outcome.value)
        self._breaker.close()
        return _Done()

    def _fail(self, session: _Session, step: Try, problem: Problem) -> Defer | _Done:
        """Make a waiting record FAILED, unless another starter may have started it since the record was read."""
        failed = step.record.as_failed(problem, at=self._clock.now())
        outcome = self._records.fail_waiting(failed, shared=step.may_have_started)
        session.log.warning("video failed", reason=problem.code, detail=problem.message, outcome=outcome.value)
        return Defer(UNKNOWN_SECONDS, problem.code, certain=False) if outcome is Outcome.BY_ANOTHER else _Done()

    def _object_refused(self, session: _Session, step: Try, problem: Problem) -> Defer | _Done:
        """Make the record FAILED, unless its first Start may have happened, or too many are refused for objects to be the cause."""
        if start_rules.may_still_run(step, now=self._clock.now()):
            session.log.warning("start unknown", reason=problem.code)
            return Defer(REFUSED_AGAIN_SECONDS, problem.code, certain=False)
        is_counted = problem.code == start_rules.UNREADABLE_FOR_REKOGNITION and not step.may_have_started
        if is_counted and self._breaker.counts(session.message.analysis.video_id, problem, session.log):
            return Defer(OUR_FAULT_SECONDS, problem.code)
        return self._fail(session, step, problem)

    def _refused_by_us(self, session: _Session, step: Try, problem: Problem) -> Defer | _Done:
        """Keep the message and count the refusal; a video that is refused for too long fails, if only a few are."""
        session.log.alarm("start refused by a fault of ours", reason=problem.code, detail=problem.message)
        breaks = self._breaker.counts(session.message.analysis.video_id, problem, session.log)
        record = self._records.note_refusal(step.record)
        # A record whose Start may have happened never fails for this.
        if not breaks and not step.may_have_started and start_rules.hopeless(record, now=self._clock.now()):
            return self._fail(session, step, problem)
        return Defer(OUR_FAULT_SECONDS, problem.code)
