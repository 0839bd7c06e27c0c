"""Submitting: the plan is performed, step by step, so that nothing is lost wherever it breaks off."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

from handlers.adapters.table import ThrottledError
from handlers.domain.record import Scan
from handlers.runtime.clock import Clock
from tools.lib.aws.clients import code_of, explain
from tools.lib.aws.deployment import Deployment
from tools.lib.cli.output import Bar
from tools.lib.errors import ToolError
from tools.lib.manifest import upload as manifest
from tools.lib.manifest.upload import UploadedManifest
from tools.lib.submit.plan import Plan
from tools.lib.text import byte_size

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3control import S3ControlClient
    from mypy_boto3_s3control.type_defs import CreateJobRequestTypeDef

_TABLE_ERRORS = (BotoCoreError, ClientError, ThrottledError)
UNSURE_STATUS = 500
"""From here on an HTTP status leaves open whether the request was carried out."""


class ScanRegister(Protocol):
    """Where scans are registered; `handlers.adapters.table.Scans` is one."""

    def put_scan(self, scan: Scan) -> object:
        """Enter a scan, if it is missing."""
        ...

    def add_job(self, scan_id: str, job_id: str, *, retry: bool = False) -> object:
        """Note that a batch job belongs to a scan; that of a retry settles the earlier ones."""
        ...

    def scan(self, scan_id: str) -> Scan | None:
        """Return a scan."""
        ...

    def close_scan(self, scan: Scan) -> object:
        """Close a scan."""
        ...


class Planned(Protocol):
    """Something that is submitted for a scan."""

    @property
    def scan_id(self) -> str:
        """Return the scan that it belongs to."""
        ...

    @property
    def deployment(self) -> Deployment:
        """Return where it is submitted."""
        ...


class Shown(Planned, Protocol):
    """A plan that is shown with its submission."""

    def as_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        ...


class RefusedError(ToolError):
    """There is certainly no job: S3 refused it, or the request never left this machine."""


class FullAccountError(RefusedError):
    """S3 takes no further job now: the account has as many as it may."""


@dataclass(frozen=True, slots=True)
class Submission:
    """Jobs that were submitted, in the order of the manifest, and what to type next."""

    plan: Shown
    manifest_uri: str
    copy: Path
    job_ids: tuple[str, ...]
    next_commands: tuple[str, ...]

    def sentences(self) -> list[str]:
        """Return what a person needs to find the scan again."""
        return [
            f"scan      {self.plan.scan_id}",
            *(f"job       {job_id}" for job_id in self.job_ids),
            f"manifest  {self.copy}",
            *(f"next      {command}" for command in self.next_commands),
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the submission as JSON values."""
        return {
            "scan_id": self.plan.scan_id,
            "job_id": self.job_ids[0],
            "job_ids": list(self.job_ids),
            "manifest": {"uri": self.manifest_uri, "copy": str(self.copy)},
            "next": list(self.next_commands),
            "plan": self.plan.as_json(),
        }


def upload_manifest(
    s3: S3Client, path: Path, target: tuple[str, str], bar: Bar, span: tuple[int, int] | None = None
) -> UploadedManifest:
    """Upload a local file, or a span of it, to a bucket and key, showing how far it has come."""
    start, end = span or (0, path.stat().st_size)
    size, arrived = end - start, 0

    def sent(count: int) -> None:
        nonlocal arrived
        arrived += count
        bar.show(f"Uploading {path.name} ({byte_size(size)})", arrived, size)

    return manifest.upload(s3, path, target, sent, (start, end))


def register(scans: ScanRegister, plan: Plan, clock: Clock) -> None:
    """Enter the scan into the table. Done before the job is created, so that no task finds a scan nobody knows."""
    scans.put_scan(
        Scan(
            id=plan.scan_id,
            bucket=plan.selection.bucket,
            lane=plan.lane,
            created_at=clock.now(),
            manifest_uri=None if plan.generated else plan.manifest_uri,
            objects=plan.objects,
            planned_jobs=len(plan.parts),
            prefixes=plan.noted_prefixes,
            set_aside=plan.ineligible,
        )
    )


def create_job(s3control: S3ControlClient, plan: Planned, request: CreateJobRequestTypeDef) -> str:
    """Create an S3 Batch Operations job and return its id. The token in the request makes botocore's own repetitions one job.

    Raises:
        RefusedError: AWS refused; FullAccountError where the account has as many jobs as it may.
        ToolError: It is not known whether the job exists.
    """
    try:
        return s3control.create_job(**request)["JobId"]
    except (BotoCoreError, ClientError) as error:
        if not _refused(error):
            raise _unsure(error, plan) from error
        cause = explain(error)
        full = isinstance(error, ClientError) and code_of(error) == "TooManyRequestsException"
        kind = FullAccountError if full else RefusedError
        raise kind(f"The job was not created, nothing is scanned. {cause}", cure=cause.cure) from error


def note_job(scans: ScanRegister, plan: Planned, job_id: str, *, retry: bool = False) -> str | None:
    """Note the job in the scan. Returns what to warn of where that failed: the job runs, and its first task notes it again."""
    try:
        scans.add_job(plan.scan_id, job_id, retry=retry)
    except _TABLE_ERRORS as error:
        return f"The job runs, but could not be noted in the table yet; its first task will do so. ({error})"
    return None


def close(scans: ScanRegister, scan_id: str) -> None:
    """Close a scan without a job, which would stay open for ever; what the table says to that must not drown AWS's refusal."""
    with suppress(*_TABLE_ERRORS):
        if (scan := scans.scan(scan_id)) is not None:
            scans.close_scan(scan)


def _refused(error: BotoCoreError | ClientError) -> bool:
    """Tell whether the request was certainly not carried out: AWS said so, or it never left this machine."""
    if isinstance(error, ClientError):
        return error.response["ResponseMetadata"]["HTTPStatusCode"] < UNSURE_STATUS
    return isinstance(error, ParamValidationError | NoCredentialsError)


def _unsure(error: BotoCoreError | ClientError, plan: Planned) -> ToolError:
    deployment = plan.deployment
    return ToolError(
        f"Whether the job of scan {plan.scan_id} was created is not known. {explain(error)}",
        cure=f"`aws s3control list-jobs --account-id {deployment.account_id} --region {deployment.region}` shows it, if it was; "
        "if it was not, run the command again.",
    )
