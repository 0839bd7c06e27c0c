"""The function that an S3 Batch Operations job invokes for each object."""

from aws_cdk import Duration
from constructs import Construct

from handlers.settings import BatchInvokeSettings
from stacks.function import Common, HandlerFunction
from stacks.lanes import Lanes
from stacks.sources import Sources
from stacks.table import ScanTable


class BatchInvoke(Construct):
    """Checks an object, sends a message to a lane and writes the record; may not start analyses.

    `concurrency` reserves concurrency, None none: a new account has too little to reserve, but in any other S3 Batch may use all of
    it. `frames_lanes` are the lanes of frames, where they are deployed.
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
        sources: Sources,
        concurrency: int | None,
    ) -> None:
        super().__init__(scope, construct_id)
        made = HandlerFunction(
            self,
            "Handler",
            common=common,
            module="batch_invoke",
            settings=BatchInvokeSettings(
                table_name=table.table.table_name,
                normal_queue_url=lanes.normal.queue.queue_url,
                express_queue_url=lanes.express.queue.queue_url,
                frames_queue_url=frames_lanes.normal.queue.queue_url if frames_lanes else "",
                frames_express_queue_url=frames_lanes.express.queue.queue_url if frames_lanes else "",
                outbox=common.outbox,
            ),
            # Retries take 30 s, then a last call of each service may time out. The function itself must not time out, because S3
            # takes that for a permanent failure.
            timeout=Duration.minutes(5),
            reserved_concurrency=concurrency,
        )
        self.function = made.function
        table.grant_items(made.role, "GetItem", "PutItem", "UpdateItem")
        for each in filter(None, (lanes, frames_lanes)):
            each.grant(made.role, "SendMessage")
        sources.grant_read(made.role)
        sources.grant_keys(made.role, "Decrypt")
