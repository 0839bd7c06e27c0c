"""Holding the scans of watched buckets: while their watch is paused, and once the minutes of a day are used up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from handlers.adapters.table import Outcome, Scans, WaitingRecords, Watches, WatchState
from handlers.domain import Scan, ScanStatus, watch
from handlers.domain.watch import Watch
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.send_mail import WAITING_COUNTED, attempt_all
from handlers.runtime import Clock, Log


@dataclass(frozen=True, slots=True)
class HoldWatches:
    """Pauses the scans of days, and resumes those that are paused for no other reason; a person's pause is left alone."""

    _waiting: WaitingRecords
    _scans: Scans
    _watches: Watches
    _clock: Clock
    _watched: Mapping[str, Watch]

    def run(self, context: SweepContext, until: float) -> None:
        """Hold or resume the scans of each bucket; one that fails does not keep the others back."""
        held = [scan for scan in context.scans() if _may_be_held(scan)]
        buckets = sorted({scan.bucket for scan in held})
        steps = (partial(self._hold, bucket, [scan for scan in held if scan.bucket == bucket], context) for bucket in buckets)
        attempt_all(steps, lambda: self._clock.now() <= until)

    def _hold(self, bucket: str, scans: Sequence[Scan], context: SweepContext) -> None:
        today = watch.day_of(self._clock.now())
        state = self._watches.state(bucket)
        reason = self._reason(bucket, state, today)
        for scan in scans:
            self._bring_to(scan, reason, context)
        if reason == watch.LIMIT_REACHED and state.limit_day != today:
            self._note_limit(bucket, scans, today)
            context.forget()

    def _reason(self, bucket: str, state: WatchState, today: str) -> str | None:
        """Return why the scans of a bucket are to wait, if they are."""
        if state.paused:
            return watch.PAUSED_BY_HAND
        if bucket not in self._watched or state.released_day == today:
            return None
        watched = self._watched[bucket]
        if watched.limit_ms is None:
            return None
        return watch.LIMIT_REACHED if watched.is_used_up(self._watches.day(bucket, today).started_ms) else None

    def _bring_to(self, scan: Scan, reason: str | None, context: SweepContext) -> None:
        if reason == scan.held_reason:
            return
        waited = self._waiting.waiting_count(scan.id, WAITING_COUNTED) if scan.held_reason == watch.LIMIT_REACHED else 0
        if self._scans.hold_day_scan(scan.id, reason, waited=waited) is Outcome.DONE:
            Log().info("uploads held" if reason else "uploads no longer held", scan_id=scan.id, reason=reason or scan.held_reason)
            context.forget()

    def _note_limit(self, bucket: str, scans: Sequence[Scan], today: str) -> None:
        """Make the mail due, which the newest scan notes in the same write; then note the day, for status."""
        newest = max(scans, key=lambda scan: scan.id)
        if self._scans.note_day_limit(newest.id, today) is Outcome.DONE:
            Log().alarm("uploads wait: the minutes of a day are used up", scan_id=newest.id, bucket=bucket)
        self._watches.note_limit(bucket, today)


def _may_be_held(scan: Scan) -> bool:
    """Tell whether the scan of a day is open, or paused for a reason of its watch."""
    return scan.day is not None and (scan.status is ScanStatus.OPEN or scan.held_reason in watch.HELD_REASONS)
