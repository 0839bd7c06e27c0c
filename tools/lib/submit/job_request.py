"""The request that creates the S3 Batch job of a scan or retry, from an uploaded manifest or one that S3 generates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

from handlers.domain import Lane
from tools.lib.aws import Deployment, explain
from tools.lib.errors import ToolError
from tools.lib.manifest import Generated, UploadedManifest

if TYPE_CHECKING:
    from mypy_boto3_s3control import S3ControlClient
    from mypy_boto3_s3control.type_defs import CreateJobRequestTypeDef, JobManifestTypeDef, S3JobManifestGeneratorTypeDef

# Characters of a job's description (botocore, s3control CreateJobRequest).
MAX_DESCRIPTION = 256

# The account's jobs with a higher priority run first, and pause others where too many are active; it does not make a job faster.
PRIORITIES = {Lane.NORMAL: 10, Lane.EXPRESS: 20}

# From this HTTP status on, AWS may or may not have carried out the request.
UNCERTAIN_STATUS = 500


class RefusedError(ToolError):
    """The job was certainly not created: S3 refused it, or the request never left this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """The parameters of a job, except its manifest.

    Attributes:
        token: With it, a repeated request returns the same job.
        arguments: Passed to the function with each task.
        versioned: Whether the rows of its manifest have a version.
        report_prefix: Where in the work bucket its completion report goes, without a slash at the end, which S3 would double.
        suspended: Whether it waits for a confirmation in the console.
    """

    deployment: Deployment
    token: str
    description: str
    arguments: Mapping[str, str]
    versioned: bool
    report_prefix: str
    suspended: bool = False


def description(bucket: str, what: str) -> str:
    """Return a job's description, cut to what S3 accepts: old buckets have names of up to 255 characters."""
    return f"Video moderation, {what}, of {bucket}"[:MAX_DESCRIPTION]


def create_job(s3control: S3ControlClient, job: NewJob, rows: UploadedManifest | Generated) -> str:
    """Create an S3 Batch Operations job and return its id; because of the token, botocore's own retries create no second one.

    Raises:
        RefusedError: The job was certainly not created.
        ToolError: It is not known whether the job was created.
    """
    try:
        return s3control.create_job(**job_request(job, rows))["JobId"]
    except (BotoCoreError, ClientError) as error:
        if not _refused(error):
            raise _uncertain(error, job) from error
        cause = explain(error)
        raise RefusedError(f"The job was not created; nothing is scanned. {cause}", cure=cause.cure) from error


def job_request(job: NewJob, rows: UploadedManifest | Generated) -> CreateJobRequestTypeDef:
    """Return the parameters of CreateJob."""
    deployment = job.deployment
    request: CreateJobRequestTypeDef = {
        "AccountId": deployment.account_id,
        "ClientRequestToken": job.token,
        "ConfirmationRequired": job.suspended,  # omitted, it would be true
        "Description": job.description,
        "Priority": PRIORITIES[Lane(job.arguments.get("lane", Lane.NORMAL))],
        "RoleArn": deployment.batch_role_arn,
        "Operation": {
            "LambdaInvoke": {
                "FunctionArn": deployment.batch_invoke_function_arn,
                "InvocationSchemaVersion": "2.0",
                "UserArguments": job.arguments,
            }
        },
        "Report": {
            "Enabled": True,
            "Bucket": deployment.bucket_arn(deployment.work_bucket),
            "Format": "Report_CSV_20180820",
            "Prefix": job.report_prefix,
            "ReportScope": "AllTasks",  # a review needs a row for every object, not only for those whose task failed
        },
    }
    if isinstance(rows, Generated):
        request["ManifestGenerator"] = {"S3JobManifestGenerator": _generator(deployment, rows)}
    else:
        request["Manifest"] = _manifest(deployment, rows, versioned=job.versioned)
    return request


def _manifest(deployment: Deployment, uploaded: UploadedManifest, *, versioned: bool) -> JobManifestTypeDef:
    return {
        "Spec": {
            "Format": "S3BatchOperations_CSV_20180820",
            "Fields": ["Bucket", "Key", "VersionId"] if versioned else ["Bucket", "Key"],
        },
        "Location": {
            "ObjectArn": f"{deployment.bucket_arn(uploaded.bucket)}/{uploaded.key}",
            "ETag": uploaded.etag,
        },
    }


def _generator(deployment: Deployment, generated: Generated) -> S3JobManifestGeneratorTypeDef:
    return {
        "SourceBucket": deployment.bucket_arn(generated.selection.bucket),
        "ExpectedBucketOwner": deployment.account_id,
        "EnableManifestOutput": True,
        "ManifestOutputLocation": {
            "Bucket": deployment.bucket_arn(deployment.work_bucket),
            "ExpectedManifestBucketOwner": deployment.account_id,
            "ManifestFormat": "S3InventoryReport_CSV_20211130",
            "ManifestPrefix": generated.prefix,
            "ManifestEncryption": {"SSES3": {}},
        },
        "Filter": generated.filter,
    }


def _refused(error: BotoCoreError | ClientError) -> bool:
    """Tell whether the request was certainly not carried out: AWS said so, or it never left this machine."""
    if isinstance(error, ClientError):
        return error.response["ResponseMetadata"]["HTTPStatusCode"] < UNCERTAIN_STATUS
    return isinstance(error, ParamValidationError | NoCredentialsError)


def _uncertain(error: BotoCoreError | ClientError, job: NewJob) -> ToolError:
    deployment = job.deployment
    return ToolError(
        f"It is not known whether the job of scan {job.arguments['scan_id']} was created. {explain(error)}",
        cure=f"`aws s3control list-jobs --account-id {deployment.account_id} --region {deployment.region}` lists it if it was; "
        "if it was not, run the command again.",
    )
