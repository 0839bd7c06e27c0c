"""The functions of the template in the caller's thread: each is the flow behind its handler, wired by its own environment."""

import json
from dataclasses import dataclass, fields, replace

from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.functions import CompletionFunction, LaneSwitches
from handlers.adapters.hits import HitStore
from handlers.adapters.mail import MailTopic
from handlers.adapters.objects import ObjectStore
from handlers.adapters.queue import LaneQueues
from handlers.adapters.rekognition import AnalysisReader, AnalysisStarter
from handlers.adapters.table import open_table
from handlers.domain.policy import parse
from handlers.domain.states import Lane
from handlers.flows.complete import Completing
from handlers.flows.lane_events import Receiving
from handlers.flows.register import Registering
from handlers.flows.start import Starting, StartSettings
from handlers.flows.start_rules import Limits
from handlers.flows.sweep.sweep import Ports, Sweeping, SweepSettings
from handlers.runtime.clients import CONFIGS
from handlers.settings import (
    BatchInvokeSettings,
    CompletionSettings,
    StartAnalysisSettings,
    SweeperSettings,
    from_environment,
)
from tools.emulator.services.lambda_.model import Outcome, exited


class DiedError(BaseException):
    """A function's process was killed: no code of it runs any more, not even that which deals with errors or cleans up."""


@dataclass(eq=False)
class Process:
    """One invocation of a function, by its handler's module and in the order of all invocations; a dead one does nothing more."""

    module: str
    number: int
    dead: bool = False


class ProcessClock:
    """The clock of the test as a function has it: who is dead does not sleep."""

    def __init__(self, line):
        self._line = line

    def now(self):
        """Return the time."""
        return self._line.clock.now()

    def sleep(self, seconds):
        """Wait."""
        self._line.sleep(seconds)


class Flows:
    """Runs functions of the template: the flow behind each handler, on the clock of the test. Implements `Runtime`.

    `seen` may put something of a test's before the ports that a flow is made with, and `clients` hold others than
    boto3's, by service.
    """

    completing = Completing

    def __init__(self, line):
        self._line = line
        self._clock = ProcessClock(line)
        self._made = {}
        self._count = 0
        self.seen = lambda port: port
        self.clients = {}

    def run(self, function, invocation, done):
        """Call a flow and then `done`, both before returning."""
        process = Process(_module(function), self._count)
        self._count += 1
        self._line.processes.append(process)
        try:
            outcome = self._outcome(function, invocation)
        finally:
            self._line.processes.remove(process)
        done(outcome)

    def _outcome(self, function, invocation):
        if function.name not in self._made:
            self._made[function.name] = self._make(function)
        try:
            answer = self._made[function.name](json.loads(invocation.payload), self._line.clock.now() + function.timeout)
        except DiedError:
            # The next invocation finds a new environment.
            self.retire(function.name)
            return exited(invocation.request_id, "with error: signal: killed")
        except Exception as error:  # noqa: BLE001 # what a flow raises is its function's result
            failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return Outcome(json.dumps(failure).encode(), failed=True)
        return Outcome(json.dumps(answer).encode())

    def retire(self, function_name):
        """Forget a flow whose function was changed."""
        self._made.pop(function_name, None)

    def close(self):
        """Do nothing."""

    def _make(self, function):
        return getattr(self, f"_{_module(function)}")(dict(function.environment))

    def _batch_invoke(self, environment):
        settings = from_environment(BatchInvokeSettings, environment)
        table = self._table(settings)
        flow = Registering(table.records, table.scans, ObjectStore(self._client("s3")), self._queues(settings), self._clock)
        return lambda event, _deadline: flow.respond(event)

    def _start_analysis(self, environment):
        settings = from_environment(StartAnalysisSettings, environment)
        start = StartSettings(
            topic_arn=settings.completions_topic_arn,
            role_arn=settings.rekognition_role_arn,
            min_confidence=settings.min_confidence,
            limits=Limits(slots=settings.slots, account_jobs=settings.account_jobs),
        )
        objects, starter = ObjectStore(self._client("s3")), AnalysisStarter(self._client("rekognition"))
        table = self._table(settings)
        starting = Starting(table.records, table.control, objects, starter, self._clock, settings=start)
        flow = Receiving(starting, self._queues(settings), self._clock)
        return lambda event, deadline: flow.respond(event, deadline=deadline)

    def _completion(self, environment):
        settings = from_environment(CompletionSettings, environment)
        reader = self.seen(AnalysisReader(self._client("rekognition"), self._clock))
        hits = HitStore(self._client("s3"), settings.work_bucket_name)
        policy, topic_arn = parse(settings.policy), settings.completions_topic_arn
        flow = self.completing(self._table(settings).records, reader, hits, policy, self._clock, topic_arn=topic_arn)
        return lambda event, deadline: flow.respond(event, deadline=deadline)

    def _sweeper(self, environment):
        settings = from_environment(SweeperSettings, environment)
        dead_letters = {Lane.NORMAL: settings.normal_dead_letters_url, Lane.EXPRESS: settings.express_dead_letters_url}
        urls = {Lane.NORMAL: settings.normal_queue_url, Lane.EXPRESS: settings.express_queue_url}
        ports = Ports(
            table=self._table(settings),
            topic=MailTopic(self._client("sns"), settings.alerts_topic_arn),
            batch_jobs=BatchJobs(self._client("s3control"), settings.account_id),
            queues=LaneQueues(self._client("sqs"), urls, dead_letters),
            reader=self.seen(AnalysisReader(self._client("rekognition"), self._clock)),
            completion=CompletionFunction(self._client("lambda"), settings.completion_function_arn),
            switches=LaneSwitches(self._client("lambda"), (settings.normal_mapping_id, settings.express_mapping_id)),
        )
        sweep = SweepSettings(settings.stack_name, settings.completions_topic_arn, settings.mails_per_scan)
        flow = Sweeping(ports, self._clock, sweep)
        return lambda _event, deadline: flow.sweep(deadline=deadline)

    def _table(self, settings):
        return self._all_seen(open_table(self._client("dynamodb"), settings.table_name, self._clock))

    def _all_seen(self, table):
        parts = {field.name: getattr(table, field.name) for field in fields(table) if field.name != "name"}
        return replace(table, **{name: self.seen(part) for name, part in parts.items()})

    def _queues(self, settings):
        urls = {Lane.NORMAL: settings.normal_queue_url, Lane.EXPRESS: settings.express_queue_url}
        return LaneQueues(self._client("sqs"), urls)

    def _client(self, service):
        return self.clients.get(service) or self._line.session.client(service, config=CONFIGS[service])


def _module(function):
    return function.handler.split(".")[1]
