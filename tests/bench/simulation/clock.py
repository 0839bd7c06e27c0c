"""Virtual time: the emulator's manual clock, in which greenlets sleep. Nothing waits for the wall."""

from greenlet import getcurrent, greenlet

from tools.emulator.core.clock import ManualClock

START = 1_700_000_000.0
LOOK_SECONDS = 60.0


class VirtualClock(ManualClock):
    """Runs everything: one thing at a time, in order of time."""

    def __init__(self):
        super().__init__(START)
        self._main = getcurrent()

    def spawn_later(self, seconds, work):
        """Begin some work that may sleep after a time."""
        self.call_later(seconds, greenlet(work, self._main).switch)

    def sleep(self, seconds):
        """Let others run for a time; only in a greenlet that `spawn_later` made."""
        self.call_later(seconds, getcurrent().switch)
        self._main.switch()

    def run(self, go_on):
        """Do what falls due until nothing is left or `go_on()` says no: asked at each full minute."""
        while self._agenda.next_due is not None and go_on():
            self.advance(LOOK_SECONDS)
