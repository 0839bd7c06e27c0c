"""The plan of a scan: decided before anything is done. A dry run prints it, the real run performs the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from handlers.domain.states import Lane
from tools.lib import batch_jobs, prices
from tools.lib.deployment import Deployment
from tools.lib.listing import Selection
from tools.lib.manifest import UploadedManifest
from tools.lib.parts import ROWS_PER_JOB, Part
from tools.lib.tally import Tally
from tools.lib.wording import byte_size, printable

if TYPE_CHECKING:
    from mypy_boto3_s3control.type_defs import CreateJobRequestTypeDef

FORMAT = "video-moderation-plan/1"
"""What a plan's file says it is."""

MAX_DESCRIPTION = 256
"""Characters of a job's description (botocore, s3control CreateJobRequest)."""

PRIORITY = 10
"""Higher goes first among the account's jobs; it does not make a job faster."""

_WHAT_HAPPENS = (
    "S3 Batch Operations hands each object to a function, which looks at it and queues it.",
    "Rekognition analyses the queued videos, as many at a time as the slots allow.",
    "What it finds is stored, and flagged videos are mailed.",
    "This goes on by itself: the terminal may be closed. review_report.py tells at any time what became of each object.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the rows of a manifest came from: how (`listing` …), and from which file or URI where there is one."""

    kind: str = "listing"
    location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One scan as it will be submitted: what, where to, with what in mind.

    Attributes:
        created_at: When it was made (epoch seconds).
        sha256: Of the manifest (hex); what is submitted must have it.
        parts: Of the manifest: a job for each.
        rows_per_job: How long a part may be.
        suspended: Whether the jobs wait for a confirmation in the console.
        warnings: What the person should know before agreeing; sentences.
    """

    scan_id: str
    created_at: float
    selection: Selection
    source: Source = field(default_factory=Source)
    versioned: bool
    lane: Lane
    tally: Tally
    sha256: str
    parts: tuple[Part, ...]
    rows_per_job: int = ROWS_PER_JOB
    suspended: bool = False
    deployment: Deployment
    warnings: tuple[str, ...] = ()

    @property
    def manifest_key(self) -> str:
        """Return where in the work bucket the manifest goes."""
        return f"manifests/{self.scan_id}.csv"

    @property
    def manifest_uri(self) -> str:
        """Return the manifest's s3 URI."""
        return f"s3://{self.deployment.work_bucket}/{self.manifest_key}"

    @property
    def report_prefix(self) -> str:
        """Return where in the work bucket the completion reports go; a slash at its end would be doubled by S3."""
        return f"reports/{self.scan_id}"

    @property
    def jobs(self) -> tuple[PlannedJob, ...]:
        """Return the jobs of the scan, in the order of their parts."""
        return tuple(PlannedJob(self, part) for part in self.parts)

    def sentences(self) -> list[str]:
        """Return the plan as lines for a person."""
        work = f"s3://{self.deployment.work_bucket}"
        return [
            f"Scan {self.scan_id} of {printable(self.selection.uri)}",
            *column("Objects", self._objects()),
            *column("Jobs", self._jobs()),
            *column("Lane", [self.lane.value]),
            *column("Stack", [f"{self.deployment.stack_name}, {self.deployment.region}, account {self.deployment.account_id}"]),
            *column("Manifest", [self.manifest_uri]),
            *column("Report", [f"{work}/{self.report_prefix}/"]),
            *column("Price", price_lines(self.tally.objects, len(self.parts))),
            *column("Then", _WHAT_HAPPENS),
            *column("Warning", self._warnings()),
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the plan as JSON values: what stands in its file, and what `from_json` reads."""
        return {
            "format": FORMAT,
            "scan_id": self.scan_id,
            "created_at": self.created_at,
            "bucket": self.selection.bucket,
            "prefix": self.selection.prefix,
            "suffixes": list(self.selection.suffixes),
            "source": {"kind": self.source.kind, "location": self.source.location},
            "versioned": self.versioned,
            "lane": self.lane.value,
            "suspended": self.suspended,
            "objects": self.tally.objects,
            "bytes": self.tally.bytes,
            "sizes": dict(self.tally.sizes),
            "archived": self.tally.archived,
            "stack": self.deployment.stack_name,
            "region": self.deployment.region,
            "account_id": self.deployment.account_id,
            "manifest": self.manifest_uri,
            "manifest_sha256": self.sha256,
            "report": f"s3://{self.deployment.work_bucket}/{self.report_prefix}/",
            "rows_per_job": self.rows_per_job,
            "jobs": len(self.parts),
            "price": {
                "s3_batch_job_usd": float(prices.BATCH_JOB.dollars * len(self.parts)),
                "s3_batch_objects_usd": float(prices.batch_objects(self.tally.objects)),
                "rekognition_usd_per_minute": float(prices.REKOGNITION_MINUTE.dollars),
                "rekognition_minutes": None,  # a listing does not tell how long a video is
            },
            "prices": [price.as_json() for price in prices.PRICES],
            "then": list(_WHAT_HAPPENS),
            "warnings": self._warnings(),
        }

    def _objects(self) -> list[str]:
        suffixes = ", ".join(printable(suffix) for suffix in self.selection.suffixes if suffix)
        which = f"keys ending in {suffixes}, in any case" if suffixes else "every key"
        sizes = ", ".join(f"{count:,} {name}" for name, count in self.tally.sizes.items() if count)
        lines = [f"{self.tally.objects:,} ({byte_size(self.tally.bytes)}; {which})", f"of these {sizes}"]
        return [*lines, "the latest version of each, as listed now"] if self.versioned else lines

    def _jobs(self) -> list[str]:
        lines = []
        if len(self.parts) > 1:
            at_a_time = min(len(self.parts), batch_jobs.ACTIVE_JOBS)
            lines.append(f"{len(self.parts):,} of up to {self.rows_per_job:,} objects, at most {at_a_time} at a time")
        return [*lines, "each waits as Suspended until somebody confirms it (30 days at most)"] if self.suspended else lines

    def _warnings(self) -> list[str]:
        tally = self.tally
        counted = (
            (tally.archived, "in Glacier or Deep Archive, will fail unless restored"),
            (tally.empty, "empty, will be reported as failed without being analysed"),
            (tally.too_large, "over 10 GiB, which Rekognition does not take, will fail"),
        )
        return [*(f"{count:,} of the objects: {what}." for count, what in counted if count), *self.warnings]


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """One job of a plan: its part of the manifest, and all that names it.

    The job of a plan that has but one is made of the scan's own manifest.
    """

    plan: Plan
    part: Part

    @property
    def scan_id(self) -> str:
        """Return the scan that the job belongs to."""
        return self.plan.scan_id

    @property
    def deployment(self) -> Deployment:
        """Return where it is submitted."""
        return self.plan.deployment

    @property
    def alone(self) -> bool:
        """Tell whether it is the only one."""
        return len(self.plan.parts) == 1

    @property
    def token(self) -> str:
        """Return what makes a repeated request the same job."""
        return self.scan_id if self.alone else f"{self.scan_id}-part-{self.part.number}"

    @property
    def manifest_key(self) -> str:
        """Return where in the work bucket its manifest goes."""
        return self.plan.manifest_key if self.alone else f"manifests/{self.scan_id}-part-{self.part.number:05}.csv"

    @property
    def description(self) -> str:
        """Return what the job is called: no two are called the same, so that it is found again in the account's list."""
        number = "" if self.alone else f", job {self.part.number} of {len(self.plan.parts)}"
        return description(self.plan.selection.bucket, f"scan {self.scan_id}{number}")

    def job_request(self, manifest: UploadedManifest) -> CreateJobRequestTypeDef:
        """Return the request that creates the job."""
        request = job_request(
            self.deployment,
            manifest,
            token=self.token,
            description=self.description,
            arguments={"scan_id": self.scan_id, "lane": self.plan.lane.value},
            versioned=self.plan.versioned,
            report_prefix=self.plan.report_prefix,
        )
        return {**request, "ConfirmationRequired": self.plan.suspended}


def from_json(values: Mapping[str, Any], deployment: Deployment, parts: tuple[Part, ...]) -> Plan:
    """Return the plan that `as_json` wrote; the parts are those of the manifest that lies beside it.

    Raises:
        KeyError, TypeError, ValueError: It is none.
    """
    if values["format"] != FORMAT:
        raise ValueError(f"its format is {values['format']!r}, not {FORMAT!r}")
    tally = Tally(
        objects=int(values["objects"]),
        bytes=int(values["bytes"]),
        archived=int(values["archived"]),
        sizes={str(name): int(count) for name, count in values["sizes"].items()},
    )
    plan = Plan(
        scan_id=str(values["scan_id"]),
        created_at=float(values["created_at"]),
        selection=Selection(bucket=values["bucket"], prefix=values["prefix"], suffixes=tuple(values["suffixes"])),
        source=Source(kind=values["source"]["kind"], location=values["source"]["location"]),
        versioned=bool(values["versioned"]),
        lane=Lane(values["lane"]),
        tally=tally,
        sha256=str(values["manifest_sha256"]),
        parts=parts,
        rows_per_job=int(values["rows_per_job"]),
        suspended=bool(values["suspended"]),
        deployment=deployment,
    )
    counted = plan._warnings()  # noqa: SLF001 - our own: those are made anew from the tally
    return replace(plan, warnings=tuple(str(text) for text in values["warnings"] if text not in counted))


def description(bucket: str, what: str) -> str:
    """Return a job's description; S3 takes 256 characters, and old buckets have names of up to 255."""
    return f"Video moderation, {what}, of {bucket}"[:MAX_DESCRIPTION]


def job_request(
    deployment: Deployment,
    manifest: UploadedManifest,
    *,
    token: str,
    description: str,
    arguments: Mapping[str, str],
    versioned: bool,
    report_prefix: str,
) -> CreateJobRequestTypeDef:
    """Return the request that creates a job of this project; `arguments` are what the function is told with each task."""
    return {
        "AccountId": deployment.account_id,
        "ClientRequestToken": token,
        "ConfirmationRequired": False,  # else the job waits as Suspended for a click in the console
        "Description": description,
        "Priority": PRIORITY,
        "RoleArn": deployment.batch_role_arn,
        "Operation": {
            "LambdaInvoke": {
                "FunctionArn": deployment.batch_invoke_function_arn,
                "InvocationSchemaVersion": "2.0",
                "UserArguments": arguments,
            }
        },
        "Manifest": {
            "Spec": {
                "Format": "S3BatchOperations_CSV_20180820",
                "Fields": ["Bucket", "Key", "VersionId"] if versioned else ["Bucket", "Key"],
            },
            "Location": {
                "ObjectArn": f"{deployment.bucket_arn(manifest.bucket)}/{manifest.key}",
                "ETag": manifest.etag,
            },
        },
        "Report": {
            "Enabled": True,
            "Bucket": deployment.bucket_arn(deployment.work_bucket),
            "Format": "Report_CSV_20180820",
            "Prefix": report_prefix,
            "ReportScope": "AllTasks",  # truth is a row for every object, not only for the failed ones
        },
    }


def price_lines(objects: int, jobs: int = 1) -> list[str]:
    """Return what jobs of so many objects cost, as lines for a person."""
    job, tasks = prices.dollars(prices.BATCH_JOB.dollars * jobs), prices.dollars(prices.batch_objects(objects))
    minute, made = prices.REKOGNITION_MINUTE.dollars, "the job" if jobs == 1 else f"{jobs:,} jobs"
    return [
        f"S3 Batch Operations: {job} for {made} and {tasks} for its objects, even if cancelled",
        f"Rekognition: {prices.dollars(minute)} for each minute of video, which will be nearly all of the bill",
        f"a listing does not tell the minutes; 1,000 videos of 5 minutes would be {prices.dollars(minute * 5000)}",
        f"prices of us-east-1, not checked with AWS: {prices.BATCH_JOB.page} {prices.REKOGNITION_MINUTE.page}",
    ]


def column(title: str, lines: Sequence[str]) -> list[str]:
    """Return lines beside their title."""
    titles = [title, *[""] * (len(lines) - 1)]
    return [f"  {shown:<10}{line}" for shown, line in zip(titles, lines, strict=False)]
