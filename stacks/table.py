"""The DynamoDB table."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.grants import grant

WORK_INDEX = "work"
BY_SCAN_INDEX = "by_scan"


class ScanTable(Construct):
    """The one table with its two indexes: on demand, with point-in-time recovery.

    It is retained when the stack is deleted, because its content was paid for.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=_text("pk"),
            sort_key=_text("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True),
            removal_policy=RemovalPolicy.RETAIN,
        )
        self._add_indexes()

    def grant_items(self, grantee: iam.IGrantable, *operations: str) -> None:
        """Allow operations such as "GetItem" on the table itself; a transaction needs those of its actions."""
        grant(grantee, "dynamodb", operations, [self.table.table_arn])

    def grant_index_query(self, grantee: iam.IGrantable, index: str) -> None:
        """Allow Query on an index."""
        grant(grantee, "dynamodb", ["Query"], [f"{self.table.table_arn}/index/{index}"])

    def _add_indexes(self) -> None:
        self.table.add_global_secondary_index(
            index_name=WORK_INDEX,
            partition_key=_text("work_pk"),
            sort_key=_text("work_sk"),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=["bucket", "key", "version_id", "attempt", "lane"],
        )
        self.table.add_global_secondary_index(
            index_name=BY_SCAN_INDEX,
            partition_key=_text("scan_pk"),
            sort_key=_text("scan_sk"),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
