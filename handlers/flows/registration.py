"""Registration: turns an object into a message in a lane and a WAITING record, or into the reason why not.

The message is sent before the record is written, so every record has had its message. Transient errors are retried in place. See
docs/architecture.md#registering.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from handlers.adapters import LaneQueues, Look, ObjectStore, aws_errors
from handlers.adapters.table import Outcome, Records
from handlers.domain import RETRIABLE, Engine, Lane, ObjectFacts, Problem, Record, State, Video, reasons
from handlers.domain.engine import DEFAULT_INTERVAL_MS
from handlers.domain.objects import ObjectKind
from handlers.runtime import Clock, backoff_seconds

# How long an invocation retries in place; the function itself may run for five minutes.
RETRY_SECONDS = 30.0

# The state of an object that is not a video; it gets no record.
SKIPPED = "SKIPPED"

NO_FRAMES = "this deployment has no frames: set frames in cdk.json and deploy it again"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Others:
    """What looks at videos that the engine of their scan does not take (None: nothing does), and the interval of frames."""

    engine: Engine | None = None
    interval_ms: int = DEFAULT_INTERVAL_MS


NO_OTHERS = Others()


@dataclass(frozen=True, slots=True)
class Registered:
    """The result: the state of the object's record or `SKIPPED`, and the problem, if any."""

    state: str
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Retries:
    """Runs steps that can be repeated harmlessly, retrying transient errors until a time."""

    _clock: Clock
    _until: float

    def run(self, step: Callable[[], T]) -> T:
        """Run a step; an error that is not transient, or comes too late, is raised unchanged."""
        attempt = 0
        while True:
            try:
                return step()
            except Exception as error:
                wait = backoff_seconds(attempt, base=0.2, cap=5.0)
                if not aws_errors.fault_of(error).transient or self._clock.now() + wait > self._until:
                    raise
            self._clock.sleep(wait)
            attempt += 1


@dataclass(frozen=True, slots=True)
class Registration:
    """Registers objects, whoever asks for it: a batch task, an upload, a retry."""

    _records: Records
    _objects: ObjectStore
    _queues: LaneQueues
    _clock: Clock

    @property
    def takes_frames(self) -> bool:
        """Tell whether objects can go by frames: whether there are lanes for them."""
        return Lane.FRAMES in self._queues.lanes

    def retries(self) -> Retries:
        """Return what retries for as long as an invocation may."""
        return Retries(self._clock, self._clock.now() + RETRY_SECONDS)

    def look(self, video: Video, retries: Retries, engine: Engine = Engine.VIDEO, *, others: Engine | None = None) -> Look:
        """Check an object."""
        return retries.run(lambda: self._objects.look(video, engine, others))

    def length_ms(self, video: Video, facts: ObjectFacts, retries: Retries) -> int | None:
        """Return how long a video is by its header, if that tells."""
        return retries.run(lambda: self._objects.length_ms(video, facts))

    def previous(self, record: Record, retries: Retries) -> Record | None:
        """Return the record that there is already."""
        return retries.run(lambda: self._records.record(record.video.id, record.scan_id))

    def leave(self, previous: Record, attempt: int, retries: Retries) -> Registered:
        """Change no record. If a retry finds it waiting, send its message once more: the first may be lost.

        One that waits for frames, which are not deployed any more, gets its message once they are deployed again.
        """
        if previous.state is State.WAITING and previous.attempt < attempt and previous.lane in self._queues.lanes:
            retries.run(lambda: self._queues.send(previous))
        return registered(previous)

    def enter(
        self, new: Record, look: Look, previous: Record | None, retries: Retries, *, others: Others = NO_OTHERS
    ) -> Registered:
        """Register an object as it was looked at; `previous` is the record that a retry replaces."""
        if look.problem is not None and look.problem.code == reasons.NOT_A_VIDEO and previous is None:
            return Registered(SKIPPED, look.problem)
        record = replace(self._by_engine(new, look, others), facts=look.facts, queued_at=self._clock.now())
        if look.problem is not None:
            return self._write(record.as_failed(look.problem, at=self._clock.now()), previous, retries)
        retries.run(lambda: self._queues.send(record))
        return self._write(record, previous, retries)

    def _by_engine(self, record: Record, look: Look, others: Others) -> Record:
        """Return a record with the engine that its object needs: an image goes by frames, whatever the engine of its scan."""
        is_other = look.kind is ObjectKind.OTHER_VIDEO and others.engine is Engine.FRAMES
        if self.takes_frames and (is_other or look.kind is ObjectKind.IMAGE):
            record = replace(record, engine=Engine.FRAMES, interval_ms=others.interval_ms)
        return replace(record, lane=record.lane.of(record.engine))

    def _write(self, record: Record, previous: Record | None, retries: Retries) -> Registered:
        outcome = retries.run(lambda: self._records.register(record, previous))
        if outcome is Outcome.DONE:
            return registered(record)
        # Another was first, or this write was repeated and its analysis may run already: answer with the record as it is now.
        now = self.previous(record, retries)
        return registered(now or record)


def is_retried(previous: Record, attempt: int) -> bool:
    """Tell whether an attempt retries a video: only that of a retry does, not a repeated request."""
    return previous.state in RETRIABLE and previous.attempt < attempt


def registered(record: Record) -> Registered:
    """Return the result that a record means."""
    return Registered(record.state.value, record.problem)
