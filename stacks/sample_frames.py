"""The function that has Rekognition analyse frames of films, and images, with the FFmpeg layer that only this function has."""

import math
from collections.abc import Sequence
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from handlers.domain.watch import Watch
from handlers.settings import SampleFramesSettings
from stacks.function import RUNTIME, Common, HandlerFunction
from stacks.lanes import Lanes
from stacks.sources import Sources
from stacks.table import ScanTable
from stacks.watch import limits
from stacks.work_bucket import HITS

# How long a worker takes to decode an image and to wait for Rekognition; it decides how many workers the pace needs.
SECONDS_PER_IMAGE = 1.0
# The lowest MaximumConcurrency of an event source mapping: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
LEAST_WORKERS = 2
# The memory with which a function gets one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MEMORY_MB = 1769


def workers_for(images_per_second: float) -> int:
    """Return how many workers one lane needs to use the whole pace alone."""
    return max(LEAST_WORKERS, math.ceil(images_per_second * SECONDS_PER_IMAGE))


class SampleFrames(Construct):
    """Polls the frames lanes, one message at a time.

    `media` is the folder of the layer with PyAV, which `make package` fills; each lane has up to `workers` concurrent invocations,
    and all of them share the pace of `images_per_second`; `min_confidence` is in percent.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        common: Common,
        media: Path,
        table: ScanTable,
        lanes: Lanes,
        work_bucket: s3.IBucket,
        sources: Sources,
        policy: str,
        min_confidence: float,
        images_per_second: float,
        workers: int,
        watches: Sequence[Watch],
    ) -> None:
        super().__init__(scope, construct_id)
        self.lanes = lanes
        self._made = HandlerFunction(
            self,
            "Handler",
            common=common,
            module="sample_frames",
            settings=SampleFramesSettings(
                table_name=table.table.table_name,
                frames_queue_url=lanes.normal.queue.queue_url,
                frames_express_queue_url=lanes.express.queue.queue_url,
                work_bucket_name=work_bucket.bucket_name,
                policy=policy,
                min_confidence=min_confidence,
                images_per_second=images_per_second,
                watch=limits(watches),
                outbox=common.outbox,
            ),
            timeout=Duration.seconds(900),
            memory_mb=MEMORY_MB,
        )
        function = self._made.function
        function.add_layers(self._layer(media))
        self._grant(table, work_bucket, sources)
        self.normal_mapping = lanes.normal.poll(self, "Normal", function, max_concurrency=workers)
        self.express_mapping = lanes.express.poll(self, "Express", function, max_concurrency=workers)

    def _layer(self, media: Path) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            "Media",
            code=lambda_.Code.from_asset(str(media)),
            compatible_architectures=[lambda_.Architecture.ARM_64],
            compatible_runtimes=[RUNTIME],
        )

    def _grant(self, table: ScanTable, work_bucket: s3.IBucket, sources: Sources) -> None:
        role = self._made.role
        table.grant_items(role, "GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")
        self.lanes.grant(role, "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes")
        # Images have no ARN in Rekognition, so nothing narrower than "*" is possible.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrekognition.html
        self._made.allow("rekognition:DetectModerationLabels", on="*")
        self._made.allow("s3:PutObject", on=work_bucket.arn_for_objects(f"{HITS}*"))
        sources.grant_read(role)
        sources.grant_keys(role, "Decrypt")
