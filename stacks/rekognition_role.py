"""The role through which Rekognition publishes completion notices."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct


class RekognitionRole(Construct):
    """May publish to one topic, on behalf of this account only, which prevents a confused deputy."""

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.ITopic) -> None:
        super().__init__(scope, construct_id)
        # https://docs.aws.amazon.com/rekognition/latest/dg/cross-service-confused-deputy-prevention.html
        principal = iam.ServicePrincipal(
            "rekognition.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        )
        publish = iam.PolicyStatement(actions=["sns:Publish"], resources=[topic.topic_arn])
        # Inline, so that the role never exists without its permission: a notice that cannot be published is lost without an error.
        self.role = iam.Role(
            self, "Role", assumed_by=principal, inline_policies={"Publish": iam.PolicyDocument(statements=[publish])}
        )
