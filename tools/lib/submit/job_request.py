"""The request that creates a job of this project: of a new scan or of a retry, by an uploaded manifest or by one that S3 makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tools.lib.aws.deployment import Deployment
from tools.lib.manifest.sources.s3_generated import Generated, filter_of
from tools.lib.manifest.upload import UploadedManifest

if TYPE_CHECKING:
    from mypy_boto3_s3control.type_defs import CreateJobRequestTypeDef, JobManifestTypeDef, S3JobManifestGeneratorTypeDef

MAX_DESCRIPTION = 256
"""Characters of a job's description (botocore, s3control CreateJobRequest)."""

PRIORITY = 10
"""Higher goes first among the account's jobs; it does not make a job faster."""


def description(bucket: str, what: str) -> str:
    """Return a job's description; S3 takes 256 characters, and old buckets have names of up to 255."""
    return f"Video moderation, {what}, of {bucket}"[:MAX_DESCRIPTION]


def job_request(
    deployment: Deployment,
    rows: UploadedManifest | Generated,
    *,
    token: str,
    description: str,
    arguments: Mapping[str, str],
    versioned: bool,
    report_prefix: str,
    suspended: bool = False,
) -> CreateJobRequestTypeDef:
    """Return the request that creates a job of this project; `arguments` are what the function is told with each task.

    `suspended`: the job waits for a click in the console; left out, that would be so too.
    """
    request: CreateJobRequestTypeDef = {
        "AccountId": deployment.account_id,
        "ClientRequestToken": token,
        "ConfirmationRequired": suspended,
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
        "Report": {
            "Enabled": True,
            "Bucket": deployment.bucket_arn(deployment.work_bucket),
            "Format": "Report_CSV_20180820",
            "Prefix": report_prefix,
            "ReportScope": "AllTasks",  # truth is a row for every object, not only for the failed ones
        },
    }
    if isinstance(rows, Generated):
        request["ManifestGenerator"] = {"S3JobManifestGenerator": _generator(deployment, rows)}
    else:
        request["Manifest"] = _manifest(deployment, rows, versioned=versioned)
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


def _generator(deployment: Deployment, made: Generated) -> S3JobManifestGeneratorTypeDef:
    return {
        "SourceBucket": deployment.bucket_arn(made.selection.bucket),
        "ExpectedBucketOwner": deployment.account_id,
        "EnableManifestOutput": True,
        "ManifestOutputLocation": {
            "Bucket": deployment.bucket_arn(deployment.work_bucket),
            "ExpectedManifestBucketOwner": deployment.account_id,
            "ManifestFormat": "S3InventoryReport_CSV_20211130",
            "ManifestPrefix": made.prefix,
            "ManifestEncryption": {"SSES3": {}},
        },
        "Filter": filter_of(made.selection),
    }
