"""Virtual time: one heap of what happens when, and greenlets that sleep in it. Nothing waits for the wall."""

import heapq
import itertools

from greenlet import getcurrent, greenlet

START = 1_700_000_000.0
LOOK_SECONDS = 60.0


class VirtualClock:
    """The emulator's clock (`tools.emulator.clock.Clock`), and who runs everything: one thing at a time, in order of time."""

    def __init__(self, start=START):
        self.time = start
        self._heap = []
        self._order = itertools.count()
        self._hub = getcurrent()

    def now(self):
        """Return the time in epoch seconds."""
        return self.time

    def call_later(self, seconds, action):
        """Call the action so many seconds from now; at the same time in the order in which they were asked for."""
        heapq.heappush(self._heap, (self.time + max(0.0, seconds), next(self._order), action))

    def sleep(self, seconds):
        """Let others run for so many seconds; only in a greenlet that `spawn` made."""
        self.sleep_until(self.time + max(0.0, seconds))

    def sleep_until(self, due):
        """Let others run until a time that is not over."""
        heap = self._heap
        if heap and heap[0][0] <= due:
            heapq.heappush(heap, (due, next(self._order), getcurrent().switch))
            self._hub.switch()
        else:  # nobody else would run meanwhile: a million videos save half of their switches
            self.time = due

    def worker(self, work):
        """Return a function that has a greenlet of its own do some work, which may sleep; one job at a time.

        The greenlet lives on for the next job: making one takes as long as ten switches.
        """

        def live(job):
            while True:
                work(job)
                job = self._hub.switch()

        return greenlet(live, self._hub).switch

    def run(self, go_on):
        """Do what falls due, one after the other, until nothing is left or `go_on()` says no: asked at each full minute."""
        heap, look = self._heap, self.time
        while heap:
            while heap[0][0] >= look:
                self.time = look
                if not go_on():
                    return
                look += LOOK_SECONDS
            self.time, _, action = heapq.heappop(heap)
            action()
