"""Following a scan to its end: first its batch job, then its videos, until the scan is closed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as AwsConnectionError

from handlers.adapters.table import ThrottledError
from handlers.domain.record import BatchJob, Scan, Totals
from handlers.domain.states import ScanStatus, State
from handlers.runtime.clock import Clock
from tools.lib.aws.batch_jobs import NO_SUCH_JOB, JobView, describe
from tools.lib.aws.clients import code_of
from tools.lib.cli.output import Bar, ExitCode
from tools.lib.text import printable

if TYPE_CHECKING:
    from mypy_boto3_s3control import S3ControlClient

POLL_SECONDS = 30.0
"""AWS asks not to describe a job more often (aws-facts 3); the videos take their time anyway."""

NEW_JOB_SECONDS = 300.0
"""For so long DescribeJob may not know a job that was just created."""

_TRANSIENT = frozenset(
    {"InternalServiceException", "InternalServerError", "SlowDown", "ThrottlingException", "TooManyRequestsException"}
)


class RunningVideo(Protocol):
    """A video that is being analysed."""

    @property
    def scan_id(self) -> str:
        """Return the scan that it is analysed for."""
        ...


class ScanReadings(Protocol):
    """What is read of a scan itself; `handlers.adapters.table.Scans` is one."""

    def scan(self, scan_id: str) -> Scan | None:
        """Return the scan."""
        ...

    def totals(self, scan_id: str) -> Totals:
        """Return how many videos are in each final state."""
        ...


class RunningVideos(Protocol):
    """What is read of running analyses; `handlers.adapters.table.Records` is one."""

    def running(self) -> Iterable[RunningVideo]:
        """Return the videos being analysed, of all scans."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """How a scan stands at one moment.

    Attributes:
        set_aside: Objects that were left out of its jobs because they cannot be analysed: the table does not know them.
        skipped: Objects that were not looked at because they are something else than a video; counted once the scan is over.
    """

    job: JobView
    status: ScanStatus
    objects: int | None
    totals: Totals = field(default_factory=Totals)
    running: int = 0
    set_aside: int = 0
    skipped: int = 0

    @property
    def over(self) -> bool:
        """Tell whether there is nothing more to wait for."""
        return self.job.broken or self.status in {ScanStatus.CLOSED, ScanStatus.CANCELLED}

    @property
    def ineligible(self) -> int:
        """Return how many objects could not be analysed as they are, as the review counts them."""
        return self.totals.ineligible + self.set_aside

    @property
    def exit_code(self) -> ExitCode:
        """Return what this state of things means to the shell: the same as a review of the scan, once that is over."""
        if self.job.broken or not self.over:
            return ExitCode.FAILED
        lost = self.totals.videos.get(State.FAILED, 0) + self.totals.videos.get(State.CANCELLED, 0)
        if lost or self.set_aside or self.skipped or self.job.job.failed or self.status is ScanStatus.CANCELLED:
            return ExitCode.SOME_FAILED
        return ExitCode.DONE

    def line(self) -> str:
        """Return this state of things in one line."""
        counts = {**self.totals.counts, "ineligible": self.ineligible, "not looked at": self.skipped}
        videos = ", ".join(f"{count:,} {outcome}" for outcome, count in counts.items() if count)
        shown = [self._job_line(), f"{self.running:,} running", videos or "none finished yet"]
        return "; ".join([*shown, *([f"the scan is {self.status}"] if self.status is not ScanStatus.OPEN else [])])

    def sentences(self) -> list[str]:
        """Return the end of a scan as lines for a person."""
        return [self.line(), *(f"job failed because  {printable(reason)}" for reason in self.job.reasons if self.job.broken)]

    def as_json(self) -> dict[str, Any]:
        """Return this state of things as JSON values."""
        job = self.job.job
        return {
            "status": self.status.value,
            "job": {
                "status": job.status,
                "tasks": job.tasks,
                "succeeded": job.succeeded,
                "failed": job.failed,
                "reasons": list(self.job.reasons),
            },
            "videos": {state.value: count for state, count in sorted(self.totals.videos.items())},
            "ineligible": self.ineligible,
            "skipped": self.skipped,
            "running": self.running,
            "exit_code": int(self.exit_code),
        }

    def _job_line(self) -> str:
        job = self.job.job
        if job.tasks is None:
            return f"batch job {job.status}"
        failed = f", {job.failed:,} failed" if job.failed else ""
        return f"batch job {job.status}, {(job.succeeded or 0) + (job.failed or 0):,} of {job.tasks:,} tasks{failed}"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something kept us from looking this time; the scan itself is not concerned."""

    text: str


class Follower:
    """Looks after one scan until it is over.

    Args:
        poll_seconds: Time between two looks.
        set_aside: Objects that were left out of its jobs.
    """

    def __init__(
        self,
        *,
        s3control: S3ControlClient,
        scans: ScanReadings,
        records: RunningVideos,
        account_id: str,
        clock: Clock,
        poll_seconds: float = POLL_SECONDS,
        set_aside: int = 0,
    ) -> None:
        self._s3control = s3control
        self._scans = scans
        self._records = records
        self._account_id = account_id
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._set_aside = set_aside

    def follow(self, scan_id: str, job_id: str, objects: int | None) -> Iterator[View | Trouble]:
        """Yield how the scan stands, look after look, until it is over (the last view is `over`).

        What is transient (throttling, the network) is yielded as `Trouble`; any other AWS error is raised.
        """
        job = JobView(BatchJob(job_id))
        known_by = self._clock.now() + NEW_JOB_SECONDS
        while True:
            try:
                job = job if job.over else self._job(job, patient=self._clock.now() < known_by)
                view = self._view(job, scan_id, objects)
            except (HTTPClientError, AwsConnectionError, ThrottledError) as error:
                yield Trouble(str(error))
            except ClientError as error:
                if code_of(error) not in _TRANSIENT:
                    raise
                yield Trouble(str(error))
            else:
                yield view
                if view.over:
                    return
            self._clock.sleep(self._poll_seconds)

    def _job(self, last: JobView, *, patient: bool) -> JobView:
        try:
            return describe(self._s3control, self._account_id, last.job.id)
        except ClientError as error:
            if patient and code_of(error) in NO_SUCH_JOB:
                return last
            raise

    def _view(self, job: JobView, scan_id: str, objects: int | None) -> View:
        scan = self._scans.scan(scan_id)
        running = sum(video.scan_id == scan_id for video in self._records.running())
        status = scan.status if scan else ScanStatus.OPEN
        return View(job, status, objects, self._scans.totals(scan_id), running, self._set_aside)


def last_view(looks: Iterable[View | Trouble], bar: Bar) -> View:
    """Show each look as it comes and return the last view.

    Raises:
        LookupError: There was none.
    """
    view: View | None = None
    for look in looks:
        if isinstance(look, Trouble):
            bar.show(f"could not look this time, trying again: {printable(look.text)}", 0, None)
        else:
            view = look
            bar.show(view.line(), view.totals.final, view.objects)
    if view is None:
        raise LookupError("the scan was not looked at")
    return view
