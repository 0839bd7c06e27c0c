"""The role of S3 Batch Operations jobs."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.sources import Sources
from stacks.work_bucket import MANIFESTS, REPORTS


class BatchRole(Construct):
    """May read manifests, write reports and invoke one function; may not read the videos.

    For manifests that S3 generates (`submit_job.py --generate`) it may have the source buckets listed and the manifest written.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, bucket: s3.IBucket, function: lambda_.IFunction, sources: Sources
    ) -> None:
        super().__init__(scope, construct_id)
        statements = [
            iam.PolicyStatement(actions=["s3:GetObject"], resources=[bucket.arn_for_objects(f"{MANIFESTS}*")]),
            iam.PolicyStatement(actions=["s3:PutInventoryConfiguration"], resources=sources.arns),
            iam.PolicyStatement(
                actions=["s3:PutObject"], resources=[bucket.arn_for_objects(f"{name}*") for name in (REPORTS, MANIFESTS)]
            ),
            iam.PolicyStatement(actions=["s3:GetBucketLocation"], resources=[bucket.bucket_arn]),
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn]),
        ]
        # No condition: AWS documents none for this service, and it is unknown whether it sends aws:SourceAccount.
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-iam-role-policies.html
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("batchoperations.s3.amazonaws.com"),
            inline_policies={"Batch": iam.PolicyDocument(statements=statements)},
        )
