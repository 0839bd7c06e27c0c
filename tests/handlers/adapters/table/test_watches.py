"""Watched buckets in the table: what each write changes, when it does not apply, and what is counted on which day."""

from dataclasses import replace

import pytest

from handlers.adapters.table import Comparison, CurrentUpload, DayUsedUpError, Lease, Outcome, WatchState
from handlers.adapters.table.watches import WatchDay
from handlers.domain import Engine, ObjectFacts, Record, StartParameters, State, Video, watch
from tests.handlers.doubles import BUCKET, COMPLETIONS, ROLE, SCAN

DONE, BEFORE = Outcome.DONE, Outcome.DONE_BEFORE
NOW = 1_700_000_000.0
TODAY, TOMORROW = watch.day_of(NOW), watch.day_of(NOW + 86_400)
START = StartParameters(None, 50.0, COMPLETIONS, ROLE)
FACTS = ObjectFacts("abc", 3, None)


@pytest.fixture(name="state")
def _state(table):
    """Return a function that reads what is known of the watch."""
    return lambda: table.watches.state(BUCKET)


class TestWatch:
    def test_unknown(self, table, state):
        """Of a bucket that was never watched nothing is known, nor of any of its days."""
        assert (WatchState(), WatchDay()) == (state(), table.watches.day(BUCKET, TODAY))

    def test_known(self, table):
        """A bucket is known from the beginning of its watch on, also after its end."""
        found = [table.watches.is_known(BUCKET)]
        for change in (lambda: table.watches.begin(BUCKET, 1.0), lambda: table.watches.end(BUCKET)):
            change()
            found.append(table.watches.is_known(BUCKET))

        assert ([False, True, True], False) == (found, table.watches.is_known("amzn-s3-demo-other"))

    def test_begin_and_end(self, table, state, clock):
        """Uploads count from the first beginning on, until an end, which forgets how far a comparison was."""
        table.watches.begin(BUCKET, 1.0)
        table.watches.begin(BUCKET, 2.0)
        begun = state()
        table.watches.end_comparison(BUCKET, Comparison(3.0), begun)
        table.watches.note_comparison(BUCKET, Comparison(4.0, "a"), state())
        table.watches.end(BUCKET)
        ended = state()
        table.watches.begin(BUCKET, 5.0)

        assert WatchState(since=1.0) == begun
        assert WatchState(ended_at=clock.now()) == ended
        assert WatchState(since=5.0) == state()

    @pytest.mark.parametrize(("ahead", "expected"), [(-5.0, 0.0), (5.0, 5.0)])
    def test_a_clock_that_is_slow(self, table, state, clock, ahead, expected):
        """An end is not before the newest event: what was seen counts."""
        table.watches.note_upload(BUCKET, clock.now() + ahead)

        table.watches.end(BUCKET)

        assert clock.now() + expected == state().ended_at

    def test_pause(self, table, state, clock):
        """Uploads wait once, by whom and since when, until they are resumed once."""
        watches = table.watches
        outcomes = [watches.pause_uploads(BUCKET, "Ada"), watches.pause_uploads(BUCKET, "Grace")]
        paused = state()

        outcomes += [watches.resume_uploads(BUCKET), watches.resume_uploads(BUCKET)]

        assert [DONE, BEFORE, DONE, BEFORE] == outcomes
        assert (WatchState(paused=True, paused_by="Ada", paused_at=clock.now()), WatchState()) == (paused, state())

    @pytest.mark.parametrize(("name", "field"), [("release", "released_day"), ("note_limit", "limit_day")])
    def test_days(self, table, state, name, field):
        """A limit is lifted, or its end noted, once for a day; another day takes its place."""
        outcomes = [getattr(table.watches, name)(BUCKET, day) for day in (TODAY, TODAY, TOMORROW)]

        assert ([DONE, BEFORE, DONE], WatchState(**{field: TOMORROW})) == (outcomes, state())

    def test_events(self, table, state):
        """The newest event is noted, whatever comes after it, and the first begins a watch; none does after its end."""
        for at in (5.0, 6.0, 4.0):
            table.watches.note_upload(BUCKET, at)
        noted = state()
        table.watches.end(BUCKET)

        table.watches.note_upload(BUCKET, 9e9)

        assert WatchState(since=5.0, last_upload_at=6.0) == noted
        assert (None, 6.0) == (state().since, state().last_upload_at)

    def test_comparison(self, table, state):
        """A comparison goes on from where it was seen, and ends with when it began."""
        table.watches.begin(BUCKET, 1.0)
        first = Comparison(2.0, "a.mp4", 3)
        outcomes = [table.watches.note_comparison(BUCKET, first, state())]
        under_way = state()
        outcomes.append(table.watches.note_comparison(BUCKET, Comparison(2.0, "b.mp4", 4), WatchState(since=1.0)))

        outcomes += [table.watches.end_comparison(BUCKET, first, seen) for seen in (WatchState(since=1.0), under_way)]

        assert [DONE, BEFORE, BEFORE, DONE] == outcomes
        assert (first, WatchState(since=1.0, compared_at=2.0)) == (under_way.comparison, state())

    @pytest.mark.parametrize("changed", [{"since": 2.0}, {"since": None}, {"compared_at": 1.0}, {"comparison": Comparison(1.0)}])
    def test_comparison_of_another_watch(self, table, state, changed):
        """A comparison that was seen otherwise is not noted."""
        table.watches.begin(BUCKET, 1.0)

        outcome = table.watches.note_comparison(BUCKET, Comparison(3.0), replace(state(), **changed))

        assert (BEFORE, WatchState(since=1.0)) == (outcome, state())

    def test_dead_letters(self, table):
        """The number of dead letters is 0 until one is noted, and then the last one."""
        found = [table.watches.dead_letters()]
        for count in (3, 2):
            table.watches.note_dead_letters(count)
            found.append(table.watches.dead_letters())

        assert [0, 3, 2] == found


CURRENT = CurrentUpload(BUCKET, "a b.mp4", "video", SCAN, 5.0, "before", "another scan")


class TestCurrent:
    def test_none(self, table):
        """Of a key under which nothing was looked at there is no note, neither alone nor among others."""
        table.watches.note_current(CURRENT, None)

        assert table.watches.current(BUCKET, "b.mp4") is None
        assert table.watches.current("amzn-s3-demo-other", "a b.mp4") is None
        assert {"a b.mp4": CURRENT} == table.watches.currents(BUCKET, ["b.mp4", "a b.mp4"])

    def test_once(self, table):
        """A note is written whole, and writing it again, as the SDK may, is no failure."""
        assert [True, True] == [table.watches.note_current(CURRENT, None) for _ in range(2)]
        assert CURRENT == table.watches.current(BUCKET, "a b.mp4")

    @pytest.mark.parametrize(
        "seen",
        [None, replace(CURRENT, video_id="other"), replace(CURRENT, modified_at=4.0)],
        ids=["none", "another content", "another time"],
    )
    def test_overtaken(self, table, seen):
        """A note that is not as it was seen stays, and the caller hears so."""
        table.watches.note_current(CURRENT, None)

        assert not table.watches.note_current(replace(CURRENT, video_id="new", modified_at=6.0), seen)
        assert CURRENT == table.watches.current(BUCKET, "a b.mp4")

    def test_gone(self, table):
        """A note that was seen and is gone is not written anew."""
        assert not table.watches.note_current(replace(CURRENT, modified_at=6.0), CURRENT)
        assert table.watches.current(BUCKET, "a b.mp4") is None

    def test_replaced(self, table):
        """A note that is as it was seen is replaced."""
        table.watches.note_current(CURRENT, None)
        new = CurrentUpload(BUCKET, "a b.mp4", "new", None, 6.0)

        assert table.watches.note_current(new, CURRENT)
        assert new == table.watches.current(BUCKET, "a b.mp4")


class TestDays:
    """What is counted of an upload, on the day on which it began and on which it ended."""

    @pytest.fixture(name="begin")
    def _begin(self, table):
        """Return a function that registers an upload of today, and starts its analysis at noon or later."""

        def begin(key="a.mp4", *, limit_ms=None, at=NOW, reserved_ms=60_000, **fields):
            record = Record(Video(BUCKET, key), SCAN, State.WAITING, facts=FACTS, queued_at=1.0, uploaded_at=NOW, **fields)
            table.records.register(record, None)
            record = replace(record, reserved_ms=reserved_ms)
            table.records.note_start_tried(record, FACTS, START, at=at, limit_ms=limit_ms)
            return replace(record, start_tried_at=at)

        return begin

    @pytest.fixture(name="days")
    def _days(self, table):
        """Return a function that reads today and tomorrow."""
        return lambda: tuple(table.watches.day(BUCKET, day) for day in (TODAY, TOMORROW))

    @pytest.mark.parametrize(("missed", "count"), [(True, 1), (False, 0)])
    def test_missed(self, begin, days, missed, count):
        """An upload that no event brought is counted on the day on which it was put."""
        begin(missed=missed, reserved_ms=None)

        assert (WatchDay(missed=count), WatchDay()) == days()

    def test_expected(self, begin, days):
        """What is expected of a video is taken of the day on which it begins."""
        begin(at=NOW + 86_400)

        assert (WatchDay(), WatchDay(started_ms=60_000)) == days()

    @pytest.mark.parametrize(("taken", "is_started"), [(119_999, True), (120_000, False)])
    def test_limit(self, begin, days, taken, is_started):
        """A video is begun as long as less than the limit is taken, whatever it takes itself, and for another day's limit never."""
        begin(reserved_ms=taken)
        if is_started:
            begin("b.mp4", limit_ms=120_000)
        else:
            with pytest.raises(DayUsedUpError):
                begin("b.mp4", limit_ms=120_000)

        assert taken + 60_000 * is_started == days()[0].started_ms

    def test_no_limit(self, begin, days):
        """Without a limit it is begun however much is taken."""
        begin(reserved_ms=10**9)
        begin("b.mp4")

        assert 10**9 + 60_000 == days()[0].started_ms

    @pytest.mark.parametrize(
        ("changed", "expected"),
        [
            ({"duration_ms": 90_000}, (WatchDay(started_ms=90_000), WatchDay(90_000, 1))),
            ({"duration_ms": 0}, (WatchDay(), WatchDay(0, 1))),
            ({}, (WatchDay(), WatchDay())),
            ({"reserved_ms": None, "duration_ms": 90_000}, (WatchDay(started_ms=60_000), WatchDay(90_000, 1))),
            ({"uploaded_at": None, "duration_ms": 90_000}, (WatchDay(started_ms=60_000), WatchDay())),
            (
                {"engine": Engine.FRAMES, "started_at": NOW, "images": 2, "position_ms": 2_500},
                (WatchDay(started_ms=2_500), WatchDay(2_500, 1)),
            ),
            ({"started_at": NOW + 86_400, "duration_ms": 1}, (WatchDay(started_ms=1), WatchDay(1, 1))),
        ],
    )
    def test_ended(self, begin, table, days, changed, expected):
        """What was analysed counts on the day on which it ended, and in place of what was expected on that on which it began."""
        final = replace(begin(), state=State.CLEAN, finished_at=NOW + 86_400, **changed)

        table.records.finish(final)

        assert expected == days()

    @pytest.mark.parametrize(
        ("reserved_ms", "images", "taken"), [(0, 0, 0), (0, 2, 1_200), (1_000, 1, 1_000), (1_000, 2, 1_200), (None, 2, 0)]
    )
    def test_more_than_was_expected(self, table, days, clock, reserved_ms, images, taken):
        """What is paid for beyond what was expected is taken as it is paid for, however little was expected."""
        record = Record(Video(BUCKET, "a.mkv"), SCAN, State.WAITING, facts=FACTS, engine=Engine.FRAMES, uploaded_at=NOW)
        table.records.register(record, None)
        record, lease = replace(record, reserved_ms=reserved_ms), Lease("me", clock.now() + 100)
        table.samplings.begin(record, FACTS, lease, at=NOW)

        assert table.samplings.write_progress(replace(record, images=images, started_at=NOW), (), lease)

        assert WatchDay(started_ms=taken) == days()[0]

    def test_given_back(self, begin, table, days):
        """What a video has taken is given back where its Start was certainly refused."""
        record = begin()

        outcome = table.records.forget_start_tried(record)

        assert (DONE, (WatchDay(), WatchDay())) == (outcome, days())

    def test_nothing_to_give_back(self, begin, table, raw):
        """A video that has taken nothing leaves no item of its day."""
        table.records.forget_start_tried(begin(reserved_ms=None))

        assert [] == [key for key in raw() if key[0].startswith("UPLOADS#")]
