"""The real template in the offline world, and the real programs, as processes of their own where a test goes on meanwhile."""

import importlib
import json
import os
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from handlers.adapters.table import open_table
from handlers.adapters.table.scan_items import SETTINGS_KEY
from handlers.domain.states import ScanStatus
from tests.harness.direct import Answers, DirectClient
from tests.once import synthesised
from tools.emulator.core.clock import WallClock
from tools.emulator.samples import tiny_clip
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

ROOT = Path(__file__).parents[2]
BUCKET = "amzn-s3-demo-bucket"
STACK = "VideoModeration"
TIMEOUT_SECONDS = 400.0
"""Seconds of the wall after which a wait is given up: nothing here takes a tenth of it on an idle machine."""
LOOK_SECONDS = 0.5
"""At least so long between two looks while waiting, of the wall."""
LOOKING_SHARE = 5
"""Looking takes a fifth of the time at most: it goes through the world that is waited for, and would keep it from its work."""

FAST = {
    "speed": 20.0,
    "analysis_base_seconds": 3.0,
    "batch_preparing_seconds": 1.0,
    "account_concurrency": 100,
    "function_wall_seconds": 30.0,
    "snap_start": True,
}
"""A world in a hurry on a busy machine: no invocation is to meet a limit that is the machine's."""


class LeapingClock(WallClock):
    """A real clock that can leap ahead, so that no test waits for a visibility timeout of 90 minutes."""

    def leap(self, seconds):
        """Advance the clock by some seconds; everything that fell due meanwhile is due now."""
        with self._changed:
            self.origin_wall += seconds
            self._changed.notify()


class Stage:
    """A world with the stack deployed and a bucket to be scanned.

    Attributes:
        world: The offline world.
        outputs: The stack's.
        table: The table, read as the tools read it, but past the server: whoever waits looks often.
    """

    def __init__(self, world, outputs, directory):
        self.world = world
        self.outputs = outputs
        self.s3 = world.client("s3")
        answers = Answers(world).of("dynamodb")
        self._dynamodb = DirectClient("dynamodb", answers, lambda _name, _parameters, carry_out: carry_out(), validated=False)
        self.table = open_table(self._dynamodb, outputs["TableName"], world.clock)
        self._directory = directory
        self._begun = []
        functions = world.client("lambda").list_functions()["Functions"]
        self._functions = {each["Handler"].split(".")[1]: each["FunctionName"] for each in functions}
        self.s3.create_bucket(Bucket=BUCKET)

    def flagged_mails(self):
        """Return the mails about single flagged videos; mails about whole scans are left out."""
        mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(self.world.outbox.glob("*.eml"))]
        return [mail for mail in mails if mail["Subject"].startswith("Flagged:")]

    def put(self, key, body):
        """Store an object and return its version id, None in a bucket without versions."""
        return self.s3.put_object(Bucket=BUCKET, Key=key, Body=body).get("VersionId")

    def put_videos(self, prefix, count, *, flagged_every=4):
        """Store tiny videos below a prefix, one in `flagged_every` with a card; return the expected state of each key."""
        made = {f"{prefix}{number:04}.mp4": "CLEAN" if number % flagged_every else "FLAGGED" for number in range(count)}
        for key, state in made.items():
            self.put(key, tiny_clip() if state == "CLEAN" else tiny_clip("Weapons"))
        return made

    def begin(self, program, *arguments):
        """Start one of the tools as a process."""
        environment = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **self._variables()}
        command = [sys.executable, str(ROOT / "tools" / program), *arguments, "--json"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        self._begun.append(process)
        return process

    def end(self, process):
        """Wait for a tool and return its output."""
        out, talk = process.communicate(timeout=TIMEOUT_SECONDS)
        assert process.returncode == 0, talk
        return json.loads(out)

    def end_all(self):
        """Kill the tools that still run, because a test has failed."""
        for process in self._begun:
            with process:
                process.kill()

    def run(self, program, *arguments, codes=(0,)):
        """Run one of the tools to its end and return its output."""
        return run_tool(program, arguments, self._variables(), codes)

    def _variables(self):
        """Return the environment variables that lead the tools to the world."""
        return {
            "VIDEO_MODERATION_POLL_SECONDS": "0.5",
            "VIDEO_MODERATION_MANIFESTS": str(self._directory / "manifests"),
            **self.world.environment(),
        }

    def submit(self, prefix, *arguments):
        """Submit the objects below a prefix and return the scan's id."""
        return self.run("submit_job.py", "--bucket", BUCKET, "--prefix", prefix, "--yes", *arguments)["scan_id"]

    def console_job(self, rows, *, fields=("Bucket", "Key"), report_prefix="by-hand", schema=None):
        """Create a batch job as the console does (no arguments, any report location) and return its id."""
        body = "".join(",".join((BUCKET, quote(key, safe="/"), *rest)) + "\n" for key, *rest in rows).encode()
        work = self.outputs["WorkBucketName"]
        etag = self.s3.put_object(Bucket=work, Key="manifests/by-hand.csv", Body=body)["ETag"].strip('"')
        return self.world.client("s3control").create_job(
            AccountId=self.world.settings.account_id,
            ClientRequestToken=uuid.uuid4().hex,
            ConfirmationRequired=False,
            Priority=1,
            RoleArn=self.outputs["BatchRoleArn"],
            Operation={
                "LambdaInvoke": {
                    "FunctionArn": self.outputs["BatchInvokeFunctionArn"],
                    **({"InvocationSchemaVersion": schema} if schema else {}),
                }
            },
            Manifest={
                "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": list(fields)},
                "Location": {"ObjectArn": f"arn:aws:s3:::{work}/manifests/by-hand.csv", "ETag": etag},
            },
            Report={
                "Enabled": True,
                "Bucket": f"arn:aws:s3:::{work}",
                "Format": "Report_CSV_20180820",
                "Prefix": report_prefix,
                "ReportScope": "AllTasks",
            },
        )["JobId"]

    def set_slots(self, slots):
        """Change the slots setting: how many of the account's jobs are used."""
        item = {**key_of(SETTINGS_KEY), "slots": {"N": str(slots)}}
        self.world.client("dynamodb").put_item(TableName=self.outputs["TableName"], Item=item)

    def scan(self, prefix, *arguments):
        """Submit the objects below a prefix, wait until every task ran and every record is final, and return the scan's id."""
        scan_id = self.submit(prefix, *arguments)
        self.until_final(scan_id)
        return scan_id

    def until_final(self, scan_id, *, meanwhile=lambda: None):
        """Wait until a scan's batch job is over and every record that it left is final."""
        steps = [
            (lambda: (scan := self.table.scans.scan(scan_id)) is not None and scan.jobs, f"{scan_id} has a job"),
            (lambda: self.job(scan_id)["Status"] in {"Complete", "Failed", "Cancelled"}, f"the job of {scan_id} is over"),
            (lambda: not self.unfinished(scan_id), f"every record of {scan_id} is final"),
        ]
        for holds, what in steps:
            self.until(holds, what, meanwhile=meanwhile)

    def until(self, holds, what, *, meanwhile=lambda: None):
        """Wait until a condition holds, doing something between checks."""
        end = time.monotonic() + TIMEOUT_SECONDS
        while True:
            began = time.monotonic()
            if holds():
                return
            took = time.monotonic() - began
            assert time.monotonic() < end, f"waited in vain until {what}"
            meanwhile()
            time.sleep(max(LOOK_SECONDS, took * (LOOKING_SHARE - 1)))

    def outlast(self, scan_id):
        """Do what `until_final` does, leaping over visibility timeouts of dead starters' messages."""
        self.until_final(scan_id, meanwhile=self._leap_if_idle)

    def close(self, *scan_ids):
        """Wait until scans that are final are closed, leaping over the minutes in between."""
        for scan_id in scan_ids:
            self.until(
                lambda scan_id=scan_id: self.table.scans.scan(scan_id).status is ScanStatus.CLOSED,
                f"{scan_id} is closed",
                meanwhile=lambda: self.world.clock.leap(60.0),
            )

    def unpause(self):
        """Resume starting, and leap over the time for which messages were deferred."""
        self.world.client("dynamodb").delete_item(TableName=self.outputs["TableName"], Key=key_of(SETTINGS_KEY))
        self.world.clock.leap(60.0)

    def calm_down(self):
        """Wait until no function runs, and prevent new invocations that no test waits for."""
        self.world.events.schedules.close()
        self.until(lambda: not self.busy(), "no function runs")

    def busy(self):
        """Tell whether a function runs."""
        return any(map(self.world.functions.running, self._functions.values()))

    def _leap_if_idle(self):
        if not self.busy() and not self.world.rekognition.ledger.open_now:
            self.world.clock.leap(300.0)

    def job(self, scan_id):
        """Return a scan's batch job as S3 describes it."""
        return self.world.batch.describe_job(self.table.scans.scan(scan_id).jobs[0].id)

    def records(self, scan_id):
        """Return a scan's records by key, read by scanning the whole table."""
        names = [(item["pk"]["S"].removeprefix("VIDEO#"), scan_id) for item in self._items(scan_id)]
        return {record.video.key: record for record in self.table.records.records(names)}

    def states(self, scan_id):
        """Return the state of each record of a scan by key."""
        return {item["key"]["S"]: item["state"]["S"] for item in self._items(scan_id)}

    def unfinished(self, scan_id):
        """Return the keys of a scan whose records are not final."""
        return [key for key, state in self.states(scan_id).items() if state in {"WAITING", "RUNNING"}]

    def _items(self, scan_id):
        found, more = [], {}
        while more is not None:
            page = self._dynamodb.scan(TableName=self.outputs["TableName"], **more)
            found += page["Items"]
            more = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if "LastEvaluatedKey" in page else None
        return [item for item in found if item["sk"]["S"] == f"SCAN#{scan_id}"]

    def jobs(self, scan_id):
        """Return Rekognition's jobs for a scan, by the emulator's ledger."""
        return [job for job in self.world.rekognition.ledger.jobs if (job.tag or "").startswith(f"{scan_id}/")]

    def module(self, function):
        """Return the module of a function's handler."""
        [module] = [module for module, name in self._functions.items() if name == function]
        return module

    def function(self, module):
        """Return the name of the function whose handler is in a module."""
        return self._functions[module]

    def review(self, scan_id, *, codes=(0,)):
        """Return the JSON of `review_report.py` for a scan."""
        return self.run("review_report.py", "--scan", scan_id, codes=codes)


def run_tool(program, arguments, variables, codes):
    """Run a tool in this process, which has loaded what it needs, with these variables and none of AWS's own; return its output."""
    main = importlib.import_module(f"tools.{Path(program).stem}").main
    removed = {name: None for name in os.environ if name.startswith("AWS_")}
    done = CliRunner().invoke(main, [*arguments, "--json"], env=removed | variables, catch_exceptions=False)
    assert done.exit_code in codes, done.stderr
    return json.loads(done.stdout)


def key_of(key):
    """Return a key of the table as DynamoDB's client takes it."""
    return {name: {"S": value} for name, value in key.items()}


@pytest.fixture(scope="session")
def assembly(tmp_path_factory):
    """Return a function from changes of the context to the assembly, each made once; tests/stacks has `python app.py` make one."""
    context = {"stack_name": STACK, "alert_email": "reviewer@example.com", "source_buckets": [BUCKET]}
    return lambda **changes: synthesised(tmp_path_factory, **(context | changes))


@pytest.fixture(scope="module")
def stages(assembly, tmp_path_factory):
    """Return a function from settings of the world (and `context` of the stack) to a stage; a new one takes the old one's place."""
    # What was opened is closed last first, for the clock must run while a world ends; and all of it, whatever fails meanwhile.
    with ExitStack() as opened:

        def make(*, context=None, **settings):
            opened.close()
            directory = tmp_path_factory.mktemp("world")
            chosen = FAST | settings
            clock = LeapingClock(chosen["speed"])
            opened.callback(clock.close)
            world = opened.enter_context(World(EmulatorSettings(**chosen), directory=directory, clock=clock))
            stage = Stage(world, world.deploy(assembly(**(context or {})), STACK), directory)
            opened.callback(stage.calm_down)
            opened.callback(stage.end_all)
            return stage

        yield make
