"""Retrying in place: which errors, how often, and until when; and what an object is registered as."""

from dataclasses import replace

import pytest

from handlers.adapters import LaneQueues, Look
from handlers.domain import reasons
from handlers.domain.engine import Engine
from handlers.domain.objects import ObjectKind
from handlers.domain.record import ObjectFacts, Problem
from handlers.domain.states import SCAN_LANES, Lane, State
from handlers.flows.registration import NO_OTHERS, RETRY_SECONDS, SKIPPED, Others, Registered, Registration, Retries
from tests.handlers.doubles import SCAN, are_growing_waits, client_error, waiting

THROTTLED = client_error("ThrottlingException")


@pytest.fixture(name="steady")
def _steady(monkeypatch):
    """Let the first wait take a second, and each one a second more, without chance."""
    monkeypatch.setattr("handlers.flows.registration.backoff_seconds", lambda attempt, **_: 1.0 + attempt)


class Step:
    """A step that fails a number of times."""

    def __init__(self, failures, error=THROTTLED):
        self.left, self.error, self.runs = failures, error, 0

    def __call__(self):
        """Fail, or return how often it was run."""
        self.runs += 1
        if self.runs <= self.left:
            raise self.error
        return self.runs


def test_waits(clock):
    """Each wait is twice as long as the one before, up to 5 s."""
    assert 8 == Retries(clock, clock.now() + 60).run(Step(7))
    assert are_growing_waits(clock.slept, base=0.2, cap=5.0)


@pytest.mark.parametrize(("seconds", "runs"), [(0.999, 1), (1.0, 2), (2.999, 2), (3.0, 3)])
def test_until(clock, steady, seconds, runs):
    """A step is repeated as long as its wait ends in time, at the last moment too; then its error is raised."""
    step = Step(99)

    with pytest.raises(type(THROTTLED)):
        Retries(clock, clock.now() + seconds).run(step)

    assert runs == step.runs


def test_what_does_not_pass(clock):
    """An error that does not pass by itself is raised at once."""
    step = Step(1, client_error("AccessDenied", 403))

    with pytest.raises(type(THROTTLED)):
        Retries(clock, clock.now() + 60).run(step)

    assert (1, []) == (step.runs, clock.slept)


FACTS = ObjectFacts("def", 5, "v1")
FRAMES = Others(Engine.FRAMES, 2_000)


class TestRegistration:
    @pytest.fixture(name="make")
    def _make(self, table, objects, sqs, urls, clock):
        """Return a function that makes the registration of a deployment with frames, or without."""

        def make(*, frames=True):
            lanes = {lane: url for lane, url in urls.items() if frames or lane in SCAN_LANES}
            return Registration(table.records, objects, LaneQueues(sqs, lanes), clock)

        return make

    @pytest.mark.parametrize(
        ("kind", "others", "frames", "engine", "interval_ms"),
        [
            (ObjectKind.VIDEO, FRAMES, True, Engine.VIDEO, None),
            (ObjectKind.OTHER_VIDEO, FRAMES, True, Engine.FRAMES, 2_000),
            (ObjectKind.OTHER_VIDEO, NO_OTHERS, True, Engine.VIDEO, None),
            (ObjectKind.OTHER_VIDEO, Others(Engine.VIDEO, 2_000), True, Engine.VIDEO, None),
            (ObjectKind.OTHER_VIDEO, FRAMES, False, Engine.VIDEO, None),
            (ObjectKind.IMAGE, Others(None, 2_000), True, Engine.FRAMES, 2_000),
            (ObjectKind.IMAGE, FRAMES, False, Engine.VIDEO, None),
        ],
    )
    @pytest.mark.parametrize("lane", SCAN_LANES)
    def test_engine(self, make, table, messages, clock, kind, others, frames, engine, interval_ms, lane):
        """Images, and films that the video API does not take where that was asked for, go by frames, in the lane of their kind."""
        registration, new = make(frames=frames), waiting(lane=lane, queued_at=1.0)

        result = registration.enter(new, Look(FACTS, None, kind), None, registration.retries(), others=others)

        found = table.records.record(new.video.id, SCAN)
        expected = replace(new, facts=FACTS, engine=engine, interval_ms=interval_ms, lane=lane.of(engine), queued_at=clock.now())
        assert (Registered("WAITING"), expected) == (result, found)
        assert [1] == [len(found) for each in Lane if (found := messages(each))]
        assert frames is registration.takes_frames

    @pytest.mark.parametrize(
        ("previous", "result", "is_written"),
        [(None, SKIPPED, False), (waiting().as_failed(Problem("empty", "?"), at=1.0), "FAILED", True)],
    )
    def test_no_video(self, make, table, messages, clock, previous, result, is_written):
        """What is no video gets no record; a retry of what was one says why it failed."""
        problem = Problem(reasons.NOT_A_VIDEO, "It is text.")
        if previous is not None:
            table.records.register(previous, None)
        registration, new = make(), waiting(attempt=int(is_written))

        found = registration.enter(new, Look(FACTS, problem, ObjectKind.VIDEO), previous, registration.retries())

        assert Registered(result, problem) == found
        record = table.records.record(new.video.id, SCAN)
        failed = replace(new, state=State.FAILED, problem=problem, facts=FACTS, queued_at=clock.now(), finished_at=clock.now())
        assert (failed if is_written else None) == record
        assert [] == messages()

    @pytest.mark.parametrize(
        ("state", "attempt", "lane", "frames", "sent"),
        [
            (State.WAITING, 1, Lane.NORMAL, True, 1),
            (State.WAITING, 0, Lane.NORMAL, True, 0),
            (State.RUNNING, 1, Lane.NORMAL, True, 0),
            (State.WAITING, 1, Lane.FRAMES, True, 1),
            (State.WAITING, 1, Lane.FRAMES, False, 0),
        ],
    )
    def test_left(self, make, table, messages, state, attempt, lane, frames, sent):
        """A record is left as it is; one that waits gets another message from a later attempt, if there is its lane."""
        previous = waiting(lane=lane)
        registration = make(frames=frames)

        result = registration.leave(replace(previous, state=state), attempt, registration.retries())

        assert (Registered(state.value), sent) == (result, len(messages(lane)))
        assert table.records.record(previous.video.id, SCAN) is None

    def test_another_was_first(self, make, table):
        """Where another registration was first, the answer is what is there now."""
        problem = Problem("empty", "?")
        table.records.register(waiting().as_failed(problem, at=1.0), None)
        registration = make()

        result = registration.enter(waiting(), Look(FACTS, None, ObjectKind.VIDEO), None, registration.retries())

        assert Registered("FAILED", problem) == result

    def test_for_half_a_minute(self, make, clock):
        """An invocation retries in place for half a minute."""
        retries = make().retries()

        assert (clock.now() + RETRY_SECONDS, 30.0) == (retries._until, RETRY_SECONDS)
