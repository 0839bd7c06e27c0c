"""The two queues of an engine, between registration and Rekognition, which analyses far more slowly than S3 Batch registers."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.dead_letters import RETENTION, DeadLetters
from stacks.grants import grant

# Six times the longest run of start_analysis: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY = Duration.seconds(5400)
# The most that SQS allows: messages are deferred until a job is free, which is not a failure.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
RECEIVES = 1000


class Lane(Construct):
    """One queue of videos that wait for a slot, with its dead-letter queue; encrypted by SQS, TLS only."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = DeadLetters(self, "DeadLetters")
        self.queue = sqs.Queue(
            self,
            "Queue",
            visibility_timeout=VISIBILITY,
            retention_period=RETENTION,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=RECEIVES),
        )

    def poll(
        self, scope: Construct, construct_id: str, function: lambda_.IFunction, *, max_concurrency: int
    ) -> lambda_.EventSourceMapping:
        """Return the mapping, below `scope`, that passes messages to a function one at a time; it may defer them."""
        return lambda_.EventSourceMapping(
            scope,
            construct_id,
            target=function,
            event_source_arn=self.queue.queue_arn,
            batch_size=1,
            max_concurrency=max_concurrency,
            report_batch_item_failures=True,
        )


class Lanes(Construct):
    """The lanes normal and express of an engine: ten urgent videos do not wait behind a million."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.normal = Lane(self, "Normal")
        self.express = Lane(self, "Express")

    def grant(self, grantee: iam.IGrantable, *operations: str) -> None:
        """Allow operations such as "SendMessage" on both queues."""
        grant(grantee, "sqs", operations, [lane.queue.queue_arn for lane in (self.normal, self.express)])

    def grant_dead_letters(self, grantee: iam.IGrantable, *operations: str) -> None:
        """Allow operations on both dead-letter queues."""
        grant(grantee, "sqs", operations, [lane.dead_letters.queue_arn for lane in (self.normal, self.express)])
