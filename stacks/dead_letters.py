"""Queues as all of ours are, and those that keep what could not be done."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

# The longest SQS knows: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
RETENTION = Duration.days(14)


class DeadLetters(sqs.Queue):
    """Keeps for 14 days what could not be delivered or done; encrypted by SQS, TLS only."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope, construct_id, retention_period=RETENTION, encryption=sqs.QueueEncryption.SQS_MANAGED, enforce_ssl=True
        )
