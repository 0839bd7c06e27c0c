"""The function that stores the result of a finished analysis."""

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from handlers.settings import CompletionSettings
from stacks.dead_letters import DeadLetters
from stacks.function import Common, HandlerFunction
from stacks.table import ScanTable
from stacks.work_bucket import HITS


class Completion(Construct):
    """Subscribed to Rekognition's notices, with a dead-letter queue each for failed deliveries and for failed invocations.

    `policy` is compact JSON.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        common: Common,
        table: ScanTable,
        work_bucket: s3.IBucket,
        completions: sns.ITopic,
        policy: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = DeadLetters(self, "DeadLetters")
        made = HandlerFunction(
            self,
            "Handler",
            common=common,
            module="completion",
            settings=CompletionSettings(
                table_name=table.table.table_name,
                work_bucket_name=work_bucket.bucket_name,
                completions_topic_arn=completions.topic_arn,
                policy=policy,
                outbox=common.outbox,
            ),
            timeout=Duration.seconds(900),
            memory_mb=1024,
            dead_letters=self.dead_letters,
        )
        self.function = made.function
        self.undelivered = DeadLetters(self, "Undelivered")
        outbox = ["PutItem"] if common.outbox else []
        table.grant_items(made.role, "GetItem", "Query", "UpdateItem", "DeleteItem", "BatchWriteItem", *outbox)
        made.allow("s3:PutObject", on=work_bucket.arn_for_objects(f"{HITS}*"))
        # Rekognition's video operations have no resource types, so nothing narrower than "*" is possible:
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrekognition.html
        made.allow("rekognition:GetContentModeration", on="*")
        completions.add_subscription(subscriptions.LambdaSubscription(made.function, dead_letter_queue=self.undelivered))
