"""What must be true before a scan makes sense: looked at first, because finding out from a failed job costs money and hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from tools.lib.aws.deployment import Deployment
from tools.lib.errors import ToolError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def require_bucket(s3: S3Client, bucket: str, deployment: Deployment) -> None:
    """Make sure that there is such a bucket, in the deployment's Region, and that the deployed functions may read it.

    Raises:
        ToolError: One of these is not so.
    """
    region = _region_of(s3, bucket)
    if region not in {None, deployment.region}:
        raise ToolError(
            f"The bucket {bucket} is in {region}, the stack {deployment.stack_name} in {deployment.region}; "
            "S3 Batch Operations and Rekognition both work within one Region.",
            cure=f"Deploy a stack in {region} (`AWS_REGION={region} make deploy`), then run this again with --region {region}.",
        )
    if not deployment.may_read(bucket):
        raise ToolError(
            f"The stack {deployment.stack_name} may not read the bucket {bucket}: its source buckets are "
            f"{', '.join(deployment.source_buckets)}.",
            cure=f'Add "{bucket}" to "source_buckets" in cdk.json and run `make deploy`.',
        )


def _region_of(s3: S3Client, bucket: str) -> str | None:
    try:
        return s3.head_bucket(Bucket=bucket).get("BucketRegion")
    except ClientError as error:
        if fault_of(error) is Fault.MISSING:
            raise ToolError(
                f"There is no bucket named {bucket}.",
                cure="`aws s3 ls` lists the buckets of your account; is the name spelt right?",
            ) from error
        # A refusal still names the bucket's Region, and another Region may be all that is wrong.
        region: str | None = error.response["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region")
        if region not in {None, s3.meta.region_name}:
            return region
        if fault_of(error) is Fault.FORBIDDEN:
            raise ToolError(
                f"You may not look into the bucket {bucket}: it is another account's, or a policy denies it.",
                cure="Have s3:ListBucket, s3:ListBucketVersions and s3:GetBucketVersioning on it added to your user or role.",
            ) from error
        raise
