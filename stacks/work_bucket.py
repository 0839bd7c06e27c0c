"""The bucket for manifests, completion reports and raw hits."""

from collections.abc import Iterable

from aws_cdk import CfnElement, Duration, RemovalPolicy, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.settings import ContextError

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

    def require_unwatched(self, buckets: Iterable[str]) -> None:
        """Make sure that this bucket is not watched: each hit that is written there would be an upload.

        CloudFormation makes its name, and begins it with those of the stack and the resource. That is not documented, and long
        names are shortened, so `new_upload` ignores its events, too.

        Raises:
            ContextError: One of the buckets has such a name.
        """
        stack, resource = Stack.of(self), self.bucket.node.default_child
        if not isinstance(resource, CfnElement):
            raise TypeError("a bucket without its resource")
        begins = f"{stack.stack_name}-{stack.get_logical_id(resource)}-".lower()
        if found := [name for name in buckets if name.startswith(begins)]:
            raise ContextError(
                f'Context key "watch": watches {found[0]!r}, the work bucket of this stack, where every result would be an upload; '
                "name the bucket with the videos."
            )
