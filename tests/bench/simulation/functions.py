"""Lambda's side that the emulator leaves to a runtime: warm environments as greenlets, cold starts, crashes, time-outs, the bill.

An environment is the clock of the flow that lives in it, and makes its AWS calls: each is a point where others run.
"""

import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import partial

from botocore.exceptions import ClientError

from tools.emulator.services.lambda_.model import Outcome, exited, failure, timed_out

COLD_SECONDS = 0.8
START_SECONDS = 0.2
# How long an idle environment is kept; AWS says "some minutes".
IDLE_SECONDS = 600.0
START = "rekognition.StartContentModeration"


class EndedError(BaseException):
    """The process is gone: nothing of the function's catches it."""

    def __init__(self, *, by_time):
        super().__init__()
        self.by_time = by_time


@dataclass
class Bill:
    """What functions used: invocations, seconds times gigabytes, and AWS calls by operation."""

    invocations: int = 0
    crashes: int = 0
    gb_seconds: float = 0.0


class Environment:
    """One warm process of a function. `flow(event, deadline)` is what it runs."""

    def __init__(self, runtime, clock, function):
        self._runtime = runtime
        self._clock = clock
        self.now = clock.now
        self._latency = runtime.latencies.next
        self._calls = runtime.calls
        self.function = function
        self.idle_since = 0.0
        self.flow = None
        self.begin = clock.worker(self._handle)
        self._deadline = 0.0
        self._seen = set()
        self._dies_after = None

    def sleep(self, seconds):
        """Wait, or die of the function's timeout before."""
        clock = self._clock
        if clock.now() + seconds >= self._deadline:
            clock.sleep(self._deadline - clock.now())
            raise EndedError(by_time=True)
        clock.sleep(seconds)

    def call(self, operation, act, parameters):
        """Make an AWS call: others run while it is under way, and the process may die as soon as it is done."""
        clock = self._clock
        due = clock.time + (START_SECONDS if operation == START else self._latency())
        if due >= self._deadline:
            self.sleep(due - clock.time)
        clock.sleep_until(due)
        try:
            answer = act(parameters)
        except ClientError as error:
            self._step(f"{operation} {error.response['Error']['Code']}")
            raise
        self._step(operation)
        return answer

    def _step(self, step):
        """Take a step: an operation with an answer. However often a job is waited for, it is one step."""
        self._calls[step] += 1
        self._seen.add(step)
        if len(self._seen) == self._dies_after:
            raise EndedError(by_time=False)

    def _handle(self, job):
        """Run one invocation and call `done` with what the flow returned, and with the error that ended it, if one did.

        Return whether the process lives on.
        """
        event, done = job
        began = self._clock.now()
        self._deadline = began + self.function.timeout
        self._seen.clear()
        self._dies_after = self._runtime.draw_death(self.function)
        answer, fault = None, None
        try:
            answer = self._unless_dead(event)
        except (EndedError, Exception) as error:  # noqa: BLE001 # what a function raises is its result
            fault = error
        gone = isinstance(fault, EndedError)
        self._runtime.settle(self, self._clock.now() - began, len(self._seen), gone=gone)
        done(answer, fault)
        fault = None  # an error that its own traceback's frame holds would be left to the collector of cycles
        return not gone

    def _unless_dead(self, event):
        if self._dies_after == 0:
            raise EndedError(by_time=False)
        return self.flow(event, self._deadline)


class Runtime:
    """Runs functions; `make(function, environment)` returns what a new environment runs.

    Implements `tools.emulator.services.lambda_.ports.Runtime`; who needs no JSON in between calls `start`.
    """

    def __init__(self, clock, latencies, setting, make):
        self.latencies = latencies
        self.bills = defaultdict(Bill)
        self.calls = Counter()
        self._clock = clock
        self._make = make
        self._shares = defaultdict(lambda: setting.crash_share)
        if setting.starter_crash_share is not None:
            self._shares["start_analysis"] = setting.starter_crash_share
        self._down = setting.down
        self._began = clock.now()
        self._chance = random.Random(f"crashes {setting.seed}")
        self._idle = defaultdict(list)
        self._steps = Counter()

    def run(self, function, invocation, done):
        """Run a function for the emulator's Lambda."""
        request_id = invocation.request_id
        self.start(
            function,
            json.loads(invocation.payload),
            lambda answer, fault: done(_outcome(function, request_id, answer, fault)),
        )

    def start(self, function, event, done):
        """Run a function soon, in the environment that was used last, or in a new one."""
        environment, wait = self._warm(function), self.latencies.next()
        if environment is None:
            environment = Environment(self, self._clock, function)
            environment.flow = self._make(function, environment)
            self.bills[function.name].gb_seconds += COLD_SECONDS * function.memory / 1024
            wait += COLD_SECONDS
        self.bills[function.name].invocations += 1
        self._clock.call_later(wait, partial(environment.begin, (event, done)))

    def retire(self, function_name):
        """Forget the environments of a function."""
        self._idle.pop(function_name, None)

    def close(self):
        """Do nothing."""

    def draw_death(self, function):
        """Return after how many steps an invocation dies, None for never: anywhere in what its like went through before it."""
        if self._is_down(function):
            self.bills[function.name].crashes += 1
            return 0
        if self._chance.random() >= self._shares[function.name]:
            return None
        self.bills[function.name].crashes += 1
        return self._chance.randint(0, self._steps[function.name])

    def _is_down(self, function):
        if self._down is None:
            return False
        name, since, until = self._down
        return function.name == name and since <= self._clock.now() - self._began < until

    def settle(self, environment, seconds, steps, *, gone):
        """Put an invocation on the bill, and keep its environment for the next."""
        function = environment.function
        self.bills[function.name].gb_seconds += seconds * function.memory / 1024
        if gone:
            return
        self._steps[function.name] = steps
        environment.idle_since = self._clock.now()
        self._idle[function.name].append(environment)

    def _warm(self, function):
        idle, oldest = self._idle[function.name], self._clock.now() - IDLE_SECONDS
        environment = idle.pop() if idle else None
        return environment if environment is not None and environment.idle_since > oldest else None


def _outcome(function, request_id, answer, fault):
    """Return what a run came to, in the emulator's words."""
    if fault is None:
        return Outcome(json.dumps(answer).encode())
    if not isinstance(fault, EndedError):
        return failure(type(fault).__name__, str(fault))
    return timed_out(function, request_id) if fault.by_time else exited(request_id, "with error: signal: killed")
