"""The queue of the outbox, and the function that carries out the consequences of verdicts: events, tags and annotations."""

from pathlib import Path

from aws_cdk import Aws, Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from handlers.settings import PublishVerdictSettings
from stacks.consequences import Consequences
from stacks.dead_letters import RETENTION, DeadLetters
from stacks.function import RUNTIME, Common, HandlerFunction
from stacks.grants import grant
from stacks.sources import Sources
from stacks.table import ScanTable

# Ten objects take two seconds; where S3 is slow, the function hands back what it does not get to.
TIMEOUT = Duration.minutes(5)
# Six times the timeout: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY = Duration.minutes(30)
# What goes on failing becomes a dead letter, and so an alarm. Nothing is lost: the item stays in the outbox.
RECEIVES = 20
# The largest batch without a batching window: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
BATCH = 10
# As many as carry out what a sweep sends within a minute.
CONCURRENT = 5


class PublishVerdict(Construct):
    """A queue with dead letters, from which a function tags and annotates objects and puts events on the default bus.

    `sdk` is the folder of the layer with boto3, which `make package-sdk` fills; only annotations need it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        common: Common,
        sdk: Path,
        table: ScanTable,
        sources: Sources,
        consequences: Consequences,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = DeadLetters(self, "DeadLetters")
        self.queue = self._queue()
        self._made = HandlerFunction(
            self,
            "Handler",
            common=common,
            module="publish_verdict",
            settings=PublishVerdictSettings(
                table_name=table.table.table_name,
                publish_events=_text(value=consequences.publish_events),
                tag_objects=_text(value=consequences.tag_objects),
                annotate_objects=_text(value=consequences.annotate_objects),
            ),
            timeout=TIMEOUT,
        )
        self._grant(table, sources, consequences)
        if consequences.annotate_objects:
            self._made.function.add_layers(self._layer(sdk))
        self._poll()

    def _queue(self) -> sqs.Queue:
        return sqs.Queue(
            self,
            "Outbox",
            visibility_timeout=VISIBILITY,
            retention_period=RETENTION,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=RECEIVES),
        )

    def _layer(self, sdk: Path) -> lambda_.LayerVersion:
        """Return the layer with a boto3 that knows annotations, which that of the runtime may not."""
        return lambda_.LayerVersion(
            self,
            "Sdk",
            code=lambda_.Code.from_asset(str(sdk)),
            compatible_architectures=[lambda_.Architecture.ARM_64],
            compatible_runtimes=[RUNTIME],
        )

    def _grant(self, table: ScanTable, sources: Sources, consequences: Consequences) -> None:
        role = self._made.role
        table.grant_items(role, "GetItem", "Query", "UpdateItem", "DeleteItem")
        grant(role, "sqs", ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"], [self.queue.queue_arn])
        # Also without `publish_events`: that an object could not be tagged is said in any case.
        bus = f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:event-bus/default"
        self._made.allow("events:PutEvents", on=bus)
        objects = [f"{arn}/*" for arn in sources.arns]
        if consequences.tag_objects:
            # HEAD, which tells whether the content is still the one that was analysed.
            sources.grant_read(role)
            tagging = ["GetObjectTagging", "GetObjectVersionTagging", "PutObjectTagging", "PutObjectVersionTagging"]
            grant(role, "s3", tagging, objects)
        if consequences.annotate_objects:
            grant(role, "s3", ["PutObjectAnnotation", "PutObjectVersionAnnotation"], objects)
            # An annotation is encrypted as its object: https://docs.aws.amazon.com/AmazonS3/latest/userguide/annotations-overview.html
            sources.grant_keys(role, "Decrypt", "GenerateDataKey")

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


def _text(*, value: bool) -> str:
    return "true" if value else ""
