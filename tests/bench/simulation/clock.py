"""Virtual time: one heap of what happens when, and greenlets that sleep in it. Nothing waits for the wall.

An entry of the heap is an action to be called, or a greenlet that sleeps. Actions are called by the hub, in whose greenlet `run`
was called; who falls asleep wakes the next sleeper directly, which saves every second switch.
"""

import heapq
import itertools

from greenlet import getcurrent, greenlet

START = 1_700_000_000.0
LOOK_SECONDS = 60.0


class VirtualClock:
    """The emulator's clock (`tools.emulator.core.clock.Clock`), and who runs everything: one thing at a time, in order of time."""

    def __init__(self, start=START):
        self.time = start
        self._heap = []
        self._order = itertools.count()
        self._hub = getcurrent()
        self._look = start

    def now(self):
        """Return the time in epoch seconds."""
        return self.time

    def call_later(self, seconds, action):
        """Call the action that many seconds from now; at the same time in the order in which they were asked for."""
        heapq.heappush(self._heap, (self.time + max(0.0, seconds), next(self._order), action))

    def sleep(self, seconds):
        """Let others run for a time; only in a greenlet that `spawn` made."""
        self.sleep_until(self.time + max(0.0, seconds))

    def sleep_until(self, due):
        """Let others run until a time that is not over."""
        heap = self._heap
        if not heap or heap[0][0] > due:  # no other greenlet would run meanwhile
            self.time = due
            return
        at, _, first = heap[0]
        if first.__class__ is greenlet and at < self._look:
            heapq.heapreplace(heap, (due, next(self._order), getcurrent()))
            self.time = at
            first.switch()
        else:
            heapq.heappush(heap, (due, next(self._order), getcurrent()))
            self._hub.switch()

    def worker(self, work):
        """Return a function that has a greenlet of its own do some work, which may sleep; one job at a time.

        The greenlet lives on for the next job while the work returns True: making one takes as long as ten switches.
        """

        def live(job):
            while work(job):
                job = self._hub.switch()

        return greenlet(live, self._hub).switch

    def run(self, go_on):
        """Do what falls due, one after the other, until nothing is left or `go_on()` says no: asked at each full minute."""
        heap, self._look = self._heap, self.time
        while heap:
            while heap[0][0] >= self._look:
                self.time = self._look
                if not go_on():
                    return
                self._look += LOOK_SECONDS
            self.time, _, first = heapq.heappop(heap)
            if first.__class__ is greenlet:
                first.switch()
            else:
                first()
