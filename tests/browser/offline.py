"""A scan in the offline world by the real programs, each in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tools.emulator.settings import EmulatorSettings

ROOT = Path(__file__).parents[2]
BUCKET = "amzn-s3-demo-bucket"
STACK = "VideoModeration"
TIMEOUT_SECONDS = 240
"""Seconds of the wall after which a program is given up: none takes a tenth of it on an idle machine."""
SETTINGS = EmulatorSettings(speed=30.0, analysis_base_seconds=5.0, function_wall_seconds=30.0)
"""The rehearsal's, with functions that no busy machine ends before their time."""
CONTEXT = {"stack_name": STACK, "alert_email": "reviewer@example.com", "source_buckets": [BUCKET]}
"""What the stack is synthesised with."""


class Offline:
    """The offline world with a deployed stack; what it is asked for, it is asked by the programs."""

    def __init__(self, world, folder):
        self.world = world
        self._folder = folder

    def scan(self, assembly, bodies):
        """Deploy the stack, upload objects by key, and scan them to the end."""
        self.world.deploy(assembly, STACK)
        s3 = self.world.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for key, body in bodies.items():
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        self.program("submit_job.py", "--bucket", BUCKET, "--yes", "--wait", codes=(0, 3))

    def review(self):
        """Return what the review says as JSON."""
        return json.loads(self.program("review_report.py", "--json", codes=(0, 3)))

    def program(self, name, *arguments, codes=(0,)):
        """Run a program as itself and return what it wrote to stdout."""
        command = self.command(name, *arguments)
        done = subprocess.run(
            command,
            env=self.environment(),
            cwd=ROOT,
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert done.returncode in codes, done.stderr
        return done.stdout

    @staticmethod
    def command(name, *arguments):
        """Return the command of a program."""
        return [sys.executable, ROOT / "tools" / name, *arguments]

    def environment(self):
        """Return the environment in which programs find the world."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONUTF8": "1",
            "VIDEO_MODERATION_POLL_SECONDS": "0.5",
            "VIDEO_MODERATION_MANIFESTS": str(self._folder / "manifests"),
            **self.world.environment(),
        }
