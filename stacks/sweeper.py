"""The function that runs every minute and does what nobody else was told to do."""

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from handlers.settings import SweeperSettings
from stacks.dead_letters import DeadLetters
from stacks.function import Common, HandlerFunction
from stacks.table import WORK_INDEX, ScanTable


class Sweeper(Construct):
    """Sends due mails and closes finished scans. `stack_name` stands in the mails."""

    def __init__(
        self, scope: Construct, construct_id: str, *, common: Common, table: ScanTable, alerts: sns.ITopic, stack_name: str
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = DeadLetters(self, "DeadLetters")
        made = HandlerFunction(
            self,
            "Handler",
            common=common,
            module="sweeper",
            settings=SweeperSettings(
                table_name=table.table.table_name,
                alerts_topic_arn=alerts.topic_arn,
                account_id=Aws.ACCOUNT_ID,
                stack_name=stack_name,
            ),
            timeout=Duration.seconds(300),
            dead_letters=self.dead_letters,
        )
        table.grant_items(made.role, "GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")
        table.grant_index_query(made.role, WORK_INDEX)
        made.allow("sns:Publish", on=alerts.topic_arn)
        made.allow("s3:DescribeJob", on=f"arn:{Aws.PARTITION}:s3:{Aws.REGION}:{Aws.ACCOUNT_ID}:job/*")
        events.Rule(
            self,
            "EveryMinute",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(made.function)],
        )
