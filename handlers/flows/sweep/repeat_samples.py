"""Resends the messages of analyses by frames that no worker is processing, and ends the analyses of cancelled scans."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from handlers.adapters import LaneQueues
from handlers.adapters.table import Lease, Records, Sampling, Samplings
from handlers.domain import Lane, Record, Scan, ScanStatus, State, watch
from handlers.flows.sweep.context import SweepContext
from handlers.runtime import Clock, Log

# How long an analysis is without a lease before its message counts as lost, or stuck behind many others: longer than an invocation
# of sample_frames and the time for which its message then stays hidden.
REPEAT_SECONDS = 1_200.0

# How long the sweeper's own lease keeps workers off an analysis that it ends.
LEASE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class RepeatSamples:
    """Handles analyses under way without a lease: their messages were dropped during a pause, or their workers died.

    Messages go to the express lane, because what was begun is finished before anything else. Where frames were switched off again,
    there is no such lane: what is under way waits until they are on again, or its scan is cancelled.
    """

    _records: Records
    _samplings: Samplings
    _queues: LaneQueues
    _clock: Clock

    def run(self, context: SweepContext, until: float) -> None:
        """Go through all analyses without a lease until a time (epoch seconds); while nothing can be sent, only to cancel."""
        scans = {scan.id: scan for scan in context.scans()}
        sends = Lane.FRAMES_EXPRESS in self._queues.lanes and not context.settings().paused
        for sampling in self._samplings.all():
            now = self._clock.now()
            if now > until:
                return
            scan = scans.get(sampling.scan_id)
            if sampling.until > now or _is_paused(scan):
                continue
            if scan is not None and scan.status is ScanStatus.CANCELLED:
                self._cancel(sampling)
            elif sends and now - max(sampling.until, sampling.sent_at or 0.0) >= REPEAT_SECONDS:
                self._send(sampling)

    def _record(self, sampling: Sampling) -> Record | None:
        """Return the record of an analysis; None if it was deleted or changed by hand and no longer refers to the analysis."""
        record = self._records.record(sampling.video_id, sampling.scan_id)
        runs = record is not None and record.state is State.RUNNING and record.attempt == sampling.attempt
        return record if runs else None

    def _send(self, sampling: Sampling) -> None:
        log = _log(sampling)
        record = self._record(sampling)
        if record is None:
            outcome = self._samplings.forget(sampling)
            log.alarm("frames are under way that their record does not know", outcome=outcome.value)
            return
        # The message first: dying in between leaves one message too many, never one too few.
        self._queues.send(replace(record, lane=Lane.FRAMES_EXPRESS))
        outcome = self._samplings.note_message_sent(sampling, at=self._clock.now())
        log.warning("no worker is at a film: message sent to the express lane", outcome=outcome.value)

    def _cancel(self, sampling: Sampling) -> None:
        """Make an analysis CANCELLED, with the images that were paid for, unless a worker has taken its lease meanwhile."""
        record = self._record(sampling)
        lease = Lease(uuid.uuid4().hex, self._clock.now() + LEASE_SECONDS)
        if record is None or self._samplings.take_over(record, lease) is None:
            return
        cancelled = replace(self._record(sampling) or record, state=State.CANCELLED, finished_at=self._clock.now())
        outcome = self._records.finish(cancelled)
        _log(sampling).info("frames cancelled", images=cancelled.images, outcome=outcome.value)


def _is_paused(scan: Scan | None) -> bool:
    """Tell whether nothing of a scan goes on; once the minutes of a day are used up, what was begun does."""
    return scan is not None and scan.status is ScanStatus.PAUSED and scan.held_reason != watch.LIMIT_REACHED


def _log(sampling: Sampling) -> Log:
    return Log({"scan_id": sampling.scan_id, "video_id": sampling.video_id})
