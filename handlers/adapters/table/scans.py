"""Scans and their totals. A change is written only if the scan is unchanged since it was read: each change raises its revision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from handlers.adapters.aws_errors import ThrottledError
from handlers.adapters.table import codec, expressions, outbox_items, scan_items
from handlers.adapters.table.client import ConditionFailedError, TableClient
from handlers.adapters.table.expressions import Condition
from handlers.adapters.table.outcome import Outcome, once
from handlers.adapters.table.scan_items import REVISION
from handlers.domain import BatchJob, Lane, Progress, Scan, ScanMail, ScanStatus, Totals, watch
from handlers.runtime import Clock, backoff_seconds

# Attempts to change a scan that others are changing.
CHANGE_ATTEMPTS = 10

# How often all scans are read for those that should be listed as active and are not.
ALL_READ_SECONDS = 86_400.0

# Points of a scan's progress: one every ten minutes, for an hour.
PROGRESS_KEPT = 7

Actions = Sequence[Mapping[str, dict[str, Any]]]


class Scans:
    """Reads and changes of whole scans; all reads are consistent."""

    def __init__(self, table: TableClient, clock: Clock, *, has_outbox: bool = False) -> None:
        self._table = table
        self._clock = clock
        self._has_outbox = has_outbox

    def scan(self, scan_id: str) -> Scan | None:
        """Return a scan, if there is one."""
        item = self._table.get(scan_items.scan_key(scan_id))
        return None if item is None else scan_items.scan_from(item)

    def scans(self) -> list[Scan]:
        """Return all scans, the newest first."""
        return _newest_first(map(scan_items.scan_from, self._table.query(scan_items.SCANS_PK)))

    def active(self) -> list[Scan]:
        """Return the scans that are live or about which a mail is due, the newest first.

        They are listed in a partition of their own: watched buckets make thousands of scans a year. Once a day all scans are read,
        for those that a version without that list, or without the one of `submitted`, has written.
        """
        listed, checked_at = self._listed(scan_items.ACTIVE_PK)
        if checked_at is None or self._clock.now() - checked_at >= ALL_READ_SECONDS:
            found = self.scans()
            self._list_all(found)
        else:
            found = self._of(listed)
        for scan in found:
            if not scan.active and scan.id in listed:
                self._unlist(scan.id)
        return [scan for scan in found if scan.active]

    def active_as_listed(self) -> list[Scan]:
        """Return the active scans as `active` does, but change nothing: for programs, which only look."""
        listed, checked_at = self._listed(scan_items.ACTIVE_PK)
        return [scan for scan in (self.scans() if checked_at is None else self._of(listed)) if scan.active]

    def submitted(self) -> list[Scan]:
        """Return the scans that were submitted, the newest first: all but those of days, none of which is read.

        They are listed as `active` lists its own.
        """
        listed, checked_at = self._listed(scan_items.SUBMITTED_PK)
        return [scan for scan in self.scans() if scan.day is None] if checked_at is None else self._of(listed)

    def last(self) -> Scan | None:
        """Return the scan with the last id: of scans of days, one of the newest day."""
        found = map(scan_items.scan_from, self._table.query(scan_items.SCANS_PK, limit=1, backwards=True))
        return next(found, None)

    def _listed(self, pk: str) -> tuple[set[str], float | None]:
        """Return the ids of the scans in a list, and when all scans were last compared with it."""
        listed = {item["sk"]: item for item in self._table.query(pk)}
        check = listed.pop(scan_items.CHECKED, None)
        return set(listed), None if check is None else float(check["at"])

    def _of(self, scan_ids: Iterable[str]) -> list[Scan]:
        return _newest_first(map(scan_items.scan_from, self._table.get_many(map(scan_items.scan_key, scan_ids))))

    def _list_all(self, scans: Sequence[Scan]) -> None:
        # One that is not active any more by now is taken from its list by the next sweep.
        self._list(scan_items.active_key, (scan.id for scan in scans if scan.active))
        self._list(scan_items.submitted_key, (scan.id for scan in scans if scan.day is None))

    def _list(self, key_of: Callable[[str], dict[str, str]], scan_ids: Iterable[str]) -> None:
        """List the scans that a list lacks, and note that it lacks none."""
        check = key_of(scan_items.CHECKED)
        listed, _ = self._listed(check["pk"])
        for scan_id in scan_ids:
            if scan_id not in listed:
                self._table.put(expressions.put(key_of(scan_id)))
        self._table.put(expressions.put({**check, **codec.present({"at": self._clock.now()})}))

    def _unlist(self, scan_id: str) -> None:
        """List a scan no longer, in one transaction with a write of the scan as it is: it may be opened again meanwhile."""
        item = self._table.get(scan_items.scan_key(scan_id))
        scan = None if item is None else scan_items.scan_from(item)
        if item is None or scan is None or scan.active:
            return
        gone = {"Delete": expressions.delete(scan_items.active_key(scan_id))}
        # Whoever changes it meanwhile may have listed it; if not, the next sweep finds it again.
        with suppress(ConditionFailedError):
            self._table.transact([self._revised(scan, int(item[REVISION])), gone])

    def totals(self, scan_id: str) -> Totals:
        """Return videos and milliseconds per final state of a scan."""
        return scan_items.totals_from(self._table.query(f"SCAN#{scan_id}", begins_with="TOTALS#"))

    def put_scan(self, scan: Scan) -> Outcome:
        """Write a scan, unless one with its id exists."""
        put = expressions.put(scan_items.scan_item(scan, 1), when=expressions.NEW)
        submitted = [] if scan.day else [{"Put": expressions.put(scan_items.submitted_key(scan.id))}]
        return once(lambda: self._table.transact([{"Put": put}, _listed(scan), *submitted]))

    def ensure_scan(self, scan_id: str, bucket: str, lane: Lane, batch_job_id: str, *, retry: bool = False) -> None:
        """Write a scan if it is missing; else add the batch job to it as `add_job` does."""
        new = Scan(scan_id, bucket, lane, created_at=self._clock.now(), jobs=(BatchJob(batch_job_id),))
        if self.scan(scan_id) is None and self.put_scan(new) is Outcome.DONE:
            return
        self._change_scan(scan_id, lambda scan: _reopened(_with_job(scan, batch_job_id, retry=retry)))

    def ensure_day_scan(self, scan_id: str, bucket: str, day: str, *, held: str | None) -> None:
        """Write the scan of a day's uploads if it is missing, paused if `held` names a reason; open it again if it is closed.

        If it is about to be closed, that begins anew: whoever calls this is about to register an upload in it.
        """
        now = self._clock.now()
        new = Scan(scan_id, bucket, Lane.EXPRESS, created_at=now, day=day)
        if held is not None:
            new = replace(new, status=ScanStatus.PAUSED, held_at=now, held_reason=held)
        if self.scan(scan_id) is None and self.put_scan(new) is Outcome.DONE:
            return
        self._change_scan(scan_id, lambda scan: replace(_reopened(scan), waiting_empty_since=None))

    def add_job(self, scan_id: str, job_id: str, *, retry: bool = False) -> None:
        """Add a batch job to a scan, and open it again if it was closed.

        A retry job settles the earlier ones in the same write: whoever retries has seen how they ended, and what waits from now on
        waits for the retry.
        """
        self._change_scan(scan_id, lambda scan: _reopened(_with_job(scan, job_id, retry=retry)))

    def note_jobs(self, scan_id: str, jobs: tuple[BatchJob, ...]) -> None:
        """Update the batch jobs of a scan; jobs that it does not know are ignored. A settled job stays settled."""
        polled = {job.id: job for job in jobs}
        self._change_scan(scan_id, lambda scan: replace(scan, jobs=tuple(_updated(job, polled) for job in scan.jobs)))

    def note_waiting_empty(self, scan_id: str, since: float | None) -> None:
        """Note since when nothing of a scan seems to wait or to run (None: something does)."""
        self._change_scan(scan_id, lambda scan: replace(scan, waiting_empty_since=since))

    def close_scan(self, scan: Scan) -> Outcome:
        """Close a scan if nothing but its mails has changed since it was read. If it had a batch job, its digest becomes due.

        A cancelled scan stays cancelled, and is no longer live.
        """
        status = scan.status if scan.status is ScanStatus.CANCELLED else ScanStatus.CLOSED
        now = self._clock.now()

        def closed(found: Scan) -> Scan | None:
            if replace(found, mails_sent=scan.mails_sent, mails_due=scan.mails_due) != scan:
                return None
            # Without a batch job nothing was scanned: submitting failed, and whoever submitted has seen the error.
            mailed = _with_mail(found, ScanMail.DIGEST) if found.jobs or found.day is not None else found
            return replace(mailed, status=status, closed_at=now, cancel_due=False)

        due = [outbox_items.put_action("", scan.id, at=now)] if self._has_outbox else []
        outcome = self._change_scan(scan.id, closed, due)
        if outcome is Outcome.BY_ANOTHER:
            current = self.scan(scan.id)
            return Outcome.DONE_BEFORE if current is not None and not current.live else outcome
        return outcome

    def pause_scan(self, scan_id: str, reason: str) -> Outcome:
        """Pause an open scan. DONE_BEFORE: it is paused already; BY_ANOTHER: it is cancelled, closed or unknown."""
        return self._change_scan(scan_id, lambda scan: _held(scan, ScanStatus.PAUSED, reason, self._clock.now()))

    def cancel_scan(self, scan_id: str, reason: str) -> Outcome:
        """Cancel an open or paused scan. DONE_BEFORE: it is cancelled already; BY_ANOTHER: it is closed or unknown."""
        return self._change_scan(scan_id, lambda scan: _held(scan, ScanStatus.CANCELLED, reason, self._clock.now()))

    def cancel_waiting(self, scan_id: str) -> Outcome:
        """Have the sweeper cancel what waits of the scan of a day; later uploads go on. BY_ANOTHER: it is closed or unknown."""
        return self._change_scan(scan_id, lambda scan: replace(scan, cancel_due=True) if scan.live else None)

    def cancel_now(self, scan_id: str) -> Outcome:
        """Have all that is queued by now cancelled, which `cancel_waiting` meant; only the sweeper does."""

        def marked(scan: Scan) -> Scan:
            return replace(scan, cancel_due=False, cancel_before=self._clock.now()) if scan.cancel_due else scan

        return self._change_scan(scan_id, marked)

    def resume_scan(self, scan_id: str) -> Outcome:
        """Open a paused scan; starters dropped its messages, so they are sent again. BY_ANOTHER: it is cancelled or closed."""
        return self._change_scan(scan_id, _resumed)

    def hold_day_scan(self, scan_id: str, reason: str | None, *, waited: int = 0) -> Outcome:
        """Have the scan of a day wait for a reason of its watch, or no longer (None).

        BY_ANOTHER: a person paused it for another reason, or it is cancelled, closed or unknown.

        Args:
            scan_id: The scan.
            reason: One of `watch.HELD_REASONS`.
            waited: How many of its uploads wait, because the minutes of a day are used up.
        """

        def held(scan: Scan) -> Scan | None:
            is_paused = scan.status is ScanStatus.PAUSED
            if is_paused and scan.held_reason not in watch.HELD_REASONS:
                return None
            if waited > (scan.uploads_waited or 0):
                scan = replace(scan, uploads_waited=waited)
            if reason is None:
                return _resumed(scan)
            if is_paused:
                return replace(scan, held_reason=reason)
            return _held(scan, ScanStatus.PAUSED, reason, self._clock.now())

        return self._change_scan(scan_id, held)

    def note_day_limit(self, scan_id: str, day: str) -> Outcome:
        """Make the mail due, once per day, that the minutes of a day are used up. DONE_BEFORE: it was due."""
        return self._change_scan(
            scan_id,
            lambda scan: scan if scan.limit_day == day else replace(_with_mail(scan, ScanMail.DAY_LIMIT), limit_day=day),
        )

    def pause_broken_scan(self, scan_id: str, job_ids: frozenset[str], reason: str) -> Outcome:
        """Pause a scan whose batch jobs broke, once for each job, and make the mail about it due."""

        def paused(scan: Scan) -> Scan | None:
            if scan.status is not ScanStatus.OPEN or all(job.told or job.id not in job_ids for job in scan.jobs):
                return None
            jobs = tuple(replace(job, told=True) if job.id in job_ids else job for job in scan.jobs)
            mailed = _with_mail(replace(scan, jobs=jobs), ScanMail.JOB_BROKEN)
            return _held(mailed, ScanStatus.PAUSED, reason, self._clock.now())

        return self._change_scan(scan_id, paused)

    def send_again(self, scan_id: str, since: float) -> Outcome:
        """Have messages that were queued before a time sent again, once that time has come."""

        def marked(scan: Scan) -> Scan | None:
            if scan.status not in (ScanStatus.OPEN, ScanStatus.PAUSED):
                return None
            return replace(scan, resend_before=max(since, scan.resend_before or since))

        return self._change_scan(scan_id, marked)

    def resend_soon(self, scan_id: str) -> Outcome:
        """Have the sweeper send a scan's messages again, all that were queued before it gets to it."""

        def due(scan: Scan) -> Scan | None:
            return replace(scan, resend_due=True) if scan.status in (ScanStatus.OPEN, ScanStatus.PAUSED) else None

        return self._change_scan(scan_id, due)

    def resend_now(self, scan_id: str) -> Outcome:
        """Have the messages that `resend_soon` or `resume_scan` meant sent again; only the sweeper does."""

        def marked(scan: Scan) -> Scan:
            if not scan.resend_due:
                return scan
            # A later mark is that of a purge, which may still delete what is sent.
            before = max(self._clock.now(), scan.resend_before or 0.0)
            return replace(scan, resend_due=False, resend_before=before)

        return self._change_scan(scan_id, marked)

    def note_limit(self, scan_id: str) -> Outcome:
        """Make the mail due, once per scan, that no more of its flagged videos are mailed one by one."""
        return self._change_scan(
            scan_id,
            lambda scan: scan if scan.limit_told else replace(_with_mail(scan, ScanMail.LIMIT), limit_told=True),
        )

    def count_handed_over(self, scan_id: str) -> Scan | None:
        """Count one more analysis that the sweeper handed over, and return the scan, if there is one."""
        request = expressions.update(scan_items.scan_key(scan_id), adds={"handed_over": 1, REVISION: 1}, when=expressions.EXISTING)
        try:
            return scan_items.scan_from(self._table.update(request))
        except ConditionFailedError:
            return None

    def note_lost_notices(self, scan_id: str) -> Outcome:
        """Make the mail due, once per scan, that its completion notices do not arrive."""
        return self._change_scan(
            scan_id,
            lambda scan: scan if scan.notices_mailed else replace(_with_mail(scan, ScanMail.NOTICES), notices_mailed=True),
        )

    def scan_mail_sent(self, scan_id: str, kind: ScanMail) -> Outcome:
        """Note that a mail about a scan as a whole was sent."""
        return self._change_scan(
            scan_id, lambda scan: replace(scan, mails_due=tuple(due for due in scan.mails_due if due is not kind))
        )

    def note_progress(self, scan_id: str, point: Progress) -> None:
        """Add a point to a scan's progress and drop points older than an hour."""
        self._change_scan(scan_id, lambda scan: replace(scan, progress=(*scan.progress, point)[-PROGRESS_KEPT:]))

    def _change_scan(self, scan_id: str, change: Callable[[Scan], Scan | None], more: Actions = ()) -> Outcome:
        """Read a scan, change it and write it, and do `more` with it; start over if it was written in between.

        `change` returns None if it does not apply (BY_ANOTHER, as for a missing scan), and its argument if nothing is to change
        (DONE_BEFORE).
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
                self._put_revision(changed, int(item[REVISION]), more)
            except ConditionFailedError:
                self._clock.sleep(backoff_seconds(attempt, base=0.05, cap=2.0))
            else:
                return Outcome.DONE
        raise ThrottledError(f"scan {scan_id} was changed by others {CHANGE_ATTEMPTS} times in a row")

    def _put_revision(self, scan: Scan, seen: int, more: Actions) -> None:
        # Listed anew by each change: it may have become active by this one.
        self._table.transact([self._revised(scan, seen), *([_listed(scan)] if scan.active else []), *more])

    def _revised(self, scan: Scan, seen: int) -> dict[str, dict[str, Any]]:
        return {"Put": expressions.put(scan_items.scan_item(scan, seen + 1), when=Condition(equal={REVISION: seen}))}


def _listed(scan: Scan) -> dict[str, dict[str, Any]]:
    """Return the action that lists a scan as active; only a sweep takes it from the list."""
    return {"Put": expressions.put(scan_items.active_key(scan.id))}


def _newest_first(scans: Iterable[Scan]) -> list[Scan]:
    return sorted(scans, key=lambda scan: (scan.created_at, scan.id), reverse=True)


def _updated(job: BatchJob, polled: Mapping[str, BatchJob]) -> BatchJob:
    """Return a job as it was polled; `told` is never reset, for it may have been written since."""
    found = polled.get(job.id, job)
    return replace(found, told=found.told or job.told)


def _with_job(scan: Scan, job_id: str, *, retry: bool) -> Scan:
    """Return a scan with a job; a cancelled one that is over can be opened again, because it has a new job."""
    if any(job.id == job_id for job in scan.jobs):
        return scan
    status = ScanStatus.CLOSED if scan.status is ScanStatus.CANCELLED and not scan.live else scan.status
    earlier = tuple(replace(job, told=True) for job in scan.jobs) if retry else scan.jobs
    return replace(scan, status=status, jobs=(*earlier, BatchJob(job_id)), waiting_empty_since=None)


def _reopened(scan: Scan) -> Scan:
    """Return a scan as it is after a late registration: live, though a cancelled one stays cancelled."""
    if scan.live:
        return scan
    status = ScanStatus.OPEN if scan.status is ScanStatus.CLOSED else scan.status
    return replace(scan, status=status, closed_at=None, waiting_empty_since=None)


def _held(scan: Scan, status: ScanStatus, reason: str, at: float) -> Scan | None:
    if scan.status is status:
        # A person's pause is not ended with that of a watch.
        return replace(scan, held_reason=reason) if scan.held_reason in watch.HELD_REASONS else scan
    if not scan.live or scan.status is ScanStatus.CANCELLED:
        return None
    # Whoever cancels a scan need not be mailed that its job broke.
    mails = tuple(kind for kind in scan.mails_due if status is ScanStatus.PAUSED or kind is not ScanMail.JOB_BROKEN)
    return replace(scan, status=status, held_at=at, held_reason=reason, waiting_empty_since=None, mails_due=mails)


def _resumed(scan: Scan) -> Scan | None:
    if scan.status is ScanStatus.OPEN:
        return scan
    if scan.status is not ScanStatus.PAUSED:
        return None
    # Progress from before the pause would distort the forecast.
    return replace(
        scan, status=ScanStatus.OPEN, held_at=None, held_reason=None, resend_due=True, waiting_empty_since=None, progress=()
    )


def _with_mail(scan: Scan, kind: ScanMail) -> Scan:
    return scan if kind in scan.mails_due else replace(scan, mails_due=(*scan.mails_due, kind))
