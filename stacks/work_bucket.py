"""The bucket for manifests, completion reports and raw hits."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

MANIFESTS = "manifests/"
REPORTS = "reports/"
HITS = "hits/"


class WorkBucket(Construct):
    """A private bucket, TLS only, with SSE-S3: S3 Batch cannot read a CSV manifest under SSE-KMS.

    It is retained when the stack is deleted, and nothing in it expires: the reports prove what was scanned, and the hits were paid
    for. A video's hits take a few KB, for which colder storage classes would cost more: they bill at least 128 KB for an object.
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
            # An interrupted upload leaves parts that cost money and appear in no listing.
            lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1))],
        )
