"""The stack, which only composes the constructs."""

from pathlib import Path

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.alarms import Alarms
from stacks.asset import handlers_code
from stacks.batch_invoke import BatchInvoke
from stacks.batch_role import BatchRole
from stacks.completion import Completion
from stacks.function import Common
from stacks.lanes import Lanes
from stacks.new_upload import NewUpload
from stacks.notifications import Notifications
from stacks.publish_verdict import PublishVerdict
from stacks.rekognition_role import RekognitionRole
from stacks.sample_frames import SampleFrames, workers_for
from stacks.settings import LOG_RETENTION, StackSettings
from stacks.sources import Sources
from stacks.start_analysis import StartAnalysis
from stacks.sweeper import Sweeper
from stacks.table import ScanTable
from stacks.work_bucket import WorkBucket


class VideoModerationStack(Stack):
    """A whole deployment. `root` is the folder that holds `handlers/`, `media` that of the layer for frames, `sdk` that of boto3.

    The tools read the outputs, so their ids are fixed.
    """

    def __init__(self, scope: Construct, construct_id: str, *, root: Path, media: Path, sdk: Path, settings: StackSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Scans the videos of S3 buckets with S3 Batch Operations and Rekognition content moderation",
        )
        common = Common(
            code=handlers_code(root),
            log_retention=logs.RetentionDays[LOG_RETENTION[settings.log_retention_days]],
            outbox="true" if settings.consequences.any else "",
        )
        sources = Sources(buckets=settings.source_buckets, kms_keys=settings.kms_keys)
        table = ScanTable(self, "Scans")
        notifications = Notifications(self, "Notifications", alert_email=settings.alert_email)
        lanes = Lanes(self, "Lanes")
        frames_lanes = Lanes(self, "Frames") if settings.frames else None
        work_bucket = WorkBucket(self, "Work")
        work_bucket.require_unwatched([each.bucket for each in settings.watch])
        batch_invoke = BatchInvoke(
            self,
            "BatchInvoke",
            common=common,
            table=table,
            lanes=lanes,
            frames_lanes=frames_lanes,
            sources=sources,
            concurrency=settings.batch_concurrency,
        )
        batch_role = BatchRole(self, "Batch", bucket=work_bucket.bucket, function=batch_invoke.function, sources=sources)
        start_analysis = StartAnalysis(
            self,
            "StartAnalysis",
            common=common,
            table=table,
            lanes=lanes,
            completions=notifications.completions,
            rekognition_role=RekognitionRole(self, "Rekognition", topic=notifications.completions),
            sources=sources,
            min_confidence=settings.min_confidence,
            account_jobs=settings.account_jobs,
            slots=settings.slots,
            watches=settings.watch,
        )
        completion = Completion(
            self,
            "Completion",
            common=common,
            table=table,
            work_bucket=work_bucket.bucket,
            completions=notifications.completions,
            policy=settings.policy,
        )
        sample_frames = (
            SampleFrames(
                self,
                "SampleFrames",
                common=common,
                media=media,
                table=table,
                lanes=frames_lanes,
                work_bucket=work_bucket.bucket,
                sources=sources,
                policy=settings.policy,
                min_confidence=settings.min_confidence,
                images_per_second=settings.images_per_second,
                workers=settings.frames_workers or workers_for(settings.images_per_second),
                watches=settings.watch,
            )
            if frames_lanes
            else None
        )
        new_upload = (
            NewUpload(
                self,
                "NewUpload",
                common=common,
                table=table,
                lanes=lanes,
                frames_lanes=frames_lanes,
                work_bucket=work_bucket.bucket,
                kms_keys=settings.kms_keys,
                watches=settings.watch,
            )
            if settings.watch
            else None
        )
        publish_verdict = (
            PublishVerdict(
                self,
                "PublishVerdict",
                common=common,
                sdk=sdk,
                table=table,
                sources=sources,
                consequences=settings.consequences,
            )
            if settings.consequences.any
            else None
        )
        sweeper = Sweeper(
            self,
            "Sweeper",
            common=common,
            table=table,
            lanes=lanes,
            notifications=notifications,
            start_analysis=start_analysis,
            completion=completion,
            new_upload=new_upload,
            sample_frames=sample_frames,
            publish_verdict=publish_verdict,
            stack_name=settings.stack_name,
            mails_per_scan=settings.mails_per_scan,
            slots=settings.slots,
            language=settings.language,
        )
        Alarms(
            self,
            "Alarms",
            alerts=notifications.alerts,
            dead_letters={
                "Normal": lanes.normal.dead_letters,
                "Express": lanes.express.dead_letters,
                "Completion": completion.dead_letters,
                "Undelivered": completion.undelivered,
                "Sweeper": sweeper.dead_letters,
                "Uploads": new_upload.dead_letters if new_upload else None,
                "Frames": frames_lanes.normal.dead_letters if frames_lanes else None,
                "FramesExpress": frames_lanes.express.dead_letters if frames_lanes else None,
                "Outbox": publish_verdict.dead_letters if publish_verdict else None,
            },
            every_minute=sweeper.function,
        )
        CfnOutput(self, "TableName", value=table.table.table_name)
        CfnOutput(self, "WorkBucketName", value=work_bucket.bucket.bucket_name)
        CfnOutput(self, "BatchInvokeFunctionArn", value=batch_invoke.function.function_arn)
        CfnOutput(self, "BatchRoleArn", value=batch_role.role.role_arn)
        CfnOutput(self, "AlertsTopicArn", value=notifications.alerts.topic_arn)
        CfnOutput(self, "SourceBuckets", value=",".join(settings.source_buckets))
        CfnOutput(self, "CompletionFunctionArn", value=completion.function.function_arn)
        CfnOutput(self, "NormalDeadLettersUrl", value=lanes.normal.dead_letters.queue_url)
        CfnOutput(self, "ExpressDeadLettersUrl", value=lanes.express.dead_letters.queue_url)
        CfnOutput(self, "CompletionDeadLettersUrl", value=completion.dead_letters.queue_url)
        CfnOutput(self, "UndeliveredNoticesUrl", value=completion.undelivered.queue_url)
        CfnOutput(self, "SweeperDeadLettersUrl", value=sweeper.dead_letters.queue_url)
        CfnOutput(self, "Slots", value=str(settings.slots))
        CfnOutput(self, "AccountJobs", value=str(settings.account_jobs))
        CfnOutput(self, "Language", value=settings.language)
        if new_upload:
            CfnOutput(self, "UploadsQueueUrl", value=new_upload.queue.queue_url)
            CfnOutput(self, "UploadsDeadLettersUrl", value=new_upload.dead_letters.queue_url)
            CfnOutput(self, "WatchedBuckets", value=new_upload.watches)
            names = {bucket: rule.ref for bucket, rule in new_upload.rules.items()}
            CfnOutput(self, "WatchRuleNames", value=self.to_json_string(names))
        if frames_lanes:
            CfnOutput(self, "FramesDeadLettersUrl", value=frames_lanes.normal.dead_letters.queue_url)
            CfnOutput(self, "FramesExpressDeadLettersUrl", value=frames_lanes.express.dead_letters.queue_url)
            CfnOutput(self, "ImagesPerSecond", value=f"{settings.images_per_second:g}")
        if publish_verdict:
            CfnOutput(self, "OutboxQueueUrl", value=publish_verdict.queue.queue_url)
            CfnOutput(self, "OutboxDeadLettersUrl", value=publish_verdict.dead_letters.queue_url)
