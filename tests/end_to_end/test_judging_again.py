"""A scan judged again by other policies: no video is analysed or paid for a second time."""

import gzip
import io
import json
from collections import Counter

import pytest

from handlers.adapters.table import open_table
from handlers.domain.identity import Video
from handlers.domain.states import State
from tests.end_to_end.conftest import run_tool
from tools.emulator.samples import Clip, cut_short, tiny_clip
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World
from tools.lib.cli import Terminal
from tools.lib.rejudge.command import Rejudging

BUCKET = "amzn-s3-demo-bucket"
TOAST = "parties/a toast, perhaps.mp4"
BROKEN = "broken/half.mp4"
LIBRARY = {
    "holidays/beach.mp4": tiny_clip(),
    TOAST: tiny_clip("Alcohol", 60.0),
    "clips/100% real + raw %2B.mp4": tiny_clip("Weapons", 96.0),
    "sport/final; the end.mp4": tiny_clip("Hate Symbols", 93.0),
    BROKEN: cut_short(Clip(1.0)),
}
BEFORE = {State.CLEAN: 2, State.FLAGGED: 2, State.FAILED: 1}


class Judged:
    """The offline world after a scan."""

    def __init__(self, world, outputs, folder):
        self.world = world
        self.work_bucket = outputs["WorkBucketName"]
        self.table = open_table(world.client("dynamodb"), outputs["TableName"], world.clock)
        (self.scan,) = self.table.scans.scans()
        self._path = folder / "new.json"

    def judge(self, *, apply=False, default=80, **labels):
        """Judge the scan by a policy with these confidences."""
        rules = {name: {"min_confidence": confidence, "alert": True} for name, confidence in labels.items()}
        policy = {"default": {"min_confidence": default, "alert": True}, "labels": rules}
        self._path.write_text(json.dumps(policy), encoding="utf-8")
        terminal = Terminal(as_json=True, out=io.StringIO(), err=io.StringIO(), interactive=False)
        return Rejudging(self.table.records, self.table.scans, terminal).run(self.scan, self._path, apply=apply).as_json()

    def record(self, key):
        """Return the record of a video."""
        return self.table.records.record(Video(BUCKET, key).id, self.scan.id)

    def states(self):
        """Return the number of records in each state, after checking it against the totals, in videos and in time."""
        records = [self.record(key) for key in LIBRARY]
        counted = Counter(record.state for record in records)
        lengths = Counter()
        for record in records:
            lengths[record.state] += record.duration_ms or 0
        totals = self.table.scans.totals(self.scan.id)
        assert counted == Counter({state: count for state, count in totals.videos.items() if count})
        assert +lengths == Counter({state: length for state, length in totals.milliseconds.items() if length})
        return dict(counted)

    def spent(self):
        """Return what was started and billed so far, by the ledgers of Rekognition and of the API."""
        jobs = self.world.rekognition.ledger.jobs
        calls = self.world.ledger.calls(service="rekognition", operation="StartContentModeration")
        return len(jobs), sum(job.minutes_billed for job in jobs), len(calls)


@pytest.fixture(scope="module", name="judged")
def _judged(assembly, tmp_path_factory):
    """Scan a small library with the real template, functions and submit_job."""
    folder = tmp_path_factory.mktemp("judging")
    with World(EmulatorSettings(speed=60.0, analysis_base_seconds=5.0, snap_start=True), directory=folder / "world") as world:
        outputs = world.deploy(assembly(), "VideoModeration")
        s3 = world.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for key, body in LIBRARY.items():
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        settings = {"VIDEO_MODERATION_POLL_SECONDS": "0.5", "VIDEO_MODERATION_MANIFESTS": str(folder / "manifests")}
        run_tool("submit_job.py", ["--bucket", BUCKET, "--yes", "--wait"], world.environment() | settings, (0, 3))
        yield Judged(world, outputs, folder)


def test_hits_are_kept(judged):
    """Each analysed video has its hits in the work bucket where its record points; a failed one has none."""
    s3 = judged.world.client("s3")
    records = {key: judged.record(key) for key in LIBRARY}

    listed = s3.list_objects_v2(Bucket=judged.work_bucket, Prefix=f"hits/scan={judged.scan.id}/")["Contents"]
    found = {}
    for key, record in records.items():
        if record.hits_key:
            body = s3.get_object(Bucket=judged.work_bucket, Key=record.hits_key)["Body"].read()
            found[key] = [json.loads(line) for line in gzip.decompress(body).splitlines()]

    assert set(LIBRARY) - {BROKEN} == set(found)
    assert {each["Key"] for each in listed} == {record.hits_key for record in records.values() if record.hits_key}
    for key, hits in found.items():
        assert records[key].hits_count == len(hits)
        assert {label.name for label in records[key].labels} == {hit["label"] for hit in hits}
        assert {key} >= {hit["key"] for hit in hits}


def test_shown_applied_and_back(judged):
    """A stricter policy flags the toast and a looser one clears all, without another job, Start or minute, and totals stay true."""
    before, mails = judged.spent(), len(list(judged.world.outbox.glob("*.eml")))
    assert 5 == before[0]
    assert BEFORE == judged.states()

    shown = judged.judge(Alcohol=55)

    assert ([TOAST], BEFORE) == ([change["key"] for change in shown["changes"]], judged.states())

    stricter = judged.judge(Alcohol=55, apply=True)

    assert shown["changes"] == stricter["changes"]
    assert {State.CLEAN: 1, State.FLAGGED: 3, State.FAILED: 1} == judged.states()
    assert ("Alcohol",) == judged.record(TOAST).counted

    again = judged.judge(Alcohol=55, apply=True)

    assert ([], 4) == (again["changes"], again["counts"]["unchanged"])

    looser = judged.judge(default=99, apply=True)

    assert (3, {State.CLEAN: 4, State.FAILED: 1}) == (looser["counts"]["newly clean"], judged.states())

    shipped = judged.judge(apply=True)

    assert (2, BEFORE) == (shipped["counts"]["newly flagged"], judged.states())
    assert (before, mails) == (judged.spent(), len(list(judged.world.outbox.glob("*.eml"))))


def test_below_what_was_reported(judged):
    """A policy below the confidence from which Rekognition reported changes nothing and names the rule."""
    refused = judged.judge(Alcohol=40, apply=True)

    (rule,) = refused["cannot_be_judged"]["rules"]
    assert ("Alcohol", 40.0, 50.0, 4) == (rule["label"], rule["min_confidence"], rule["reported_from"], rule["videos"])
    assert BEFORE == judged.states()
