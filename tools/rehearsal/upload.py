"""The upload to a watched bucket while a rehearsal scans what was there before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from handlers.domain import watch
from tools.emulator.samples import Sample
from tools.rehearsal.assembly import BUCKET
from tools.rehearsal.playground import mail_line
from tools.rehearsal.waiting import LOOK_SECONDS, wait_until

if TYPE_CHECKING:
    from tools.emulator.world import World

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
        self._failure: Exception | None = None
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
        try:
            self._world.client("s3").put_object(Bucket=BUCKET, Key=self._sample.key, Body=body, ContentType="video/mp4")
        except Exception as error:  # noqa: BLE001 # raised for whoever waits for the upload; an ended world has its own error
            self._failure = error

    def scan_id(self) -> str:
        """Wait until the upload was mailed, and return the scan of its day.

        Raises:
            Exception: What prevented the upload.
            ToolError: No mail came.
        """
        self._timer.join()
        if self._failure is not None:
            raise self._failure
        name = self._sample.key.rpartition("/")[2]
        wait_until(
            self._world,
            lambda: any(name in mail_line(path) for path in self._world.outbox.glob("*.eml")),
            otherwise=f"{self._sample.key} was uploaded, but no mail came.",
        )
        return watch.scan_id(BUCKET, watch.day_of(self._put_at))

    def stop(self) -> None:
        """Upload no more: the world is about to end."""
        self._stopped.set()
        self._timer.cancel()
