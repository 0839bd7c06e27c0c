"""Kills at every call: at each AWS call of a function the world is forked, and in the fork the function dies.

The fork goes on from that moment with the same scan: Lambda repeats an asynchronous event, SQS brings a message back, S3 Batch
redrives a task, the sweeper finds the rest, all from the emulator. When the world is quiet, its end is compared with that of the
world without a kill.

Points at which the world is the very same share one fork: nothing was written and no time has passed since the point before, in
the same invocation, so that a process that dies here or there leaves the same behind. And a path of the code, from the handler to
the call, has `FORKS_OF_A_PATH` forks in a scenario: a sweep that does in minute nine what it did in minute three is not killed
again. With `KILL_EVERY=1` each point has its own.
"""

import os
from collections import Counter
from dataclasses import dataclass

from tests.harness.flows import DiedError
from tests.kill.final import Final, differences, faults_of
from tests.kill.forking import Forking
from tests.kill.sites import HANDLERS, Site

# How the names of operations begin that change nothing; GetContentModeration counts against Rekognition's calls a second.
READS = ("Get", "BatchGet", "Query", "Head", "Describe", "List")
# With two, 1,059 worlds of 1,904 are left (measured).
FORKS_OF_A_PATH = 2


@dataclass(frozen=True)
class Point:
    """A moment before or after a call, and the fork in which a function was killed then; 0 where none was."""

    handler: str
    process: int
    call: int
    moment: str
    operation: str
    sites: frozenset[Site]
    fork: int

    def __str__(self):
        """Name it for people."""
        return f"{self.handler} (invocation {self.process}) {self.moment} call {self.call}, {self.operation}"


@dataclass
class Outcome:
    """The outcome of killing at every call."""

    undisturbed: Final
    points: list[Point]
    ends: dict[int, Final | str]

    @property
    def calls(self):
        """How many calls the functions made in the undisturbed world."""
        return sum(point.moment == "before" for point in self.points)

    def faults(self):
        """Return what is wrong, each with the points at which it was found."""
        found = [("undisturbed", fault) for fault in faults_of(self.undisturbed)]
        for fork, end in self.ends.items():
            wrong = [end] if isinstance(end, str) else differences(self.undisturbed, end)
            found += [(", ".join(str(point) for point in self.points if point.fork == fork), fault) for fault in wrong]
        return found


class Killing(Forking):
    """Kills functions at their calls, or only those of some handlers."""

    def __init__(self, line, folder, handlers=HANDLERS):
        super().__init__(line, folder)
        self._handlers = handlers
        self._every = bool(os.environ.get("KILL_EVERY"))
        self._points = []
        self._calls = {}
        self._sites = frozenset()
        self._changes = 0
        self._world = None
        self._fork = 0
        self._forks_of = Counter()

    def before(self, name, process, parameters):
        """Kill before a call."""
        self._calls[process.number] = self._calls.get(process.number, 0) + 1
        self._sites = self.trail.sites()
        self._kill("before", name, process)

    def after(self, name, process, answer):
        """Kill after a call, before its caller sees the answer."""
        if not name.partition(".")[2].startswith(READS):
            self._changes += 1
        self._kill("after", name, process)

    def run(self, scenario):
        """Run a scenario with a fork for each point at which a death makes a difference."""
        undisturbed, ends = self.ends(scenario)
        return Outcome(undisturbed, self._points, ends)

    def _kill(self, moment, name, process):
        if process.module not in self._handlers:
            return
        world = (process.number, self.line.clock.now(), self._changes)
        if world != self._world:
            self._world, self._fork = world, 0
        path = (process.module, moment, name, self._sites)
        if self._every or (not self._fork and self._forks_of[path] < FORKS_OF_A_PATH):
            self._forks_of[path] += 1
            if self.fork():
                self.line.watch = None
                process.dead = True
                raise DiedError
            self._fork = self.forks
        call = self._calls[process.number]
        self._points.append(Point(process.module, process.number, call, moment, name, self._sites, self._fork))
