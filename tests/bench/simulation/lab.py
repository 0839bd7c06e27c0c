"""The laboratory: virtual time, the emulator's engines and one world, without any design. A design hangs its functions in."""

import csv
import io
import random
from dataclasses import dataclass, replace
from urllib.parse import unquote

from tests.bench.simulation import world as worlds
from tests.bench.simulation.book import new_book
from tests.bench.simulation.clock import START, VirtualClock
from tests.bench.simulation.functions import Runtime
from tests.bench.simulation.queues import Queues
from tests.bench.simulation.rekognition import ETAG, Moderation, Videos
from tests.bench.simulation.tables import Tables
from tests.bench.simulation.topics import Topics
from tools.emulator.services.lambda_.backend import FunctionService
from tools.emulator.services.lambda_.mapping import Mapping
from tools.emulator.services.lambda_.model import Function
from tools.emulator.services.lambda_.schedule import Rule, Target
from tools.emulator.services.s3_batch import BatchOperations
from tools.emulator.settings import EmulatorSettings

ACCOUNT = "111122223333"
WORK_BUCKET = "amzn-s3-demo-work"
SCAN = "01JDEM00000000000000000001"
# A design of which Rekognition has heard nothing for so long is over: twice the longest video.
QUIET_SECONDS = 12 * 3_600.0
# For so long a design is watched after its last result: a message that comes back late may still be paid.
AFTER_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A function of a design: `make(environment)` returns its flow; timeout in seconds, memory in MB."""

    make: object
    timeout: float
    memory: int = 256
    reserved: int | None = None


class Ground:
    """What every laboratory has: time, the book, functions' runtime, a table, S3 Batch, and when all is over.

    `parts` are the design's functions by name; `videos` is S3, as S3 Batch sees it.
    """

    def __init__(self, world, parts, table, videos):
        setting = world.setting
        random.seed(setting.seed)  # the product's own jitter
        self.world = world
        self.clock = VirtualClock()
        self.book = new_book(setting.videos)
        self.settings = EmulatorSettings(
            account_jobs=setting.slots,
            analysis_factor=setting.factor,
            analysis_base_seconds=0.0,
            batch_tasks_per_second=setting.tasks_per_second,
            batch_function_errors_redriven=setting.redriven,
            environments_per_function=1_000,
            async_retry_seconds=(60.0,),
        )
        self.runtime = Runtime(self.clock, worlds.Latencies(setting.seed), setting, lambda one, env: parts[one.name].make(env))
        self.tables = Tables(self.clock, table)
        self.polled = set()
        self.batch_jobs = self.batch_tasks = 0
        self.watch = None
        self._done_at = None
        self.videos = videos
        self.batch = BatchOperations(clock=self.clock, settings=self.settings, objects=videos, functions=self, seed=setting.seed)
        self.specs = {name: _function(name, part) for name, part in parts.items()}

    # Functions, as S3 Batch sees them

    def invoke(self, function_arn, payload, done):
        """Invoke a function for S3 Batch, and note which video it was handed."""
        at = payload.index(b'"s3Key": "') + 10
        number = worlds.number_of(payload[at : payload.index(b'"', at)].decode())
        self.book.note_registered(number, self.clock.now())
        self.call(function_arn, payload, done)

    def submit(self, function, numbers=None, *, arguments=None, token="first"):
        """Create a batch job for videos, all of them if none are named, and return its id."""
        numbers = range(self.world.setting.videos) if numbers is None else numbers
        self.batch_jobs += 1
        self.batch_tasks += len(numbers)
        key = f"manifests/{token}.csv"
        rows = (f"{worlds.BUCKET},{worlds.key_of(number)}\n" for number in numbers)
        self.videos.write(WORK_BUCKET, key, "".join(rows).encode())
        schema = {"InvocationSchemaVersion": "2.0", "UserArguments": arguments} if arguments else {"InvocationSchemaVersion": "1.0"}
        return self.batch.create_job(
            {
                "AccountId": ACCOUNT,
                "ConfirmationRequired": False,
                "ClientRequestToken": token,
                "Priority": 10,
                "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/batch",
                "Operation": {"LambdaInvoke": {"FunctionArn": arn_of(function), **schema}},
                "Manifest": {
                    "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
                    "Location": {"ObjectArn": f"arn:aws:s3:::{WORK_BUCKET}/{key}", "ETag": ETAG},
                },
                "Report": {
                    "Enabled": True,
                    "Bucket": f"arn:aws:s3:::{WORK_BUCKET}",
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
        for key, body in self.videos.written(f"reports/{token}/"):
            if key.endswith(".csv"):
                yield from csv.reader(io.StringIO(body.decode(), newline=""))

    def run(self, over=lambda: True):
        """Let time pass until all has been read and `over()`, and an hour more; or until nothing happens any more."""
        self.clock.run(lambda: self._goes_on(over))

    def _goes_on(self, over):
        now, book = self.clock.now(), self.book
        if self.watch is not None:
            self.watch(self)
        _, since, until = self.world.setting.down or ("", 0.0, 0.0)
        if now - max(book.touched, START) > QUIET_SECONDS + until - since:
            return False
        if self._done_at is None and book.finished == self.world.setting.videos and over():
            self._done_at = now
        return self._done_at is None or now < self._done_at + AFTER_SECONDS


class Lab(Ground):
    """A laboratory on the emulator's engines. `queues` are the limits of a design's queues by name, `dead_letters` their DLQs."""

    def __init__(self, world, parts, *, queues=None, dead_letters=None, table=None):
        super().__init__(world, parts, table, Videos(world))
        self.queues = Queues(self.clock, queues or {}, dead_letters or {})
        self.functions = FunctionService(
            clock=self.clock,
            settings=self.settings,
            queues=self.queues,
            receiving=self.queues,
            runtime=self.runtime,
            idle_poll_seconds=None,
        )
        self.queues.when_visible(self.functions.wake)
        self.topics = Topics(self.clock, self.functions, self.queues)
        self.rekognition = Moderation(
            world, self.book, clock=self.clock, settings=self.settings, topics=self.topics, videos=self.videos
        )
        self._mappings = {}
        for spec in self.specs.values():
            self.functions.put(spec)

    def call(self, function_arn, payload, done):
        """Invoke a function for S3 Batch."""
        self.functions.invoke(function_arn, payload, done)

    # what designs hang in

    def poll(self, uuid, queue, function, *, most):
        """Let a function be invoked with the messages of a queue, one by one, `most` at a time."""
        self._mappings[uuid] = Mapping(
            uuid=uuid,
            queue_arn=queue,
            function_arn=arn_of(function),
            batch_size=1,
            maximum_concurrency=most,
            report_item_failures=True,
        )
        self.polled.add(function)
        self.functions.put_mapping(self._mappings[uuid])

    def switch(self, uuid, *, enabled):
        """Switch a mapping on or off."""
        self._mappings[uuid] = replace(self._mappings[uuid], enabled=enabled)
        self.functions.put_mapping(self._mappings[uuid])
        return {}

    def every(self, expression, function):
        """Invoke a function by a schedule."""
        self.functions.schedules.put(
            Rule(
                arn=f"arn:aws:events:us-east-1:{ACCOUNT}:rule/{function}",
                expression=expression,
                targets=(Target(arn_of(function)),),
            )
        )


def arn_of(function):
    """Return a function's ARN."""
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}"


def _function(name, part):
    return Function(
        name=name,
        arn=arn_of(name),
        handler="simulated.handler",
        role=f"arn:aws:iam::{ACCOUNT}:role/{name}",
        code=b"",
        timeout=part.timeout,
        memory=part.memory,
        reserved_concurrency=part.reserved,
    )
