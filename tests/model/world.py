"""The product in virtual time: its flows and adapters, on the emulator's engines, each function's invocations interleaved."""

import json
from collections import defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path

from handlers.domain import policy, watch
from handlers.domain.states import SCAN_LANES
from tests.harness.direct import Answers, DirectClient
from tests.harness.flows import flow_of
from tests.harness.media import ImageEyes, seen_in
from tests.harness.product import (
    BUCKET,
    FRAMES_LANES,
    MAPPINGS,
    MINUTE,
    OUTBOX,
    UPLOADS,
    VERSIONED,
    Deployed,
    arn,
    make_product,
    policy_of,
    put_functions,
    queue_arn,
)
from tests.harness.videos import Eyes
from tests.model.invariants import Invariants, WatchedLedger, WatchedTable
from tests.model.sampling import WatchedImageLedger, analysis_of_message
from tests.model.scheduler import Clock, Scheduler
from tests.model.videos import WATCH, Videos
from tools.emulator.core import moto_hooks
from tools.emulator.engines import Engines
from tools.emulator.services.lambda_ import Outcome, failure, timed_out

LANES = (*SCAN_LANES, *FRAMES_LANES)
POLLED = (*(lane.value for lane in LANES), UPLOADS, OUTBOX)
# For so long starters outlive the sweeper in an outage.
STARTERS_LONGER = 600.0
# For so long a purge may delete what is sent after it [SQSAPI:API_PurgeQueue].
PURGE_SECONDS = 60.0


class Outbox:
    """Collects the subjects of mails."""

    def __init__(self):
        self.subjects = []

    def put(self, notification, _address, _subscription_arn):
        """Take a mail."""
        self.subjects.append(notification.subject)


class WatchedEyes(ImageEyes):
    """Looks at images; `content` is what was last seen."""

    def look(self, body):
        """Return what is seen."""
        self.content = seen_in(body)
        return super().look(body)


class FlowClock:
    """The clock that the product sees."""

    def __init__(self, scheduler):
        self.now = scheduler.clock.now
        self.sleep = scheduler.sleep


class Environments:
    """Warm environments, each with one flow that deals with one event at a time. Implements the emulator's `Runtime`."""

    def __init__(self, scheduler, make_flow):
        self._scheduler = scheduler
        self._make_flow = make_flow
        self._free = defaultdict(list)
        self._generation = defaultdict(int)

    def run(self, function, invocation, done):
        """Begin an invocation."""
        free, generation = self._free[function.name], self._generation[function.name]
        flow = free.pop() if free else self._make_flow(function)
        deadline, event = self._scheduler.clock.now() + function.timeout, json.loads(invocation.payload)

        def body():
            try:
                return Outcome(json.dumps(flow(event, deadline)).encode())
            except Exception as error:  # noqa: BLE001 # what a flow raises is its function's result
                return failure(type(error).__name__, str(error))

        def ended(run):
            if run.doomed:
                done(timed_out(function, invocation.request_id))
                return
            if generation == self._generation[function.name]:
                self._free[function.name].append(flow)
            done(run.result)

        run = self._scheduler.spawn(function.name, body, seconds=function.timeout, ended=ended)
        if function.name == "sample_frames":
            run.analysis = analysis_of_message(event)

    def retire(self, function_name):
        """Let no later invocation use an environment that exists now."""
        self._free.pop(function_name, None)
        self._generation[function_name] += 1

    def close(self):
        """Do nothing."""


class World(Engines):
    """An account with the product in it."""

    def __init__(self, settings, flow_of=flow_of, *, versions=False):
        moto_hooks.reset()
        self.clock = Clock()
        self.settings = settings
        self.invariants = Invariants(self.clock)
        self.scheduler = Scheduler(self.clock, self.invariants)
        self.flow_clock = FlowClock(self.scheduler)
        self._make_engines(flow_of)
        make_product(self)
        self.purges = 0
        for lane in LANES:
            self._let_purges_last(self.messages(lane.value))
        self.invariants.scheduler = self.invariants.frames.scheduler = self.scheduler
        self.invariants.marks.messages = lambda name: self.messages(name)._messages.values()
        self.invariants.ledger, self.invariants.objects = self.rekognition.ledger, self.objects
        self._sweeps_at = self.clock.now()
        # That of the scans; uploads are watched in the one without versions.
        self.bucket = VERSIONED if versions else BUCKET
        watched = watch.text({BUCKET: WATCH})
        self.deployed = Deployed(account_jobs=settings.account_jobs, watch=watched, frames=True, consequences=True)
        self.deploy()

    def client(self, service):
        """Return a client of a service."""
        return DirectClient(service, self._answers.of(service), self.scheduler.gate)

    def _make_engines(self, flow_of):
        flows, eyes = partial(flow_of, client=self.client, clock=self.flow_clock), WatchedEyes()
        self.make_engines(
            clock=self.clock,
            settings=self.settings,
            objects=Videos(self.clock, self.invariants.frames.films, self.invariants.marks),
            runtime=Environments(self.scheduler, flows),
            analyser=Eyes(),
            image_analyser=eyes,
            outbox=Path(),
            idle_poll_seconds=None,
            seed=7,
            table=partial(WatchedTable, self.invariants),
        )
        self.topics.outbox = self.outbox = Outbox()
        self.rekognition.ledger = WatchedLedger(self.invariants)
        self.images.ledger = WatchedImageLedger(self.invariants.frames, eyes)
        self._answers = Answers(self)

    def deploy(self, *, threshold=80, **changes):
        """Deploy the product with changes."""
        self.deployed = replace(self.deployed, policy=policy_of(threshold), **changes)
        self.invariants.thresholds[policy.parse(self.deployed.policy).hash] = threshold
        put_functions(self, self.deployed)
        self.invariants.deployed(self.deployed.slots, self.deployed.account_jobs)

    # time

    def rest(self, seconds, *, sweeping=True, every=MINUTE):
        """Let time pass while all runs continue; the sweeper is called every `every` seconds."""
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
        visible = (self.messages(queue).next_visible_in() for queue in POLLED)
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
        for queue in POLLED:
            self.functions.wake(queue_arn(queue))

    def outage(self, seconds, *, starters, completion):
        """Let time pass in which the sweeper is not called, and completion may be out of order too.

        The starters are so as well, at once or after a while: they would ask every second or two for a slot that is never freed.
        """
        if not completion:
            self.functions.put(replace(self.functions.function("completion"), reserved_concurrency=0))
        first = min(seconds, STARTERS_LONGER) if starters else 0.0
        self.rest(first, sweeping=False)
        # Without frames their lanes are not there.
        mappings = list(filter(None, (self.functions.mapping(MAPPINGS[lane.value]) for lane in LANES)))
        for mapping in mappings:
            self.functions.put_mapping(replace(mapping, enabled=False))
        self.rest(seconds - first, sweeping=False)
        for mapping in mappings:
            self.functions.put_mapping(mapping)
        self.functions.put(replace(self.functions.function("completion"), reserved_concurrency=None))

    def sweep(self):
        """Call the sweeper as its schedule does."""
        self.functions.invoke_event(arn("sweeper"), b"{}")

    def _let_purges_last(self, messages):
        """Let purges of a queue delete what is sent in the minute after them, too: SQS may, and the emulator's does not."""
        purge = messages.purge

        def purge_for_a_minute():
            began = self.clock.now()
            gone = list(messages._messages.values())
            purge()
            self.purges += 1
            self.clock.call_later(PURGE_SECONDS, partial(self._end_purge, messages, gone, began, self.invariants.marked_until()))

        messages.purge = purge_for_a_minute

    def _end_purge(self, messages, gone, began, marked):
        late = [message for message in messages._messages.values() if began < message.sent_at < began + PURGE_SECONDS]
        for message in late:
            del messages._messages[message.id]
        self.invariants.purged([message.body for message in (*gone, *late)], marked, until=began + PURGE_SECONDS)

    def messages(self, queue):
        """Return the messages of a queue by its name."""
        return self.queues.messages(self.queues.queue(queue))
