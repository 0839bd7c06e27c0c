"""The scans of days: held while their watch is paused or its minutes are used up, closed the day after, and their mails."""

import contextlib
from dataclasses import replace

import pytest

from handlers.adapters.uploads import BucketListing, UploadQueue
from handlers.domain import (
    LabelSummary,
    Lane,
    ObjectFacts,
    Problem,
    Record,
    Scan,
    ScanMail,
    ScanStatus,
    StartParameters,
    State,
    Video,
    reasons,
    watch,
)
from handlers.domain.languages import LANGUAGES
from handlers.domain.watch import Watch
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.hold_watches import HoldWatches
from handlers.flows.sweep.resend import ResendMessages
from handlers.flows.sweep.sweep import SweepError, SweepFlow, UploadPorts
from tests.handlers.doubles import BUCKET, OTHER_SCAN, client_error
from tests.handlers.sweeper_doubles import SETTINGS, Buckets, KilledError, UploadMessages

OTHER_BUCKET = "amzn-s3-demo-other"
DAY, NEXT_DAY = "2026-11-29", "2026-11-30"
SCAN_ID, NEXT_SCAN_ID = watch.scan_id(BUCKET, DAY), watch.scan_id(BUCKET, NEXT_DAY)
NOON = watch.begin_of(DAY) + 43_200
MINUTE = 60_000
START = StartParameters(None, 50.0, "topic", "role")
LIMITED = {BUCKET: Watch(BUCKET, max_minutes_per_day=10), OTHER_BUCKET: Watch(OTHER_BUCKET, max_minutes_per_day=10)}


@pytest.fixture(autouse=True)
def _noon(clock):
    clock.time = NOON


@pytest.fixture(name="make_flow")
def _make_flow(ports, clock):
    """Return a function that makes a new environment of a sweeper with watched buckets."""
    buckets = Buckets(clock)
    uploads = UploadPorts(BucketListing(buckets), UploadQueue(UploadMessages(), "uploads", "dead uploads", clock))
    buckets.objects = {BUCKET: {}, OTHER_BUCKET: {}}
    return lambda **more: SweepFlow(replace(ports, uploads=uploads), clock, replace(SETTINGS, **{"watched": LIMITED} | more))


@pytest.fixture(name="sweep")
def _sweep(make_flow, clock):
    """Return a function that sweeps once a minute."""
    flow = make_flow()

    def sweep(times=1):
        for _ in range(times):
            next_minute = clock.now() + 60
            flow.sweep(deadline=clock.now() + 300)
            clock.sleep(max(0, next_minute - clock.now()))

    return sweep


@pytest.fixture(name="hold")
def _hold(table, clock):
    """Return a function that only holds and resumes scans."""

    def hold(watched=LIMITED):
        task = HoldWatches(table.waiting, table.scans, table.watches, clock, watched)
        task.run(SweepContext(table.scans, table.control), clock.now() + 5)

    return hold


@pytest.fixture(name="register")
def _register(table, clock):
    """Return a function that registers uploads in the scan of a day."""

    def register(key="a.mp4", *, day=DAY, bucket=BUCKET, **more):
        scan_id = watch.scan_id(bucket, day)
        table.scans.ensure_day_scan(scan_id, bucket, day, held=None)
        more = {"uploaded_at": watch.begin_of(day), "queued_at": clock.now(), "lane": Lane.EXPRESS} | more
        record = Record(Video(bucket, key, None, "abc"), scan_id, State.WAITING, **more)
        table.records.register(record, None)
        return record

    return register


@pytest.fixture(name="begin")
def _begin(table, clock, register):
    """Return a function that starts the analysis of an upload by its expected minutes."""

    def begin(key, minutes, **more):
        record = replace(register(key, **more), reserved_ms=round(minutes * MINUTE))
        table.records.note_start_tried(record, ObjectFacts("abc", 3, None), START, at=clock.now())
        table.records.enter_running(record, f"job of {key}")
        return replace(record, start_tried_at=clock.now())

    return begin


@pytest.fixture(name="finish")
def _finish(table, clock, begin):
    """Return a function that analyses an upload of some minutes."""

    def finish(key, minutes, state=State.CLEAN, **more):
        record = begin(key, minutes, **more)
        final = replace(record, state=state, finished_at=clock.now(), duration_ms=round(minutes * MINUTE))
        if state is State.FLAGGED:
            label = LabelSummary("Weapons", "Violence", 2, 99.5, 1_500, 83_000)
            final = replace(final, labels=(label,), counted=("Weapons",), mail_due=True)
        table.records.finish(final)
        return final

    return finish


@pytest.fixture(name="held")
def _held(table):
    """Return a function that tells how a scan stands, and why."""

    def held(scan_id=SCAN_ID):
        scan = table.scans.scan(scan_id)
        return scan.status, scan.held_reason

    return held


OPEN = (ScanStatus.OPEN, None)
BY_HAND = (ScanStatus.PAUSED, watch.PAUSED_BY_HAND)
BY_LIMIT = (ScanStatus.PAUSED, watch.LIMIT_REACHED)


class TestPaused:
    def test_by_hand(self, hold, register, held, table):
        """While a watch is paused its scans wait, those of other buckets do not; then their messages are sent again."""
        register()
        register(bucket=OTHER_BUCKET)
        table.watches.pause_uploads(BUCKET, "someone")

        hold()
        paused = held(), held(watch.scan_id(OTHER_BUCKET, DAY))
        table.watches.resume_uploads(BUCKET)
        hold()

        assert ((BY_HAND, OPEN), OPEN) == (paused, held())
        assert table.scans.scan(SCAN_ID).resend_due

    @pytest.mark.parametrize("day", [DAY, "2026-11-27"])
    def test_all_days(self, hold, register, held, table, day):
        """The scans of earlier days of which something waits are held and resumed with that of today."""
        register(day=day)
        table.watches.pause_uploads(BUCKET, "someone")

        hold()

        assert BY_HAND == held(watch.scan_id(BUCKET, day))

    def test_paused_by_a_person(self, hold, register, held, table):
        """A scan that a person paused is neither resumed nor given another reason, whatever its watch does."""
        register()
        table.scans.pause_scan(SCAN_ID, "paused by ann")

        for change in (lambda: table.watches.pause_uploads(BUCKET, "someone"), lambda: table.watches.resume_uploads(BUCKET)):
            change()
            hold()

        assert (ScanStatus.PAUSED, "paused by ann") == held()

    def test_a_person_was_quicker(self, register, held, table):
        """A scan that a person paused or cancelled after the sweeper read it stays as it is."""
        register()
        table.scans.pause_scan(SCAN_ID, "paused by ann")

        outcomes = [table.scans.hold_day_scan(SCAN_ID, reason) for reason in (None, watch.LIMIT_REACHED)]
        table.scans.cancel_scan(SCAN_ID, "cancelled by ann")
        outcomes += [table.scans.hold_day_scan(SCAN_ID, reason) for reason in (None, watch.LIMIT_REACHED)]

        assert ["BY_ANOTHER"] * 4 == [outcome.name for outcome in outcomes]
        assert (ScanStatus.CANCELLED, "cancelled by ann") == held()

    def test_other_scans(self, hold, table):
        """The scan of a backlog of the same bucket is left alone."""
        table.scans.put_scan(Scan(OTHER_SCAN, BUCKET))
        table.watches.pause_uploads(BUCKET, "someone")

        hold()

        assert ScanStatus.OPEN is table.scans.scan(OTHER_SCAN).status

    def test_no_longer_watched(self, hold, register, finish, held):
        """What was held for its limit is resumed when its bucket is not watched any more."""
        finish("long.mp4", 10)
        register()

        hold()
        limited = held()
        hold({})

        assert (BY_LIMIT, OPEN) == (limited, held())

    def test_without_days(self, hold, table, dynamodb):
        """Where no scan of a day is live, nothing is read of watches."""
        table.scans.put_scan(Scan(OTHER_SCAN, BUCKET))
        table.scans.active()
        before = len(dynamodb.calls)

        hold()

        assert ["query", "batch_get_item"] == [name for name, _ in dynamodb.calls[before:]]


class TestLimit:
    @pytest.mark.parametrize(("minutes", "expected"), [(9.999, OPEN), (10, BY_LIMIT), (500, BY_LIMIT)])
    def test_reached(self, hold, register, finish, held, minutes, expected):
        """Once the minutes of a day are used up, its uploads wait."""
        finish("long.mp4", minutes)
        register()

        hold()

        assert expected == held()

    @pytest.mark.parametrize(("running", "expected"), [(1, OPEN), (2, BY_LIMIT)])
    def test_running(self, hold, begin, finish, held, running, expected):
        """What runs counts with the minutes that are expected of it."""
        finish("1.mp4", 6)
        for number in range(running):
            begin(f"running{number}.mp4", 2)

        hold()

        assert expected == held()

    @pytest.mark.parametrize(("minutes", "expected"), [(9.9, OPEN), (10, BY_LIMIT), (30, BY_LIMIT)])
    def test_true_length(self, hold, begin, held, table, clock, minutes, expected):
        """When an analysis is over, what it took counts in place of what was expected: what waits goes on, or still waits."""
        running = begin("running.mp4", 20)
        hold()
        expected_before = held()
        table.records.finish(replace(running, state=State.CLEAN, finished_at=clock.now(), duration_ms=round(minutes * MINUTE)))

        hold()

        assert (BY_LIMIT, expected) == (expected_before, held())

    def test_others_run(self, hold, begin, finish, held):
        """What runs of other buckets does not count."""
        finish("1.mp4", 9)
        begin("1.mp4", 5, bucket=OTHER_BUCKET)

        hold()

        assert OPEN == held()

    def test_without_a_limit(self, hold, register, finish, held):
        """A watch without a limit has none."""
        finish("long.mp4", 10_000)
        register()

        hold({BUCKET: Watch(BUCKET)})

        assert OPEN == held()

    def test_begun_yesterday(self, hold, begin, register, held, table, clock):
        """What began yesterday and ends today counts for yesterday, whose minutes it has taken."""
        running = begin("yesterday.mp4", 10)
        clock.time += 86_400
        table.records.finish(replace(running, state=State.CLEAN, finished_at=clock.now(), duration_ms=10 * MINUTE))
        register(day=NEXT_DAY)

        hold()

        assert OPEN == held(NEXT_SCAN_ID)
        days = [table.watches.day(BUCKET, day) for day in (DAY, NEXT_DAY)]
        assert [(0, 10 * MINUTE), (10 * MINUTE, 0)] == [(day.milliseconds, day.started_ms) for day in days]

    def test_yesterday_counts_today(self, hold, finish, register, held, clock):
        """What waited yesterday uses up the minutes of the day on which it is analysed."""
        clock.time += 86_400
        finish("yesterday.mp4", 10)
        register(day=NEXT_DAY)

        hold()

        assert (BY_LIMIT, BY_LIMIT) == (held(SCAN_ID), held(NEXT_SCAN_ID))

    def test_next_day(self, hold, register, finish, held, table, clock):
        """On the next day what waited is resumed, and how many uploads did is noted."""
        finish("long.mp4", 10)
        for number in range(3):
            register(f"{number}.mp4")
        hold()
        clock.time = watch.begin_of(NEXT_DAY) - 1
        hold()
        evening = held()
        clock.time += 1
        hold()

        assert (BY_LIMIT, OPEN, 3) == (evening, held(), table.scans.scan(SCAN_ID).uploads_waited)

    def test_released(self, hold, register, finish, held, table, clock):
        """A release lifts the limit for the rest of its day only."""
        finish("long.mp4", 10)
        register()
        hold()
        table.watches.release(BUCKET, DAY)
        hold()
        released = held()
        clock.time += 86_400
        finish("longer.mp4", 10, day=NEXT_DAY)
        hold()

        assert (OPEN, BY_LIMIT) == (released, held(NEXT_SCAN_ID))

    def test_by_hand_goes_first(self, hold, register, finish, held, table):
        """A watch that is paused and resumed by hand while its limit is reached waits on for the limit."""
        finish("long.mp4", 10)
        register()
        table.watches.pause_uploads(BUCKET, "someone")
        hold()
        paused = held()
        table.watches.resume_uploads(BUCKET)
        hold()

        assert (BY_HAND, BY_LIMIT) == (paused, held())

    def test_one_mail_a_day(self, sweep, register, finish, sns, caplog, table):
        """The operator is mailed and an alarm is logged once a day, with how many uploads wait and how to release them."""
        finish("long.mp4", 10)
        register("1.mp4")
        register("2.mp4")

        sweep(5)

        (mail,) = sns.mails
        alarms = [entry for entry in caplog.records if entry.message == "uploads wait: the minutes of a day are used up"]
        assert f"Uploads wait: the minutes of {DAY} are used up ({BUCKET})" == mail["Subject"]
        assert f"The minutes of {DAY} for uploads to {BUCKET} are used up: 2 videos still wait." in mail["Message"]
        assert f"watch release {BUCKET} --stack VideoModeration" in mail["Message"]
        assert "DAY_LIMIT" == mail["MessageAttributes"]["kind"]["StringValue"]
        assert [(SCAN_ID, BUCKET)] == [(entry.scan_id, entry.bucket) for entry in alarms]
        assert DAY == table.watches.state(BUCKET).limit_day

    def test_a_mail_for_each_day(self, sweep, finish, sns, clock, table):
        """Each day on which the limit is reached has its mail, though it is the scan of the day before that waits."""
        finish("long.mp4", 10)
        sweep(3)
        clock.time = watch.begin_of(NEXT_DAY) + 60
        finish("longer.mp4", 10)
        sweep(3)

        subjects = [mail["Subject"] for mail in sns.mails if mail["MessageAttributes"]["kind"]["StringValue"] == "DAY_LIMIT"]
        assert [f"Uploads wait: the minutes of {day} are used up ({BUCKET})" for day in (DAY, NEXT_DAY)] == subjects

    def test_one_mail_of_all_scans(self, hold, finish, register, table, clock):
        """Of several scans the newest has the mail; a scan that begins later on that day has none of its own."""
        finish("a.mp4", 1, day="2026-11-28")
        finish("b.mp4", 10)
        hold()
        first = [scan.id for scan in table.scans.scans() if ScanMail.DAY_LIMIT in scan.mails_due]
        clock.time = watch.begin_of(NEXT_DAY)
        finish("c.mp4", 10)
        hold()
        register(day=NEXT_DAY)
        hold()

        mailed = {scan.id: scan.limit_day for scan in table.scans.scans()}
        assert [SCAN_ID] == first
        assert {watch.scan_id(BUCKET, "2026-11-28"): None, SCAN_ID: NEXT_DAY, NEXT_SCAN_ID: None} == mailed

    def test_not_noted(self, make_flow, finish, register, sns, dynamodb, clock):
        """Where the day cannot be noted of the watch, the mail is sent once nevertheless: its scan remembers it."""
        finish("long.mp4", 10)
        register()
        update = dynamodb._client.update_item

        def refused(**parameters):
            if parameters["Key"] == {"pk": {"S": "WATCH"}, "sk": {"S": BUCKET}}:
                raise client_error("ValidationException")
            return update(**parameters)

        dynamodb._client.update_item = refused
        for _ in range(3):
            with contextlib.suppress(Exception):
                make_flow().sweep(deadline=clock.now() + 300)
            clock.sleep(60)

        assert ["DAY_LIMIT"] == [mail["MessageAttributes"]["kind"]["StringValue"] for mail in sns.mails]

    @pytest.mark.parametrize("calls", range(1, 6))
    @pytest.mark.parametrize("operation", ["get_item", "update_item", "put_item", "query", "transact_write_items"])
    def test_killed(self, make_flow, finish, register, held, sns, dynamodb, clock, operation, calls):
        """A sweeper that is killed after any call leaves what the next one completes: held, and mailed once."""
        finish("long.mp4", 10)
        register()
        dynamodb.die_after(operation, KilledError(), calls)
        with contextlib.suppress(KilledError):
            make_flow().sweep(deadline=clock.now() + 300)
        dynamodb.live()
        clock.sleep(301)

        make_flow().sweep(deadline=clock.now() + 300)

        mailed = {mail["MessageAttributes"]["kind"]["StringValue"] for mail in sns.mails}
        assert (BY_LIMIT, {"DAY_LIMIT"}) == (held(), mailed)

    def test_two_sweeps(self, finish, register, held, table, clock):
        """Two sweeps that read the same and act in turn have the result of one."""
        finish("long.mp4", 10)
        register()
        contexts = [SweepContext(table.scans, table.control) for _ in range(2)]
        seen = [context.scans() for context in contexts]

        for context in contexts:
            HoldWatches(table.waiting, table.scans, table.watches, clock, LIMITED).run(context, clock.now() + 5)

        assert (seen[0], BY_LIMIT) == (seen[1], held())
        assert (ScanMail.DAY_LIMIT,) == table.scans.scan(SCAN_ID).mails_due


def _slow_down(*_, **__):
    raise client_error("SlowDown", 503)


class TestClosing:
    def test_after_the_day(self, sweep, finish, table, clock):
        """The scan of a day closes an hour after the end of the day, though it has no job, and its digest is mailed once."""
        finish("a.mp4", 1)
        clock.time = watch.end_of(DAY) + 3_600 - 300
        sweep(5)
        before = table.scans.scan(SCAN_ID).status
        sweep(3)

        assert (ScanStatus.OPEN, ScanStatus.CLOSED) == (before, table.scans.scan(SCAN_ID).status)

    @pytest.mark.parametrize("running", [False, True])
    def test_something_is_left(self, sweep, register, table, rekognition, clock, running):
        """It stays open while an upload of it waits or runs."""
        record = register()
        if running:
            video = {"S3Object": {"Bucket": BUCKET, "Name": "a.mp4"}}
            answer = rekognition.start_content_moderation(ClientRequestToken="token", JobTag=record.analysis.tag, Video=video)
            table.records.enter_running(record, answer["JobId"])
        clock.time = watch.end_of(DAY) + 2 * 86_400

        sweep(5)

        assert ScanStatus.OPEN is table.scans.scan(SCAN_ID).status

    @pytest.mark.parametrize("reason", [watch.LIMIT_REACHED, "paused by ann"])
    def test_paused(self, hold, finish, table, clock, sweep, reason):
        """A scan that is paused by a person stays; one that is held for the limit of a day is resumed, and closes."""
        finish("a.mp4", 1)
        table.scans.pause_scan(SCAN_ID, reason)
        clock.time = watch.end_of(DAY) + 2 * 86_400

        sweep(5)

        expected = ScanStatus.CLOSED if reason == watch.LIMIT_REACHED else ScanStatus.PAUSED
        assert expected is table.scans.scan(SCAN_ID).status

    @pytest.mark.parametrize("is_due", [True, False])
    def test_until_compared(self, sweep, finish, table, clock, monkeypatch, is_due):
        """It stays open where its bucket is not compared yet, though it should be; one that is never compared closes."""
        finish("a.mp4", 1)
        if is_due:
            table.watches.begin(BUCKET, clock.now())
        clock.time = watch.end_of(DAY) + 3_600

        with monkeypatch.context() as fails:
            fails.setattr(Buckets, "list_objects_v2", _slow_down)
            for _ in range(4):
                with contextlib.suppress(SweepError):
                    sweep()
                clock.sleep(300)
        before = table.scans.scan(SCAN_ID).status
        sweep(4)

        assert before is (ScanStatus.OPEN if is_due else ScanStatus.CLOSED)
        assert ScanStatus.CLOSED is table.scans.scan(SCAN_ID).status

    @pytest.mark.parametrize(("hours", "status"), [(2, ScanStatus.OPEN), (25, ScanStatus.CLOSED)])
    def test_while_compared(self, ports, finish, table, clock, hours, status):
        """It stays open while its bucket is compared with the table, for a day at most: what is found belongs in its digest."""
        finish("a.mp4", 1)
        table.watches.begin(BUCKET, clock.now())
        state = table.watches.state(BUCKET)
        buckets = Buckets(clock, page=1, seconds=11.0)
        for number in range(99):
            buckets.put(BUCKET, f"{number:02}.txt", NOON)
        queue = UploadQueue(UploadMessages(), "uploads", "dead uploads", clock)
        with_uploads = replace(ports, uploads=UploadPorts(BucketListing(buckets), queue))
        clock.time = watch.end_of(DAY) + hours * 3_600
        assert state.comparison is None

        for _ in range(4):
            SweepFlow(with_uploads, clock, replace(SETTINGS, watched=LIMITED)).sweep(deadline=clock.now() + 300)
            clock.sleep(60)

        assert status is table.scans.scan(SCAN_ID).status


class TestCancelled:
    @pytest.fixture(name="state")
    def _state(self, table):
        """Return a function from a key to the state of its record."""
        return lambda key: table.records.record(Video(BUCKET, key, None, "abc").id, SCAN_ID).state

    def test_what_waits(self, sweep, register, finish, table, clock, sns, state):
        """What waits when a day is cancelled is cancelled; what is uploaded later is not, and belongs to the same digest."""
        register("1.mp4")
        clock.time += 1
        table.scans.cancel_waiting(SCAN_ID)
        sweep(2)
        register("2.mp4")
        sweep(3)
        waiting = state("1.mp4"), state("2.mp4")
        finish("3.mp4", 1)
        table.scans.cancel_waiting(SCAN_ID)
        clock.time = watch.end_of(DAY) + 3_600
        sweep(5)

        (digest,) = sns.mails
        assert (State.CANCELLED, State.WAITING) == waiting
        assert f"Uploads of {DAY}: 3 videos, 0 flagged, 0 failed ({BUCKET})" == digest["Subject"]
        assert "  cancelled            2" in digest["Message"].splitlines()

    @pytest.mark.parametrize("status", [ScanStatus.OPEN, ScanStatus.PAUSED])
    def test_is_not_sent_again(self, sweep, register, table, queues, clock, messages, state, status):
        """What is to be cancelled is not sent again before its turn, also if its scan was paused and is resumed meanwhile."""
        for number in range(60):
            register(f"{number:02}.mp4")
        if status is ScanStatus.PAUSED:
            table.scans.pause_scan(SCAN_ID, "by ann")
        clock.time += 1
        table.scans.cancel_waiting(SCAN_ID)
        table.scans.cancel_now(SCAN_ID)
        table.scans.resume_scan(SCAN_ID)
        table.scans.resend_soon(SCAN_ID)

        ResendMessages(table.waiting, table.scans, queues, clock).run(SweepContext(table.scans, table.control), clock.now() + 50)
        sweep(1)

        assert {State.CANCELLED} == {state(f"{number:02}.mp4") for number in range(60)}
        assert [] == messages(Lane.EXPRESS)

    @pytest.mark.parametrize("calls", range(1, 6))
    @pytest.mark.parametrize("operation", ["get_item", "query", "transact_write_items"])
    def test_killed(self, make_flow, register, table, dynamodb, clock, state, operation, calls):
        """A sweeper that is killed after any call leaves what the next one completes: all that waited is cancelled, and no more."""
        for number in range(60):
            register(f"{number:02}.mp4")
        clock.time += 1
        table.scans.cancel_waiting(SCAN_ID)
        dynamodb.die_after(operation, KilledError(), calls)
        with contextlib.suppress(KilledError):
            make_flow().sweep(deadline=clock.now() + 300)
        dynamodb.live()
        moment = table.scans.scan(SCAN_ID).cancel_before
        clock.sleep(301)
        if moment is not None:
            register("later.mp4")

        make_flow().sweep(deadline=clock.now() + 300)

        assert {State.CANCELLED} == {state(f"{number:02}.mp4") for number in range(60)}
        assert moment is None or state("later.mp4") is State.WAITING

    def test_settled(self, register, table, clock, state):
        """A cancellation that is due when a scan closes is settled, and does not hit what opens it again; a closed one has none."""
        register("1.mp4")
        table.scans.cancel_waiting(SCAN_ID)
        again = table.scans.cancel_waiting(SCAN_ID)
        due = table.scans.scan(SCAN_ID)
        table.scans.close_scan(due)
        closed = table.scans.scan(SCAN_ID)

        assert ("DONE_BEFORE", True, None) == (again.name, due.cancel_due, due.cancel_before)
        assert (False, None) == (closed.cancel_due, closed.cancel_before)
        assert "BY_ANOTHER" == table.scans.cancel_waiting(SCAN_ID).name


class TestMails:
    def test_superseded(self, sweep, finish, table, sns):
        """A flagged video that another upload replaced is not mailed, and does not count for the limit of mails."""
        final = finish("a.mp4", 1, State.FLAGGED)
        table.records.supersede(final.video.id, SCAN_ID)
        for number in range(3):
            finish(f"{number}.mp4", 1, State.FLAGGED)

        sweep(2)

        assert [f"{number}.mp4" for number in range(3)] == sorted(mail["Subject"].split()[-1] for mail in sns.mails)
        assert (False, ()) == (table.records.record(final.video.id, SCAN_ID).mail_due, table.scans.scan(SCAN_ID).mails_due)

    def test_superseded_is_no_news_of_the_limit(self, sweep, finish, table, sns):
        """Where the limit of mails is reached, a video that another upload replaced makes no mail about the limit due."""
        for number in range(3):
            finish(f"{number}.mp4", 1, State.FLAGGED)
        sweep()
        final = finish("a.mp4", 1, State.FLAGGED)
        table.records.supersede(final.video.id, SCAN_ID)

        sweep(2)

        assert (3, False) == (len(sns.mails), table.scans.scan(SCAN_ID).limit_told)

    @pytest.fixture(name="day")
    def _day(self, finish, register, table, clock):
        """Bring about a day on which everything happened."""
        finish("clean.mp4", 4, missed=True)
        final = finish("replaced.mp4", 3, State.FLAGGED)
        table.records.supersede(final.video.id, SCAN_ID)
        failed = register("failed.mp4")
        table.records.finish(failed.as_failed(Problem("result-lost", "It is lost."), at=clock.now()))
        table.records.supersede(failed.video.id, SCAN_ID)
        finish("flagged.mp4", 3, State.FLAGGED)
        record = register("gone.mp4", missed=True)
        table.records.finish(record.as_failed(Problem(reasons.SUPERSEDED, "It was replaced."), at=clock.now()))
        register("waits.mp4")

    def test_digest(self, sweep, day, table, sns, clock):
        """The digest of a day says what came of which uploads, which no event brought, which waited, and which were replaced."""
        sweep()
        clock.time = watch.begin_of(NEXT_DAY)
        sweep()
        waited = Video(BUCKET, "waits.mp4", None, "abc")
        record = table.records.record(waited.id, SCAN_ID)
        table.records.finish(record.as_failed(Problem("codec", "It has another codec."), at=clock.now()))
        clock.time = watch.end_of(DAY) + 3_600
        sweep(4)

        digest = sns.mails[-1]
        lines = digest["Message"].splitlines()
        assert f"Uploads of {DAY}: 6 videos, 1 flagged, 0 failed, 1 ineligible ({BUCKET})" == digest["Subject"]
        assert f"The scan {SCAN_ID} of the uploads of {DAY} to {BUCKET} is finished." == lines[0]
        assert "No event brought 2 uploads: the daily comparison of the bucket found them." in lines
        assert "1 upload had to wait, because the minutes of a day were used up (`max_minutes_per_day` in cdk.json)." in lines
        assert "1 flagged video is not listed, because another upload has replaced it." in lines
        assert [f"s3://{BUCKET}/flagged.mp4"] == [line.split()[-1] for line in lines if "s3://" in line]
        assert ["  flagged              1", "  failed               0", "  superseded           3"] == [
            line for line in lines if line.split()[:1] in (["flagged"], ["failed"], ["superseded"])
        ]
        assert ["       1  codec"] == [line for line in lines if line.startswith("       ")]
        assert "Analysed: 10.0 minutes of video" in digest["Message"]
        assert f"  every upload: python tools/review_report.py --scan {SCAN_ID} --stack VideoModeration" in lines
        assert [] == [word for word in ("manifest", "batch job", "more video", "every object") if word in digest["Message"]]

    def test_quiet_digest(self, sweep, finish, sns, clock):
        """The digest of a day on which nothing was amiss says nothing of it."""
        finish("a.mp4", 1)
        clock.time = watch.end_of(DAY) + 3_600

        sweep(4)

        (digest,) = sns.mails
        assert [] == [word for word in ("No event", "had to wait", "replaced", "unlisted") if word in digest["Message"]]

    def test_spanish(self, make_flow, day, sns, clock, table):
        """The mails of a day are in the language of the deployment."""
        flow = make_flow(language=LANGUAGES["es"])
        table.scans.hold_day_scan(SCAN_ID, None, waited=2)
        table.scans.cancel_waiting(SCAN_ID)
        clock.time = watch.end_of(DAY) + 3_600
        for _ in range(4):
            flow.sweep(deadline=clock.now() + 300)
            clock.sleep(60)

        digest = sns.mails[-1]
        assert f"Subidas del {DAY}: 6 videos" in digest["Subject"]
        assert "Ningún evento avisó de 2 subidas: la comparación diaria del bucket las encontró." in digest["Message"]
        assert "2 subidas tuvieron que esperar" in digest["Message"]
        assert "1 video marcado no figura en la lista" in digest["Message"]
        assert "  todas las subidas: python tools/review_report.py" in digest["Message"]

    def test_one_digest(self, sweep, finish, sns, clock):
        """A day without uploads has neither a scan nor a digest; one with uploads has one of each."""
        finish("a.mp4", 1)
        clock.time = watch.end_of(DAY) + 3_600
        for _ in range(48):
            sweep(2)
            clock.time += 3_600

        assert ["DIGEST"] == [mail["MessageAttributes"]["kind"]["StringValue"] for mail in sns.mails]
