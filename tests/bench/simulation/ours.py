"""The product in the laboratory: its own flows and adapters, wired as its handlers wire them."""

import json
from pathlib import Path

from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.functions import CompletionFunction, LaneSwitches
from handlers.adapters.hits import HitStore
from handlers.adapters.mail import MailTopic
from handlers.adapters.objects import ObjectStore
from handlers.adapters.queue import LaneQueues
from handlers.adapters.rekognition import AnalysisReader, AnalysisStarter
from handlers.adapters.table import open_table
from handlers.domain import policy
from handlers.domain.record import Scan
from handlers.domain.states import Lane, ScanStatus, State
from handlers.flows.complete import Completing
from handlers.flows.lane_events import Receiving
from handlers.flows.register import Registering
from handlers.flows.start import Starting, StartSettings
from handlers.flows.start_rules import Limits
from handlers.flows.sweep.sweep import Ports, Sweeping, SweepSettings
from tests.bench.simulation import clients
from tests.bench.simulation import lab as labs
from tests.bench.simulation import queues as queueing
from tests.bench.simulation.lab import ACCOUNT, SCAN, WORK_BUCKET, Lab, Part
from tests.bench.simulation.tables import SCAN_TABLE, scan_table
from tests.bench.simulation.world import BUCKET

COMPLETIONS = f"arn:aws:sns:us-east-1:{ACCOUNT}:completions"
ALERTS = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/rekognition"
LANES = {Lane.NORMAL: "normal", Lane.EXPRESS: "express"}
GRAVES = {"normal": "normal-dead", "express": "express-dead"}
STARTERS_PER_LANE = 2
FUNCTIONS = {
    "batch_invoke": (300.0, 256),
    "start_analysis": (900.0, 256),
    "completion": (900.0, 1_024),
    "sweeper": (120.0, 512),
}
"""Timeout in seconds and memory in MB."""
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
        self._limits = Limits(slots=world.setting.slots, account_jobs=world.setting.slots)
        self._policy = policy.parse(json.dumps(_CONTEXT["policy"]))
        self.lab = self._lab()
        self._wire()

    def _lab(self):
        queue = {name: queueing.limits(LANE_VISIBILITY_SECONDS, LANE_RECEIVES) for name in LANES.values()}
        grave = {name: queueing.limits(30.0, None) for name in GRAVES.values()}
        return Lab(self.world, self._parts(), queues=queue | grave, graves=GRAVES, table=scan_table)

    def _parts(self):
        flows = (self._batch_invoke, self._start_analysis, self._completion, self._sweeper)
        return {
            name: Part(make=make, timeout=FUNCTIONS[name][0], memory=FUNCTIONS[name][1])
            for name, make in zip(FUNCTIONS, flows, strict=True)
        }

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

    # the functions' flows

    def _table(self, environment):
        return open_table(clients.dynamodb(environment, self.lab.tables), SCAN_TABLE, environment)

    def _lanes(self, environment, *, dead_letters=False):
        urls = {lane: queueing.url_of(name) for lane, name in LANES.items()}
        graves = {lane: queueing.url_of(GRAVES[name]) for lane, name in LANES.items()} if dead_letters else None
        return LaneQueues(clients.sqs(environment, self.lab.queues), urls, graves)

    def _rekognition(self, environment):
        return clients.rekognition(environment, self.lab.rekognition, token=self.world.setting.without != "token")

    def _hits(self, environment):
        return HitStore(clients.s3(environment), WORK_BUCKET)

    def _lambda(self, environment):
        return clients.functions(environment, self.lab.functions, self.lab)

    def _batch_invoke(self, environment):
        store = ObjectStore(clients.s3(environment))
        table = self._table(environment)
        flow = Registering(table.records, table.scans, store, self._lanes(environment), environment)
        return lambda event, _deadline: flow.respond(event)

    def _start_analysis(self, environment):
        settings = StartSettings(COMPLETIONS, ROLE, _CONTEXT["min_confidence"], self._limits)
        store, starter = ObjectStore(clients.s3(environment)), AnalysisStarter(self._rekognition(environment))
        table = self._table(environment)
        starting = Starting(table.records, table.control, store, starter, environment, settings=settings)
        flow = Receiving(starting, self._lanes(environment), environment)
        return lambda event, deadline: flow.respond(event, deadline=deadline)

    def _completion(self, environment):
        reader = AnalysisReader(self._rekognition(environment), environment)
        table = self._table(environment)
        flow = Completing(table.records, reader, self._hits(environment), self._policy, environment, topic_arn=COMPLETIONS)
        return lambda event, deadline: flow.respond(event, deadline=deadline)

    def _sweeper(self, environment):
        aws = self._lambda(environment)
        ports = Ports(
            table=self._table(environment),
            topic=MailTopic(clients.sns(environment, self.lab.topics), ALERTS),
            batch_jobs=BatchJobs(clients.s3control(environment, self.lab.batch), ACCOUNT),
            queues=self._lanes(environment, dead_letters=True),
            reader=AnalysisReader(self._rekognition(environment), environment),
            completion=CompletionFunction(aws, labs.arn_of("completion")),
            switches=LaneSwitches(aws, MAPPINGS),
        )
        flow = Sweeping(ports, environment, SweepSettings("VideoModeration", COMPLETIONS, _CONTEXT.get("mails_per_scan", 25)))
        return lambda _event, deadline: flow.sweep(deadline=deadline)


class _AtOnce:
    """Makes AWS calls that take no time: for whoever stands outside of the simulation."""

    def call(self, _operation, act, parameters):
        """Make a call."""
        return act(parameters)
