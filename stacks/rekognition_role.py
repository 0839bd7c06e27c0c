"""The role through which Rekognition says that an analysis is over."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct


class RekognitionRole(Construct):
    """May publish to one topic, and only in the name of this account (the confused deputy)."""

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.ITopic) -> None:
        super().__init__(scope, construct_id)
        # https://docs.aws.amazon.com/rekognition/latest/dg/cross-service-confused-deputy-prevention.html
        principal = iam.ServicePrincipal(
            "rekognition.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        )
        publish = iam.PolicyStatement(actions=["sns:Publish"], resources=[topic.topic_arn])
        # Inline, so that the role is never there without its permission: a notice that cannot be published is lost in silence.
        self.role = iam.Role(
            self, "Role", assumed_by=principal, inline_policies={"Publish": iam.PolicyDocument(statements=[publish])}
        )
