"""The scheduler of runs: every invocation is a greenlet that stops before and after each AWS call, where others continue.

The test is the scheduler: it lets one of those that may go on make its next step, holds one back at a call for as long as it
likes, kills one where it is, and moves the clock. So every interleaving of AWS calls can happen, and each happens again with the
same seed.
"""

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from random import Random

from botocore.exceptions import BotoCoreError, ClientError
from greenlet import getcurrent, greenlet

from tools.emulator.core.clock import ManualClock

# More steps than this at one time of the clock mean that some code loops.
MOST_STEPS = 200_000


class Killed(BaseException):
    """The process ended; no handler of exceptions sees it."""


class Clock(ManualClock):
    """A clock that can be asked when something is due next."""

    @property
    def next_due(self):
        """Return when the next action is due, None where none is."""
        return self._agenda.next_due


class Stand(Enum):
    """The state of a run."""

    READY = "ready"
    ASLEEP = "asleep"
    OVER = "over"


@dataclass
class Order:
    """What happens to the next run of a name at its n-th AWS call, or at the first of an operation: it is held, or killed."""

    name: str
    call: int | str
    side: str
    action: str

    def strikes(self, number, operation, side):
        """Tell whether the order applies to this call; a call that was passed on the other side is not missed."""
        if isinstance(self.call, str):
            return (self.call, self.side) == (operation, side)
        return number > self.call or (number == self.call and side in (self.side, "after"))


class Run:
    """One invocation of a function, or one command of a person."""

    def __init__(self, scheduler, name, body, ended, began):
        self.name = name
        self.began = began
        self.stand = Stand.READY
        self.held = False
        self.doomed = False
        self.calls = 0
        self.at = "its beginning"
        self.order = None
        self.ended = ended
        # Of a worker that analyses frames: which analysis it is at, how far that was at its last call, and what it was paid for.
        self.analysis, self.position_ms, self.paid_ms = None, None, None
        self.result = None
        self.greenlet = greenlet(lambda: self._live(body), parent=scheduler)

    def _live(self, body):
        try:
            self.result = body()
        except Killed:
            self.doomed = True

    def __repr__(self):
        """Describe the run and its state."""
        return f"<{self.name} {self.at}, {self.stand.value}{', held' if self.held else ''}>"


class Scheduler:
    """All runs that are not over. `concurrent` counts the calls that one made while another was under way, by both names."""

    def __init__(self, clock, invariants):
        self.clock = clock
        self.live = []
        self.orders = []
        self.troubles = []
        self.concurrent = Counter()
        self.calls = 0
        self.random = Random(0)
        self._invariants = invariants
        self._greenlet = getcurrent()

    @property
    def current(self):
        """Return the run that runs, None for the test itself."""
        here = getcurrent()
        return next((run for run in self.live if run.greenlet is here), None)

    def spawn(self, name, body, *, seconds, ended=lambda _run: None):
        """Begin a run that is killed after a number of seconds; `ended(run)` is called once, in the scheduler."""
        run = Run(self._greenlet, name, body, ended, self._invariants.began())
        run.order = next((order for order in self.orders if order.name == name), None)
        if run.order is not None:
            self.orders.remove(run.order)
        self.live.append(run)
        self.clock.call_later(seconds, lambda: self.kill(run))
        return run

    def kill(self, run):
        """End a run at its present call."""
        if run.stand is Stand.OVER:
            return
        run.doomed = True
        if run.greenlet:
            run.greenlet.throw(Killed)
        self._over(run)

    def turn(self):
        """Let one ready run make one step; False if none is ready."""
        ready = [run for run in self.live if run.stand is Stand.READY and not run.held]
        if not ready:
            return False
        self.step(ready[0] if len(ready) == 1 else self.random.choice(ready))
        return True

    def step(self, run):
        """Let a ready run make one step."""
        run.greenlet.switch()
        if run.doomed:
            self.kill(run)
        elif run.greenlet.dead:
            self._over(run)
        self._invariants.look()

    def settle(self):
        """Let all runs continue until none is ready before the clock moves."""
        for _ in range(MOST_STEPS):
            if self.turn():
                continue
            due = self.clock.next_due
            if due is None or due > self.clock.now():
                return
            self.clock.advance(0)
        raise AssertionError(f"no end of steps at one time: {self.live}")

    def _over(self, run):
        if run.stand is not Stand.OVER:
            run.stand = Stand.OVER
            self.live.remove(run)
            self._invariants.frames.ended(run)
            run.ended(run)

    # what runs call

    def sleep(self, seconds):
        """Let the current run sleep."""
        run = self.current
        run.stand, run.at = Stand.ASLEEP, "asleep"

        def wake():
            if run.stand is Stand.ASLEEP:
                run.stand = Stand.READY

        self.clock.call_later(seconds, wake)
        self._switch(run)

    def gate(self, name, _parameters, carry_out):
        """Make an AWS call, stopping before it and after it."""
        run = self.current
        if run is None:
            return carry_out()
        run.calls += 1
        self.calls += 1
        self._invariants.frames.called(run, name)
        self._stop(run, "before", name)
        for other in self.live:
            if other is not run and other.calls:
                self.concurrent[other.name, run.name] += 1
        try:
            answer, failure = self._carried_out(name, carry_out), None
        except (BotoCoreError, ClientError) as error:
            answer, failure = None, error
            self._invariants.frames.failed(run, name, error)
        self._stop(run, "after", name)
        if failure is not None:
            raise failure
        return answer

    def _carried_out(self, name, carry_out):
        trouble = next((one for one in self.troubles if one.service == name.partition(".")[0]), None)
        if trouble is None:
            return carry_out()
        self.troubles.remove(trouble)
        return trouble.strike(name, carry_out)

    def _stop(self, run, side, name):
        run.at = f"{side} call {run.calls} {name}"
        order = run.order
        if order is not None and order.strikes(run.calls, name, side):
            run.order = None
            run.held = order.action == "hold"
            run.doomed = order.action == "kill"
        self._switch(run)

    def _switch(self, run):
        # Who is killed gets no further, whatever its `finally` still wants to do.
        if not run.doomed:
            self._greenlet.switch()
        if run.doomed:
            raise Killed
