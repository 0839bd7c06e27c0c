"""Where manifests and completion reports live."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

MANIFESTS = "manifests/"
REPORTS = "reports/"


class WorkBucket(Construct):
    """A private bucket, TLS only, encrypted with S3's own keys: S3 Batch reads no CSV manifest under SSE-KMS.

    It stays when the stack goes: the reports are the proof of what was scanned.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=False,
            removal_policy=RemovalPolicy.RETAIN,
            # A manifest whose listing was broken off leaves parts that cost money and show in no listing.
            lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1))],
        )
