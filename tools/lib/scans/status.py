"""The progress of a scan, from its item, its totals and the running analyses: it costs the same whatever the scan's size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handlers.adapters.table import Scans
from handlers.domain import BatchJob, Progress, Scan, ScanStatus, Settings, State, Totals, batch_jobs
from handlers.domain.languages import ENGLISH, Phrase
from handlers.domain.record import FEW_LOST_NOTICES
from tools.lib.aws import JobView
from tools.lib.cli import Invocation
from tools.lib.errors import ToolError
from tools.lib.json_keys import scan_keys, time_keys
from tools.lib.scans.warnings import warnings_of
from tools.lib.text import counted, in_utc, moment, printable
from tools.lib.videos import subject

# Up to this far ahead, a time of day without a date is clear.
SOON_SECONDS = 43_200

# Scans that a list shows besides those that are live: twenty watched buckets make 7,300 a year, and each costs a request.
NEWEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanProgress:
    """The progress of a scan at one moment (`now`, epoch seconds).

    Attributes:
        slots: How many of the account's Rekognition jobs are used.
        set_aside: Objects that were left out of its jobs when they were submitted; `total` does not include them.
        job: Its batch job as S3 describes it; None where S3 was not asked.
        warnings: What its counts do not show, and what to do about it.
        missed: Uploads of its day that no event brought; None if it is not of a day.
        sampling: Videos that are being analysed by frames; they are not among those that run.
    """

    scan: Scan
    totals: Totals
    running: int
    settings: Settings
    slots: int
    now: float
    set_aside: int
    job: JobView | None = None
    warnings: tuple[Phrase, ...] = ()
    missed: int | None = None
    sampling: int = 0

    @property
    def total(self) -> int | None:
        """Return how many objects the scan has by its manifest, or by its job where that was made by hand; None if unknown."""
        tasks = [job.tasks for job in self.scan.jobs if job.tasks is not None]
        return self.scan.objects if self.scan.objects is not None else max(tasks, default=None)

    @property
    def without_record(self) -> int | None:
        """Return how many objects have no record, because they are not videos or their tasks failed.

        None while that is not certain: until every batch job is over, and the sweeper found nothing waiting (or closed the scan).
        """
        over = bool(self.scan.jobs) and all(job.terminal_since is not None for job in self.scan.jobs)
        none_waits = not self.scan.live or self.scan.waiting_empty_since is not None
        if self.total is None or not (over and none_waits):
            return None
        return max(0, self.total - self.totals.final - self.running - self.sampling)

    @property
    def to_come(self) -> int | None:
        """Return how many objects are still to become final, an upper bound while batch jobs run; None if unknown."""
        return None if self.total is None else max(0, self.total - self.totals.final - (self.without_record or 0))

    @property
    def videos_per_hour(self) -> float | None:
        """Return how many videos became final per hour, measured over the last hour; None where too little is known."""
        start = self.scan.progress[0] if self.scan.progress else Progress(self.scan.created_at, 0)
        done, seconds = self.totals.final - start.final, self.now - start.at
        return done * 3_600 / seconds if done > 0 and seconds > 0 else None

    @property
    def ready_at(self) -> float | None:
        """Return about when the last video will be final (epoch seconds); None if unknown."""
        if self.to_come is None or self.videos_per_hour is None or self.scan.status is not ScanStatus.OPEN or self.settings.paused:
            return None
        return self.now + self.to_come * 3_600 / self.videos_per_hour

    def line(self) -> str:
        of = "" if self.total is None else f" of {self.total:,}"
        counts, handed_over = self.totals.counts, self.scan.handed_over or 0
        unfinished = [f"{counts[outcome]:,} {outcome}" for outcome in ("failed", "ineligible", "cancelled") if counts[outcome]]
        parts = [
            f"{self.totals.final:,}{of} done",
            f"{counts['flagged']:,} flagged",
            *unfinished,
            *([f"{self.without_record:,} without record ({self._why_no_record()})"] if self.without_record else []),
            f"{self.running:,} running",
            *([f"{self.sampling:,} being analysed by frames"] if self.sampling else []),
            *([f"{handed_over:,} fetched without a notice"] if handed_over >= FEW_LOST_NOTICES else []),
            *([f"{self.set_aside:,} left out as ineligible"] if self.set_aside else []),
            *([f"{self.missed:,} found by the daily comparison"] if self.missed else []),
        ]
        job = f"{self.job.line()}; " if self.job else ""
        broken = [] if self.job else [_ended(job) for job in batch_jobs.unfinished(self.scan)]
        return f"{job}{', '.join([*parts, self._outlook(), *broken])}"

    def _why_no_record(self) -> str:
        never_reached = ", or not reached by their batch job" if batch_jobs.unfinished(self.scan) else ""
        return f"not videos, or failed tasks{never_reached}"

    def _outlook(self) -> str:
        if self.scan.status is not ScanStatus.OPEN:
            why = f" ({printable(self.scan.held_reason)})" if self.scan.held_reason else ""
            return f"the scan is {self.scan.status.value}{why}"
        if self.settings.paused:
            by, reason = self.settings.paused_by or "someone", self.settings.paused_reason or "no reason was given"
            return f"starting is paused by {printable(by)}: {printable(reason)}"
        if self.scan.day is not None:
            return "it closes an hour after its day (UTC), once all are final"
        if self.to_come == 0:
            return "about to be closed"
        if self.ready_at is None:
            return "finishing time not known yet"
        return f"ready about {_clock_time(self.ready_at, self.now)}"

    def sentences(self) -> list[str]:
        warnings = [f"Warning: {ENGLISH.render(warning)}" for warning in self.warnings]
        return [f"Scan {self.scan.id} of {subject(self.scan)}", self.line(), *warnings]

    def as_json(self) -> dict[str, Any]:
        """Return the progress as JSON values."""
        return {
            **scan_keys(self.scan.id),
            "bucket": self.scan.bucket,
            "day": self.scan.day,
            "status": self.scan.status.value,
            "over": not self.scan.live,
            "held_reason": self.scan.held_reason,
            "objects": self.total,
            "done": self.totals.final,
            "videos": {state.value: count for state, count in sorted(self.totals.videos.items())},
            "ineligible": self.totals.ineligible,
            "set_aside": self.set_aside,
            "missed": self.missed,
            "without_record": self.without_record,
            "to_come": self.to_come,
            "failures": self.totals.failures,
            "minutes": sum(self.totals.milliseconds.values()) / 60_000,
            "running": self.running,
            "sampling": self.sampling,
            "images": self.totals.images,
            "slots": self.slots,
            "videos_per_hour": self.videos_per_hour,
            **time_keys(ready=self.ready_at),
            "paused": self.settings.paused,
            "paused_by": self.settings.paused_by,
            "paused_reason": self.settings.paused_reason,
            "handed_over": self.scan.handed_over or 0,
            "jobs": [_job_json(job) for job in self.scan.jobs],
            "warnings": [ENGLISH.render(warning) for warning in self.warnings],
            "line": self.line(),
        }


def progress_of(run: Invocation, scans: Sequence[Scan]) -> list[ScanProgress]:
    """Return the progress of scans as it is now."""
    control = run.table.control
    settings, watch = control.settings() or Settings(), control.mail_watch()
    running = Counter(video.scan_id for video in run.table.records.running())
    sampling = Counter(video.scan_id for video in run.table.samplings.all())
    totals = {scan.id: run.table.scans.totals(scan.id) for scan in scans}
    return [
        ScanProgress(
            scan=scan,
            totals=totals[scan.id],
            running=running[scan.id],
            sampling=sampling[scan.id],
            settings=settings,
            slots=run.deployment.slots if settings.slots is None else settings.slots,
            now=run.clock.now(),
            set_aside=sum(scan.set_aside.values()),
            warnings=warnings_of(run, scan, totals[scan.id], watch),
            missed=None if scan.day is None else run.table.watches.day(scan.bucket, scan.day).missed,
        )
        for scan in scans
    ]


def newest(run: Invocation, since: float | None, *, every: bool) -> tuple[list[ScanProgress], int]:
    """Return the progress of the scans since a time (epoch seconds), of all, or else of those that are live and the newest few.

    The number is that of the others since that time.
    """
    scans = [scan for scan in run.table.scans.scans() if scan.created_at >= (since or 0)]
    shown = [scan for number, scan in enumerate(scans) if every or since is not None or scan.live or number < NEWEST]
    return progress_of(run, shown), len(scans) - len(shown)


def find(table: Scans, scan_id: str | None = None, job_id: str | None = None) -> Scan:
    """Return the scan that a person means.

    Where neither id nor job is named it is the newest one that was submitted: the scan of each day would hide it
    otherwise. If there are only scans of days, it is the newest of these.

    Raises:
        ToolError: There is none.
    """
    if scan_id is not None and job_id is None and (scan := table.scan(scan_id)) is not None:
        return scan
    scans = table.submitted()
    for scan in scans:
        if scan_id in {None, scan.id} and (job_id is None or any(job.id == job_id for job in scan.jobs)):
            return scan
    if scan_id is job_id is None and (scan := table.last()) is not None:
        return scan
    known = f"The newest that was submitted is {scans[0].id}." if scans else "Submit one with submit_job.py."
    if job_id is not None:
        known += " If the job exists, its tasks registered nothing: its completion report says why (manifests/README.md)."
    which = f" {scan_id}" if scan_id else f" of job {job_id}" if job_id else " yet"
    raise ToolError(f"There is no scan{which}.", cure=known)


def scan_list(scans: Sequence[ScanProgress], since: float | None = None, *, more: int = 0) -> list[str]:
    """Return a line for each scan, in their order; `since` (epoch seconds) says that earlier ones are not listed."""
    if not scans:
        return ["There is no scan yet: submit one with submit_job.py." if since is None else f"No scan since {moment(since)}."]
    others = [f"and {counted(more, 'older scan')} that are over: --all lists them"] if more else []
    return [*(f"{each.scan.id}  {moment(each.scan.created_at)}  {subject(each.scan)}  {each.line()}" for each in scans), *others]


def _ended(job: BatchJob) -> str:
    return "its batch job failed" if job.status == "Failed" else "its batch job was cancelled"


def _job_json(job: BatchJob) -> dict[str, Any]:
    return {
        "job": job.id,
        "status": job.status,
        "tasks": job.tasks,
        "succeeded": job.succeeded,
        "failed": job.failed,
        "reasons": list(job.reasons),
    }


def _clock_time(at: float, now: float) -> str:
    """Return a time in this machine's zone; with its day where it is not soon."""
    local = in_utc(at).astimezone()
    return f"{local:%H:%M}" if at - now < SOON_SECONDS else f"{local:%a %d %b %H:%M}"


def past(progress: ScanProgress) -> dict[str, Any]:
    """Return what a list of scans shows of one, as JSON values."""
    scan, totals = progress.scan, progress.totals
    return {
        **scan_keys(scan.id),
        "bucket": scan.bucket,
        "day": scan.day,
        "status": scan.status.value,
        "lane": scan.lane.value,
        **time_keys(created=scan.created_at, closed=scan.closed_at),
        "objects": scan.objects,
        "jobs": [job.id for job in scan.jobs],
        "mails_sent": scan.mails_sent,
        "videos": totals.counts,
        "seconds": {state.value.lower(): totals.milliseconds.get(state, 0) / 1000 for state in State if state.final},
    }
