"""The product in the laboratory: its own flows and adapters, wired as its handlers wire them."""

import json
from functools import partial
from pathlib import Path

from handlers.adapters.table import open_table
from handlers.domain.record import Scan
from handlers.domain.states import ScanStatus, State
from tests.bench.simulation.lab import Lab
from tests.harness.flows import flow_of
from tests.harness.product import BUCKET, TABLE, Deployed, make_product, put_functions

SCAN = "01JDEM00000000000000000001"
_RETRY_LOOK_SECONDS = 60.0
_CONTEXT = json.loads((Path(__file__).parents[3] / "cdk.json").read_text("utf-8"))["context"]


class Ours:
    """The product, deployed with the settings that are shipped, with one scan of all videos submitted."""

    PROCESSOR = "arm"
    WATCH = ""

    def __init__(self, world):
        self.world = world
        self.retried = 0
        self.lab = Lab(world, lambda function, environment: flow_of(function, partial(self.lab.client, environment), environment))
        make_product(self.lab)
        self.lab.polled.add("start_analysis")
        slots = world.setting.slots
        put_functions(
            self.lab,
            Deployed(
                account_jobs=slots,
                slots=slots,
                min_confidence=_CONTEXT["min_confidence"],
                policy=json.dumps(_CONTEXT["policy"]),
                mails_per_scan=_CONTEXT.get("mails_per_scan", 25),
                watch=self.WATCH,
            ),
        )
        if world.setting.without != "sweeper":
            self.lab.every(world.setting.sweeps, "sweeper")
        self.table = open_table(self.lab.client(_AtOnce(), "dynamodb"), TABLE, self.lab.clock)
        self._submit()

    def _submit(self):
        lab, setting = self.lab, self.world.setting
        numbers = range(setting.videos - setting.uploads)
        if not numbers:
            return
        job_id = lab.submit("batch_invoke", numbers, arguments={"scan_id": SCAN, "lane": "normal"})
        self.table.scans.put_scan(Scan(SCAN, BUCKET, created_at=lab.clock.now(), objects=len(numbers)))
        self.table.scans.add_job(SCAN, job_id)
        if not self.world.setting.redriven:
            lab.clock.call_later(_RETRY_LOOK_SECONDS, lambda: self._retry(job_id))

    def _retry(self, job_id):
        """Submit the failed rows of a batch job's report once more when it is over: what `submit_job.py --retry` does."""
        if self.lab.batch.describe_job(job_id)["Status"] != "Complete":
            self.lab.clock.call_later(_RETRY_LOOK_SECONDS, lambda: self._retry(job_id))
            return
        failed = self.lab.failed("first")
        self.retried = len(failed)
        arguments = {"scan_id": SCAN, "lane": "normal", "retry": "1"}
        self.table.scans.add_job(SCAN, self.lab.submit("batch_invoke", failed, arguments=arguments, token="second"))

    def own_count(self):
        """Return the number of analysed videos in the product's own table, for comparison with Rekognition's timeline."""
        totals = self.table.scans.totals(SCAN)
        return {"analysed_by_own_table": totals.videos[State.CLEAN] + totals.videos[State.FLAGGED]}

    def run(self):
        """Let the scan come to its end."""
        closed = (lambda: True) if self.world.setting.without else lambda: self.table.scans.scan(SCAN).status is ScanStatus.CLOSED
        self.lab.run(closed)


class _AtOnce:
    """Makes AWS calls that take no time, for callers outside of the simulation."""

    def gate(self, _name, _parameters, carry_out):
        """Make a call."""
        return carry_out()
