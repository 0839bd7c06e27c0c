"""Watching the lanes: whether starters may poll them, and whether messages were lost."""

from __future__ import annotations

from dataclasses import dataclass, replace

from handlers.adapters import LaneQueues, LaneSwitches
from handlers.adapters.table import Control, LaneWatch, Scans, WaitingRecords
from handlers.domain import Lane, Scan
from handlers.flows.sweep import rules
from handlers.flows.sweep.context import SweepContext
from handlers.runtime import Clock, Log

# SQS may report counts a minute late, so a lane counts as empty once two sweeps, a minute apart, saw it empty.
EMPTY_SECONDS = 55.0


@dataclass(frozen=True, slots=True)
class SwitchLanes:
    """Makes the lanes' event source mappings agree with the settings; no other code switches them."""

    _switches: LaneSwitches

    def run(self, context: SweepContext, until: float) -> None:  # noqa: ARG002 # two short calls
        """Disable the mappings while starting is paused, enable them otherwise."""
        paused = context.settings().paused
        if switched := self._switches.switch(enabled=not paused):
            Log().info("lanes switched", enabled=not paused, mappings=switched)


@dataclass(frozen=True, slots=True)
class WatchLanes:
    """Detects lost messages: a new dead letter, or an empty lane while videos wait."""

    _waiting: WaitingRecords
    _scans: Scans
    _control: Control
    _queues: LaneQueues
    _clock: Clock

    def run(self, context: SweepContext, until: float) -> None:
        """Have the messages of every lane that has lost some sent again."""
        if context.settings().paused or not context.open_scans():
            return
        for lane in self._queues.lanes:
            if self._clock.now() > until:
                return
            seen = self._control.lane_watch(lane)
            watch = self._empty(lane, context, self._dead(lane, context, seen))
            if watch != seen:
                self._control.note_lane(lane, watch)

    def _dead(self, lane: Lane, context: SweepContext, seen: LaneWatch) -> LaneWatch:
        count = self._queues.dead_letters(lane)
        agreed = rules.dead_letters_agreed(seen, count)
        if agreed > seen.dead_letters:
            self._send_again(lane, self._scans_waiting_in(lane, context), context, "dead letters")
        return replace(seen, dead_letters=agreed, dead_letters_counted=None if count == agreed else count)

    def _empty(self, lane: Lane, context: SweepContext, seen: LaneWatch) -> LaneWatch:
        waiting = self._scans_waiting_in(lane, context) if not self._queues.depth(lane).total else []
        if not waiting:
            return replace(seen, empty_since=None)
        now = self._clock.now()
        if seen.empty_since is None:
            return replace(seen, empty_since=now)
        if now - seen.empty_since < EMPTY_SECONDS:
            return seen
        self._send_again(lane, waiting, context, "empty")
        return replace(seen, empty_since=None)

    def _scans_waiting_in(self, lane: Lane, context: SweepContext) -> list[Scan]:
        return [scan for scan in context.open_scans() if lane in self._waiting.waiting_lanes(scan.id)]

    def _send_again(self, lane: Lane, scans: list[Scan], context: SweepContext, reason: str) -> None:
        for scan in scans:
            self._scans.send_again(scan.id, self._clock.now())
        Log().warning("lane has lost messages", lane=lane.value, reason=reason, scans=len(scans))
        context.forget()
