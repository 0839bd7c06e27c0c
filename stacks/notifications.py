"""The two topics: completion notices of Rekognition, and mails to people."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct


class Notifications(Construct):
    """`completions`, to which Rekognition publishes through a role, and `alerts`, whose subscriber must confirm by mail.

    Both are TLS only, but not encrypted at rest: they store nothing after delivery, CloudWatch cannot be granted the use of
    alias/aws/sns, and it is unknown whether Rekognition publishes to a topic with a customer managed key.
    """

    def __init__(self, scope: Construct, construct_id: str, *, alert_email: str) -> None:
        super().__init__(scope, construct_id)
        self.completions = sns.Topic(self, "Completions", enforce_ssl=True)
        self.alerts = sns.Topic(self, "Alerts", enforce_ssl=True)
        self._admit_alarms()
        if alert_email:
            self.alerts.add_subscription(subscriptions.EmailSubscription(alert_email))

    def _admit_alarms(self) -> None:
        """Let this account's alarms publish: a policy of its own replaces the topic's default, which would."""
        self.alerts.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AllowAlarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.alerts.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
