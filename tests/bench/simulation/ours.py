"""The product in the laboratory: its own flows and adapters, wired as its handlers wire them."""

import json
from functools import partial
from pathlib import Path

from handlers.adapters.table import open_table
from handlers.domain.record import Scan
from handlers.domain.states import Lane, ScanStatus, State
from handlers.settings import BatchInvokeSettings, CompletionSettings, StartAnalysisSettings, SweeperSettings
from handlers.wiring import Adapters
from tests.bench.simulation import clients
from tests.bench.simulation import lab as labs
from tests.bench.simulation import queues as queueing
from tests.bench.simulation.lab import ACCOUNT, SCAN, WORK_BUCKET, Lab, Part
from tests.bench.simulation.tables import SCAN_TABLE, scan_table
from tests.bench.simulation.world import BUCKET
from tests.harness.flows import WIRINGS, invoked

COMPLETIONS = f"arn:aws:sns:us-east-1:{ACCOUNT}:completions"
ALERTS = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/rekognition"
LANES = {Lane.NORMAL: "normal", Lane.EXPRESS: "express"}
DEAD_LETTERS = {"normal": "normal-dead", "express": "express-dead"}
STARTERS_PER_LANE = 2
# Timeout in seconds and memory in MB.
FUNCTIONS = {
    "batch_invoke": (300.0, 256),
    "start_analysis": (900.0, 256),
    "completion": (900.0, 1_024),
    "sweeper": (120.0, 512),
}
LANE_VISIBILITY_SECONDS, LANE_RECEIVES = 5_400.0, 1_000
SWEEPS = "rate(1 minute)"
_RETRY_LOOK_SECONDS = 60.0
MAPPINGS = ("normal-mapping", "express-mapping")
_CONTEXT = json.loads((Path(__file__).parents[3] / "cdk.json").read_text("utf-8"))["context"]


class Ours:
    """The product, deployed as its stack does it (a test compares the figures), with one scan of all videos submitted."""

    in_engine = True
    PROCESSOR = "arm"

    def __init__(self, world):
        self.world = world
        self.retried = 0
        self._settings = _settings(world.setting.slots)
        self.lab = self._lab()
        self._wire()

    def _lab(self):
        queue = {name: queueing.limits(LANE_VISIBILITY_SECONDS, LANE_RECEIVES) for name in LANES.values()}
        dead = {name: queueing.limits(30.0, None) for name in DEAD_LETTERS.values()}
        return Lab(self.world, self._parts(), queues=queue | dead, dead_letters=DEAD_LETTERS, table=scan_table)

    def _parts(self):
        return {
            name: Part(make=partial(self._flow, name), timeout=timeout, memory=memory)
            for name, (timeout, memory) in FUNCTIONS.items()
        }

    def _flow(self, name, environment):
        return invoked(name, WIRINGS[name](self._settings[name], self._adapters(environment)))

    def _adapters(self, environment):
        return Adapters(Clients(self, environment), environment)

    def _wire(self):
        lab = self.lab
        lab.topics.subscribe_function(COMPLETIONS, labs.arn_of("completion"))
        for mapping, queue in zip(MAPPINGS, LANES.values(), strict=True):
            lab.poll(mapping, queueing.arn_of(queue), "start_analysis", most=STARTERS_PER_LANE)
        if self.world.setting.without != "sweeper":
            lab.every(SWEEPS, "sweeper")
        self._submit()

    def _submit(self):
        lab = self.lab
        job_id = lab.submit("batch_invoke", arguments={"scan_id": SCAN, "lane": "normal"})
        table = open_table(clients.dynamodb(_AtOnce(), lab.tables), SCAN_TABLE, lab.clock)
        table.scans.put_scan(Scan(SCAN, BUCKET, created_at=lab.clock.now(), objects=self.world.setting.videos))
        table.scans.add_job(SCAN, job_id)
        self.table = table
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
        """Return what the product's own table says of how many videos are analysed: to be held against Rekognition's book."""
        totals = self.table.scans.totals(SCAN) if self.in_engine else self.lab.records.counted()
        return {"analysed_by_own_table": totals.videos[State.CLEAN] + totals.videos[State.FLAGGED]}

    def run(self):
        """Let the scan come to its end."""
        closed = (lambda: True) if self.world.setting.without else lambda: self.table.scans.scan(SCAN).status is ScanStatus.CLOSED
        self.lab.run(closed)


def _settings(slots):
    """Return the settings of each function."""
    lanes = {f"{lane.value}_queue_url": queueing.url_of(name) for lane, name in LANES.items()}
    dead_letters = {f"{lane.value}_dead_letters_url": queueing.url_of(DEAD_LETTERS[name]) for lane, name in LANES.items()}
    mappings = {f"{lane.value}_mapping_id": mapping for lane, mapping in zip(LANES, MAPPINGS, strict=True)}
    return {
        "batch_invoke": BatchInvokeSettings(table_name=SCAN_TABLE, **lanes),
        "start_analysis": StartAnalysisSettings(
            table_name=SCAN_TABLE,
            completions_topic_arn=COMPLETIONS,
            rekognition_role_arn=ROLE,
            min_confidence=_CONTEXT["min_confidence"],
            account_jobs=slots,
            slots=slots,
            **lanes,
        ),
        "completion": CompletionSettings(
            table_name=SCAN_TABLE,
            work_bucket_name=WORK_BUCKET,
            completions_topic_arn=COMPLETIONS,
            policy=json.dumps(_CONTEXT["policy"]),
        ),
        "sweeper": SweeperSettings(
            table_name=SCAN_TABLE,
            alerts_topic_arn=ALERTS,
            account_id=ACCOUNT,
            stack_name="VideoModeration",
            completion_function_arn=labs.arn_of("completion"),
            completions_topic_arn=COMPLETIONS,
            mails_per_scan=_CONTEXT.get("mails_per_scan", 25),
            **lanes,
            **dead_letters,
            **mappings,
        ),
    }


class Clients:
    """The clients of one environment; the environment makes their calls. Implements `wiring.Clients`."""

    def __init__(self, design, environment):
        self._lab = design.lab
        self._setting = design.world.setting
        self._environment = environment

    def dynamodb(self):
        """Return the client of the table."""
        return clients.dynamodb(self._environment, self._lab.tables)

    def s3(self):
        """Return the client of the videos and the hits."""
        return clients.s3(self._environment)

    def s3control(self):
        """Return the client of the batch jobs."""
        return clients.s3control(self._environment, self._lab.batch)

    def sqs(self):
        """Return the client of the lanes."""
        return clients.sqs(self._environment, self._lab.queues)

    def sns(self):
        """Return the client of the mails."""
        return clients.sns(self._environment, self._lab.topics)

    def functions(self):
        """Return the client of Lambda."""
        return clients.functions(self._environment, self._lab.functions, self._lab)

    def rekognition(self):
        """Return the client of the analyses."""
        return clients.rekognition(self._environment, self._lab.rekognition, token=self._setting.without != "token")


class _AtOnce:
    """Makes AWS calls that take no time: for whoever stands outside of the simulation."""

    def call(self, _operation, act, parameters):
        """Make a call."""
        return act(parameters)
