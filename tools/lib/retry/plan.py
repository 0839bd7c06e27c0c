"""The plan of a retry: which objects of a scan, why, and the job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from handlers.domain import Scan, Video
from handlers.domain.identity import MAX_ATTEMPT
from tools.lib.aws import Deployment
from tools.lib.errors import ToolError
from tools.lib.estimate import prices
from tools.lib.retry.retryable import Diagnosis, Moment, diagnose
from tools.lib.review import ObjectResult, ObjectStatus
from tools.lib.submit import NewJob, column, description, engine_arguments, price_lines
from tools.lib.text import counted, printable
from tools.lib.videos import named, subject, title

# Videos that are named for each reason.
EXAMPLES = 3

_WHAT_HAPPENS = (
    "A new job of the same scan passes these objects to the function again.",
    "Failed videos get another attempt; videos that are running or final by then are left alone, and not paid for again.",
    "All this runs in AWS: you may close the terminal. At any time, review_report.py shows the status of each object.",
)


@dataclass(slots=True)
class Group:
    """The number of objects with one diagnosis, and the first few of them."""

    diagnosis: Diagnosis
    count: int = 0
    examples: list[Video] = field(default_factory=list)

    def add(self, video: Video) -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(video)

    def sentences(self) -> list[str]:
        heading = f"{self.count:,} {printable(self.diagnosis.reason)}: {printable(self.diagnosis.why)}"
        more = self.count - len(self.examples)
        shown = [f"  {title(video)}" for video in self.examples]
        return [heading, *shown, *([f"  and {counted(more, 'more object')}"] if more else [])]

    def as_json(self) -> dict[str, Any]:
        return {
            "reason": self.diagnosis.reason,
            "why": self.diagnosis.why,
            "objects": self.count,
            "examples": [named(each) for each in self.examples],
        }


@dataclass(slots=True)
class Triage:
    """Groups the objects of a scan by what is wrong with them; memory does not grow with the objects.

    Attributes:
        set_aside: How many objects were left out of the scan's jobs and are not retried either.
    """

    moment: Moment
    all_failed: bool
    highest_attempt: int = 0
    set_aside: int = 0
    _groups: dict[Diagnosis, Group] = field(default_factory=dict)

    def chosen(self, outcomes: Iterable[ObjectResult]) -> Iterator[ObjectResult]:
        """Yield the result of each video that is retried, once."""
        for outcome in outcomes:
            if outcome.record is not None:
                self.highest_attempt = max(self.highest_attempt, outcome.record.attempt)
            diagnosis = None if outcome.again else diagnose(outcome, self.moment, all_failed=self.all_failed)
            if diagnosis is None:
                continue
            self._groups.setdefault(diagnosis, Group(diagnosis)).add(outcome.video)
            if diagnosis.retried:
                yield outcome
            elif outcome.status is ObjectStatus.INELIGIBLE and outcome.record is None:
                self.set_aside += 1

    @property
    def retried(self) -> tuple[Group, ...]:
        return self._groups_by_size(retried=True)

    @property
    def left(self) -> tuple[Group, ...]:
        """Return the groups that are not retried."""
        return self._groups_by_size(retried=False)

    def _groups_by_size(self, *, retried: bool) -> tuple[Group, ...]:
        groups = [group for group in self._groups.values() if group.diagnosis.retried is retried]
        return tuple(sorted(groups, key=lambda group: (-group.count, group.diagnosis.reason)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPlan:
    """One retry as it will be submitted.

    Attributes:
        number: The attempt number that failed videos get; no earlier job of the scan had it.
        run: Random letters that make the job's token unique, because two people may retry at the same time.
        warnings: Sentences that the person should read before agreeing.
    """

    scan: Scan
    number: int
    run: str
    retried: tuple[Group, ...]
    left: tuple[Group, ...]
    versioned: bool
    deployment: Deployment
    warnings: tuple[str, ...] = ()

    @property
    def objects(self) -> int:
        return sum(group.count for group in self.retried)

    @property
    def name(self) -> str:
        """Return the name of the manifest, which is the job's token too."""
        return f"{self.scan.id}-retry-{self.number}-{self.run}"

    @property
    def manifest_key(self) -> str:
        return f"manifests/{self.name}.csv"

    @property
    def new_job(self) -> NewJob:
        """Return the parameters of the job, whose report goes beside those of the scan's other jobs."""
        return NewJob(
            deployment=self.deployment,
            token=self.name,
            description=description(self.scan.bucket, f"scan {self.scan.id}, retry {self.number}"),
            arguments={
                "scan_id": self.scan.id,
                "lane": self.scan.lane.value,
                "retry": str(self.number),
                **engine_arguments(self.scan.engine, self.scan.interval_ms),
            },
            versioned=self.versioned,
            report_prefix=f"reports/{self.scan.id}",
        )

    def sentences(self) -> list[str]:
        opening = f"Retry {self.number} of scan {self.scan.id} of {subject(self.scan)}"
        if not self.retried:
            return [f"{opening}: nothing to retry", *columns_of(self.retried, self.left)]
        return [
            opening,
            *columns_of(self.retried, self.left),
            *column("Lane", [self.scan.lane.value]),
            *column("Stack", [f"{self.deployment.stack_name}, {self.deployment.region}, account {self.deployment.account_id}"]),
            *column("Manifest", [f"s3://{self.deployment.work_bucket}/{self.manifest_key}"]),
            *column("Price", price_lines(self.objects, self.scan.engine, self.scan.interval_ms)),
            *column("Then", _WHAT_HAPPENS),
            *column("Warning", self.warnings),
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "scan_id": self.scan.id,
            "retry": self.number,
            "objects": self.objects,
            "retried": [group.as_json() for group in self.retried],
            "left": [group.as_json() for group in self.left],
            "lane": self.scan.lane.value,
            "stack": self.deployment.stack_name,
            "region": self.deployment.region,
            "account_id": self.deployment.account_id,
            "manifest": f"s3://{self.deployment.work_bucket}/{self.manifest_key}",
            "price": prices.as_json(self.objects),
            "warnings": list(self.warnings),
        }


def columns_of(retried: Sequence[Group], left: Sequence[Group]) -> list[str]:
    """Return what is retried, if anything, and what is not, with the reasons, as lines for a person."""
    objects = column("Objects", [f"{sum(group.count for group in retried):,}"]) if retried else []
    because, why_not = ([line for group in groups for line in group.sentences()] for groups in (retried, left))
    return [*objects, *column("Because", because), *column("Not", why_not)]


def next_number(scan: Scan, highest_attempt: int) -> int:
    """Return the number of a scan's next retry: higher than every attempt and than the number of its retry jobs so far.

    Retry jobs count too, because a job that ended before its first task made no attempt, and its token would return that job.

    Raises:
        ToolError: The scan has had the highest possible number.
    """
    number = max(highest_attempt, len(scan.jobs) - (scan.planned_jobs or 1), 0) + 1
    if number > MAX_ATTEMPT:
        raise ToolError(f"Scan {scan.id} was retried {MAX_ATTEMPT} times.", cure="Submit the objects as a new scan.")
    return number
