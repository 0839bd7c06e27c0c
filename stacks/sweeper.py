"""The function that runs every minute and does what no event triggers."""

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from handlers.settings import SweeperSettings
from stacks.completion import Completion
from stacks.dead_letters import DeadLetters
from stacks.function import Common, HandlerFunction
from stacks.grants import grant
from stacks.lanes import Lanes
from stacks.new_upload import NewUpload
from stacks.notifications import Notifications
from stacks.publish_verdict import PublishVerdict
from stacks.sample_frames import SampleFrames
from stacks.start_analysis import StartAnalysis
from stacks.table import BY_SCAN_INDEX, WORK_INDEX, ScanTable


class Sweeper(Construct):
    """Sends mails, polls overdue analyses, repairs lost messages, cancels videos, and switches the lanes' event source mappings.

    `stack_name` appears in the mails, `language` is their language; `mails_per_scan` is how many flagged videos of a scan are
    mailed one by one, `slots` how many of the account's jobs are used. With `new_upload` it compares the watched buckets with the
    table, and sends uploads without an event to the queue of the uploads. With `sample_frames` it looks after the frames lanes
    too, and with `publish_verdict` it sends what is in the outbox.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        common: Common,
        table: ScanTable,
        lanes: Lanes,
        notifications: Notifications,
        start_analysis: StartAnalysis,
        completion: Completion,
        new_upload: NewUpload | None,
        sample_frames: SampleFrames | None,
        publish_verdict: PublishVerdict | None,
        stack_name: str,
        mails_per_scan: int,
        slots: int,
        language: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = DeadLetters(self, "DeadLetters")
        mappings = [start_analysis.normal_mapping, start_analysis.express_mapping]
        self._made = HandlerFunction(
            self,
            "Handler",
            common=common,
            module="sweeper",
            settings=SweeperSettings(
                table_name=table.table.table_name,
                alerts_topic_arn=notifications.alerts.topic_arn,
                account_id=Aws.ACCOUNT_ID,
                stack_name=stack_name,
                normal_queue_url=lanes.normal.queue.queue_url,
                express_queue_url=lanes.express.queue.queue_url,
                normal_dead_letters_url=lanes.normal.dead_letters.queue_url,
                express_dead_letters_url=lanes.express.dead_letters.queue_url,
                normal_mapping_id=mappings[0].event_source_mapping_id,
                express_mapping_id=mappings[1].event_source_mapping_id,
                completion_function_arn=completion.function.function_arn,
                completions_topic_arn=notifications.completions.topic_arn,
                mails_per_scan=mails_per_scan,
                slots=slots,
                language=language,
                watch=new_upload.watches if new_upload else "",
                uploads_queue_url=new_upload.queue.queue_url if new_upload else "",
                uploads_dead_letters_url=new_upload.dead_letters.queue_url if new_upload else "",
                outbox_queue_url=publish_verdict.queue.queue_url if publish_verdict else "",
                **(_variables(sample_frames) if sample_frames else {}),
            ),
            # A sweep takes 50 s at most; one that hangs keeps its lease until it times out.
            timeout=Duration.minutes(2),
            # Sending a million messages again takes CPU, which Lambda allots by memory.
            memory_mb=512,
            dead_letters=self.dead_letters,
        )
        self.function = self._made.function
        self._grant(table, lanes, notifications.alerts)
        self._made.allow("lambda:InvokeFunction", on=completion.function.function_arn)
        if new_upload:
            self._grant_uploads(new_upload)
        if sample_frames:
            self._grant_lanes(sample_frames.lanes)
            mappings += [sample_frames.normal_mapping, sample_frames.express_mapping]
        if publish_verdict:
            grant(self._made.role, "sqs", ["SendMessage", "GetQueueAttributes"], [publish_verdict.queue.queue_arn])
        for mapping in mappings:
            self._made.allow(
                "lambda:GetEventSourceMapping",
                "lambda:UpdateEventSourceMapping",
                on=f"arn:{Aws.PARTITION}:lambda:{Aws.REGION}:{Aws.ACCOUNT_ID}:event-source-mapping:{mapping.event_source_mapping_id}",
            )
        events.Rule(
            self,
            "EveryMinute",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(self.function)],
        )

    def _grant(self, table: ScanTable, lanes: Lanes, alerts: sns.ITopic) -> None:
        role = self._made.role
        table.grant_items(role, "GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")
        table.grant_index_query(role, WORK_INDEX)
        table.grant_index_query(role, BY_SCAN_INDEX)
        self._grant_lanes(lanes)
        self._made.allow("sns:Publish", "sns:ListSubscriptionsByTopic", on=alerts.topic_arn)
        self._made.allow("s3:DescribeJob", on=f"arn:{Aws.PARTITION}:s3:{Aws.REGION}:{Aws.ACCOUNT_ID}:job/*")
        # Rekognition's video operations have no resource types, so nothing narrower than "*" is possible:
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrekognition.html
        self._made.allow("rekognition:GetContentModeration", on="*")

    def _grant_lanes(self, lanes: Lanes) -> None:
        lanes.grant(self._made.role, "SendMessage", "GetQueueAttributes", "PurgeQueue")
        lanes.grant_dead_letters(self._made.role, "GetQueueAttributes")

    def _grant_uploads(self, new_upload: NewUpload) -> None:
        role = self._made.role
        grant(role, "s3", ["ListBucket"], new_upload.sources.arns)
        grant(role, "sqs", ["SendMessage"], [new_upload.queue.queue_arn])
        grant(role, "sqs", ["GetQueueAttributes"], [new_upload.dead_letters.queue_arn])


def _variables(sample_frames: SampleFrames) -> dict[str, str]:
    """Return the fields of the sweeper's settings that concern the frames lanes."""
    lanes = sample_frames.lanes
    return {
        "frames_queue_url": lanes.normal.queue.queue_url,
        "frames_express_queue_url": lanes.express.queue.queue_url,
        "frames_dead_letters_url": lanes.normal.dead_letters.queue_url,
        "frames_express_dead_letters_url": lanes.express.dead_letters.queue_url,
        "frames_mapping_id": sample_frames.normal_mapping.event_source_mapping_id,
        "frames_express_mapping_id": sample_frames.express_mapping.event_source_mapping_id,
    }
