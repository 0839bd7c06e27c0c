"""The table's transitions: each once, whatever is repeated, and what came of it read from the old image."""

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from handlers.adapters.table import Lease, Outcome, ThrottledError, open_table
from handlers.domain.identity import Video
from handlers.domain.record import (
    BatchJob,
    LabelSummary,
    ObjectFacts,
    Peak,
    Problem,
    Record,
    Scan,
    Segment,
    Settings,
    StartParameters,
)
from handlers.domain.states import Lane, ScanMail, ScanStatus, State
from tests.handlers.doubles import (
    BUCKET,
    COMPLETIONS,
    OTHER_SCAN,
    ROLE,
    SCAN,
    TABLE,
    are_growing_waits,
    client_error,
    waiting,
)

START = StartParameters("v1", 50.0, COMPLETIONS, ROLE)
FACTS = ObjectFacts("abc", 3, "v1")
PROBLEM = Problem("empty", "The object has 0 bytes.")


def started(table, record, job_id="job"):
    """Bring a new record to RUNNING."""
    table.records.register(record, None)
    table.records.note_start_tried(record, FACTS, START, at=5.0)
    table.records.enter_running(record, job_id)
    return table.records.record(record.video.id, record.scan_id)


def flagged(record, **fields):
    """Return a record with a verdict."""
    label = LabelSummary("Weapons", "Violence", 2, 99.5, 1_500, 2_000)
    return replace(
        record,
        state=State.FLAGGED,
        finished_at=1_700_000_100.25,
        labels=(label,),
        counted=("Weapons",),
        duration_ms=60_000,
        gap_ms=1_000,
        mail_due=True,
        **fields,
    )


class TestRegister:
    def test_new(self, table):
        """A record that is new is written, and read back as it was."""
        record = waiting()

        outcome = table.records.register(record, None)

        assert outcome is Outcome.DONE
        assert record == table.records.record(record.video.id, SCAN)

    def test_twice(self, table):
        """Doing it twice equals doing it once, and says so."""
        record = waiting()
        table.records.register(record, None)

        outcome = table.records.register(replace(record, queued_at=9.0), None)

        assert outcome is Outcome.DONE_BEFORE
        assert record == table.records.record(record.video.id, SCAN)

    def test_failed_at_once(self, table):
        """A record that fails at once is counted in the totals, once."""
        record = waiting().as_failed(PROBLEM, at=7.0)

        outcomes = [table.records.register(record, None) for _ in range(2)]

        assert [Outcome.DONE, Outcome.DONE_BEFORE] == outcomes
        assert 1 == table.scans.totals(SCAN).videos[State.FAILED]
        assert record == table.records.record(record.video.id, SCAN)

    def test_retry(self, table):
        """A retry takes a failed record up again: its totals go back, its attempt rises."""
        failed = waiting().as_failed(PROBLEM, at=7.0)
        table.records.register(failed, None)

        outcomes = [table.records.register(waiting(attempt=1), failed) for _ in range(2)]

        assert [Outcome.DONE, Outcome.DONE_BEFORE] == outcomes
        assert 0 == table.scans.totals(SCAN).final
        assert waiting(attempt=1) == table.records.record(failed.video.id, SCAN)

    def test_retry_fails_again(self, table):
        """A retry that fails at once leaves the totals as they were."""
        failed = waiting().as_failed(PROBLEM, at=7.0)
        table.records.register(failed, None)

        table.records.register(waiting(attempt=1).as_failed(PROBLEM, at=8.0), failed)

        assert 1 == table.scans.totals(SCAN).videos[State.FAILED]

    def test_overtaken(self, table):
        """A first registration does not touch a record of a later attempt."""
        table.records.register(waiting(attempt=2), None)

        outcome = table.records.register(waiting(), None)

        assert outcome is Outcome.BY_ANOTHER
        assert 2 == table.records.record(waiting().video.id, SCAN).attempt

    def test_lost_answer(self, table, dynamodb):
        """Where the answer of a transaction is lost, repeating it changes nothing and says that it was done."""
        record = waiting().as_failed(PROBLEM, at=7.0)
        dynamodb.die_after("transact_write_items", client_error("ThrottlingException"))

        outcome = table.records.register(record, None)

        assert outcome is Outcome.DONE_BEFORE
        assert 1 == table.scans.totals(SCAN).videos[State.FAILED]


class TestStarting:
    def test_note(self, table):
        """The note of a try pins what was looked at, and with what Start is called."""
        record = waiting()
        table.records.register(record, None)

        outcome = table.records.note_start_tried(record, FACTS, START, at=5.25)

        expected = replace(record, facts=FACTS, start=START, start_tried_at=5.25)
        assert outcome is Outcome.DONE
        assert expected == table.records.record(record.video.id, SCAN)

    def test_changed(self, table):
        """An object that was replaced since it was registered is marked."""
        record = waiting()
        table.records.register(record, None)

        table.records.note_start_tried(record, ObjectFacts("other", 4, None), START, at=5.0)

        assert table.records.record(record.video.id, SCAN).changed_during_scan

    def test_note_stands(self, table):
        """The first note stands: its parameters must be repeated."""
        record = waiting()
        table.records.register(record, None)
        table.records.note_start_tried(record, FACTS, START, at=5.0)

        outcome = table.records.note_start_tried(record, FACTS, replace(START, min_confidence=60.0), at=6.0)

        assert outcome is Outcome.DONE_BEFORE
        assert START == table.records.record(record.video.id, SCAN).start

    def test_forget(self, table):
        """A note can be taken back, by whoever wrote it only."""
        record = waiting()
        table.records.register(record, None)
        table.records.note_start_tried(record, FACTS, START, at=5.0)

        outcomes = [table.records.forget_start_tried(replace(record, start_tried_at=at)) for at in (4.0, 5.0, 5.0)]

        now = table.records.record(record.video.id, SCAN)
        assert [Outcome.BY_ANOTHER, Outcome.DONE, Outcome.DONE_BEFORE] == outcomes
        assert (None, None) == (now.start_tried_at, now.start)

    def test_shared(self, table):
        """A note cannot be taken back once another has repeated the Start that it is about."""
        record = replace(waiting(), start_tried_at=5.0)
        table.records.register(waiting(), None)
        table.records.note_start_tried(record, FACTS, START, at=5.0)

        outcomes = [
            table.records.note_start_shared(replace(record, start_tried_at=4.0)),
            table.records.note_start_shared(record),
            table.records.forget_start_tried(record),
        ]

        assert [Outcome.BY_ANOTHER, Outcome.DONE, Outcome.BY_ANOTHER] == outcomes
        assert 5.0 == table.records.record(record.video.id, SCAN).start_tried_at

    def test_running(self, table, clock):
        """A started analysis is RUNNING, out of the waiting index, and counted among those that run, once."""
        record = waiting()
        table.records.register(record, None)

        outcomes = [table.records.enter_running(record, "job") for _ in range(2)]

        now = table.records.record(record.video.id, SCAN)
        assert [Outcome.DONE, Outcome.DONE_BEFORE] == outcomes
        assert (State.RUNNING, "job", clock.now()) == (now.state, now.rekognition_job_id, now.started_at)
        assert [("job", False)] == [(running.job_id, running.repeated) for running in table.records.running()]
        assert table.waiting.waiting_seems_empty(SCAN)

    @pytest.mark.parametrize("attempt", [0, 2])
    def test_running_of_another_attempt(self, table, attempt):
        """A start of one attempt never touches the record of another."""
        table.records.register(waiting(attempt=1), None)

        outcome = table.records.enter_running(waiting(attempt=attempt), "job")

        assert outcome is Outcome.BY_ANOTHER
        assert 0 == table.records.running_count()

    def test_other_job(self, table):
        """A second job for a running record is BY_ANOTHER."""
        started(table, waiting())

        assert table.records.enter_running(waiting(), "other") is Outcome.BY_ANOTHER

    def test_refusals_are_counted(self, table, clock):
        """Refusals of ours are counted from the first one on."""
        record = waiting()
        table.records.register(record, None)
        first = table.records.note_refusal(record)
        clock.sleep(60)

        second = table.records.note_refusal(record)

        assert (1, 2) == (first.refusals, second.refusals)
        assert first.refused_since == second.refused_since == clock.now() - 60


class TestFinish:
    def test_flagged(self, table):
        """A verdict is stored whole, counted once, and its mail is due."""
        final = flagged(started(table, waiting()), model_version="7.0", policy_hash="0123")

        outcomes = [table.records.finish(final) for _ in range(2)]

        totals = table.scans.totals(SCAN)
        assert [Outcome.DONE, Outcome.DONE_BEFORE] == outcomes
        assert final == table.records.record(final.video.id, SCAN)
        assert (1, 1, 60_000) == (totals.final, totals.videos[State.FLAGGED], totals.milliseconds[State.FLAGGED])
        assert ([], [(final.video.id, SCAN)]) == (table.records.running(), table.records.mails_due(10))

    def test_from_waiting(self, table):
        """A record may be finished while it waits; then nothing of it waits any more."""
        record = waiting()
        table.records.register(record, None)

        outcome = table.records.finish(record.as_failed(PROBLEM, at=7.0))

        assert outcome is Outcome.DONE
        assert table.waiting.waiting_seems_empty(SCAN)

    def test_overtaken_by_start(self, table):
        """Finishing by a record that was read before it ran loses nothing that was written since."""
        record = waiting()
        running = started(table, record)

        table.records.finish(flagged(record))

        now = table.records.record(record.video.id, SCAN)
        assert (running.started_at, "job") == (now.started_at, now.rekognition_job_id)
        assert 0 == table.records.running_count()

    def test_final_stays(self, table):
        """A final state does not change to another one."""
        final = flagged(started(table, waiting()))
        table.records.finish(final)

        outcome = table.records.finish(final.as_failed(PROBLEM, at=8.0))

        assert outcome is Outcome.BY_ANOTHER
        assert 1 == table.scans.totals(SCAN).final

    @pytest.mark.parametrize(
        ("seen", "shared", "expected"),
        [
            (None, False, Outcome.BY_ANOTHER),
            (4.0, False, Outcome.BY_ANOTHER),
            (5.0, False, Outcome.DONE),
            (5.0, True, Outcome.DONE),
        ],
    )
    def test_fail_waiting(self, table, seen, shared, expected):
        """A record that waits fails only if no other Start was noted on it since it was read: its analysis may run."""
        record = waiting()
        table.records.register(record, None)
        table.records.note_start_tried(record, FACTS, START, at=5.0)

        outcome = table.records.fail_waiting(replace(record, start_tried_at=seen).as_failed(PROBLEM, at=7.0), shared=shared)

        assert expected is outcome
        assert (expected is Outcome.DONE) == table.records.record(record.video.id, SCAN).state.final

    @pytest.mark.parametrize("shared", [False, True])
    def test_fail_waiting_after_a_repetition(self, table, shared):
        """One whose Start was repeated by another fails only by who knows of that."""
        record = replace(waiting(), start_tried_at=5.0)
        table.records.register(waiting(), None)
        table.records.note_start_tried(record, FACTS, START, at=5.0)
        table.records.note_start_shared(record)

        outcome = table.records.fail_waiting(record.as_failed(PROBLEM, at=7.0), shared=shared)

        assert (Outcome.DONE if shared else Outcome.BY_ANOTHER) is outcome

    def test_other_attempt(self, table):
        """A result of an old attempt does not end the new one."""
        table.records.register(waiting(attempt=1), None)

        assert table.records.finish(flagged(waiting())) is Outcome.BY_ANOTHER

    def test_mail_sent(self, table):
        """A mail is due until it is sent, and counted in its scan once."""
        table.scans.put_scan(Scan(SCAN, BUCKET))
        final = flagged(started(table, waiting()))
        table.records.finish(final)

        outcomes = [table.records.mail_sent(final) for _ in range(2)]

        assert [Outcome.DONE, Outcome.DONE_BEFORE] == outcomes
        assert ([], 1) == (table.records.mails_due(10), table.scans.scan(SCAN).mails_sent)
        assert not table.records.record(final.video.id, SCAN).mail_due

    def test_mail_sent_without_scan(self, table):
        """A mail is not sent for ever because its scan cannot count it."""
        final = flagged(started(table, waiting()))
        table.records.finish(final)

        assert table.records.mail_sent(final) is Outcome.DONE
        assert [] == table.records.mails_due(10)


class TestUnderWay:
    """What the sweeper notes about analyses that it has read: only if they are still as they were read."""

    @pytest.fixture(name="starting")
    def _starting(self, table):
        """Return an analysis whose Start is noted."""
        table.records.register(waiting(), None)
        table.records.note_start_tried(waiting(), FACTS, START, at=5.0)
        (starting,) = table.records.starting()
        return starting

    def test_message_sent(self, table, starting):
        """That a message was sent again is noted for the Start that was read."""
        outcomes = [
            table.records.note_message_sent(replace(starting, since=4.0), at=8.0),
            table.records.note_message_sent(starting, at=9.0),
        ]

        assert [Outcome.DONE_BEFORE, Outcome.DONE] == outcomes
        assert [replace(starting, sent_at=9.0)] == table.records.starting()

    def test_message_sent_too_late(self, table, starting, raw):
        """Where the Start is noted no more, no item is made anew."""
        table.records.enter_running(waiting(), "job")

        assert Outcome.DONE_BEFORE is table.records.note_message_sent(starting, at=9.0)
        assert [] == [key for key in raw() if key[0] == "STARTING"]

    def test_forgotten(self, table, starting):
        """A Start is forgotten if it is the one that was read."""
        outcomes = [table.records.forget_starting(each) for each in (replace(starting, since=4.0), starting, starting)]

        assert [Outcome.DONE_BEFORE, Outcome.DONE, Outcome.DONE_BEFORE] == outcomes
        assert [] == table.records.starting()

    # Where no job is named, an item that is gone cannot be told from one that is as it was read.
    @pytest.mark.parametrize(("job_id", "again"), [("job", Outcome.DONE_BEFORE), (None, Outcome.DONE)])
    def test_running(self, table, job_id, again):
        """An analysis is forgotten by its job, also one of an earlier version that names none."""
        table.records.register(waiting(), None)
        table.records.enter_running(waiting(), job_id)
        (running,) = table.records.running()
        other = replace(running, job_id="job" if job_id is None else None)

        outcomes = [table.records.forget_running(each) for each in (other, replace(other, job_id="another"), running, running)]

        assert [Outcome.DONE_BEFORE, Outcome.DONE_BEFORE, Outcome.DONE, again] == outcomes
        assert [] == table.records.running()

    def test_polled(self, table, raw):
        """Of those who poll an analysis, one does at a time; one that is over is not polled."""
        started(table, waiting())
        (running,) = table.records.running()
        outcomes = [table.records.note_polled(running, at=at) for at in (1.0, 2.0)]
        (again,) = table.records.running()
        outcomes += [table.records.note_polled(again, at=3.0), table.records.note_polled(again, at=4.0)]
        table.records.finish(flagged(waiting()))

        outcomes += [table.records.note_polled(each, at=5.0) for each in (running, again)]

        before = Outcome.DONE_BEFORE
        assert [Outcome.DONE, before, Outcome.DONE, before, before, before] == outcomes
        assert (1.0, []) == (again.asked_at, [key for key in raw() if key[0] == "RUNNING"])

    def test_handed_over(self, table, raw):
        """An analysis is handed over once, and not after its end."""
        started(table, waiting())
        (running,) = table.records.running()
        outcomes = [table.records.note_handed_over(running) for _ in range(2)]
        table.records.finish(flagged(waiting()))

        outcomes.append(table.records.note_handed_over(running))

        assert [Outcome.DONE, Outcome.DONE_BEFORE, Outcome.DONE_BEFORE] == outcomes
        assert [] == [key for key in raw() if key[0] == "RUNNING"]

    @pytest.mark.parametrize("name", ["note_message_sent", "forget"])
    def test_frames(self, table, clock, name):
        """An analysis by frames whose lease a worker has taken since is left to it; one that is gone is not made anew."""
        table.records.register(waiting(), None)
        table.samplings.begin(waiting(), FACTS, Lease("dead", clock.now()), at=1.0)
        (seen,) = table.samplings.all()
        table.samplings.take_over(waiting(), Lease("alive", clock.now() + 60))
        (now,) = table.samplings.all()
        given = {"at": 9.0} if name == "note_message_sent" else {}
        outcomes = [getattr(table.samplings, name)(seen, **given)]
        kept = table.samplings.all()
        outcomes.append(getattr(table.samplings, name)(now, **given))
        table.samplings.forget(now)

        outcomes.append(getattr(table.samplings, name)(now, **given))

        assert [Outcome.DONE_BEFORE, Outcome.DONE, Outcome.DONE_BEFORE] == outcomes
        assert ([now], []) == (kept, table.samplings.all())


class TestIndexes:
    """An item of an index has both attributes of its key, and one that has left it has neither."""

    @pytest.mark.parametrize(
        "leave",
        [
            lambda table, record: table.records.enter_running(record, "job"),
            lambda table, record: table.samplings.begin(record, FACTS, Lease("me", 9e9), at=1.0),
            lambda table, record: table.records.finish(replace(record, state=State.CLEAN, finished_at=1.0)),
            lambda table, record: table.records.fail_waiting(record.as_failed(PROBLEM, at=1.0), shared=False),
            lambda table, record: table.waiting.cancel([record], at=1.0).count,
        ],
        ids=["running", "by frames", "final", "failed", "cancelled"],
    )
    def test_waits_no_longer(self, table, raw, leave):
        """A record that waits no longer has left the index of those that do."""
        record = waiting()
        table.records.register(record, None)
        key = (f"VIDEO#{record.video.id}", f"SCAN#{SCAN}")
        before = raw()[key]

        assert leave(table, record)

        assert {"work_pk", "work_sk", "scan_pk", "scan_sk"} <= set(before)
        assert {"scan_pk", "scan_sk"} == set(raw()[key]) & {"work_pk", "work_sk", "scan_pk", "scan_sk", "mail_due"}

    @pytest.mark.parametrize(
        "leave",
        [
            lambda table, record: table.records.mail_sent(record),
            lambda table, record: table.records.mail_spared(record),
            lambda table, record: table.records.judge_again(
                record, replace(record, state=State.CLEAN, policy_hash="new", counted=(), mail_due=False)
            ),
        ],
        ids=["sent", "spared", "clean"],
    )
    def test_mail_is_due_no_longer(self, table, raw, leave):
        """A record whose mail is due no longer has left the index of mails."""
        final = flagged(started(table, waiting()), policy_hash="old")
        table.records.finish(final)
        key = (f"VIDEO#{final.video.id}", f"SCAN#{SCAN}")
        before = raw()[key]

        assert leave(table, final) is Outcome.DONE

        assert {"work_pk", "work_sk", "mail_due"} <= set(before)
        assert set() == set(raw()[key]) & {"work_pk", "work_sk", "mail_due"}


class TestSegments:
    def test_many(self, table, dynamodb):
        """Segments are written 25 at a time, and come back in order of time, those of the attempt only."""
        record = waiting(attempt=1)
        segments = [Segment("Weapons", "Violence", 2, ms, ms + 500, 91.25, 2) for ms in range(0, 60_000, 1_000)]
        table.records.write_segments(waiting(), segments[:1])

        table.records.write_segments(record, list(reversed(segments)))

        assert segments == list(table.records.segments(record.video.id, SCAN, 1))
        assert [1, 25, 25, 10] == [len(call["RequestItems"]["scans"]) for call in dynamodb.called("batch_write_item")]

    def test_first_columns(self, table, raw):
        """A segment carries the columns of the project's first table in their words, numbers as numbers."""
        record = replace(waiting("a b.mp4"), finished_at=1_700_000_000.0)

        table.records.write_segments(record, [Segment("Weapons", "Violence", 2, 1_000, 1_500, 91.25, 2)])

        (item,) = raw().values()
        assert {
            "Name": {"S": "Weapons"},
            "ParentName": {"S": "Violence"},
            "Timestamp": {"N": "1000"},
            "Confidence": {"N": "91.25"},
            "Video": {"S": "a b.mp4"},
            "Date": {"S": "2023-11-14T22:13:20+00:00"},
        } == {name: item[name] for name in ("Name", "ParentName", "Timestamp", "Confidence", "Video", "Date")}

    def test_unprocessed(self, clock):
        """What DynamoDB leaves unprocessed is sent again, until nothing is left."""
        client = Forgetful(leaves=3)
        segments = [Segment("Weapons", "Violence", 2, ms, ms, 90.0, 1) for ms in range(30)]

        open_table(client, "scans", clock).records.write_segments(waiting(), segments)

        assert 30 == len(client.stored)


class Forgetful:
    """A DynamoDB that leaves some items of each batch unprocessed."""

    def __init__(self, leaves):
        self.leaves = leaves
        self.stored = set()

    def batch_write_item(self, RequestItems):  # noqa: N803
        """Store all but a few."""
        requests = RequestItems["scans"]
        done = requests[: max(1, len(requests) - self.leaves)]
        self.stored |= {request["PutRequest"]["Item"]["sk"]["S"] for request in done}
        return {"UnprocessedItems": {"scans": requests[len(done) :]} if done != requests else {}}


class TestReading:
    def test_records(self, table):
        """Records are read in bulk, each once, however often they are asked for; those that are missing are left out."""
        written = [waiting(f"{number}.mp4") for number in range(120)]
        for record in written:
            table.records.register(record, None)
        keys = [(record.video.id, SCAN) for record in written]

        found = list(table.records.records([*keys, *keys, (Video(BUCKET, "missing").id, SCAN)]))

        assert {record.video.key for record in written} == {record.video.key for record in found}
        assert 120 == len(found)

    def test_states(self, table):
        """States are read in bulk, each once, and are those of the records, whatever has happened to them."""
        records = [waiting(f"{number}.mp4") for number in range(120)]
        for record in records:
            table.records.register(record, None)
        table.records.finish(records[7].as_failed(Problem("empty", "0 bytes"), at=1.0))
        ids = [record.video.id for record in records]

        found = list(table.records.states([*ids, *ids, Video(BUCKET, "missing").id], SCAN))

        assert 120 == len(found)
        assert {**dict.fromkeys(ids, State.WAITING), ids[7]: State.FAILED} == dict(found)

    def test_finished(self, table):
        """Only what was analysed to the end counts as finished, with the ETag of its start."""
        clean, hit, failed, waits = (
            replace(waiting(f"{name}.mp4"), facts=ObjectFacts(f"etag-{name}", 3, None)) for name in ("a", "b", "c", "d")
        )
        for record in (clean, hit, failed, waits):
            table.records.register(record, None)
        table.records.finish(replace(clean, state=State.CLEAN, finished_at=1.0))
        table.records.finish(replace(hit, state=State.FLAGGED, finished_at=1.0))
        table.records.finish(failed.as_failed(Problem("empty", "0 bytes"), at=1.0))
        ids = [record.video.id for record in (clean, hit, failed, waits)]

        found = dict(table.records.finished((one, SCAN) for one in [*ids, Video(BUCKET, "missing").id]))

        assert {clean.video.id: "etag-a", hit.video.id: "etag-b"} == found
        assert {} == dict(table.records.finished((one, OTHER_SCAN) for one in ids))

    def test_situation(self, table):
        """What decides over a start is read at one time."""
        record = waiting()
        empty = table.records.situation(record.analysis)
        table.records.register(record, None)
        table.scans.ensure_scan(SCAN, BUCKET, Lane.EXPRESS, "job")
        table.control.count_refused(record.video.id)

        situation = table.records.situation(record.analysis)

        assert (None, None, None) == (empty.settings, empty.scan, empty.record)
        assert (record, Lane.EXPRESS) == (situation.record, situation.scan.lane)
        assert Settings(refused_in_row=1, refused_videos=(record.video.id,)) == situation.settings

    def test_in_state(self, table):
        """The index by scan tells the videos of a state, of this scan alone."""
        records = [waiting(f"{number}.mp4") for number in range(5)]
        for record in [*records, waiting("other.mp4", scan_id=OTHER_SCAN)]:
            table.records.register(record, None)
        table.records.enter_running(records[0], "job")

        found = {state: set(table.records.in_state(SCAN, state)) for state in (State.WAITING, State.RUNNING)}

        ids = [record.video.id for record in records]
        assert {State.WAITING: set(ids[1:]), State.RUNNING: {ids[0]}} == found


class TestScans:
    def test_ensure(self, table, clock):
        """A scan that is missing is written with its batch job."""
        table.scans.ensure_scan(SCAN, BUCKET, Lane.NORMAL, "one")

        assert [Scan(SCAN, BUCKET, created_at=clock.now(), jobs=(BatchJob("one"),))] == table.scans.scans()

    def test_ensure_adds_and_reopens(self, table):
        """A later batch job is added, and a closed scan is open again; what else it knows stays."""
        table.scans.put_scan(Scan(SCAN, BUCKET, created_at=1.0, objects=3, jobs=(BatchJob("one", "Complete"),)))
        table.scans.close_scan(table.scans.scan(SCAN))

        for _ in range(2):
            table.scans.ensure_scan(SCAN, BUCKET, Lane.NORMAL, "two")

        scan = table.scans.scan(SCAN)
        assert (ScanStatus.OPEN, None, 3) == (scan.status, scan.closed_at, scan.objects)
        assert (BatchJob("one", "Complete"), BatchJob("two")) == scan.jobs

    def test_put_once(self, table):
        """A scan that is there is not written over."""
        outcomes = [table.scans.put_scan(Scan(SCAN, BUCKET, objects=count)) for count in (1, 2)]

        assert ([Outcome.DONE, Outcome.DONE_BEFORE], 1) == (outcomes, table.scans.scan(SCAN).objects)

    def test_close_only_as_read(self, table):
        """A scan that changed since it was read is not closed, unless only mails were counted."""
        table.scans.put_scan(Scan(SCAN, BUCKET))
        read = table.scans.scan(SCAN)
        table.scans.add_job(SCAN, "late")

        outcomes = [table.scans.close_scan(read), table.scans.close_scan(table.scans.scan(SCAN)), table.scans.close_scan(read)]

        assert [Outcome.BY_ANOTHER, Outcome.DONE, Outcome.DONE_BEFORE] == outcomes

    def test_close_though_mails_have_changed(self, table):
        """What is mailed meanwhile keeps no scan open: mails are sent about scans that are over, too."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),), mails_due=(ScanMail.LIMIT,)))
        read = table.scans.scan(SCAN)
        table.scans.scan_mail_sent(SCAN, ScanMail.LIMIT)
        table.scans.note_lost_notices(SCAN)
        table.scans._change_scan(SCAN, lambda scan: replace(scan, mails_sent=5, notices_mailed=False))

        outcome = table.scans.close_scan(read)

        scan = table.scans.scan(SCAN)
        assert (Outcome.DONE, ScanStatus.CLOSED) == (outcome, scan.status)
        assert ({ScanMail.NOTICES, ScanMail.DIGEST}, 5) == (set(scan.mails_due), scan.mails_sent)

    def test_closed_without_a_job(self, table, clock):
        """A scan that never got a job has no digest; a cancelled one stays cancelled, and closing is noted with its time."""
        table.scans.put_scan(Scan(SCAN, BUCKET, status=ScanStatus.CANCELLED))

        outcomes = [table.scans.close_scan(table.scans.scan(SCAN)) for _ in range(2)]

        scan = table.scans.scan(SCAN)
        assert Outcome.DONE is outcomes[0]
        assert (ScanStatus.CANCELLED, (), False, clock.now()) == (scan.status, scan.mails_due, scan.live, scan.closed_at)

    def test_note_jobs_keeps_new_ones(self, table):
        """What is learnt about jobs never removes one that was added in between."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"), BatchJob("two"))))

        table.scans.note_jobs(SCAN, (BatchJob("one", "Active", 10, 4, 1),))

        assert (BatchJob("one", "Active", 10, 4, 1), BatchJob("two")) == table.scans.scan(SCAN).jobs

    def test_mail_counted_meanwhile(self, table, dynamodb, clock, monkeypatch):
        """A mail that is counted while the scan is being changed stays counted, and the change is made all the same."""
        table.scans.put_scan(Scan(SCAN, BUCKET))
        record = replace(waiting(), state=State.FLAGGED, finished_at=1.0, mail_due=True)
        table.records.register(waiting(), None)
        table.records.finish(record)
        put = dynamodb._client.transact_write_items

        def put_late(**request):
            monkeypatch.setattr(dynamodb._client, "transact_write_items", put)
            table.records.mail_sent(record)
            return put(**request)

        monkeypatch.setattr(dynamodb._client, "transact_write_items", put_late)

        table.scans.note_limit(SCAN)

        assert (1, True) == (table.scans.scan(SCAN).mails_sent, table.scans.scan(SCAN).limit_told)

    def test_pause(self, table):
        """Who paused first stays named."""
        outcomes = [table.control.pause("circuit breaker", "AccessDenied"), table.control.pause("someone", "else")]

        settings = table.control.settings()
        assert [Outcome.DONE, Outcome.DONE_BEFORE] == outcomes
        assert (True, "circuit breaker", "AccessDenied") == (settings.paused, settings.paused_by, settings.paused_reason)

    def test_lease(self, table, clock):
        """One sweeper at a time, until it gives the lease back or its time is over."""
        first = table.control.take_lease("a", clock.now() + 60)
        refused = table.control.take_lease("b", clock.now() + 60)
        clock.sleep(61)
        after = table.control.take_lease("b", clock.now() + 60)
        table.control.return_lease("a")
        kept = table.control.take_lease("a", clock.now() + 60)
        table.control.return_lease("b")

        assert (True, False, True, False) == (first, refused, after, kept)
        assert table.control.take_lease("a", clock.now() + 60)


class TestRetries:
    def test_conflict(self, table, dynamodb, clock):
        """Another transaction at the same item is waited for."""
        conflict = client_error("TransactionCanceledException")
        conflict.response["CancellationReasons"] = [{"Code": "TransactionConflict"}, {"Code": "None"}]
        dynamodb.fail("transact_write_items", conflict, conflict)
        table.records.register(waiting(), None)

        outcome = table.records.enter_running(waiting(), "job")

        assert outcome is Outcome.DONE
        assert 2 == len([seconds for seconds in clock.slept if seconds > 0])

    def test_gives_up(self, table, dynamodb, clock):
        """Throttling that lasts for eight attempts is raised as such, not taken for an outcome."""
        dynamodb.fail("put_item", *[client_error("ThrottlingException")] * 50)

        with pytest.raises(ThrottledError):
            table.records.register(waiting(), None)

        assert 7 == len(clock.slept)
        assert are_growing_waits(clock.slept, base=0.05, cap=4.0)

    def test_a_scan_that_others_change(self, table, dynamodb, clock):
        """A scan that others change all the time is given up after ten attempts, with growing waits between them."""
        table.scans.put_scan(Scan(SCAN, BUCKET))
        raced = client_error("TransactionCanceledException")
        raced.response["CancellationReasons"] = [{"Code": "ConditionalCheckFailed"}, {"Code": "None"}]
        dynamodb.fail("transact_write_items", *[raced] * 50)

        with pytest.raises(ThrottledError, match="10 times"):
            table.scans.pause_scan(SCAN, "by a test")

        assert 10 == len(clock.slept)
        assert are_growing_waits(clock.slept, base=0.05, cap=2.0)
        assert table.scans.scan(SCAN).status is ScanStatus.OPEN

    def test_others_are_raised(self, table, dynamodb, clock):
        """An error that does not pass by itself is raised at once."""
        dynamodb.fail("get_item", client_error("AccessDeniedException"))

        with pytest.raises(ClientError):
            table.records.record("0" * 32, SCAN)

        assert [] == clock.slept


class TestJudgeAgain:
    @pytest.fixture(name="judged")
    def _judged(self, table):
        """Return a function that finishes a video of 60 s by an old policy and returns its record as the table has it."""

        def finish(key="a.mp4", **fields):
            record = started(table, waiting(key))
            table.records.finish(
                replace(flagged(record), **{"policy_hash": "old", "hits_key": "hits/x", "hits_count": 2, **fields})
            )
            return table.records.record(record.video.id, SCAN)

        return finish

    def test_newly_clean(self, table, judged, clock):
        """A flagged video becomes clean: totals move from one state to the other, no label counts, no mail is due."""
        record = judged()
        clean = replace(record, state=State.CLEAN, policy_hash="new", counted=(), mail_due=False)

        outcome = table.records.judge_again(record, clean)

        assert (outcome, replace(clean, judged_at=clock.now())) == (Outcome.DONE, table.records.record(record.video.id, SCAN))
        assert (0, 1) == tuple(table.scans.totals(SCAN).videos.get(state, 0) for state in (State.FLAGGED, State.CLEAN))
        assert (0, 60_000) == tuple(table.scans.totals(SCAN).milliseconds.get(state, 0) for state in (State.FLAGGED, State.CLEAN))
        assert ([], [record.video.id]) == (table.records.mails_due(9), list(table.records.in_state(SCAN, State.CLEAN)))

    @pytest.mark.parametrize("mail", [False, True])
    def test_newly_flagged(self, table, judged, clock, mail):
        """A clean video becomes flagged, and its mail is due if that was asked for."""
        record = judged(state=State.CLEAN, counted=(), mail_due=False)
        now = replace(record, state=State.FLAGGED, policy_hash="new", counted=("Weapons",), mail_due=mail)

        outcome = table.records.judge_again(record, now)

        assert (outcome, replace(now, judged_at=clock.now())) == (Outcome.DONE, table.records.record(record.video.id, SCAN))
        assert (1, 60_000) == (table.scans.totals(SCAN).videos[State.FLAGGED], table.scans.totals(SCAN).milliseconds[State.FLAGGED])
        assert ([(record.video.id, SCAN)] if mail else []) == table.records.mails_due(9)

    def test_same_state(self, table, judged, clock):
        """Where the state stays, the totals do, and what counts is written."""
        record = judged()
        labels = tuple(replace(label, peaks=(Peak(5, 99.25),)).judged(99.0) for label in record.labels)
        now = replace(record, policy_hash="new", labels=labels, counted=("Violence",))

        table.records.judge_again(record, now)

        assert replace(now, judged_at=clock.now()) == table.records.record(record.video.id, SCAN)
        assert 1 == table.scans.totals(SCAN).final

    def test_twice(self, table, judged):
        """Doing it twice equals doing it once, and says so."""
        record = judged()
        clean = replace(record, state=State.CLEAN, policy_hash="new", counted=(), mail_due=False)

        outcomes = [table.records.judge_again(record, clean) for _ in range(2)]

        assert [Outcome.DONE, Outcome.DONE_BEFORE] == outcomes
        assert 1 == table.scans.totals(SCAN).final

    def test_mail_sent_meanwhile(self, table, judged):
        """A mail that was sent after the record was read is not due a second time."""
        record = judged()
        table.scans.put_scan(Scan(SCAN, BUCKET))
        table.records.mail_sent(record)

        table.records.judge_again(record, replace(record, policy_hash="new"))

        assert ([], False) == (table.records.mails_due(9), table.records.record(record.video.id, SCAN).mail_due)

    @pytest.mark.parametrize("changed", [{"attempt": 1}, {"policy_hash": "third"}, {"policy_hash": None}, {"state": State.CLEAN}])
    def test_overtaken(self, table, judged, raw, changed):
        """A record that has changed since it was read is not written."""
        record = judged()
        before = raw()

        outcome = table.records.judge_again(
            replace(record, **changed), replace(record, state=State.CLEAN, policy_hash="new", counted=())
        )

        assert (outcome, before) == (Outcome.BY_ANOTHER, raw())

    def test_all_else_stays(self, table, judged, raw, dynamodb):
        """What other hands wrote on the record, such as a person's decision, stays."""
        record = judged()
        key = {"pk": {"S": f"VIDEO#{record.video.id}"}, "sk": {"S": f"SCAN#{SCAN}"}}
        dynamodb.update_item(
            TableName="scans",
            Key=key,
            UpdateExpression="SET decision = :d",
            ExpressionAttributeValues={":d": {"S": "false alarm"}},
        )

        table.records.judge_again(record, replace(record, state=State.CLEAN, policy_hash="new", counted=(), mail_due=False))

        item = raw()[key["pk"]["S"], key["sk"]["S"]]
        assert ({"S": "false alarm"}, {"S": "CLEAN"}, {"S": "hits/x"}) == (item["decision"], item["state"], item["hits_key"])


class TestActiveScans:
    """A sweep reads the scans that need it, however many there ever were."""

    def test_what_is_over_is_read_no_more(self, table, dynamodb, clock):
        """A hundred scans that are over cost one sweep, and the next ones nothing; one is opened again and is there again."""
        ids = [f"01JDEM{number:020}" for number in range(100)]
        for scan_id in ids:
            table.scans.put_scan(Scan(scan_id, BUCKET))
            table.scans.close_scan(table.scans.scan(scan_id))
        assert [] == table.scans.active()

        dynamodb.calls.clear()
        assert [] == table.scans.active()
        assert [name for name, _ in dynamodb.calls] == ["query"]

        table.scans.add_job(ids[7], "job")
        assert [ids[7]] == [scan.id for scan in table.scans.active()]

    @pytest.mark.parametrize("swept", [False, True])
    def test_as_programs_read_it(self, table, dynamodb, swept):
        """A program finds what is active without a write, before the first sweep, too; after one it reads no scan that is over."""
        for number in range(100, 200):
            table.scans.put_scan(Scan(f"01JDEM{number:020}", BUCKET))
            table.scans.close_scan(table.scans.scan(f"01JDEM{number:020}"))
        table.scans.put_scan(Scan(SCAN, BUCKET))
        if swept:
            table.scans.active()
        dynamodb.calls.clear()

        assert [SCAN] == [scan.id for scan in table.scans.active_as_listed()]

        assert [name for name, _ in dynamodb.calls] == (["query", "batch_get_item"] if swept else ["query", "query"])

    def test_a_mail_is_due(self, table):
        """A closed scan is active until its digest is sent."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("job"),)))
        table.scans.close_scan(table.scans.scan(SCAN))
        assert [SCAN] == [scan.id for scan in table.scans.active()]

        table.scans.scan_mail_sent(SCAN, ScanMail.DIGEST)

        assert [] == table.scans.active()

    @pytest.mark.parametrize("after", [0, 86_400])
    def test_of_an_earlier_version(self, table, dynamodb, clock, after):
        """A scan that a version without the list has written is found by the first sweep, and later within a day."""
        if after:
            table.scans.active()
            clock.time += after
        table.scans.put_scan(Scan(SCAN, BUCKET))
        dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": "ACTIVE"}, "sk": {"S": SCAN}})

        assert [SCAN] == [scan.id for scan in table.scans.active()]
        assert [SCAN] == [scan.id for scan in table.scans.active()]

    def test_opened_while_it_is_taken_from_the_list(self, table, dynamodb, monkeypatch):
        """A scan that is opened again while a sweep takes it from the list stays there."""
        table.scans.put_scan(Scan(SCAN, BUCKET))
        table.scans.active()
        table.scans.close_scan(table.scans.scan(SCAN))
        get = table.scans._table.get
        reads = []

        def opened_meanwhile(key):
            item = get(key)
            if key["pk"] == "SCANS" and not reads:
                reads.append(key)
                table.scans.add_job(SCAN, "job")
            return item

        monkeypatch.setattr(table.scans._table, "get", opened_meanwhile)
        table.scans.active()

        assert [SCAN] == [scan.id for scan in table.scans.active()]


class TestSubmittedScans:
    """A program reads the scans that were submitted, however many days buckets were watched."""

    @pytest.mark.parametrize("swept", [False, True])
    def test_days_are_not_read(self, table, dynamodb, swept):
        """A hundred days cost nothing once a sweep has seen the table; before that, they are read and left out."""
        for number in range(100, 200):
            table.scans.put_scan(Scan(f"01JDEM{number:020}", BUCKET, day="2025-10-09"))
        table.scans.put_scan(Scan(SCAN, BUCKET))
        if swept:
            table.scans.active()
        dynamodb.calls.clear()

        assert [SCAN] == [scan.id for scan in table.scans.submitted()]

        read = [params["RequestItems"][TABLE]["Keys"] for name, params in dynamodb.calls if name == "batch_get_item"]
        assert [len(keys) for keys in read] == ([1] if swept else [])

    @pytest.mark.parametrize("after", [0, 86_400])
    def test_of_an_earlier_version(self, table, dynamodb, clock, after):
        """A scan that a version without the list has written is found before the first sweep, and later within a day."""
        if after:
            table.scans.active()
        table.scans.put_scan(Scan(SCAN, BUCKET))
        dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": "SUBMITTED"}, "sk": {"S": SCAN}})
        if after:
            clock.time += after
            table.scans.active()

        assert [SCAN] == [scan.id for scan in table.scans.submitted()]

    def test_written_by_a_task(self, table):
        """A scan of a job that was made by hand is written by its first task, and is listed too."""
        table.scans.active()

        table.scans.ensure_scan("b7a4d7a4-0000-4000-8000-000000000001", BUCKET, Lane.NORMAL, "job")

        assert ["b7a4d7a4-0000-4000-8000-000000000001"] == [scan.id for scan in table.scans.submitted()]


class TestRecordsOfAVideo:
    def test_segments_and_hits_are_not_read(self, table, dynamodb):
        """The records of a video are found one by one, whatever lies between them, also where a record is gone."""
        video, ids = Video(BUCKET, "a.mp4"), [f"01JDEM{1:020}", f"01JDEM{2:020}", "b7a4d7a4-0000-4000-8000-000000000001"]
        for scan_id in ids:
            table.records.register(Record(video, scan_id, State.WAITING), None)
            for name in ("HITS#00#1", *(f"SEGMENT#00#{number}" for number in range(50))):
                key = {"pk": {"S": f"VIDEO#{video.id}"}, "sk": {"S": f"SCAN#{scan_id}#{name}"}}
                dynamodb.put_item(TableName=TABLE, Item=key)
        dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": f"VIDEO#{video.id}"}, "sk": {"S": f"SCAN#{ids[1]}"}})
        dynamodb.calls.clear()

        assert [ids[0], ids[2]] == [record.scan_id for record in table.records.records_of(video.id)]

        assert [1] * 4 == [params["Limit"] for _, params in dynamodb.calls]
