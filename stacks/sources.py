"""The source buckets and the KMS keys of their objects."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from stacks.grants import grant


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The names of the buckets whose videos may be read, ("*",) for all, and the ARNs of their customer managed KMS keys."""

    buckets: Sequence[str]
    kms_keys: Sequence[str] = ()

    @property
    def arns(self) -> list[str]:
        """The ARNs of the buckets, in the deployment's partition."""
        return [f"arn:{Aws.PARTITION}:s3:::{bucket}" for bucket in self.buckets]

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Allow reading objects in any version; Rekognition reads a video with the permissions of the caller of Start.

        Listing is allowed, too: without it S3 answers 403 for a key that does not exist.
        """
        grant(grantee, "s3", ["GetObject", "GetObjectVersion"], [f"{arn}/*" for arn in self.arns])
        grant(grantee, "s3", ["ListBucket"], self.arns)

    def grant_keys(self, grantee: iam.IGrantable, *operations: str) -> None:
        """Allow operations such as "Decrypt" with the keys, if there are any.

        S3 decrypts with the reader's permissions. The AWS managed key needs no grant, and SSE-C cannot be read.
        """
        if self.kms_keys:
            grant(grantee, "kms", operations, self.kms_keys)
