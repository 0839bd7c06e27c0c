"""Sample: takes one message at a time and has Rekognition analyse frames of its film, or its image.

Every call is charged and none is idempotent. So a lease keeps a second worker off the same film, and results are written every few
images; only a worker that dies leaves some unwritten. See docs/architecture.md#frames.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from handlers.adapters import (
    Fault,
    HitStore,
    ImageLabels,
    ImageModeration,
    NotDetected,
    ObjectError,
    ObjectStore,
    OutOfTimeError,
    images,
)
from handlers.adapters.media import Media, MediaError, Source
from handlers.adapters.table import DayUsedUpError, Lease, Outcome, Pace, Records, Samplings, Watches
from handlers.domain import (
    Engine,
    Hit,
    LaneMessage,
    Policy,
    Problem,
    Record,
    SegmentBuilder,
    State,
    reasons,
    watch,
)
from handlers.domain.engine import DEFAULT_INTERVAL_MS
from handlers.domain.watch import Watch
from handlers.flows import sample_rules, start_rules, verdict
from handlers.flows.breaker import Breaker
from handlers.flows.day_limit import DayLimit
from handlers.flows.sample_rules import Begin, Cancel, GoOn
from handlers.flows.start import OUR_FAULT_SECONDS
from handlers.flows.start_rules import Defer, Drop
from handlers.runtime import Clock, Log, backoff_seconds

# After how long a message is received again: if its film needs another invocation, and if another worker has its film.
NO_TIME_SECONDS = 1.0
LEASED_SECONDS = 30.0


class OpenMedia(Protocol):
    """The signature of `handlers.adapters.media.open_media`."""

    def __call__(self, source: Source, *, interval_ms: int, after_ms: int | None) -> Media:
        """Open an object whose frames after `after_ms` are to be analysed, or all frames if it is None."""


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """The confidence (percent) below which Rekognition reports no label, and how many images a second all workers may send.

    `watched` are the watched buckets that have a limit of minutes a day.
    """

    min_confidence: float
    images_per_second: float
    watched: Mapping[str, Watch] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Fail:
    """The record becomes FAILED."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class _Done:
    """The record has its final state: the message can be deleted."""


_Stop = Drop | Defer | Cancel | _Fail | _Done
_LOST = Drop("another worker is at it")


@dataclass(slots=True)
class _Session:
    """The state of one message while it is processed.

    Attributes:
        record: As in the table, plus the images that were paid for since.
        hits: What was found in the images that are not written yet.
        unwritten: How many images that is.
        leased_until: When the lease ends (epoch seconds); None without a lease.
        frames: How many frames were decoded in this invocation.
        ahead: How many seconds ahead of now the next turn is requested; grows when turns are reached too late.
    """

    message: LaneMessage
    receives: int
    deadline: float
    log: Log
    record: Record | None = None
    holder: str = field(default_factory=lambda: uuid.uuid4().hex)
    leased_until: float | None = None
    written_at: float = 0.0
    unwritten: int = 0
    hits: list[Hit] = field(default_factory=list)
    frames: int = 0
    ahead: float = 0.0

    @property
    def known(self) -> Record:
        """The record, once it was read."""
        if self.record is None:
            raise LookupError("the record of this message was not read yet")
        return self.record

    def paid(self, labels: ImageLabels, at_ms: int) -> None:
        """Add an image that was analysed, and is still to be written."""
        record = self.known
        self.record = replace(
            record, images=record.images + 1, position_ms=at_ms, model_version=labels.model_version or record.model_version
        )
        self.hits += labels.hits
        self.unwritten += 1

    def wrote(self, lease: Lease, *, at: float) -> None:
        """Note that everything is written up to now, and the lease taken or extended."""
        self.leased_until, self.written_at = lease.until, at
        self.hits, self.unwritten = [], 0


@dataclass(frozen=True, slots=True)
class SampleFlow:
    """Analyses a message's film by frames, or its image, at a pace that all workers share."""

    _records: Records
    _samplings: Samplings
    _pace: Pace
    _watches: Watches
    _breaker: Breaker
    _objects: ObjectStore
    _open: OpenMedia
    _moderation: ImageModeration
    _hits: HitStore
    _policy: Policy
    _clock: Clock
    _settings: SampleSettings

    def start(self, message: LaneMessage, *, receives: int, deadline: float) -> Defer | None:
        """Process one message; None means that it can be deleted, otherwise it is deferred.

        `receives` counts how often it was received, including now; `deadline` is the end of the invocation (epoch seconds).
        """
        log = Log({"scan_id": message.analysis.scan_id, "video_id": message.analysis.video_id})
        log.debug("message", bucket=message.video.bucket, key=message.video.key, attempt=message.analysis.attempt)
        session = _Session(message, receives, deadline, log)
        try:
            return self._leave(session, self._enter(session) or self._sample(session))
        except Exception:  # whatever failed is raised again: giving the lease back only saves waiting for its end
            if session.leased_until is not None:
                self._give_back(session)
            raise

    # --- entering and leaving ------------------------------------------------------------------------------------------

    def _enter(self, session: _Session) -> _Stop | None:
        """Take the lease of the analysis, to begin, continue or cancel it; return a stop if there is nothing to analyse now."""
        step = sample_rules.decide(
            self._records.situation(session.message.analysis), session.message.analysis, receives=session.receives
        )
        match step:
            case Begin():
                return self._begin(session, step.record)
            case GoOn():
                return self._take(session, step.record)
            case Cancel():
                return self._take(session, step.record) or step
        return step

    def _begin(self, session: _Session, record: Record) -> _Stop | None:
        session.record = record
        look = self._objects.look(record.video, Engine.FRAMES)
        facts = start_rules.checked(look, record)
        if isinstance(facts, Problem):
            # It could be read when it was registered, so a permission of ours is missing.
            return self._refused_by_us(session, facts) if facts.code == reasons.FORBIDDEN else _Fail(facts)
        at = self._clock.now()
        record, limit_ms = DayLimit(self._watches, self._settings.watched).reserving(record, look, facts, at)
        lease = self._lease(session)
        try:
            outcome = self._samplings.begin(record, facts, lease, at=at, limit_ms=limit_ms)
        except DayUsedUpError:
            return Defer(start_rules.PAUSED_SECONDS, watch.LIMIT_REACHED)
        if outcome is not Outcome.DONE:
            return Defer(LEASED_SECONDS, _LOST.reason)
        session.record = replace(record, state=State.RUNNING, facts=facts, started_at=at)
        session.wrote(lease, at=self._clock.now())
        session.log.info("frames begun")
        return None

    def _take(self, session: _Session, record: Record) -> _Stop | None:
        lease = self._lease(session)
        sampling = self._samplings.take_over(record, lease)
        if sampling is None:
            return Defer(LEASED_SECONDS, _LOST.reason)
        session.wrote(lease, at=self._clock.now())
        # The previous worker may have written more since the record was read.
        session.record = self._records.record(record.video.id, record.scan_id) or record
        problem = sample_rules.exhausted(sampling.tries)
        return None if problem is None else _Fail(problem)

    def _leave(self, session: _Session, stop: _Stop) -> Defer | None:
        if isinstance(stop, _Fail):
            stop = self._fail(session, stop.problem)
        elif isinstance(stop, Cancel):
            stop = self._cancel(session)
        if isinstance(stop, _Done | Cancel | _Fail):
            return None
        if session.leased_until is not None:
            self._give_back(session)
        session.log.info("message dropped" if isinstance(stop, Drop) else "message handed back", reason=stop.reason)
        return stop if isinstance(stop, Defer) else None

    def _give_back(self, session: _Session) -> None:
        lease = Lease(session.holder, self._clock.now())
        self._samplings.release_lease(session.known, session.hits, lease)
        session.leased_until = None

    def _fail(self, session: _Session, problem: Problem) -> Drop | Defer | _Done:
        """Make the record FAILED; without a lease (nothing was paid for then), only if it is still WAITING."""
        lost = None if session.leased_until is None else self._write(session)
        if lost is not None:
            return lost
        failed, leased = session.known.as_failed(problem, at=self._clock.now()), session.leased_until is not None
        outcome = self._records.finish(failed) if leased else self._records.fail_waiting(failed, shared=False)
        session.log.warning("video failed", reason=problem.code, detail=problem.message, outcome=outcome.value)
        return Defer(LEASED_SECONDS, _LOST.reason) if outcome is Outcome.BY_ANOTHER else _Done()

    def _cancel(self, session: _Session) -> Drop | _Done:
        lost = self._write(session)
        if lost is not None:
            return lost
        cancelled = replace(session.known, state=State.CANCELLED, finished_at=self._clock.now())
        outcome = self._records.finish(cancelled)
        session.log.info("frames cancelled", images=cancelled.images, outcome=outcome.value)
        return _Done()

    # --- looking -------------------------------------------------------------------------------------------------------

    def _sample(self, session: _Session) -> _Stop:
        record = session.known
        if record.facts is None:
            raise LookupError("the record is under way without having been looked at")
        until = session.deadline - sample_rules.LAST_SECONDS
        source = self._objects.ranges(record.video, record.facts, self._clock, until=until)
        interval_ms = record.interval_ms or DEFAULT_INTERVAL_MS
        try:
            with self._open(source, interval_ms=interval_ms, after_ms=record.position_ms) as media:
                return self._look_at(session, media) or self._conclude(session, media)
        except MediaError as error:
            return _Fail(error.problem)
        except ObjectError as error:
            return self._refused_by_us(session, error.problem) if error.problem.code == reasons.FORBIDDEN else _Fail(error.problem)
        except OutOfTimeError:
            return self._out_of_time(session)

    def _look_at(self, session: _Session, media: Media) -> _Stop | None:
        """Have the remaining frames or the image analysed, and return why that stopped before the end."""
        record = session.known
        if media.kind == "image" and record.images:
            return None
        if media.passthrough and record.facts is not None:
            return self._pay(session, images.stored(record.video, record.facts), 0)
        for frame in media.frames():
            session.frames += 1
            if not media.complete and session.known.decoded_ms is None:
                # Kept in the record: another invocation, which begins behind the hole, would not know of it.
                session.record = replace(session.known, decoded_ms=session.known.position_ms or 0)
            stop = self._pay(session, images.frame(frame.data), frame.at_ms)
            if stop is not None:
                return stop
        return None

    def _pay(self, session: _Session, image: dict[str, Any], at_ms: int) -> _Stop | None:
        """Have one image analysed when its turn comes; transient refusals are retried here, but few that may be charged."""
        attempt = unknown = 0
        while True:
            stop = self._keep(session)
            if stop is not None:
                return stop
            if not self._await_turn(session):
                continue
            result = self._moderation.detect(image, at_ms=at_ms, min_confidence=self._settings.min_confidence)
            if isinstance(result, ImageLabels):
                self._note(session, result, at_ms)
                return None
            if not result.fault.transient:
                return self._refused(session, result)
            unknown += result.fault is Fault.UNKNOWN
            if unknown == sample_rules.UNKNOWN_ATTEMPTS:
                return self._refused_by_us(session, result.problem)
            session.log.info("image refused", reason=result.problem.code)
            self._clock.sleep(backoff_seconds(attempt, base=0.5, cap=10.0))
            attempt += 1

    def _note(self, session: _Session, labels: ImageLabels, at_ms: int) -> None:
        if not session.unwritten:
            self._breaker.close()
        session.paid(labels, at_ms)

    def _keep(self, session: _Session) -> _Stop | None:
        """Write the progress if it is due, and return why the analysis must stop: time, a lost lease, a pause or a cancellation."""
        now = self._clock.now()
        if now + sample_rules.LAST_SECONDS > session.deadline:
            return Defer(NO_TIME_SECONDS, "the rest of the film is for the next invocation")
        if session.unwritten < sample_rules.IMAGES_KEPT and now - session.written_at < sample_rules.WRITE_SECONDS:
            return None
        lost = self._write(session)
        if lost is not None:
            return lost
        return sample_rules.stopped(self._records.situation(session.message.analysis), session.known)

    def _write(self, session: _Session) -> Drop | None:
        """Write what was paid for and extend the lease; return `_LOST` if the lease is lost."""
        lease = self._lease(session)
        if not self._samplings.write_progress(session.known, session.hits, lease):
            session.log.warning("lease lost", images=session.unwritten)
            session.leased_until = None
            return _LOST
        session.record = replace(session.known, reserved_ms=session.known.share_ms)
        session.wrote(lease, at=self._clock.now())
        return None

    def _await_turn(self, session: _Session) -> bool:
        """Wait for a turn in the common pace; return False if it came too late, or too near to the lease's end, to be used."""
        seconds = 1.0 / (sample_rules.PACE_SHARE * self._settings.images_per_second)
        at = self._pace.take_turn(seconds, ahead=session.ahead)
        self._clock.sleep(max(0.0, at - self._clock.now()))
        now = self._clock.now()
        session.ahead = sample_rules.ahead(session.ahead, late=now - at)
        return now - at <= sample_rules.LAPSE_SECONDS and now + sample_rules.CALL_SECONDS < (session.leased_until or 0.0)

    def _lease(self, session: _Session) -> Lease:
        return Lease(session.holder, self._clock.now() + sample_rules.LEASE_SECONDS)

    # --- results -------------------------------------------------------------------------------------------------------

    def _refused(self, session: _Session, result: NotDetected) -> _Stop:
        problem = result.problem
        if result.fault is not Fault.OBJECT:
            return self._refused_by_us(session, problem)
        if problem.code == start_rules.UNREADABLE_FOR_REKOGNITION and self._counts(session, problem):
            return Defer(OUR_FAULT_SECONDS, problem.code)
        return _Fail(problem)

    def _refused_by_us(self, session: _Session, problem: Problem) -> Defer | _Fail:
        """Defer the message and count the refusal; fail the video if it was refused for too long, unless many videos are."""
        session.log.alarm("start refused by a fault of ours", reason=problem.code, detail=problem.message)
        breaks = self._counts(session, problem)
        record = self._records.note_refusal(session.known)
        if not breaks and start_rules.hopeless(record, now=self._clock.now()):
            return _Fail(problem)
        return Defer(OUR_FAULT_SECONDS, problem.code)

    def _counts(self, session: _Session, problem: Problem) -> bool:
        return self._breaker.counts(session.message.analysis.video_id, problem, session.log)

    def _out_of_time(self, session: _Session) -> Defer | _Fail:
        """Leave the rest to the next invocation; fail if this one decoded nothing, because the next would not either."""
        if session.frames:
            return Defer(NO_TIME_SECONDS, "the rest of the film is for the next invocation")
        return _Fail(Problem(reasons.UNFINISHED, "Not one frame could be decoded within a whole invocation."))

    def _conclude(self, session: _Session, media: Media) -> Drop | _Done:
        """Judge the hits of all invocations, which are read back from the table, and write the verdict."""
        lost = self._write(session)
        if lost is not None:
            return lost
        is_image = media.kind == "image"
        decoded_ms = session.known.decoded_ms
        is_whole = is_image or (media.complete and decoded_ms is None)
        if decoded_ms is None:
            decoded_ms = media.decoded_ms or session.known.position_ms
        record = replace(
            session.known,
            interval_ms=None if is_image else session.known.interval_ms,
            duration_ms=media.duration_ms,
            decoded_ms=None if is_whole else decoded_ms,
        )
        builder = SegmentBuilder(interval_ms=record.interval_ms)
        with self._hits.file(record) as file:
            for hit in file.take(self._samplings.hits(record)):
                builder.add(hit)
            self._hits.keep(file)
        findings = builder.findings()
        final = verdict.judged(record, findings, self._policy, file, at=self._clock.now())
        if not is_whole and final.state is State.CLEAN:
            final = final.as_failed(sample_rules.partly_decoded(record), at=self._clock.now())
        self._records.write_segments(final, findings.segments)
        outcome = self._records.finish(final)
        session.log.info(
            "frames completed",
            state=final.state.value,
            images=final.images,
            hits=file.count,
            segments=len(findings.segments),
            outcome=outcome.value,
        )
        return _Done()
