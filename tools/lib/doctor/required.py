"""What must be true before a scan makes sense: looked at first, because finding out from a failed job costs money and hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tools.lib.aws.clients import code_of
from tools.lib.aws.deployment import Deployment
from tools.lib.aws.objects import NO_SUCH_BUCKET
from tools.lib.errors import ToolError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient


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
        code = code_of(error)
        if code in NO_SUCH_BUCKET:
            raise ToolError(
                f"There is no bucket named {bucket}.",
                cure="`aws s3 ls` lists the buckets of your account; is the name spelt right?",
            ) from error
        # A refusal still names the bucket's Region, and another Region may be all that is wrong.
        region: str | None = error.response["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region")
        if region not in {None, s3.meta.region_name}:
            return region
        if code in {"403", "AccessDenied"}:
            raise ToolError(
                f"You may not look into the bucket {bucket}: it is another account's, or a policy denies it.",
                cure="Have s3:ListBucket, s3:ListBucketVersions and s3:GetBucketVersioning on it added to your user or role.",
            ) from error
        raise


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who is mailed about flagged videos: confirmed addresses, and those that have not confirmed."""

    confirmed: tuple[str, ...]
    pending: tuple[str, ...]

    @property
    def warning(self) -> str | None:
        """Return what to warn of, None where every recipient gets mail and there is one."""
        if self.pending:
            return f"No mail reaches {', '.join(self.pending)}: the subscription is not confirmed."
        if not self.confirmed:
            return "Nobody is mailed about flagged videos: the alerts topic has no e-mail subscription (`alert_email` in cdk.json)."
        return None


def recipients(sns: SNSClient, topic_arn: str) -> Recipients:
    """Return the e-mail subscriptions of the alerts topic."""
    confirmed: list[str] = []
    pending: list[str] = []
    for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn):
        for subscription in page.get("Subscriptions", []):
            if subscription.get("Protocol") in {"email", "email-json"}:
                # In the place of an ARN SNS writes "PendingConfirmation" (or "Deleted") where there is none.
                is_confirmed = subscription.get("SubscriptionArn", "").startswith("arn:")
                (confirmed if is_confirmed else pending).append(subscription.get("Endpoint", ""))
    return Recipients(tuple(confirmed), tuple(pending))


def require_confirmed(found: Recipients, topic_arn: str) -> None:
    """Make sure that mail reaches at least one of those who should get it; nobody at all is a warning, not an error.

    Raises:
        ToolError: There are subscriptions, and none is confirmed.
    """
    if found.pending and not found.confirmed:
        raise ToolError(
            f"The e-mail subscription of {', '.join(found.pending)} is not confirmed: no alert would arrive.",
            cure="Open the link in the mail from AWS Notifications, or pass --unconfirmed-mail to scan without mails. "
            "The link is valid for 2 days; a new one is sent by "
            f"`aws sns subscribe --protocol email --topic-arn {topic_arn} --notification-endpoint {found.pending[0]}`.",
        )
