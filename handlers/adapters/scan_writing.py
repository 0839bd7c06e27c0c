"""Writes to scans, settings and the sweeper's lease. A scan is changed only as it was read: each change raises its revision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from handlers.adapters import expressions, scan_items
from handlers.adapters.dynamo import ConditionFailedError
from handlers.adapters.expressions import Condition
from handlers.adapters.outcome import Outcome
from handlers.adapters.reading import TableReader
from handlers.adapters.scan_items import REVISION
from handlers.domain.record import BatchJob, Scan
from handlers.domain.states import Lane, ScanStatus
from handlers.errors import ThrottledError
from handlers.patience import backoff

CHANGE_ATTEMPTS = 10
"""So often a change of a scan is tried anew after another one came between."""


class ScanWriter(TableReader):
    """What is written about whole scans, and about starting as a whole."""

    # --- scans -------------------------------------------------------------------------------------------------------

    def put_scan(self, scan: Scan) -> Outcome:
        """Write a scan if there is none of its id."""
        try:
            self._table.put(expressions.put(self._table.name, scan_items.scan_item(scan, 1), when=expressions.NEW))
        except ConditionFailedError:
            return Outcome.DONE_BEFORE
        return Outcome.DONE

    def ensure_scan(self, scan_id: str, bucket: str, lane: Lane, batch_job_id: str) -> None:
        """Write a scan if it is missing, add the batch job to it, and open it again if it was closed."""
        new = Scan(scan_id, bucket, lane, created_at=self._clock.now(), jobs=(BatchJob(batch_job_id),))
        if self.scan(scan_id) is None and self.put_scan(new) is Outcome.DONE:
            return
        self._change_scan(scan_id, lambda scan: _reopened(_with_job(scan, batch_job_id)))

    def add_job(self, scan_id: str, job_id: str) -> None:
        """Add a batch job to a scan, which is open again then."""
        self._change_scan(scan_id, lambda scan: _reopened(_with_job(scan, job_id)))

    def note_jobs(self, scan_id: str, jobs: tuple[BatchJob, ...]) -> None:
        """Write what was learnt about batch jobs of a scan; jobs that it does not know are left out, its others stay."""
        learnt = {job.id: job for job in jobs}
        self._change_scan(scan_id, lambda scan: replace(scan, jobs=tuple(learnt.get(job.id, job) for job in scan.jobs)))

    def note_waiting_empty(self, scan_id: str, since: float | None) -> None:
        """Write since when nothing of a scan seems to wait or to be under way (None: something does)."""
        self._change_scan(scan_id, lambda scan: replace(scan, waiting_empty_since=since))

    def close_scan(self, scan: Scan) -> Outcome:
        """Close a scan if it is still as it was read, but for its mails."""
        closed = replace(scan, status=ScanStatus.CLOSED, closed_at=self._clock.now())
        outcome = self._change_scan(
            scan.id,
            lambda found: (
                replace(closed, mails_sent=found.mails_sent) if replace(found, mails_sent=scan.mails_sent) == scan else None
            ),
        )
        if outcome is Outcome.BY_ANOTHER:
            now = self.scan(scan.id)
            return Outcome.DONE_BEFORE if now is not None and now.status is ScanStatus.CLOSED else outcome
        return outcome

    def _change_scan(self, scan_id: str, change: Callable[[Scan], Scan | None]) -> Outcome:
        """Read a scan, change it, and write it if nobody did in between; else begin anew.

        `change` returns None where it does not apply (BY_ANOTHER, as for a missing scan), and its argument where nothing is to
        be written (DONE_BEFORE).
        """
        for attempt in range(CHANGE_ATTEMPTS):
            item = self._table.get(scan_items.scan_key(scan_id))
            scan = None if item is None else scan_items.scan_from(item)
            changed = None if scan is None else change(scan)
            if item is None or changed is None:
                return Outcome.BY_ANOTHER
            if changed == scan:
                return Outcome.DONE_BEFORE
            try:
                self._put_revision(changed, int(item[REVISION]))
            except ConditionFailedError:
                self._clock.sleep(backoff(attempt, base=0.05, cap=2.0))
            else:
                return Outcome.DONE
        raise ThrottledError(f"scan {scan_id} was changed by others {CHANGE_ATTEMPTS} times in a row")

    def _put_revision(self, scan: Scan, seen: int) -> None:
        item = scan_items.scan_item(scan, seen + 1)
        self._table.put(expressions.put(self._table.name, item, when=Condition(equal={REVISION: seen})))

    # --- settings ----------------------------------------------------------------------------------------------------

    def count_refused(self) -> int:
        """Count one more Start in a row that was refused for a reason of ours, and return how many there are now."""
        request = expressions.update(self._table.name, scan_items.SETTINGS_KEY, adds={"refused_in_row": 1})
        return int(self._table.update(request)["refused_in_row"])

    def forget_refused(self) -> None:
        """Write that the row of refused Starts is broken."""
        request = expressions.update(self._table.name, scan_items.SETTINGS_KEY, sets={"refused_in_row": 0})
        self._table.update(request)

    def pause(self, by: str, reason: str) -> Outcome:
        """Pause all starting; who paused first stays named."""
        request = expressions.update(
            self._table.name,
            scan_items.SETTINGS_KEY,
            sets={"paused": True, "paused_by": by, "paused_reason": reason},
            when=Condition(not_equal={"paused": True}),
        )
        try:
            self._table.update(request)
        except ConditionFailedError:
            return Outcome.DONE_BEFORE
        return Outcome.DONE

    # --- the sweeper's lease -----------------------------------------------------------------------------------------

    def take_lease(self, holder: str, until: float) -> bool:
        """Tell whether this sweeper is the one for now. The lease only saves money: nothing is wrong if two sweep."""
        request = expressions.update(
            self._table.name,
            scan_items.SWEEPER_LEASE_KEY,
            sets={"holder": holder, "until": round(until)},
            when=Condition(below={"until": round(self._clock.now())}),
        )
        try:
            self._table.update(request)
        except ConditionFailedError as failure:
            return failure.old is not None and failure.old.get("holder") == holder
        return True

    def return_lease(self, holder: str) -> None:
        """Give the lease back, if this sweeper still has it."""
        request = expressions.delete(self._table.name, scan_items.SWEEPER_LEASE_KEY, when=Condition(equal={"holder": holder}))
        try:
            self._table.delete(request)
        except ConditionFailedError:
            return


def _with_job(scan: Scan, job_id: str) -> Scan:
    if any(job.id == job_id for job in scan.jobs):
        return scan
    return replace(scan, jobs=(*scan.jobs, BatchJob(job_id)), waiting_empty_since=None)


def _reopened(scan: Scan) -> Scan:
    if scan.status is not ScanStatus.CLOSED:
        return scan
    return replace(scan, status=ScanStatus.OPEN, closed_at=None, waiting_empty_since=None)
