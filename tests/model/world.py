"""The product in virtual time: its flows and adapters, on the emulator's engines, each function's invocations interleaved."""

import json
from collections import defaultdict
from dataclasses import replace

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from handlers.domain import policy
from handlers.domain.states import Lane
from handlers.settings import to_environment
from tests.harness.flows import Flows
from tests.model.clients import Answers, Client
from tests.model.invariants import Invariants, WatchedLedger, WatchedTable
from tests.model.product import (
    ACCOUNT,
    ALERTS,
    BURIED,
    COMPLETIONS,
    INDEXES,
    MAPPINGS,
    MINUTE,
    RECEIVES,
    REGION,
    RETENTION,
    ROLE,
    STARTERS_LONGER,
    STARTERS_PER_LANE,
    TABLE,
    TIMEOUTS,
    VISIBILITY,
    Deployed,
    arn,
    queue_arn,
)
from tests.model.scheduler import Clock, Scheduler
from tests.model.videos import Eyes, Videos
from tools.emulator.services.dynamodb.backend import Engine
from tools.emulator.services.dynamodb.table import Index, KeySchema
from tools.emulator.services.lambda_.backend import FunctionService
from tools.emulator.services.lambda_.mapping import Mapping
from tools.emulator.services.lambda_.model import Function, Outcome, failure, timed_out
from tools.emulator.services.rekognition.backend import ContentModeration
from tools.emulator.services.s3_batch import BatchOperations
from tools.emulator.services.sns.backend import SnsService
from tools.emulator.services.sqs.backend import SqsService


class Outbox:
    """Counts mails by what they are about."""

    def __init__(self):
        self.subjects = []

    def put(self, notification, _address, _subscription_arn):
        """Take a mail."""
        self.subjects.append(notification.subject)


class FlowClock:
    """Time as the product has it."""

    def __init__(self, scheduler):
        self.now = scheduler.clock.now
        self.sleep = scheduler.sleep


class Environments:
    """Warm environments, each with one flow that deals with one event at a time. Implements the emulator's `Runtime`."""

    def __init__(self, scheduler, flows):
        self._scheduler = scheduler
        self._flows = flows
        self._free = defaultdict(list)
        self._generation = defaultdict(int)

    def run(self, function, invocation, done):
        """Begin an invocation."""
        free, generation = self._free[function.name], self._generation[function.name]
        flow = free.pop() if free else self._flows._make(function)
        deadline = self._scheduler.clock.now() + function.timeout

        def body():
            try:
                return Outcome(json.dumps(flow(json.loads(invocation.payload), deadline)).encode())
            except Exception as error:  # noqa: BLE001 # what a flow raises is its function's result
                return failure(type(error).__name__, str(error))

        def ended(run):
            if run.doomed:
                done(timed_out(function, invocation.request_id))
                return
            if generation == self._generation[function.name]:
                self._free[function.name].append(flow)
            done(run.result)

        self._scheduler.spawn(function.name, body, seconds=function.timeout, ended=ended)

    def retire(self, function_name):
        """Let no later invocation meet an environment that exists now."""
        self._free.pop(function_name, None)
        self._generation[function_name] += 1

    def close(self):
        """Do nothing."""


class World:
    """An account with the product in it."""

    def __init__(self, settings, flows=Flows):
        BackendDict.reset()
        reset_model_data()
        self.clock = Clock()
        self.settings = settings
        self.invariants = Invariants(self.clock)
        self.scheduler = Scheduler(self.clock, self.invariants)
        self.flow_clock = FlowClock(self.scheduler)
        self.objects = Videos()
        self._make_engines(flows(self._wiring()))
        self._make_queues()
        self.invariants.scheduler, self.invariants.ledger, self.invariants.objects = (
            self.scheduler,
            self.rekognition.ledger,
            self.objects,
        )
        self._sweeps_at = self.clock.now()
        self.deployed = Deployed(account_jobs=settings.account_jobs)
        self.deploy()
        self._map()

    def _wiring(self):
        """Return what the flows take their clients and their clock from."""

        class Wiring:
            session = self
            clock = self.flow_clock
            sleep = self.flow_clock.sleep

        return Wiring

    def client(self, service, config=None):
        """Return a client of a service."""
        return Client(service, self._answers.of(service), self.scheduler.gate)

    def _make_engines(self, flows):
        clock, settings = self.clock, self.settings
        self.table = _table(clock, settings.index_lag_seconds, self.invariants)
        self.tables = Engine(lambda _name: self.table, clock)
        self.queues = SqsService(clock=clock, settings=settings)
        self.environments = Environments(self.scheduler, flows)
        self.functions = FunctionService(
            clock=clock,
            settings=settings,
            queues=self.queues,
            receiving=self.queues,
            runtime=self.environments,
            idle_poll_seconds=None,
        )
        self.queues.when_visible(self.functions.wake)
        self.topics = SnsService(clock=clock, settings=settings, functions=self.functions, queues=self.queues, outbox=None)
        self.topics.outbox = self.outbox = Outbox()
        self.batch = BatchOperations(clock=clock, settings=settings, objects=self.objects, functions=self.functions, seed=7)
        self.rekognition = ContentModeration(
            clock=clock, settings=settings, objects=self.objects, topics=self.topics, analyser=Eyes()
        )
        self.rekognition.ledger = WatchedLedger(self.invariants)
        self._answers = Answers(self)

    def _make_queues(self):
        queues, topics = sqs_backends[ACCOUNT][REGION], sns_backends[ACCOUNT][REGION]
        for name in ("normal-dead", "express-dead", "completion-dead", "undelivered", "sweeper-dead"):
            queues.create_queue(name, MessageRetentionPeriod=RETENTION)
        for lane in Lane:
            redrive = json.dumps({"deadLetterTargetArn": queue_arn(f"{lane.value}-dead"), "maxReceiveCount": RECEIVES})
            queues.create_queue(lane.value, VisibilityTimeout=VISIBILITY, MessageRetentionPeriod=RETENTION, RedrivePolicy=redrive)
        for name in ("completions", "alerts"):
            topics.create_topic(name)
        undelivered = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": queue_arn("undelivered")})}
        self.topics.subscribe(COMPLETIONS, "lambda", arn("completion"), undelivered)
        self.topics.subscribe(ALERTS, "email", "reviewer@example.com", {})

    # deploying

    def deploy(self, **changes):
        """Deploy the product, changed."""
        self.deployed = replace(self.deployed, **changes)
        self.invariants.thresholds[policy.parse(self.deployed.policy).hash] = self.deployed.threshold
        for module, settings in self.deployed.settings().items():
            self.functions.put(
                Function(
                    name=module,
                    arn=arn(module),
                    handler=f"handlers.{module}.handler",
                    role=ROLE,
                    code=b"",
                    environment=to_environment(settings),
                    timeout=TIMEOUTS[module],
                    dead_letter_arn=queue_arn(f"{module}-dead") if module in BURIED else None,
                )
            )
        self.invariants.deployed(self.deployed.slots, self.deployed.account_jobs)

    def _map(self):
        self._mappings = {
            MAPPINGS[lane.value]: Mapping(
                uuid=MAPPINGS[lane.value],
                queue_arn=queue_arn(lane.value),
                function_arn=arn("start_analysis"),
                batch_size=1,
                maximum_concurrency=STARTERS_PER_LANE,
                report_item_failures=True,
            )
            for lane in Lane
        }
        for mapping in self._mappings.values():
            self.functions.put_mapping(mapping)

    def switch(self, uuid, *, enabled):
        """Switch an event source mapping on or off."""
        self._mappings[uuid] = replace(self._mappings[uuid], enabled=enabled)
        self.functions.put_mapping(self._mappings[uuid])

    # time

    def rest(self, seconds, *, sweeping=True, every=MINUTE):
        """Let time pass, everybody going on as they may; the sweeper is called every minute, or as often as is said."""
        self._every = every
        end = self.clock.now() + seconds
        while True:
            self.scheduler.settle()
            due = self._next(sweeping=sweeping)
            if due is None or due > end:
                break
            self.clock.advance(max(0.0, due - self.clock.now()))
            self._do_due(sweeping=sweeping)
        self.clock.advance(max(0.0, end - self.clock.now()))
        self.scheduler.settle()

    def _next(self, *, sweeping):
        now = self.clock.now()
        visible = (self.messages(lane.value).next_visible_in() for lane in Lane)
        times = [now + wait for wait in visible if wait is not None]
        if sweeping:
            times.append(max(self._sweeps_at, now))
        if self.clock.next_due is not None:
            times.append(self.clock.next_due)
        return min(times, default=None)

    def _do_due(self, *, sweeping):
        now = self.clock.now()
        if sweeping and self._sweeps_at <= now:
            self._sweeps_at = now + self._every
            self.sweep()
        for lane in Lane:
            self.functions.wake(queue_arn(lane.value))

    def outage(self, seconds, *, starters, completion):
        """Let time pass in which the sweeper is not called, and completion may be out of order too.

        The starters are so as well, at once or after a while: they would ask every second or two for a slot that is never freed.
        """
        if not completion:
            self.functions.put(replace(self.functions.function("completion"), reserved_concurrency=0))
        first = min(seconds, STARTERS_LONGER) if starters else 0.0
        self.rest(first, sweeping=False)
        for mapping in self._mappings.values():
            self.functions.put_mapping(replace(mapping, enabled=False))
        self.rest(seconds - first, sweeping=False)
        for mapping in self._mappings.values():
            self.functions.put_mapping(mapping)
        self.functions.put(replace(self.functions.function("completion"), reserved_concurrency=None))

    def sweep(self):
        """Call the sweeper as its schedule does."""
        self.functions.invoke_event(arn("sweeper"), b"{}")

    def messages(self, queue):
        """Return the messages of a queue by its name."""
        return self.queues.messages(self.queues.queue(queue))


def _table(clock, lag, invariants):
    key = KeySchema("pk", "sk", {"pk": "S", "sk": "S"})
    indexes = {
        name: Index(name, KeySchema(*keys, dict.fromkeys(keys, "S")), key, frozenset(shown))
        for name, (keys, shown) in INDEXES.items()
    }
    table = WatchedTable(TABLE, key, indexes, clock=clock, lag_seconds=lag)
    table.invariants = invariants
    return table
