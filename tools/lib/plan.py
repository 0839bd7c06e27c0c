"""The plan of a scan: decided before anything is done. A dry run prints it, the real run performs the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handlers.domain.states import Lane
from tools.lib import prices
from tools.lib.deployment import Deployment
from tools.lib.listing import Selection
from tools.lib.manifest import UploadedManifest
from tools.lib.tally import Tally
from tools.lib.wording import byte_size, printable

if TYPE_CHECKING:
    from mypy_boto3_s3control.type_defs import CreateJobRequestTypeDef

PRIORITY = 10
"""Higher goes first among the account's jobs; it does not make a job faster."""

_WHAT_HAPPENS = (
    "S3 Batch Operations hands each object to a function, which looks at it and queues it.",
    "Rekognition analyses the queued videos, as many at a time as the slots allow.",
    "What it finds is stored, and flagged videos are mailed.",
    "This goes on by itself: the terminal may be closed. review_report.py tells at any time what became of each object.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One scan as it will be submitted: what, where to, with what in mind.

    Attributes:
        warnings: What the person should know before agreeing; sentences.
    """

    scan_id: str
    selection: Selection
    versioned: bool
    lane: Lane
    tally: Tally
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
        """Return where in the work bucket the completion report goes; a slash at its end would be doubled by S3."""
        return f"reports/{self.scan_id}"

    def job_request(self, manifest: UploadedManifest) -> CreateJobRequestTypeDef:
        """Return the request that creates the job; the token makes a repeated request the same job."""
        return job_request(
            self.deployment,
            manifest,
            token=self.scan_id,
            description=f"Video moderation of {self.selection.bucket}, scan {self.scan_id}",
            arguments={"scan_id": self.scan_id, "lane": self.lane.value},
            versioned=self.versioned,
            report_prefix=self.report_prefix,
        )

    def sentences(self) -> list[str]:
        """Return the plan as lines for a person."""
        return [
            f"Scan {self.scan_id} of {printable(self.selection.uri)}",
            *column("Objects", self._objects()),
            *column("Lane", [self.lane.value]),
            *column("Stack", [f"{self.deployment.stack_name}, {self.deployment.region}, account {self.deployment.account_id}"]),
            *column("Manifest", [self.manifest_uri]),
            *column("Report", [f"s3://{self.deployment.work_bucket}/{self.report_prefix}/"]),
            *column("Price", price_lines(self.tally.objects)),
            *column("Then", _WHAT_HAPPENS),
            *column("Warning", self._warnings()),
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "scan_id": self.scan_id,
            "bucket": self.selection.bucket,
            "selection": self.selection.as_json(),
            "versioned": self.versioned,
            "lane": self.lane.value,
            "objects": self.tally.objects,
            "bytes": self.tally.bytes,
            "sizes": dict(self.tally.sizes),
            "stack": self.deployment.stack_name,
            "region": self.deployment.region,
            "account_id": self.deployment.account_id,
            "manifest": self.manifest_uri,
            "report": f"s3://{self.deployment.work_bucket}/{self.report_prefix}/",
            "price": {
                "s3_batch_job_usd": float(prices.BATCH_JOB.dollars),
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

    def _warnings(self) -> list[str]:
        return list(self.warnings)


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


def price_lines(objects: int) -> list[str]:
    """Return what a job of so many objects costs, as lines for a person."""
    job, tasks = prices.dollars(prices.BATCH_JOB.dollars), prices.dollars(prices.batch_objects(objects))
    minute = prices.REKOGNITION_MINUTE.dollars
    return [
        f"S3 Batch Operations: {job} for the job and {tasks} for its objects, even if cancelled",
        f"Rekognition: {prices.dollars(minute)} for each minute of video, which will be nearly all of the bill",
        f"a listing does not tell the minutes; 1,000 videos of 5 minutes would be {prices.dollars(minute * 5000)}",
        f"prices of us-east-1, not checked with AWS: {prices.BATCH_JOB.page} {prices.REKOGNITION_MINUTE.page}",
    ]


def column(title: str, lines: Sequence[str]) -> list[str]:
    """Return lines beside their title."""
    titles = [title, *[""] * (len(lines) - 1)]
    return [f"  {shown:<10}{line}" for shown, line in zip(titles, lines, strict=False)]
