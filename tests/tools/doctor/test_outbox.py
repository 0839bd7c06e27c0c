"""The doctor's lines about consequences: their queue, dead letters and what waits; none where verdicts have none."""

from dataclasses import replace

import pytest

from handlers.adapters.table import open_table, outbox_items
from handlers.domain.identity import Video
from handlers.domain.record import Record
from handlers.domain.states import State
from tests.harness.fixtures import opened
from tests.harness.line import BUCKET, STACK
from tools.emulator.core.clock import ManualClock
from tools.lib.aws.clients import Clients
from tools.lib.aws.deployment import find
from tools.lib.cli import ExitCode
from tools.lib.doctor import Case, Level, examine, outbox
from tools.lib.text import moment

SUBJECTS = ["outbox", "consequences"]
SCAN = "01K742SG00000G40R40M30E209"


@pytest.fixture(scope="module", name="line")
def _line(tmp_path_factory, assembly, session):
    """Return a line whose verdicts have consequences; nothing is carried out, because nothing sweeps."""
    with opened(tmp_path_factory.mktemp("line"), assembly, session) as make:
        yield make({"source_buckets": [BUCKET], "publish_events": True, "tag_objects": True})


@pytest.fixture(name="deployed")
def _deployed(line):
    return find(line.client("cloudformation"), STACK)


@pytest.fixture(name="table")
def _table(line, deployed):
    """Return the table, whose outbox is emptied afterwards."""
    table = open_table(line.client("dynamodb"), deployed.table_name, line.clock, has_outbox=True)
    yield table
    for due in table.outbox.due():
        table.outbox.done(due)


@pytest.fixture(name="look")
def _look(line, deployed, table):
    """Return a function to what the doctor finds about consequences, by subject."""

    def look(**changed):
        findings = examine(Case(Clients(line.session), replace(deployed, **changed), table, BUCKET, clock=line.clock))
        assert findings.exit_code is ExitCode.DONE, findings.sentences()
        return {finding.subject: finding for finding in findings if finding.subject in SUBJECTS}

    return look


def add(line, key, *, ago=0.0):
    """Write the verdict of a video some seconds ago, which puts it into the outbox."""
    clock = ManualClock(line.clock.now() - ago)
    records = open_table(line.client("dynamodb"), line.outputs["TableName"], clock, has_outbox=True).records
    video = Video(BUCKET, key)
    records.register(Record(video, SCAN, State.WAITING, queued_at=1.0), None)
    # The analysis may have ended long before.
    records.finish(Record(video, SCAN, State.FLAGGED, queued_at=1.0, finished_at=1.0, policy_hash="p"))


def test_nothing_waits(look):
    """Where all is carried out each subject has one line."""
    found = look()

    assert SUBJECTS == list(found)
    assert {Level.OK} == {finding.level for finding in found.values()}
    assert "none wait" == found["consequences"].text


def test_without_consequences(look):
    """Where verdicts have no consequences nothing is said of them."""
    assert {} == look(outbox_queue_url=None, outbox_dead_letters_url=None)


@pytest.mark.usefixtures("table")
def test_some_wait(look, line):
    """How many wait is said, and since when the oldest does."""
    for number in range(3):
        add(line, f"{number}.mp4", ago=60 * number)

    found = look()["consequences"]

    assert (Level.OK, f"3 wait, the oldest since {moment(line.clock.now() - 120)}") == (found.level, found.text)


def test_items_of_earlier_versions(look, line, table):
    """An item that does not say when it was put counts, and is not taken for an old one."""
    add(line, "earlier.mp4", ago=3 * 3_600)
    (due,) = table.outbox.due()
    key = {name: {"S": value} for name, value in outbox_items.key(due).items()}
    line.client("dynamodb").update_item(TableName=table.name, Key=key, UpdateExpression="REMOVE put_at")

    found = look()["consequences"]

    assert (Level.OK, "1 wait") == (found.level, found.text)


def test_what_waits_for_long(look, line, table):
    """What waits for three hours is a warning, with what AWS prevented and where to look."""
    add(line, "a.mp4", ago=3 * 3_600)
    (due,) = table.outbox.due()
    table.outbox.postpone(due, at=line.clock.now(), event_sent=False)

    found = look()["consequences"]

    assert found.level is Level.WARNING
    assert "1 wait" in found.text
    assert "AWS prevented 1 of them" in found.text
    assert "publish_verdict" in found.cure


@pytest.mark.usefixtures("table")
def test_very_many(look, line, monkeypatch):
    """No more are read than are needed to say that there are many."""
    monkeypatch.setattr(outbox, "MOST", 2)
    for number in range(4):
        add(line, f"many {number}.mp4")

    assert "more than 2 wait" in look()["consequences"].text


def test_dead_letters(look, line, deployed):
    """Dead letters are a warning that names `redrive`."""
    url = deployed.outbox_dead_letters_url
    line.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    try:
        found = look()["outbox"]
    finally:
        line.client("sqs").purge_queue(QueueUrl=url)

    assert (Level.WARNING, True, True) == (found.level, "1 message" in found.text, "redrive" in found.cure)


def test_a_queue_is_gone(look, deployed):
    """A queue that is gone is a warning to deploy again."""
    found = look(outbox_queue_url=f"{deployed.outbox_queue_url}-gone")["outbox"]

    assert (Level.WARNING, True) == (found.level, "make deploy" in found.cure)
