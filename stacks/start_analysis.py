"""The function that waits for a free Rekognition job and starts an analysis; no other function has the permission."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_sns as sns
from constructs import Construct

from handlers.domain.watch import Watch
from handlers.settings import StartAnalysisSettings
from stacks.function import Common, HandlerFunction
from stacks.lanes import Lanes
from stacks.rekognition_role import RekognitionRole
from stacks.sources import Sources
from stacks.table import ScanTable
from stacks.watch import limits

# The lowest MaximumConcurrency of an event source mapping: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
STARTERS_PER_LANE = 2


class StartAnalysis(Construct):
    """Polls both lanes, one message at a time, with two concurrent starters for each lane.

    `min_confidence` is in percent; `account_jobs` is the account's quota of video jobs, `slots` how many of them are used.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        common: Common,
        table: ScanTable,
        lanes: Lanes,
        completions: sns.ITopic,
        rekognition_role: RekognitionRole,
        sources: Sources,
        min_confidence: float,
        account_jobs: int,
        slots: int,
        watches: Sequence[Watch],
    ) -> None:
        super().__init__(scope, construct_id)
        self._made = HandlerFunction(
            self,
            "Handler",
            common=common,
            module="start_analysis",
            settings=StartAnalysisSettings(
                table_name=table.table.table_name,
                normal_queue_url=lanes.normal.queue.queue_url,
                express_queue_url=lanes.express.queue.queue_url,
                completions_topic_arn=completions.topic_arn,
                rekognition_role_arn=rekognition_role.role.role_arn,
                min_confidence=min_confidence,
                account_jobs=account_jobs,
                slots=slots,
                watch=limits(watches),
                outbox=common.outbox,
            ),
            timeout=Duration.seconds(900),
        )
        self._grant(table, lanes, rekognition_role, sources)
        function = self._made.function
        self.normal_mapping = lanes.normal.poll(self, "Normal", function, max_concurrency=STARTERS_PER_LANE)
        self.express_mapping = lanes.express.poll(self, "Express", function, max_concurrency=STARTERS_PER_LANE)

    def _grant(self, table: ScanTable, lanes: Lanes, rekognition_role: RekognitionRole, sources: Sources) -> None:
        role = self._made.role
        table.grant_items(role, "GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")
        lanes.grant(role, "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes")
        # Rekognition's video operations have no resource types, so nothing narrower than "*" is possible:
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrekognition.html
        self._made.allow("rekognition:StartContentModeration", on="*")
        self._made.allow("iam:PassRole", on=rekognition_role.role.role_arn)
        sources.grant_read(role)
        # AWS demands both permissions for the role of the notification channel, but its example policy names the caller of Start.
        # https://docs.aws.amazon.com/rekognition/latest/dg/api-video-roles.html
        for grantee in (role, rekognition_role.role):
            sources.grant_keys(grantee, "Decrypt", "GenerateDataKey")
