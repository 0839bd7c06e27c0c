"""A worker may die right before and right after any of its AWS calls: each film ends as without that, and costs little more."""

import pytest

from handlers.adapters.hits import HitStore
from handlers.adapters.queue import LaneQueues
from handlers.adapters.table import open_table
from handlers.domain import lane_message, watch
from handlers.domain.states import Lane, ScanStatus, State
from handlers.domain.watch import Watch
from handlers.flows.sample_rules import IMAGES_KEPT, LEASE_SECONDS
from handlers.flows.sweep.close_scans import CloseScans
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.repeat_samples import REPEAT_SECONDS, RepeatSamples
from tests.handlers.doubles import BUCKET, SCAN, TABLE, WORK_BUCKET
from tests.handlers.flows.test_sample import DiedError, Film, Worker

pytestmark = pytest.mark.slow
FRAMES = 25
SEEN = {2_500: "Weapons", 112_500: "Violence", 117_500: "Weapons"}


class Death:
    """Comes at the n-th call of all clients that share it, before or after the call is carried out."""

    def __init__(self):
        self.calls = 0
        self.at = None

    def order(self, number, moment):
        """Count anew, and come at this call."""
        self.calls, self.at = 0, (number, moment)


class Deadly:
    """A client in front of which a death waits."""

    def __init__(self, client, death):
        self._client = client
        self._death = death

    def __getattr__(self, operation):
        """Return an operation of the client."""
        found = getattr(self._client, operation)

        def call(**parameters):
            self._death.calls += 1
            number = self._death.calls
            if (number, "before") == self._death.at:
                raise DiedError
            try:
                return found(**parameters)
            finally:
                # Also after a call that was answered with an error.
                if (number, "after") == self._death.at:
                    raise DiedError

        return call


class Scene:
    """One film in an account of its own, whose worker and sweeper can be made to die."""

    def __init__(self, dynamodb, sqs, urls, s3, clock, *, frames=FRAMES, watched=None, **fields):
        self.death, self.clock = Death(), clock
        deadly = Deadly(s3, self.death)
        self.table = open_table(Deadly(dynamodb, self.death), TABLE, clock)
        self.queues = LaneQueues(Deadly(sqs, self.death), urls)
        self.worker = Worker(self.table, self.queues, sqs, urls, deadly, deadly, clock)
        self.worker.store = HitStore(deadly, WORK_BUCKET)
        self.rekognition = self.worker.images
        self.worker.images = Deadly(self.rekognition, self.death)
        self.worker.film, self.worker.watched = Film(frames, seen=SEEN), watched or {}
        self.record = self.worker.register(**fields)

    def work(self):
        """Invoke a worker with the film's message."""
        message = lane_message.parse(lane_message.body(self.record))
        return self.worker.flow().start(message, receives=1, deadline=self.clock.now() + 900)

    def sweep(self):
        """Run the sweeper's task."""
        task = RepeatSamples(self.table.records, self.table.samplings, self.queues, self.clock)
        task.run(SweepContext(self.table.scans, self.table.control), self.clock.now() + 50)

    def until_final(self):
        """Let the queue bring the message back until the film is final; return its record."""
        for _ in range(5):
            record = self.worker.record()
            if record.state.final:
                return record
            self.clock.time += LEASE_SECONDS
            self.work()
        raise AssertionError("the film never ends")

    @property
    def end(self):
        """Return what a film leaves behind."""
        record = self.worker.record()
        totals = self.table.scans.totals(SCAN)
        segments = tuple(self.table.records.segments(record.video.id, SCAN, 0))
        left = (self.table.samplings.under_way(), totals.videos, record.images == totals.images)
        return record.state, record.images, segments, record.hits_count, self.worker.raw_hits(), left


@pytest.fixture(name="make")
def _make(dynamodb, sqs, urls, aws, clock):
    """Return a function that makes a scene; each has a table of its own only in a test of its own."""
    s3 = aws("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.create_bucket(Bucket=WORK_BUCKET)
    return lambda **fields: Scene(dynamodb, sqs, urls, s3, clock, **fields)


# Of an undisturbed worker.
CALLS = 89


@pytest.fixture(name="undisturbed")
def _undisturbed(make):
    scene = make()
    scene.death.calls = 0
    scene.work()
    return scene


def test_every_call_is_killed_at(undisturbed):
    """The numbers of calls below are those that a worker makes."""
    assert CALLS == undisturbed.death.calls
    assert (State.FLAGGED, FRAMES) == undisturbed.end[:2]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, CALLS + 1))
def test_whoever_dies(make, number, moment):
    """Every verdict, segment and raw hit is there, the totals are true, and at most twenty images were paid twice."""
    scene = make()
    scene.death.order(number, moment)
    with pytest.raises(DiedError):
        scene.work()

    scene.until_final()

    state, images, segments, hits, raw, left = scene.end
    assert (State.FLAGGED, FRAMES, 3, 3) == (state, images, hits, len(raw))
    assert [2_500, 112_500, 117_500] == [one.start_ms for one in segments]
    assert (0, 1, True) == (left[0], left[1][State.FLAGGED], left[2])
    assert FRAMES <= len(scene.rekognition.calls) <= FRAMES + IMAGES_KEPT


class TestLimitOfADay:
    """An upload of half a minute to a bucket with a limit, whose header says less."""

    CALLS = 30

    @pytest.fixture(name="limited")
    def _limited(self, make):
        watched = {BUCKET: Watch(BUCKET, max_minutes_per_day=60)}
        return lambda: make(frames=6, watched=watched, uploaded_at=1.0, expected_ms=1_000)

    def test_every_call_is_killed_at(self, limited):
        """The numbers of calls below are those that a worker makes."""
        scene = limited()
        scene.death.calls = 0

        scene.work()

        assert self.CALLS == scene.death.calls

    @pytest.mark.parametrize("moment", ["before", "after"])
    @pytest.mark.parametrize("number", range(1, CALLS + 1))
    def test_whoever_dies(self, limited, clock, number, moment):
        """The day has the length of the film taken, once."""
        scene, today = limited(), watch.day_of(clock.now())
        scene.death.order(number, moment)
        with pytest.raises(DiedError):
            scene.work()

        assert State.FLAGGED is scene.until_final().state

        day = scene.table.watches.day(BUCKET, today)
        assert (30_000, 30_000, 1) == (day.started_ms, day.milliseconds, day.analyses)


class TestSweeper:
    def test_dead_worker(self, make, messages):
        """The message of a film that no worker is at is sent again, to the express lane, and not at once once more."""
        scene = make()
        scene.death.order(40, "before")
        with pytest.raises(DiedError):
            scene.work()
        messages(Lane.FRAMES)
        scene.sweep()
        early = messages(Lane.FRAMES_EXPRESS)
        scene.clock.time += LEASE_SECONDS + REPEAT_SECONDS

        scene.sweep()
        scene.sweep()

        assert [] == early
        assert 1 == len(messages(Lane.FRAMES_EXPRESS))
        assert State.FLAGGED is scene.until_final().state

    def test_at_it(self, make, messages):
        """A film that a worker is at is left alone."""
        scene = make()
        scene.worker.film.at_frame[52_500] = scene.sweep

        scene.work()

        assert [] == messages(Lane.FRAMES_EXPRESS)

    def test_paused(self, make, messages):
        """A film of a paused scan waits until the scan is resumed."""
        scene = make()
        scene.worker.film.at_frame[102_500] = lambda: scene.table.scans.pause_scan(SCAN, "by hand")
        scene.work()
        scene.clock.time += REPEAT_SECONDS
        scene.sweep()
        while_paused = messages(Lane.FRAMES_EXPRESS)
        scene.table.scans.resume_scan(SCAN)

        scene.sweep()

        assert [] == while_paused
        assert 1 == len(messages(Lane.FRAMES_EXPRESS))

    def test_minutes_used_up(self, make, messages):
        """A film whose worker died goes on although the minutes of its day are used up."""
        scene = make()
        scene.death.order(40, "before")
        with pytest.raises(DiedError):
            scene.work()
        scene.table.scans.pause_scan(SCAN, watch.LIMIT_REACHED)
        messages(Lane.FRAMES)
        scene.clock.time += LEASE_SECONDS + REPEAT_SECONDS

        scene.sweep()

        assert 1 == len(messages(Lane.FRAMES_EXPRESS))

    def test_all_paused(self, make, messages):
        """While starting is paused no message is sent."""
        scene = make()
        scene.worker.film.at_frame[102_500] = lambda: scene.table.control.pause("someone", "reason")
        scene.work()
        scene.clock.time += REPEAT_SECONDS

        scene.sweep()

        assert [] == messages(Lane.FRAMES_EXPRESS)

    def test_cancelled(self, make):
        """A film that no worker is at is cancelled with its scan; what was paid for stays counted."""
        scene = make()
        scene.worker.film.at_frame[102_500] = lambda: scene.table.scans.pause_scan(SCAN, "by hand")
        scene.work()
        scene.table.scans.cancel_scan(SCAN, "by hand")
        scene.clock.time += 1

        scene.sweep()

        assert (State.CANCELLED, IMAGES_KEPT) == (scene.worker.record().state, scene.worker.record().images)
        assert (0, IMAGES_KEPT) == (scene.table.samplings.under_way(), scene.table.scans.totals(SCAN).images)

    def test_unknown(self, make, dynamodb):
        """What no record knows is forgotten."""
        scene = make()
        scene.death.order(40, "before")
        with pytest.raises(DiedError):
            scene.work()
        key = {"pk": {"S": f"VIDEO#{scene.record.video.id}"}, "sk": {"S": f"SCAN#{SCAN}"}}
        dynamodb.delete_item(TableName=TABLE, Key=key)
        scene.clock.time += LEASE_SECONDS + REPEAT_SECONDS

        scene.sweep()

        assert 0 == scene.table.samplings.under_way()

    @pytest.fixture(name="left")
    def _left(self, make):
        """Return a function that makes a scene with a film for the sweeper, whose scan is cancelled or resumed."""

        def left(*, cancelled):
            scene = make()
            scene.worker.film.at_frame[102_500] = lambda: scene.table.scans.pause_scan(SCAN, "by hand")
            scene.work()
            if cancelled:
                scene.table.scans.cancel_scan(SCAN, "by hand")
            else:
                scene.table.scans.resume_scan(SCAN)
            scene.clock.time += REPEAT_SECONDS
            scene.death.calls = 0
            return scene

        return left

    # Of an undisturbed sweeper: whether the scan is cancelled, and the number of calls.
    CALLS = ((True, 12), (False, 11))

    @pytest.mark.parametrize(("cancelled", "calls"), CALLS)
    def test_every_call_is_killed_at(self, left, cancelled, calls):
        """The numbers of calls below are those that a sweeper makes."""
        scene = left(cancelled=cancelled)

        scene.sweep()

        assert calls == scene.death.calls

    @pytest.mark.parametrize(
        ("cancelled", "number"), [(cancelled, number) for cancelled, calls in CALLS for number in range(1, calls + 1)]
    )
    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_killed(self, left, number, moment, cancelled):
        """A sweeper may die at any call: the next one does the rest, and nothing is counted twice."""
        scene = left(cancelled=cancelled)
        scene.death.order(number, moment)
        with pytest.raises(DiedError):
            scene.sweep()
        scene.clock.time += REPEAT_SECONDS

        scene.sweep()
        if not cancelled:
            scene.work()

        ended = State.CANCELLED if cancelled else State.FLAGGED
        assert (ended, 0) == (scene.worker.record().state, scene.table.samplings.under_way())
        assert 1 == scene.table.scans.totals(SCAN).videos[ended]


def test_scans_are_closed_only_after_their_films(make, table, clock):
    """A scan whose film is under way is not closed, although nothing of it waits or takes a slot."""
    scene = make()
    scene.worker.film = Film(FRAMES)
    scene.death.order(40, "before")
    with pytest.raises(DiedError):
        scene.work()
    task = CloseScans(table.records, table.samplings, table.waiting, table.scans, table.watches, clock)

    def swept():
        for _ in range(3):
            task.run(SweepContext(table.scans, table.control), clock.now() + 50)
            clock.time += 60
        return table.scans.scan(SCAN).status

    under_way = swept()
    scene.until_final()

    assert (ScanStatus.OPEN, ScanStatus.CLOSED) == (under_way, swept())
