"""Purging a lane full of messages of paused or cancelled scans, behind which other scans would wait for hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from handlers.adapters import LaneQueues
from handlers.adapters.table import Control, LaneWatch, Scans, WaitingRecords
from handlers.domain import Engine, Lane, Scan, ScanStatus
from handlers.flows.sweep.context import SweepContext
from handlers.runtime import Clock, Log

# Above this many messages of a held (paused or cancelled) scan, purging the lane and sending the others again is faster than
# dropping them one by one.
PURGED_ABOVE = 10_000

# How long after a scan was held its lane may be purged; later messages are dropped as they come.
HELD_RECENTLY_SECONDS = 600.0

# How long a purge may delete messages that are sent meanwhile (SQS API, PurgeQueue).
PURGE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class PurgeLanes:
    """Purges a lane after a large scan in it was held; the messages of the other scans are sent again."""

    _waiting: WaitingRecords
    _scans: Scans
    _control: Control
    _queues: LaneQueues
    _clock: Clock

    def run(self, context: SweepContext, until: float) -> None:
        """Purge every lane in which a large scan was held recently, once for each time."""
        recently = self._clock.now() - HELD_RECENTLY_SECONDS
        held = [scan for scan in context.scans() if _is_held(scan) and _held_at(scan) > recently]
        for lane in self._queues.lanes:
            if self._clock.now() > until:
                return
            watch = self._control.lane_watch(lane)
            since = [scan for scan in held if scan.lane is lane.of(Engine.VIDEO) and _held_at(scan) > (watch.purged_at or 0.0)]
            if self._is_worth_it(lane, since):
                self._purge(lane, watch, context, since)

    def _is_worth_it(self, lane: Lane, held: Sequence[Scan]) -> bool:
        if not held or self._queues.depth(lane).visible <= PURGED_ABOVE:
            return False
        return any(self._waiting.waiting_count(scan.id, PURGED_ABOVE) > PURGED_ABOVE for scan in held)

    def _purge(self, lane: Lane, watch: LaneWatch, context: SweepContext, held: Sequence[Scan]) -> None:
        """Mark the scans whose messages are to be sent again, then purge the lane, so that no message is lost."""
        since = self._clock.now() + PURGE_SECONDS
        for scan in context.scans():
            if scan.live and scan.status is not ScanStatus.CANCELLED:
                self._scans.send_again(scan.id, since)
        if self._queues.purge(lane):
            # The clock of whoever held a scan may be ahead of this one: the lane would be purged again and again.
            purged_at = max(self._clock.now(), *map(_held_at, held))
            self._control.note_lane(lane, replace(watch, purged_at=purged_at, empty_since=None))
            Log().warning("lane purged", lane=lane.value)
        context.forget()


def _is_held(scan: Scan) -> bool:
    return scan.live and scan.status is not ScanStatus.OPEN


def _held_at(scan: Scan) -> float:
    """Return when a scan was held; one that does not say so was held long ago."""
    return scan.held_at or 0.0
