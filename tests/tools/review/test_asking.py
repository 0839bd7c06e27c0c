"""Asking the table about a whole scan."""

import threading
from itertools import islice

import boto3
import pytest
from moto import mock_aws
from moto.server import ThreadedMotoServer

from handlers.adapters.table import open_table
from handlers.adapters.table.items import record_item
from handlers.domain.identity import Video
from handlers.domain.record import Problem, Record, Scan
from handlers.domain.states import State
from handlers.runtime.clock import SystemClock
from tools.lib.aws.clients import Clients
from tools.lib.review import asking
from tools.lib.review.asking import Door, Question

SCAN = "01JDABCDEFGHJKMNPQRSTVWXYZ"


def record(name, state, **more):
    """Make a record of this key."""
    return Record(Video("bucket", name), SCAN, state, **more)


class Table:
    """Records in memory; notes who was asked whole."""

    def __init__(self, *records):
        self.items = {record.video.id: record for record in records}
        self.whole = []

    def states(self, video_ids, scan_id):
        """Return those there are."""
        return ((name, self.items[name].state) for name in video_ids if name in self.items)

    def records(self, keys):
        """Return those there are."""
        names = [name for name, _ in keys]
        self.whole += names
        return (self.items[name] for name in names if name in self.items)


def told(asked):
    """Return the answers of an asking, each with the id it is about."""
    with asked as answers:
        return list(answers)


def known_of(asked):
    """Return the answers of an asking."""
    return [known for _, known in told(asked)]


def test_states_and_whole_records():
    """Only what is shown is read whole; of the rest the state is enough; what is missing stays missing."""
    clean, flagged = record("clean", State.CLEAN), record("flagged", State.FLAGGED)
    table = Table(clean, flagged)
    videos = [clean.video, Video("bucket", "missing"), flagged.video, clean.video]

    answers = told(asking.in_threads(videos, Question(SCAN), table))

    assert [State.CLEAN, None, flagged, State.CLEAN] == [known for _, known in answers]
    assert [video.digest for video in videos] == [key for key, _ in answers]
    assert [flagged.video.id] == table.whole


def test_everything_whole():
    """Where all states are wanted whole, states alone are not asked for."""
    clean = record("clean", State.CLEAN)
    table = Table(clean)
    table.states = None

    assert [clean] == known_of(asking.in_threads([clean.video], Question(SCAN, frozenset(State)), table))


def test_newer_word_counts():
    """A record that moved on between the two questions is taken as it is in the second."""
    table = Table(record("a", State.CLEAN))
    table.states = lambda names, _: ((name, State.FAILED) for name in names)

    [known] = known_of(asking.in_threads([Video("bucket", "a")], Question(SCAN), table))

    assert State.CLEAN is known.state


def test_order_is_kept():
    """Answers come in the order of the manifest, though several questions are on their way at once."""
    records = [record(str(number), State.CLEAN) for number in range(3000)]
    table, barrier = Table(*records), threading.Barrier(2, timeout=60)
    states = table.states

    def later(names, scan_id):
        barrier.wait()  # no question is answered before another one is asked
        return states(names, scan_id)

    table.states = later

    answers = told(asking.in_threads((each.video for each in records), Question(SCAN), table))

    assert [each.video.digest for each in records] == [key for key, _ in answers]


def test_whoever_stops_listening():
    """A reader that stops early ends the asking."""
    table = Table(*(record(str(number), State.CLEAN) for number in range(10)))
    endless = (Video("bucket", str(number)) for number in iter(int, 1))

    with asking.in_threads(endless, Question(SCAN), table) as answers:
        assert 3 == len(list(islice(answers, 3)))


def test_asking_does_not_wait_for_the_reader():
    """The table is asked at once, while whoever wants to know has something else to read first."""
    table, asked = Table(record("a", State.CLEAN)), threading.Event()
    states = table.states

    def noticed(names, scan_id):
        asked.set()
        return states(names, scan_id)

    table.states = noticed

    with asking.in_threads([Video("bucket", "a")], Question(SCAN), table) as answers:
        assert asked.wait(60)
        assert [State.CLEAN] == [known for _, known in answers]


def test_fault_of_the_table():
    """What the table raises reaches the reader."""
    table = Table()
    table.states = lambda *_: 1 / 0

    with pytest.raises(ZeroDivisionError):
        told(asking.in_threads([Video("bucket", "a")], Question(SCAN), table))


@pytest.fixture
def endpoint(monkeypatch):
    """A table with three records behind HTTP, so that another process can reach it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    with mock_aws():
        server.start()
        host, port = server.get_host_and_port()
        client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=f"http://{host}:{port}")
        keys = [{"AttributeName": name, "KeyType": kind} for name, kind in (("pk", "HASH"), ("sk", "RANGE"))]
        types = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
        client.create_table(TableName="videos", KeySchema=keys, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST")
        table = open_table(client, "videos", SystemClock())
        table.records._table.put_all(map(record_item, (record("clean", State.CLEAN), record("waiting", State.WAITING), FAILED)))
        yield f"http://{host}:{port}"
        server.stop()


FAILED = record("failed", State.FAILED, problem=Problem("empty", 'quote " and ü'), finished_at=1_760_000_000.25, duration_ms=7)
VIDEOS = [Video("bucket", name) for name in ("failed", "missing", "clean", "waiting", "failed")]
KNOWN = [FAILED, None, State.CLEAN, State.WAITING, FAILED]


def test_another_process(endpoint):
    """Another process finds the same as this one: its own reading of an answer comes to what botocore's does."""
    door = Door("videos", "us-east-1", endpoint, ("testing", "testing", None))

    assert KNOWN == known_of(asking.in_a_process(VIDEOS, Question(SCAN), door))
    assert KNOWN == known_of(asking.in_threads(VIDEOS, Question(SCAN), door.open()))


@pytest.mark.parametrize("objects", [None, 5, asking.BIG])
def test_any_size(endpoint, objects):
    """Whichever process asks, the answers are the same."""
    clients = Clients(boto3.Session("testing", "testing", region_name="us-east-1"))
    clients.dynamodb = clients._session.client("dynamodb", endpoint_url=endpoint)
    table = open_table(clients.dynamodb, "videos", SystemClock())

    assert KNOWN == known_of(asking.asked(VIDEOS, Scan(SCAN, "bucket", objects=objects), table, clients))
