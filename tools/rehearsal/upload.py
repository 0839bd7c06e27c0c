"""The upload to a watched bucket while a rehearsal scans what was there before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from handlers.domain import watch
from tools.emulator.samples import Sample
from tools.lib.errors import ToolError
from tools.rehearsal.assembly import BUCKET
from tools.rehearsal.playground import mail_line

if TYPE_CHECKING:
    from tools.emulator.world import World

LOOK_SECONDS = 0.2  # how often to check whether the mail is there

# The wait for the mail is measured in invocations, because a slow machine is slow at everything: fewer than this end before it.
MOST_INVOCATIONS = 100

# Longer than any function runs: if none has ended for that long, none will.
STILL_SECONDS = 300.0

# How much later than S3 promises its events the upload comes, in seconds of the world.
_LATER_SECONDS = 5.0


class UploadMeanwhile:
    """Uploads a sample in a thread of its own, once S3 sends the bucket's events and `may_begin` returns true."""

    def __init__(self, world: World, sample: Sample, may_begin: Callable[[], bool] = lambda: True) -> None:
        self._world = world
        self._sample = sample
        self._may_begin = may_begin
        self._stopped = threading.Event()
        self._put_at = 0.0
        wait = (world.settings.event_bridge_switch_seconds + _LATER_SECONDS) / world.settings.speed
        self._timer = threading.Timer(wait, self._put)
        self._timer.daemon = True
        self._timer.start()

    def _put(self) -> None:
        while not self._may_begin():
            if self._stopped.wait(LOOK_SECONDS):
                return
        self._put_at = self._world.clock.now()
        body = self._sample.body()
        self._world.client("s3").put_object(Bucket=BUCKET, Key=self._sample.key, Body=body, ContentType="video/mp4")

    def scan_id(self) -> str:
        """Wait until the upload was mailed, and return the scan of its day.

        Raises:
            ToolError: No mail came.
        """
        self._timer.join()
        name = self._sample.key.rpartition("/")[2]
        first = ended = self._ended()
        until = time.monotonic() + STILL_SECONDS
        while not any(name in mail_line(path) for path in self._world.outbox.glob("*.eml")):
            if ended - first > MOST_INVOCATIONS or time.monotonic() > until:
                raise ToolError(
                    f"{self._sample.key} was uploaded, but no mail came.",
                    cure=f"Look at the logs in {self._world.directory}, then run `make clean demo`.",
                )
            time.sleep(LOOK_SECONDS)
            before, ended = ended, self._ended()
            if ended > before:
                until = time.monotonic() + STILL_SECONDS
        return watch.scan_id(BUCKET, watch.day_of(self._put_at))

    def _ended(self) -> int:
        return sum(entry.ended is not None for entry in self._world.functions.ledger.entries())

    def stop(self) -> None:
        """Upload no more: the world is about to end."""
        self._stopped.set()
        self._timer.cancel()
