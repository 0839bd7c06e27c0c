"""1,000 videos registered from 32 threads and started by four starters, over HTTP: none is lost, each is started once.

The same load against the emulator and against ministack. The flows and adapters are real, in a process of their own; the table, the
queues and the functions' settings are those of the synthesised template, brought to life by each server's own CloudFormation.
Rekognition is the emulator's in both: ministack has none. Stand-ins in the load: S3, whose looks are not contended for, and
completion, which takes a record to its end as soon as its analysis should be over. `pytest -s` shows the figures.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from handlers.domain.states import State
from tests.cross_check.scene import BUCKET
from tools.emulator.samples import tiny_clip

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
SCANS = {"normal": "01JDEM00000000000000000001", "express": "01JDEM00000000000000000002"}
VIDEOS_PER_LANE = 500
# S3 Batch may invoke a function twice for a task (redrives); here at the same time, which is worse.
TWICE_EVERY = 10
DEADLINE_SECONDS = 800
# Of the load's time, a little more than what the servers' Rekognition takes.
ANALYSIS_SECONDS = 12.0
# Rekognition's quota. The stack uses 18: that, and three starts more while four starters count at the same time, may be open.
JOBS = 20


def keys_of(lane):
    """Return the keys of a lane's videos."""
    return [f"{lane}/{number:04}.mp4" for number in range(VIDEOS_PER_LANE)]


def events():
    """Return an S3 Batch event for each task: the lanes take turns, and every tenth task comes twice in a row."""
    tasks = [(lane, key) for keys in zip(*map(keys_of, SCANS), strict=True) for lane, key in zip(SCANS, keys, strict=True)]
    doubled = [task for number, task in enumerate(tasks) for task in [task] * (1 if number % TWICE_EVERY else 2)]
    return [event(lane, key, number) for number, (lane, key) in enumerate(doubled)]


def event(lane, key, number):
    """Return an S3 Batch event of schema 2.0 with one task."""
    return {
        "invocationSchemaVersion": "2.0",
        "invocationId": f"invocation-{number}",
        "job": {"id": f"job-of-{lane}", "userArguments": {"scan_id": SCANS[lane], "lane": lane}},
        "tasks": [{"taskId": f"task-{number}", "s3Key": key, "s3VersionId": None, "s3Bucket": BUCKET}],
    }


def run_load(scene):
    """Run the load to its end and return what it counted."""
    order = {
        "events": events(),
        "scans": list(SCANS.values()),
        "videos": len(SCANS) * VIDEOS_PER_LANE,
        "environments": {name: scene.environment_of(name) for name in ("batch_invoke", "start_analysis")},
        "analysis_seconds": ANALYSIS_SECONDS,
        "deadline_seconds": DEADLINE_SECONDS,
    }
    environment = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **scene.environment}
    command = [sys.executable, "-m", "tests.cross_check.load"]
    done = subprocess.run(command, cwd=ROOT, env=environment, input=json.dumps(order), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.timeout(900)  # a minute on an idle machine
def test_none_lost_and_one_start_each(scene):
    """However calls to table and queues interleave, every video ends in a final state with exactly one Rekognition job."""
    scene.stand_alone()
    scene.put_videos([key for lane in SCANS for key in keys_of(lane)], tiny_clip())

    counts = run_load(scene)

    ledger = scene.ledger
    sys.stdout.write(f"\n{counts}\nStarts: {dict(ledger.start_answers)}, at most {ledger.max_open} open\n")
    assert {"registered Succeeded": len(events())} == {name: n for name, n in counts.items() if name.startswith("registered")}
    assert Counter(key for lane in SCANS for key in keys_of(lane)) == Counter(job.key for job in ledger.jobs)
    assert ledger.max_open <= JOBS
    jobs = {job.key: job.job_id for job in ledger.jobs}
    for lane, scan_id in SCANS.items():
        records = scene.records(keys_of(lane), scan_id)
        assert {key: jobs[key] for key in keys_of(lane)} == {key: record.rekognition_job_id for key, record in records.items()}
        assert {State.CLEAN} == {record.state for record in records.values()}
        assert {State.CLEAN: VIDEOS_PER_LANE} == {state: n for state, n in scene.table.scans.totals(scan_id).videos.items() if n}
    assert scene.table.records.running() == []
    assert {} == scene.left()
    assert {} == {name: n for name, n in counts.items() if name.startswith("alarm")}
