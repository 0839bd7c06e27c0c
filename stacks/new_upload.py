"""The rules, the queue and the function by which new uploads to watched buckets are scanned."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from handlers.domain.watch import Watch, text
from handlers.settings import NewUploadSettings
from stacks.dead_letters import RETENTION, DeadLetters
from stacks.function import Common, HandlerFunction
from stacks.grants import grant
from stacks.lanes import Lanes
from stacks.sources import Sources
from stacks.table import ScanTable
from stacks.watch import pattern

# Ten uploads take a few seconds. The shorter this is, the sooner the messages of an invocation that died are received again.
TIMEOUT = Duration.minutes(2)
# Six times the timeout: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY = Duration.minutes(12)
# An upload whose registration keeps failing becomes a dead letter, and so an alarm, within hours. Nothing is lost:
# `redrive` sends it again, and the daily comparison finds it.
RECEIVES = 20
# The largest batch without a batching window: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
BATCH = 10
# The lowest MaximumConcurrency of an event source mapping. Two invocations register several uploads a second, and a lane starts
# fewer than two; more would only take invocations from other functions.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
CONCURRENT = 2


class NewUpload(Construct):
    """One rule for each watched bucket sends its uploads to a queue, from which a function registers them.

    `rules` are by bucket. Events that cannot be delivered become dead letters, and so do those that cannot be registered.
    `frames_lanes` are the frames lanes, None where frames are not deployed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        common: Common,
        table: ScanTable,
        lanes: Lanes,
        frames_lanes: Lanes | None,
        work_bucket: s3.IBucket,
        kms_keys: Sequence[str],
        watches: Sequence[Watch],
    ) -> None:
        super().__init__(scope, construct_id)
        self.watches = text({each.bucket: each for each in watches})
        self.sources = Sources(buckets=[each.bucket for each in watches], kms_keys=kms_keys)
        self.dead_letters = DeadLetters(self, "DeadLetters")
        self.queue = self._queue()
        rules = Construct(self, "Rules")
        self.rules = {each.bucket: self._rule(rules, each) for each in watches}
        for queue in (self.queue, self.dead_letters):
            self._admit_events(queue)
        self._made = HandlerFunction(
            self,
            "Handler",
            common=common,
            module="new_upload",
            settings=NewUploadSettings(
                table_name=table.table.table_name,
                express_queue_url=lanes.express.queue.queue_url,
                normal_queue_url=lanes.normal.queue.queue_url,
                watch=self.watches,
                frames_queue_url=frames_lanes.normal.queue.queue_url if frames_lanes else "",
                frames_express_queue_url=frames_lanes.express.queue.queue_url if frames_lanes else "",
                work_bucket_name=work_bucket.bucket_name,
                outbox=common.outbox,
            ),
            timeout=TIMEOUT,
        )
        self._grant(table, [each for each in (lanes, frames_lanes) if each])
        self._poll()

    def _queue(self) -> sqs.Queue:
        return sqs.Queue(
            self,
            "Uploads",
            visibility_timeout=VISIBILITY,
            retention_period=RETENTION,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=RECEIVES),
        )

    def _rule(self, scope: Construct, watch: Watch) -> events.CfnRule:
        """Return a bucket's rule; the CDK's own target would let EventBridge do more with the queue than send."""
        target = events.CfnRule.TargetProperty(
            id="Uploads",
            arn=self.queue.queue_arn,
            dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self.dead_letters.queue_arn),
        )
        return events.CfnRule(scope, watch.bucket, event_pattern=pattern(watch), state="ENABLED", targets=[target])

    def _admit_events(self, queue: sqs.Queue) -> None:
        """Allow EventBridge to send messages on behalf of these rules only."""
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AllowRules",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": [rule.attr_arn for rule in self.rules.values()]}},
            )
        )

    def _grant(self, table: ScanTable, lanes: Sequence[Lanes]) -> None:
        role = self._made.role
        table.grant_items(role, "GetItem", "PutItem", "UpdateItem")
        for each in lanes:
            each.grant(role, "SendMessage")
        grant(role, "sqs", ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"], [self.queue.queue_arn])
        self.sources.grant_read(role)
        self.sources.grant_keys(role, "Decrypt")

    def _poll(self) -> None:
        lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=self._made.function,
            event_source_arn=self.queue.queue_arn,
            batch_size=BATCH,
            max_concurrency=CONCURRENT,
            report_batch_item_failures=True,
        )
