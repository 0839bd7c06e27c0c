"""The CloudWatch alarms that mail the operator."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class Alarms(Construct):
    """One alarm for each dead-letter queue, which mails once until the queue is empty again, and one for the sweeper.

    The sweeper sends all other mails, so nothing else would report that it no longer runs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alerts: sns.ITopic,
        dead_letters: Mapping[str, sqs.IQueue | None],
        every_minute: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        self._watch(every_minute, alerts)
        for name, queue in dead_letters.items():
            if queue is None:
                continue
            alarm = cloudwatch.Alarm(
                self,
                name,
                alarm_description=f"Dead letters in {name}: see the queue; they are kept for 14 days.",
                metric=queue.metric_approximate_number_of_messages_visible(period=Duration.minutes(5), statistic="Maximum"),
                threshold=1,
                evaluation_periods=1,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                # SQS stops publishing metrics of a queue that was not used for six hours.
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            alarm.add_alarm_action(actions.SnsAction(alerts))

    def _watch(self, function: lambda_.IFunction, alerts: sns.ITopic) -> None:
        alarm = cloudwatch.Alarm(
            self,
            "Silent",
            alarm_description="The sweeper has not run for 15 minutes: nothing is mailed, closed or sent again.",
            metric=function.metric_invocations(period=Duration.minutes(5), statistic="Sum"),
            threshold=1,
            evaluation_periods=3,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            # A function that does not run publishes no metrics.
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(alerts))
