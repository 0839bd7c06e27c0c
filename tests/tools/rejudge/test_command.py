"""Judging a scan again: shown without a write, applied once, safe to interrupt and to run twice."""

import io
import json
from dataclasses import replace

import pytest

from handlers.adapters.table import open_table
from handlers.domain.identity import Video
from handlers.domain.record import LabelSummary, ObjectFacts, Record, Scan, StartParameters
from handlers.domain.states import State
from tools.lib.cli import ExitCode, Terminal
from tools.lib.errors import ToolError
from tools.lib.rejudge.command import Rejudging
from tools.lib.rejudge.comparison import VIDEOS_SHOWN

BUCKET = "amzn-s3-demo-bucket"
TABLE = "videos"
SCAN = Scan("01JDEM00000000000000000001", BUCKET)
START = StartParameters(None, 50.0, "topic", "role")
HOSTILE = 'x"\n\x1b[31m<script>.mp4'


@pytest.fixture(name="scanned")
def _scanned(account):
    """Return a function that finishes a video: its best confidence for Alcohol decides by 80 %, another state stays."""

    def finish(key, confidence=None, *, state=None, scan_id=SCAN.id, **fields):
        record = Record(Video(BUCKET, key), scan_id, State.WAITING, facts=ObjectFacts("e", 3, None), queued_at=1.0)
        account.table.records.register(record, None)
        counts = confidence is not None and confidence >= 80
        labels = () if confidence is None else (LabelSummary("Alcohol", "", 1, confidence, 1_000, 0),)
        account.table.records.note_start_tried(record, record.facts, fields.pop("start", START), at=2.0)
        final = replace(
            account.table.records.record(record.video.id, scan_id),
            state=state or (State.FLAGGED if counts else State.CLEAN),
            **{
                "finished_at": 3.0,
                "labels": labels,
                "gap_ms": 1_000,
                "duration_ms": 60_000,
                "counted": ("Alcohol",) if counts else (),
                "policy_hash": "old",
                "hits_key": "hits/x",
                "hits_count": len(labels),
                **fields,
            },
        )
        account.table.records.finish(final)
        return final.video.id

    return finish


@pytest.fixture(name="table")
def _table(account):
    """Return the table through the tools' own client, whose calls are noted."""
    return open_table(account.clients.dynamodb, TABLE, account.clock)


@pytest.fixture(name="rejudge")
def _rejudge(table, tmp_path):
    """Return a function that judges the scan again by a policy of one rule for Alcohol."""

    def run(threshold, *, default=80, through=table.records, **options):
        rule = {"min_confidence": threshold, "alert": True}
        path = tmp_path / "new.json"
        path.write_text(json.dumps({"default": {"min_confidence": default, "alert": True}, "labels": {"alcohol": rule}}))
        terminal = Terminal(as_json=False, out=io.StringIO(), err=io.StringIO(), interactive=False)
        # moto's transactions lose writes under threads (docs/decisions/own-dynamodb-and-sqs.md): the end-to-end test has eight
        rejudging = Rejudging(through, table.scans, terminal, writers=1)
        return rejudging.run(SCAN, path, **options)

    return run


@pytest.fixture(name="states")
def _states(account):
    """Return a function that reads the states of keys, and checks that the totals count exactly them."""

    def read(*keys):
        records = list(account.table.records.records((Video(BUCKET, key).id, SCAN.id) for key in keys))
        found = {record.video.key: record.state for record in records}
        totals = account.table.scans.totals(SCAN.id)
        for state in (State.CLEAN, State.FLAGGED, State.FAILED):
            count = sum(each is state for each in found.values())
            assert (count, count * 60_000) == (totals.videos.get(state, 0), totals.milliseconds.get(state, 0))
        return [found[key] for key in keys]

    return read


def counts(comparison):
    """Return the counts of newly flagged, newly clean, other labels, unchanged."""
    return list(comparison.as_json()["counts"].values())


def test_shown_only(account, scanned, rejudge, states):
    """Without --apply nothing is written: the changes are told with the labels that make them."""
    scanned("toast.mp4", 60.0)
    scanned("none.mp4")
    scanned("party.mp4", 95.0)

    comparison = rejudge(60)

    assert [1, 0, 0, 2] == counts(comparison)
    (change,) = comparison.as_json()["changes"]
    assert ("toast.mp4", "newly flagged", [{"name": "Alcohol", "parent": "", "confidence": 60.0}], []) == (
        change["key"],
        change["change"],
        change["now_count"],
        change["no_longer_count"],
    )
    assert [State.CLEAN, State.CLEAN, State.FLAGGED] == states("toast.mp4", "none.mp4", "party.mp4")
    assert {"old"} == {
        account.table.records.record(Video(BUCKET, key).id, SCAN.id).policy_hash for key in ("toast.mp4", "none.mp4")
    }
    assert ExitCode.DONE is comparison.exit_code


def test_applied_there_and_back(account, scanned, rejudge, states):
    """A stricter policy flags, a looser one takes it back; totals follow, every record names the policy, no mail is sent."""
    scanned("toast.mp4", 60.0)
    scanned("party.mp4", 95.0)

    stricter = rejudge(60, apply=True)

    assert [1, 0, 0, 1] == counts(stricter)
    assert [State.FLAGGED, State.FLAGGED] == states("toast.mp4", "party.mp4")
    records = account.table.records.records((Video(BUCKET, key).id, SCAN.id) for key in ("toast.mp4", "party.mp4"))
    assert {stricter.file.policy.hash} == {record.policy_hash for record in records}
    assert [] == account.table.records.mails_due(9)

    looser = rejudge(99, apply=True)

    assert [0, 2, 0, 0] == counts(looser)
    assert [State.CLEAN, State.CLEAN] == states("toast.mp4", "party.mp4")


def test_twice(account, scanned, rejudge, states):
    """Applied a second time, it finds nothing to change and writes nothing."""
    scanned("toast.mp4", 60.0)
    rejudge(60, apply=True)
    account.wire.calls.clear()

    again = rejudge(60, apply=True)

    assert [0, 0, 0, 1] == counts(again)
    assert [State.FLAGGED] == states("toast.mp4")
    assert [] == account.wire.writes
    assert account.wire.of("BatchGetItem")


class Interrupts:
    """Records whose writes end after a number of them, as if the person had pressed Ctrl-C."""

    def __init__(self, records, writes):
        self._records = records
        self._left = writes

    def __getattr__(self, name):
        """Return the records' own."""
        return getattr(self._records, name)

    def judge_again(self, record, judged):
        """Write, or be interrupted."""
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        return self._records.judge_again(record, judged)


def test_interrupted(table, scanned, rejudge, states):
    """Interrupted in the middle and run again, it comes to the same as in one go."""
    keys = [f"{number}.mp4" for number in range(6)]
    for number, key in enumerate(keys):
        scanned(key, 60.0 + 7 * (number % 2) * 4)
    with pytest.raises(KeyboardInterrupt):
        rejudge(60, apply=True, through=Interrupts(table.records, 2))
    half = states(*keys)

    rejudge(60, apply=True)

    assert 6 > half.count(State.FLAGGED) > 2
    assert [State.FLAGGED] * 6 == states(*keys)


class ChangesMeanwhile(Interrupts):
    """Records that another hand judges each before it is written."""

    def judge_again(self, record, judged):
        """Let the other hand be first."""
        self._records.judge_again(record, replace(record, policy_hash="another's"))
        return self._records.judge_again(record, judged)


def test_overtaken(table, scanned, rejudge, states):
    """What another hand changed meanwhile is left alone, counted as that, and a reason to run again."""
    scanned("toast.mp4", 60.0)

    comparison = rejudge(60, apply=True, through=ChangesMeanwhile(table.records, 0))

    assert ([0, 0, 0, 0], 1, ExitCode.SOME_FAILED) == (counts(comparison), comparison.overtaken, comparison.exit_code)
    assert [State.CLEAN] == states("toast.mp4")
    assert any("Run this again" in line for line in comparison.sentences())


def test_only_clean_and_flagged(account, scanned, rejudge, states):
    """Other states and other scans are not touched."""
    scanned("failed.mp4", 60.0, state=State.FAILED)
    scanned("toast.mp4", 60.0, scan_id="01JDEM00000000000000000002")

    comparison = rejudge(60, apply=True)

    assert (0, 0) == (comparison.total, comparison.expected)
    assert [State.FAILED] == states("failed.mp4")
    assert 1 == account.table.scans.totals("01JDEM00000000000000000002").videos[State.CLEAN]


def test_mail(account, scanned, rejudge):
    """Newly flagged videos are mailed if that is asked for."""
    video_id = scanned("toast.mp4", 60.0)
    scanned("party.mp4", 95.0)

    comparison = rejudge(60, apply=True, mail=True)

    assert [(video_id, SCAN.id)] == account.table.records.mails_due(9)
    assert (1, True) == (comparison.mails, any("Mails due for newly flagged videos: 1." in line for line in comparison.sentences()))


def test_cannot_be_judged(account, scanned, rejudge, states):
    """Where Rekognition did not report what a rule asks for, the record stays, and the rule is named with both confidences."""
    scanned("floor 50.mp4", 60.0)
    scanned("floor 40.mp4", 60.0, start=replace(START, min_confidence=40.0))
    scanned("old.mp4", 60.0, hits_key=None)

    comparison = rejudge(45, apply=True)

    assert [State.CLEAN, State.FLAGGED, State.CLEAN] == states("floor 50.mp4", "floor 40.mp4", "old.mp4")
    text = "\n".join(comparison.sentences())
    assert 'the rule for "alcohol" counts from 45 %, but Rekognition reported only from 50 %' in text
    assert "no hits are kept" in text
    assert [{"label": "alcohol", "min_confidence": 45.0, "reported_from": 50.0, "videos": 1}] == comparison.as_json()[
        "cannot_be_judged"
    ]["rules"]
    assert (2, ExitCode.SOME_FAILED) == (comparison.blocked.total(), comparison.exit_code)


def test_default_below_the_floor(scanned, rejudge):
    """A default rule that asks for more than was reported is named as that."""
    scanned("toast.mp4", 60.0)

    text = "\n".join(rejudge(60, default=30).sentences())

    assert "the default rule counts from 30 %" in text


def test_no_policy(account, table, tmp_path):
    """A file that holds no policy is refused before the table is asked."""
    (tmp_path / "bad.json").write_text("{}")
    terminal = Terminal(as_json=False, out=io.StringIO(), err=io.StringIO(), interactive=False)
    account.wire.calls.clear()

    with pytest.raises(ToolError, match="default"):
        Rejudging(table.records, table.scans, terminal).run(SCAN, tmp_path / "bad.json")

    assert [] == account.wire.calls


def test_s3_is_not_asked(account, scanned, rejudge):
    """The roll-up is enough: neither S3 nor Rekognition is called, and no segment is read."""
    scanned("toast.mp4", 60.0)
    account.wire.calls.clear()

    rejudge(60)

    assert {"Query", "BatchGetItem"} == {operation for operation, _ in account.wire.calls}


@pytest.mark.slow
def test_sentences(scanned, rejudge):
    """A person reads the counts, at most fifty videos of a kind, what to do next, and no key steers the terminal."""
    for number in range(VIDEOS_SHOWN + 2):
        scanned(f"{number:02}.mp4", 60.0)
    scanned(HOSTILE, 70.0)

    lines = rejudge(60).sentences()

    assert "only shown; nothing was changed" in lines[0]
    assert f"  newly flagged     {VIDEOS_SHOWN + 3:>10}{float(VIDEOS_SHOWN + 3):>12.1f}" in lines
    assert "  and 3 more videos, see --json" in lines
    assert all(line.isprintable() for line in lines)
    assert r's3://amzn-s3-demo-bucket/x"\n\x1b[31m<script>.mp4' in lines[lines.index("Newly flagged") + 1]
    assert "    now counts: Alcohol 70.0 %" in lines


def test_totals_ahead_of_the_index(account, scanned, rejudge):
    """Where fewer videos are seen than the totals count, that is said, and the exit code says it too."""
    video_id = scanned("toast.mp4", 60.0)
    scanned("seen.mp4", 60.0)
    account.session.client("dynamodb").update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"VIDEO#{video_id}"}, "sk": {"S": f"SCAN#{SCAN.id}"}},
        UpdateExpression="REMOVE scan_pk, scan_sk",
    )

    comparison = rejudge(60)

    assert ExitCode.SOME_FAILED is comparison.exit_code
    assert any("1 video compared, but the scan's totals have 2" in line for line in comparison.sentences())
