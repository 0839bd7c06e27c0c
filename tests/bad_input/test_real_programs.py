"""A job of which every task fails, through the world's server: the programs as a person starts them, functions as processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.harness.line import BUCKET, STACK
from tests.harness.videos import video
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

ROOT = Path(__file__).parents[2]
KEYS = ["a.mp4", "b/c d.mp4", "e+f.mp4"]
SPEED = 100.0


def run(world, program, *arguments, **variables):
    """Run a tool against a world, and return its exit code and its JSON."""
    environment = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **world.environment(), **variables}
    command = [sys.executable, str(ROOT / "tools" / program), "--json", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_scan_of_what_may_not_be_read(assembly, tmp_path):
    """`submit_job.py --wait` ends with 3, the job is Complete with all failed, `review_report.py` names each object and why."""
    with World(EmulatorSettings(speed=SPEED, snap_start=True), directory=tmp_path / "world") as world:
        world.deploy(assembly(), STACK)
        world.client("s3").create_bucket(Bucket=BUCKET)
        for key in KEYS:
            world.client("s3").put_object(Bucket=BUCKET, Key=key, Body=video())
        # The first one is the tool's, for the ETag of its manifest.
        world.faults.fail("s3", "HeadObject", nth=2, times=len(KEYS), status=403, code="403")
        poll = {"VIDEO_MODERATION_POLL_SECONDS": "0.2", "VIDEO_MODERATION_MANIFESTS": str(tmp_path)}

        submitted, result = run(world, "submit_job.py", "--bucket", BUCKET, "--yes", "--wait", **poll)
        reviewed, review = run(world, "review_report.py", "--scan", result["scan_id"])

    job = result["result"]["job"]
    assert (3, "Complete", 3, 3) == (submitted, job["status"], job["tasks"], job["failed"])
    assert (3, dict.fromkeys(KEYS, "forbidden")) == (reviewed, {failed["key"]: failed["reason"] for failed in review["failed"]})
    assert ((), True) == (world.rekognition.ledger.jobs, review["adds_up"])
