"""Where manifests, completion reports and raw hits live."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

MANIFESTS = "manifests/"
REPORTS = "reports/"
HITS = "hits/"


class WorkBucket(Construct):
    """A private bucket, TLS only, encrypted with S3's own keys: S3 Batch reads no CSV manifest under SSE-KMS.

    It stays when the stack goes, and nothing in it expires: the reports are the proof of what was scanned, and the hits what was
    paid for. A video's hits take a few KB and were bought at $0.10 a minute, so no rule moves or deletes them (cold storage classes
    would cost more: they bill 128 KB for an object at the least).
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
