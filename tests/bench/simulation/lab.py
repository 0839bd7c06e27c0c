"""The laboratory: virtual time, the emulator's engines and one world, without any design. A design hangs its functions in."""

import csv
import io
import random
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from moto.sns.models import sns_backends

from tests.bench.simulation import world as worlds
from tests.bench.simulation.clock import START, VirtualClock
from tests.bench.simulation.functions import Runtime
from tests.bench.simulation.rekognition import ETAG, Moderation, Videos
from tests.bench.simulation.tables import BilledTable, BilledTables
from tests.bench.simulation.timeline import new_timeline
from tests.harness.direct import Answers, DirectClient
from tests.harness.product import ACCOUNT, BUCKET, REGION, WORK, arn
from tools.emulator.core import moto_hooks
from tools.emulator.engines import Engines
from tools.emulator.services.events import Rule, Target
from tools.emulator.services.lambda_ import Function
from tools.emulator.settings import EmulatorSettings

# A design of which Rekognition has heard nothing for so long is over: twice the longest video.
QUIET_SECONDS = 12 * 3_600.0
# For so long a design is watched after its last result: a message that comes back late may still be paid.
AFTER_SECONDS = 3_600.0
# How long a Lambda poller's ReceiveMessage waits for a message [L:with-sqs].
LONG_POLL_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A function of a design: `make(environment)` returns its flow; timeout in seconds, memory in MB."""

    make: object
    timeout: float
    memory: int = 256
    reserved: int | None = None


class Mails:
    """Counts mails, and notes when each subject came; implements the emulator's `Outbox`."""

    def __init__(self):
        self.mails = 0
        self.at = {}

    def put(self, notification, _address, _subscription_arn):
        """Take a mail."""
        self.mails += 1
        self.at[notification.subject] = notification.published_at


class Lab(Engines):
    """An account whose functions are made by `make(function, environment)`, and the timeline of what becomes of the videos."""

    def __init__(self, world, make):
        setting = world.setting
        random.seed(setting.seed)  # the product's own jitter
        moto_hooks.reset()
        self.world = world
        self.clock = VirtualClock()
        self.timeline = new_timeline(setting.videos)
        self.runtime = Runtime(self.clock, worlds.Latencies(setting.seed), setting, make)
        self._make_engines(setting, Videos(world))
        self.polled = set()
        self.batch_jobs = self.batch_tasks = 0
        self.watch = None
        self._done_at = None

    def _make_engines(self, setting, videos):
        settings = EmulatorSettings(
            account_jobs=setting.slots,
            analysis_factor=setting.factor,
            analysis_base_seconds=0.0,
            batch_tasks_per_second=setting.tasks_per_second,
            batch_function_errors_redriven=setting.redriven,
            environments_per_function=1_000,
            async_retry_seconds=(60.0,),
        )
        self.make_engines(
            clock=self.clock,
            settings=settings,
            objects=videos,
            runtime=self.runtime,
            analyser=videos,
            outbox=Path(),
            idle_poll_seconds=LONG_POLL_SECONDS,
            seed=setting.seed,
            table=BilledTable,
            moderation=partial(Moderation, self.world, self.timeline),
        )
        self.tables = BilledTables(self.tables)
        self.topics.outbox = Mails()
        self._answers = Answers(self)
        self._invoke = self.functions.invoke
        self.functions.invoke = self._noting

    def _noting(self, function_arn, payload, done):
        """Invoke a function, and note which video S3 Batch hands it, if it is S3 Batch that does."""
        _, found, rest = payload.partition(b'"s3Key": "')
        if found:
            self.timeline.note_registered(worlds.number_of(rest[: rest.index(b'"')].decode()), self.clock.now())
        self._invoke(function_arn, payload, done)

    def client(self, environment, service):
        """Return a client of a service, whose calls an environment makes."""
        return DirectClient(service, self._answers.of(service), environment.gate, validated=False)

    def submit(self, function, numbers=None, *, arguments=None, token="first"):
        """Create a batch job for videos, all of them if none are named, and return its id."""
        numbers = range(self.world.setting.videos) if numbers is None else numbers
        self.batch_jobs += 1
        self.batch_tasks += len(numbers)
        key = f"manifests/{token}.csv"
        rows = (f"{BUCKET},{worlds.key_of(number)}\n" for number in numbers)
        self.objects.write(WORK, key, "".join(rows).encode())
        schema = {"InvocationSchemaVersion": "2.0", "UserArguments": arguments} if arguments else {"InvocationSchemaVersion": "1.0"}
        return self.batch.create_job(
            {
                "AccountId": ACCOUNT,
                "ConfirmationRequired": False,
                "ClientRequestToken": token,
                "Priority": 10,
                "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/batch",
                "Operation": {"LambdaInvoke": {"FunctionArn": arn(function), **schema}},
                "Manifest": {
                    "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
                    "Location": {"ObjectArn": f"arn:aws:s3:::{WORK}/{key}", "ETag": ETAG},
                },
                "Report": {
                    "Enabled": True,
                    "Bucket": f"arn:aws:s3:::{WORK}",
                    "Format": "Report_CSV_20180820",
                    "Prefix": f"reports/{token}",
                    "ReportScope": "AllTasks",
                },
            }
        )

    def failed(self, token):
        """Return the videos of the failed rows of a batch job's report."""
        return [worlds.number_of(unquote(row[1])) for row in self._report(token) if row[3] == "failed"]

    def _report(self, token):
        for key, body in self.objects.written(f"reports/{token}/"):
            if key.endswith(".csv"):
                yield from csv.reader(io.StringIO(body.decode(), newline=""))

    def run(self, over=lambda: True):
        """Let time pass until all has been read and `over()`, and an hour more; or until nothing happens any more."""
        self.clock.run(lambda: self._goes_on(over))

    def _goes_on(self, over):
        now, timeline = self.clock.now(), self.timeline
        if self.watch is not None:
            self.watch(self)
        _, since, until = self.world.setting.down or ("", 0.0, 0.0)
        if now - max(timeline.touched, START) > QUIET_SECONDS + until - since:
            return False
        if self._done_at is None and timeline.finished == self.world.setting.videos and over():
            self._done_at = now
        return self._done_at is None or now < self._done_at + AFTER_SECONDS

    # what designs hang in

    def put_part(self, name, part):
        """Create a function of a design."""
        self.functions.put(
            Function(
                name=name,
                arn=arn(name),
                handler="simulated.handler",
                role=f"arn:aws:iam::{ACCOUNT}:role/{name}",
                code=b"",
                timeout=part.timeout,
                memory=part.memory,
                reserved_concurrency=part.reserved,
            )
        )

    def make_topic(self, name, **endpoints):
        """Make a topic whose messages go to endpoints, by protocol: `lambda` and `sqs` have ARNs; and return its ARN."""
        topic = sns_backends[ACCOUNT][REGION].create_topic(name).arn
        for protocol, endpoint in endpoints.items():
            self.topics.subscribe(topic, protocol, endpoint, {})
        return topic

    def every(self, expression, function):
        """Invoke a function by a schedule."""
        rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{function}"
        self.events.put(Rule(arn=rule, expression=expression, targets=(Target(arn(function)),)))
