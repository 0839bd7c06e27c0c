"""The doctor's lines about consequences: their queue, dead letters and what waits; none where verdicts have none."""

from dataclasses import replace

import pytest

from handlers.adapters.table import open_table
from handlers.domain.identity import Video
from handlers.domain.record import Record
from handlers.domain.states import State
from tests.harness.fixtures import opened
from tests.harness.line import BUCKET, STACK
from tools.lib.aws.clients import Clients
from tools.lib.aws.deployment import find
from tools.lib.cli import ExitCode
from tools.lib.doctor import Case, Level, examine, outbox

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


def add(table, key, finished_at):
    """Write the record of a video that was judged at a time, which puts it into the outbox."""
    video = Video(BUCKET, key)
    table.records.register(Record(video, SCAN, State.WAITING, queued_at=1.0), None)
    table.records.finish(Record(video, SCAN, State.FLAGGED, queued_at=1.0, finished_at=finished_at, policy_hash="p"))


def test_nothing_waits(look):
    """Where all is carried out each subject has one line."""
    found = look()

    assert SUBJECTS == list(found)
    assert {Level.OK} == {finding.level for finding in found.values()}
    assert "none wait" == found["consequences"].text


def test_without_consequences(look):
    """Where verdicts have no consequences nothing is said of them."""
    assert {} == look(outbox_queue_url=None, outbox_dead_letters_url=None)


def test_some_wait(look, line, table):
    """How many wait is said, and when the oldest verdict was reached."""
    now = line.clock.now()
    for number in range(3):
        add(table, f"{number}.mp4", now - 60 * number)

    found = look()["consequences"]

    assert (Level.OK, True) == (found.level, found.text.startswith("3 wait, the oldest verdict is of 20"))


def test_what_waits_for_long(look, line, table):
    """A verdict of three hours ago is a warning, with what AWS prevented and where to look."""
    add(table, "a.mp4", line.clock.now() - 3 * 3_600)
    (due,) = table.outbox.due()
    table.outbox.postpone(due, at=line.clock.now(), event_sent=False)

    found = look()["consequences"]

    assert found.level is Level.WARNING
    assert "1 wait" in found.text
    assert "AWS prevented 1 of them" in found.text
    assert "publish_verdict" in found.cure


def test_very_many(look, line, table, monkeypatch):
    """No more are read than are needed to say that there are many."""
    monkeypatch.setattr(outbox, "MOST", 2)
    for number in range(4):
        add(table, f"many {number}.mp4", line.clock.now())

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
