"""The function that an S3 Batch Operations job invokes for each video."""

from aws_cdk import Duration
from constructs import Construct

from handlers.settings import BatchInvokeSettings
from stacks.function import Common, HandlerFunction
from stacks.lanes import Lanes
from stacks.sources import Sources
from stacks.table import ScanTable


class BatchInvoke(Construct):
    """Looks at an object, sends it down a lane and writes its record; may start no analysis.

    `concurrency` None reserves none: a new account has too little to reserve, but S3 Batch takes all that is free of any other.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        common: Common,
        table: ScanTable,
        lanes: Lanes,
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
            ),
            # Half a minute of retries, then at worst a last round of calls that each time out: far from a time-out of its own,
            # which S3 would take for a permanent failure.
            timeout=Duration.minutes(5),
            reserved_concurrency=concurrency,
        )
        self.function = made.function
        table.grant_items(made.role, "GetItem", "PutItem", "UpdateItem")
        lanes.grant(made.role, "SendMessage")
        sources.grant_read(made.role)
