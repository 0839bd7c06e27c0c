"""The join by the index comes to what the records say, however far the index lags: through boto3, against the emulator's engine.

Pages end after a kilobyte here, and not after a megabyte, so that an index of a few dozen items has many.
"""

import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from itertools import count

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from handlers.adapters.table import open_table
from handlers.domain.identity import Video, shard
from handlers.domain.record import Problem, Record, Scan
from handlers.domain.states import ScanStatus, State
from tests.handlers.doubles import Clock as StillClock
from tools.emulator.core import moto_hooks
from tools.emulator.core.clock import ManualClock
from tools.emulator.services.dynamodb import queries, responses
from tools.emulator.settings import EmulatorSettings
from tools.lib.aws.clients import Clients
from tools.lib.cli import ROOT
from tools.lib.review.completion_report import ReportRow
from tools.lib.review.join import ObjectStatus, ReportNotes, TruthTable, join
from tools.lib.review.recorded import recorded_of

BUCKET = "amzn-s3-demo-bucket"
SCAN = "01K742SG00000G40R40M30E209"
LONG_SINCE = 60.0  # seconds after which no index lags any more
SKIPPED = '{"state":"SKIPPED","reason":"not-a-video"}'
ACCEPTED = '{"state":"WAITING"}'


def _keys(*names):
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=True)]


class Scanned:
    """A table with records of scans, and what is read of it."""

    def __init__(self, session, clock):
        client = Clients(session).dynamodb
        self.session, self.clock = session, clock
        self.read = []
        """The video ids that BatchGetItem asked for."""
        self.meanwhile = []
        """What happens before each of the next BatchGetItems."""
        names = ("pk", "sk", "scan_pk", "scan_sk", "work_pk", "work_sk")
        client.create_table(
            TableName="videos",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            KeySchema=_keys("pk", "sk"),
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by_scan",
                    "KeySchema": _keys("scan_pk", "scan_sk"),
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                },
                {"IndexName": "work", "KeySchema": _keys("work_pk", "work_sk"), "Projection": {"ProjectionType": "KEYS_ONLY"}},
            ],
        )
        client.meta.events.register("before-parameter-build.dynamodb.BatchGetItem", self._reading)
        self.table = open_table(client, "videos", StillClock())

    def _reading(self, params, **_):
        self.read += [key["pk"]["S"].removeprefix("VIDEO#") for key in params["RequestItems"]["videos"]["Keys"]]
        if self.meanwhile:
            self.meanwhile.pop(0)()

    def settle(self):
        """Let the index catch up."""
        self.clock.advance(LONG_SINCE)

    def record(self, name, state, scan_id=SCAN):
        """Bring the record of a video into a state, whatever its state is, and return it."""
        video = Video(BUCKET, name)
        found = self.table.records.record(video.id, scan_id)
        judged = {State.CLEAN, State.FLAGGED}
        if found is not None and found.state in judged and state in judged:
            self.table.records.judge_again(found, replace(found, state=state, policy_hash=f"{found.policy_hash}+"))
            return self.table.records.record(video.id, scan_id)
        if found is None or found.state.final:
            attempt = 0 if found is None else found.attempt + 1
            found = replace(Record(video, scan_id, State.WAITING, queued_at=1.0), attempt=attempt)
            self.table.records.register(found, self.table.records.record(video.id, scan_id))
        if state is State.RUNNING and found.state is State.WAITING:
            self.table.records.enter_running(found, "job")
        if state.final:
            problem = Problem("analysis-failed", "codec") if state is State.FAILED else None
            self.table.records.finish(replace(found, state=state, finished_at=2.0, policy_hash="old", problem=problem))
        return self.table.records.record(video.id, scan_id)

    def joined(self, names, notes=None, *, scan_id=SCAN, whole=False, status=ScanStatus.CLOSED):
        """Join a manifest of these keys; return what came out, and the truth."""
        truth, notes = TruthTable(expected=len(names)), notes or ReportNotes()
        named = [(BUCKET, name, None) for name in names]
        with recorded_of(self.table, Scan(scan_id, BUCKET, status=status), whole=whole) as recorded:
            notes.take_clean(recorded.clean())
            return list(join(lambda: named, notes, recorded, truth)), truth

    def reviewed(self, names, notes=None, **how):
        """Return the truth table of these keys, and what came out of those that a review shows."""
        results, truth = self.joined(names, notes, **how)
        shown = sorted(
            (each.video.key, each.status, each.again, each.reason) for each in results if each.status is not ObjectStatus.CLEAN
        )
        return truth, shown


def _notes(*rows):
    notes = ReportNotes()
    for name, message, succeeded in rows:
        notes.take(ReportRow(BUCKET, name, None, succeeded, "200", "", message))
    return notes


@pytest.fixture(name="scanned", params=[0.0, 2.0], ids=["no lag", "2 s"])
def _scanned(request, monkeypatch):
    """A table whose indexes lag by so much."""
    monkeypatch.setattr(queries, "MAX_BYTES", 1024)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    clock = ManualClock()
    service = responses.DynamoDbService(clock=clock, settings=EmulatorSettings(index_lag_seconds=request.param))
    with ExitStack() as stack, mock_aws():
        stack.enter_context(moto_hooks.install(responses.hooks(service)))
        yield Scanned(boto3.Session("testing", "testing", region_name="us-east-1"), clock)


@pytest.mark.slow
def test_a_scan_that_is_over(scanned):
    """The table is asked for nothing that the index calls clean; what it knows otherwise comes whole."""
    clean = [f"clean {number}" for number in range(150)]
    others = {"flagged": State.FLAGGED, "failed": State.FAILED, "cancelled": State.CANCELLED}
    for name, state in [*dict.fromkeys(clean, State.CLEAN).items(), *others.items()]:
        scanned.record(name, state)
    scanned.settle()

    results, truth = scanned.joined([*clean, *others, "never"])

    assert {ObjectStatus.CLEAN: 150, "flagged": 1, "failed": 1, "cancelled": 1, "never attempted": 1} == truth.statuses
    assert [*others, "never"] == [each.video.key for each in results]
    assert [State.FLAGGED, State.FAILED, State.CANCELLED, None] == [each.record and each.record.state for each in results]
    assert {Video(BUCKET, name).id for name in (*others, "never")} == set(scanned.read)


@pytest.mark.slow
@pytest.mark.parametrize("settled", [False, True])
def test_a_running_scan(scanned, settled):
    """What the index does not know yet, the table does; what waits or runs comes with its state alone."""
    states = dict(zip(map(str, range(60)), (*State,) * 10, strict=True))
    for name, state in states.items():
        scanned.record(name, state)
    if settled:
        scanned.settle()

    results, truth = scanned.joined(list(states), status=ScanStatus.OPEN)

    assert dict.fromkeys(map(ObjectStatus, map(str.lower, State)), 10) == truth.statuses
    whole = {each.status for each in results if each.record}
    assert {ObjectStatus.FLAGGED, ObjectStatus.FAILED, ObjectStatus.CANCELLED} == whole
    assert whole | {"waiting", "running"} == {each.status for each in results} - {ObjectStatus.CLEAN}


def test_a_record_moves_behind_the_cursor(scanned):
    """A video that becomes clean after the index was read, and one that stops being so: the table has the last word."""
    states = {"was clean": State.CLEAN, "becomes clean": State.FLAGGED, "stays": State.CLEAN}
    for name, state in states.items():
        scanned.record(name, state)
    scanned.settle()

    def judged_anew():
        scanned.record("was clean", State.FLAGGED)

    scanned.meanwhile = [judged_anew]
    truth, shown = scanned.reviewed(list(states))

    assert {ObjectStatus.CLEAN: 1, ObjectStatus.FLAGGED: 2} == truth.statuses
    assert ["becomes clean", "was clean"] == [name for name, *_ in shown]


@pytest.mark.slow
@pytest.mark.parametrize("exchange", [False, True])
def test_judged_anew(scanned, exchange):
    """Verdicts of another policy count at once, though the index still has the old keys, and as many of each."""
    states = {**{f"clean {number}": State.CLEAN for number in range(20)}, "flagged": State.FLAGGED}
    for name, state in states.items():
        scanned.record(name, state)
    scanned.settle()
    scanned.record("clean 7", State.FLAGGED)
    if exchange:
        scanned.record("flagged", State.CLEAN)

    truth, shown = scanned.reviewed(list(states))

    assert {ObjectStatus.CLEAN: 20 if exchange else 19, ObjectStatus.FLAGGED: 1 if exchange else 2} == truth.statuses
    assert [("clean 7", "flagged", False, None)] == [each for each in shown if each[0] != "flagged"]
    assert exchange is ("flagged" not in [name for name, *_ in shown])


def test_totals_that_do_not_agree(scanned):
    """Where the totals tell of other counts, nothing is taken from the index: each record is read."""
    for name in ("a", "b"):
        scanned.record(name, State.CLEAN)
    scanned.record("not in the manifest", State.FLAGGED)
    scanned.settle()

    truth, _ = scanned.reviewed(["a", "b", "b"])

    assert ({ObjectStatus.CLEAN: 3}, 1) == (truth.statuses, truth.repeated)
    assert {Video(BUCKET, name).id for name in ("a", "b")} == set(scanned.read)


def test_repeated_rows(scanned):
    """A key that stands there twice is two rows and one record, whoever told of it: the counts still agree with the totals."""
    for name, state in (("clean", State.CLEAN), ("flagged", State.FLAGGED), ("waiting", State.WAITING)):
        scanned.record(name, state)
    scanned.settle()

    truth, shown = scanned.reviewed(["clean", "flagged", "clean", "waiting", "clean", "flagged", "waiting"], status=ScanStatus.OPEN)

    assert {ObjectStatus.CLEAN: 3, ObjectStatus.FLAGGED: 2, ObjectStatus.WAITING: 2} == truth.statuses
    assert 4 == truth.repeated
    assert [("flagged", False), ("flagged", True), ("waiting", False), ("waiting", True)] == [
        (name, again) for name, _, again, _ in shown
    ]
    assert Video(BUCKET, "clean").id not in scanned.read


def test_retries(scanned):
    """Of several jobs the later report counts, of several attempts the last; neither hides what the table knows."""
    for name in ("clean at last", "failed again", "waits again"):
        scanned.record(name, State.FAILED)
    scanned.settle()
    scanned.record("clean at last", State.CLEAN)
    scanned.record("failed again", State.FAILED)
    scanned.record("waits again", State.WAITING)
    names = ["clean at last", "failed again", "waits again", "text", "denied"]
    notes = _notes(
        *((name, ACCEPTED, True) for name in names[:3]),
        ("text", "boom", False),
        ("denied", ACCEPTED, True),
        *((name, ACCEPTED, True) for name in names[:3]),
        ("text", SKIPPED, True),
        ("denied", "no access", False),
    )

    truth, shown = scanned.reviewed(names, notes, status=ScanStatus.OPEN)

    assert truth.adds_up
    assert 1 == truth.statuses[ObjectStatus.CLEAN]
    assert [
        ("denied", "failed", False, None),
        ("failed again", "failed", False, "analysis-failed"),
        ("text", "skipped", False, "not-a-video"),
        ("waits again", "waiting", False, None),
    ] == shown


def test_objects_of_the_reports_alone(scanned):
    """A clean object that the reports name and the manifest does not is foreign; one without a row in any report is not."""
    for name in ("a", "foreign", "unreported"):
        scanned.record(name, State.CLEAN)
    scanned.settle()

    truth, _ = scanned.reviewed(["a"], _notes(("a", ACCEPTED, True), ("foreign", ACCEPTED, True)))

    assert (1, 1, False) == (truth.statuses[ObjectStatus.CLEAN], truth.foreign, truth.adds_up)


@pytest.mark.slow
def test_modules_are_kept_from_the_collector():
    """The program that reviews keeps the garbage collector off its modules, and has it look less often."""
    code = "import gc, runpy, sys; sys.exit = lambda _: print(gc.get_freeze_count() > 0, *gc.get_threshold()); "
    run = "runpy.run_path(sys.argv[1], run_name='__main__')"
    command = [sys.executable, "-c", code + run, ROOT / "tools" / "review_report.py", "--version"]

    shown = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    assert "True 10000 10 10" == shown.splitlines()[-1]


def test_everything_whole(scanned):
    """For an export every record is read, clean ones too, and they come in the order of the manifest."""
    names = [str(number) for number in range(1_200)]
    for name in names[::100]:
        scanned.record(name, State.CLEAN)
    scanned.settle()

    results, truth = scanned.joined(names, whole=True)

    assert names == [each.video.key for each in results]
    assert names[::100] == [each.record.video.key for each in results if each.record]
    assert 12 == truth.statuses[ObjectStatus.CLEAN]


@pytest.mark.slow
def test_every_shard_is_read(scanned):
    """Clean videos of all sixteen shards are found without a word of the table's."""
    names = [str(number) for number in range(100)]
    for name in names:
        scanned.record(name, State.CLEAN)
    scanned.settle()
    assert 16 == len({shard(Video(BUCKET, name).id, 16) for name in names})

    truth, _ = scanned.reviewed(names)

    assert ({ObjectStatus.CLEAN: 100}, []) == (truth.statuses, scanned.read)


def test_a_fault_reaches_the_reader(scanned):
    """What the table raises ends the join."""
    scanned.meanwhile = [lambda: 1 / 0]

    with pytest.raises(ZeroDivisionError):
        scanned.reviewed(["a"])


def test_answers_as_botocore_reads_them(scanned):
    """The tools' own reading of an answer comes to what botocore's does, whatever text is in it."""
    scanned.record('quote " and ü \u2028 \U0001f3ac', State.FLAGGED)
    scanned.record("other", State.FAILED)
    keys = [(Video(BUCKET, name).id, SCAN) for name in ('quote " and ü \u2028 \U0001f3ac', "other", "missing")]
    plain = open_table(scanned.session.client("dynamodb"), "videos", StillClock())

    found = [sorted(table.records.records(keys), key=lambda each: each.state) for table in (scanned.table, plain)]

    assert found[0] == found[1]
    assert [State.FAILED, State.FLAGGED] == [each.state for each in found[0]]
    assert scanned.table.scans.totals(SCAN) == plain.scans.totals(SCAN)


SCANS = count()
MOVES = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from(State), st.sampled_from([0.0, 1.0, LONG_SINCE])), min_size=1, max_size=25
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES, rows=st.lists(st.integers(0, 9), min_size=1, max_size=15), status=st.sampled_from(ScanStatus))
def test_as_record_by_record(scanned, moves, rows, status):
    """Whatever happened and however lately, the index is worth as much as reading each record."""
    scan_id = f"01K742SG{next(SCANS):018}"
    for number, state, seconds in moves:
        scanned.record(str(number), state, scan_id)
        scanned.clock.advance(seconds)
    names = list(map(str, rows))

    assert scanned.reviewed(names, scan_id=scan_id, whole=True) == scanned.reviewed(names, scan_id=scan_id, status=status)
