"""Worlds that are forked at a call and then differ: the end of each is compared with that of the first."""

import gc
import os
import pickle
import traceback
import warnings
from pathlib import Path

from tests.kill.final import final_of
from tests.kill.sites import Trail

MOST_FORKS = max(0, (os.cpu_count() or 1) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) - 1)
"""How many forks run beside the world that they come from: none where pytest-xdist has a worker for each core, or more."""


class Forking:
    """Watches a line, and can fork the world at a call.

    A fork is this very process, copied: it goes on with the scenario from where it is, to the end of `run`, where it stops to be.
    """

    def __init__(self, line, folder):
        self.line = line
        self.forks = 0
        self.trail = Trail()
        self.is_fork = False
        self._folder = Path(folder)
        self._children = []
        line.flows.seen = self.trail.followed
        line.watch = self

    def ends(self, scenario):
        """Run a scenario, and return its end and those of all forks by number, with a text for a fork that failed."""
        gc.freeze()
        try:
            end = self._end(scenario)
            if self.is_fork:
                (self._folder / f"{self.forks}.end").write_bytes(pickle.dumps(end))
        finally:
            if self.is_fork:
                # Nothing of pytest's may run in a fork.
                os._exit(0)
            gc.unfreeze()
        self._wait(0)
        return end, {number: self._read(number) for number in range(1, self.forks + 1)}

    def fork(self):
        """Fork the world, and tell whether this is the fork."""
        self._wait(MOST_FORKS)
        self.forks += 1
        directory = self._folder / str(self.forks)
        # Not by the fork: while it begins to run, this world goes on, and sends mails.
        self.line.copy_mails(directory)
        with warnings.catch_warnings():
            # Python 3.12 warns of threads: Node's, which synthesised the template. No fork has to do with it.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child:
            self._children.append(child)
            return False
        self.is_fork = self.trail.over = True
        # It lives for a second: collecting its garbage would only copy the memory that it shares.
        gc.disable()
        self.line.move(directory)
        return True

    def _end(self, scenario):
        try:
            scenario(self.line)
            self.line.watch = None
            return final_of(self.line)
        except BaseException:  # a fork cannot raise into its parent: whatever it was, its end is handed over as text
            if not self.is_fork:
                raise
            return traceback.format_exc()

    def _read(self, number):
        path = self._folder / f"{number}.end"
        return pickle.loads(path.read_bytes()) if path.exists() else "the fork has left no end"

    def _wait(self, most):
        """Wait until at most this many forks are running."""
        while len(self._children) > most:
            os.waitpid(self._children.pop(0), 0)
