"""The peak memory of a process and its children, as Linux reports it."""

import threading
from contextlib import contextmanager, suppress
from pathlib import Path

_EVERY_SECONDS = 0.1


class Watch:
    """Peaks (VmHWM, which the kernel keeps) of a process and of all that it started."""

    def __init__(self, pid):
        self._pid = pid
        self._peaks = {}
        self._over = threading.Event()

    @property
    def peak_mb(self):
        """Return the sum of the peaks: no less than the peak of the sum."""
        return sum(self._peaks.values()) / 1024

    def run(self):
        """Look until the stop event is set; a process that ends keeps the peak that was last seen."""
        while not self._over.wait(_EVERY_SECONDS):
            for pid in self._family(self._pid):
                with suppress(OSError, StopIteration):  # it has just ended
                    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                    self._peaks[pid] = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))

    def stop(self):
        """Stop looking."""
        self._over.set()

    def _family(self, pid):
        yield pid
        with suppress(OSError):
            for path in Path(f"/proc/{pid}/task").glob("*/children"):
                for child in path.read_text().split():
                    yield from self._family(child)


@contextmanager
def watched(pid):
    """Watch a process while the block runs."""
    watch = Watch(pid)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join()
