"""Lambda's side that the emulator leaves to a runtime: warm environments as greenlets, cold starts, crashes, time-outs, the bill.

An environment is the clock of the flow that lives in it, and makes its AWS calls: each is a point where others run.
"""

import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import partial

from botocore.exceptions import ClientError

from tools.emulator.services.lambda_ import Outcome, exited, failure, timed_out

COLD_SECONDS = 0.8
START_SECONDS = 0.2
# How long an idle environment is kept; AWS says "some minutes".
IDLE_SECONDS = 600.0
START = "rekognition.StartContentModeration"


class EndedError(BaseException):
    """The process is gone: nothing of the function's catches it."""

    def __init__(self, *, by_time):
        super().__init__()
        self._by_time = by_time

    def outcome(self, function, request_id):
        """Return what Lambda says of it."""
        return timed_out(function, request_id) if self._by_time else exited(request_id, "with error: signal: killed")


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
        self.function = function
        self.idle_since = 0.0
        self.flow = None
        self._deadline = 0.0
        self._seen = set()
        self._dies_after = None

    def sleep(self, seconds):
        """Wait, or die of the function's timeout before."""
        left = self._deadline - self.now()
        self._clock.sleep(min(seconds, left))
        if seconds >= left:
            raise EndedError(by_time=True)

    def gate(self, name, _parameters, carry_out):
        """Make an AWS call: others run while it is under way, and the process may die as soon as it is done."""
        self.sleep(START_SECONDS if name == START else self._runtime.latencies.next())
        try:
            answer = carry_out()
        except ClientError as error:
            self._step(f"{name} {error.response['Error']['Code']}")
            raise
        self._step(name)
        return answer

    def _step(self, step):
        """Take a step: an operation with an answer. However often a job is waited for, it is one step."""
        self._runtime.calls[step] += 1
        self._seen.add(step)
        if len(self._seen) == self._dies_after:
            raise EndedError(by_time=False)

    def handle(self, invocation, done):
        """Run one invocation and call `done` with its outcome."""
        began = self.now()
        self._deadline = began + self.function.timeout
        self._seen.clear()
        self._dies_after = self._runtime.draw_death(self.function)
        gone = False
        try:
            outcome = Outcome(json.dumps(self._answer(json.loads(invocation.payload))).encode())
        except EndedError as ended:
            gone, outcome = True, ended.outcome(self.function, invocation.request_id)
        except Exception as error:  # noqa: BLE001 # what a function raises is its result
            outcome = failure(type(error).__name__, str(error))
        self._runtime.settle(self, self.now() - began, len(self._seen), gone=gone)
        done(outcome)

    def _answer(self, event):
        if self._dies_after == 0:
            raise EndedError(by_time=False)
        return self.flow(event, self._deadline)


class Runtime:
    """Runs functions; `make(function, environment)` returns what a new environment runs. Implements the emulator's `Runtime`."""

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
        """Run a function soon, in the environment that was used last, or in a new one."""
        environment, wait = self._warm(function), self.latencies.next()
        if environment is None:
            environment = Environment(self, self._clock, function)
            environment.flow = self._make(function, environment)
            self.bills[function.name].gb_seconds += COLD_SECONDS * function.memory / 1024
            wait += COLD_SECONDS
        self.bills[function.name].invocations += 1
        self._clock.spawn_later(wait, partial(environment.handle, invocation, done))

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
