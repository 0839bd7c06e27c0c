"""Scans that are paused or cancelled: their lane is emptied where that is quicker, and the cancelled ones' videos are settled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from handlers.adapters.queue import LaneQueues
from handlers.adapters.table import Control, LaneWatch, Scans, WaitingRecords
from handlers.domain.record import Record, Scan
from handlers.domain.states import Lane, ScanStatus
from handlers.flows.sweep.context import Sight
from handlers.flows.sweep.pace import paced
from handlers.runtime.clock import Clock
from handlers.runtime.logs import Log

PURGED_ABOVE = 10_000
"""So many messages of a held scan are sooner sent again for the others than dropped one by one in front of them."""

HELD_RECENTLY_SECONDS = 600.0
"""For so long after a scan was held its lane is looked at; what comes later is dropped as it comes."""

PURGE_SECONDS = 60.0
"""For so long a purge may take messages that are sent meanwhile (SQS API, PurgeQueue)."""

OWED_SECONDS = 3_600.0
"""How often the message of a cancelled scan's video is sent again whose analysis may have been started."""


class Purging:
    """Empties a lane when a large scan in it was paused or cancelled: its messages would hold up the other scans for hours."""

    def __init__(self, waiting: WaitingRecords, scans: Scans, control: Control, queues: LaneQueues, clock: Clock) -> None:
        self._waiting = waiting
        self._scans = scans
        self._control = control
        self._queues = queues
        self._clock = clock

    def do(self, sight: Sight, until: float) -> None:
        """Purge what must be purged."""
        recently = self._clock.now() - HELD_RECENTLY_SECONDS
        held = [scan for scan in sight.scans() if _is_held(scan) and (scan.held_at or 0) > recently]
        for lane in {scan.lane for scan in held}:
            if self._clock.now() > until:
                return
            watch = self._control.lane_watch(lane)
            since = [scan for scan in held if scan.lane is lane and (scan.held_at or 0) > (watch.purged_at or 0)]
            if self._is_worth_it(lane, since):
                self._purge(lane, watch, sight)

    def _is_worth_it(self, lane: Lane, held: Sequence[Scan]) -> bool:
        if not held or self._queues.depth(lane).visible <= PURGED_ABOVE:
            return False
        return any(self._waiting.waiting_count(scan.id, PURGED_ABOVE) > PURGED_ABOVE for scan in held)

    def _purge(self, lane: Lane, watch: LaneWatch, sight: Sight) -> None:
        """Purge a lane; first of all it is written whose messages must be sent again, so that none is lost whatever happens."""
        since = self._clock.now() + PURGE_SECONDS
        for scan in sight.scans():
            if scan.live and scan.status is not ScanStatus.CANCELLED:
                self._scans.send_again(scan.id, since)
        if self._queues.purge(lane):
            self._control.note_lane(lane, replace(watch, purged_at=self._clock.now(), empty_since=None))
            Log().warning("lane purged", lane=lane.value)
        sight.forget()


class Cancelling:
    """Takes the waiting videos of cancelled scans to CANCELLED; running ones finish."""

    def __init__(self, waiting: WaitingRecords, queues: LaneQueues, clock: Clock) -> None:
        self._waiting = waiting
        self._queues = queues
        self._clock = clock

    def do(self, sight: Sight, until: float) -> None:
        """Walk the waiting videos of every cancelled scan that is not over."""
        for scan in sight.scans():
            cancelled = scan.status is ScanStatus.CANCELLED and scan.live
            if cancelled and not paced(self._waiting.waiting(scan.id), self._cancel, self._clock, until):
                return

    def _cancel(self, records: Sequence[Record]) -> None:
        cancelled = self._waiting.cancel(records, at=self._clock.now())
        Log().info("videos cancelled", scan_id=records[0].scan_id, count=cancelled.count, owed=len(cancelled.may_have_started))
        self._remind(cancelled.may_have_started)

    def _remind(self, may_have_started: Iterable[Record]) -> None:
        """Send the messages again of videos that may have been started: only the starter can find out, when it is asked."""
        now = self._clock.now()
        late = [record for record in may_have_started if now - (record.queued_at or 0.0) >= OWED_SECONDS]
        if late:
            self._waiting.requeue(self._queues.send_all(late), at=now)


def _is_held(scan: Scan) -> bool:
    return scan.live and scan.status is not ScanStatus.OPEN
