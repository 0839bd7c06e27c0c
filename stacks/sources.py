"""The buckets whose videos may be read."""

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam


def grant_read(grantee: iam.IGrantable, buckets: Sequence[str]) -> None:
    """Allow to read the objects of these buckets, any version; ("*",) means every bucket.

    Listing is allowed too, although nothing lists: without it S3 answers 403 for a key that does not exist.
    """
    arns = [f"arn:{Aws.PARTITION}:s3:::{bucket}" for bucket in buckets]
    objects = [f"{arn}/*" for arn in arns]
    iam.Grant.add_to_principal(
        grantee=grantee, actions=["s3:GetObject", "s3:GetObjectVersion"], resource_arns=objects
    ).assert_success()
    iam.Grant.add_to_principal(grantee=grantee, actions=["s3:ListBucket"], resource_arns=arns).assert_success()
