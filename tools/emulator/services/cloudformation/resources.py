"""The resource types that moto's CloudFormation lacks; it knows them as soon as this module is imported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from moto.cloudformation.models import Stack
from moto.cloudwatch.models import cloudwatch_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from tools.emulator.core import moto_hooks
from tools.emulator.services.cloudformation import policies

Properties = dict[str, Any]
Place = tuple[str, str]  # account and Region
_PARSE = "parse_template"
_PARSE_YAML = Stack.parse_template


class Subscriptions(Protocol):
    """SNS as CloudFormation sees it."""

    def subscribe(self, topic_arn: str, protocol: str, endpoint: str, attributes: Mapping[str, Any]) -> str:
        """Subscribe an endpoint and return the subscription's ARN."""


def hooks(sns: Subscriptions) -> tuple[moto_hooks.Hook, ...]:
    """Return what corrects moto's policies, has SNS's engine make subscriptions, and reads JSON templates as JSON."""
    return (
        moto_hooks.Replacement(_SUBSCRIPTION, "sns", sns),
        moto_hooks.Replacement(Stack, _PARSE, staticmethod(_parse_template)),
        *policies.hooks(),
    )


def _parse_template(template: str) -> dict[str, Any]:
    """Parse as JSON first: moto reads every template as YAML, in pure Python, which is most of the time of a deployment."""
    try:
        parsed: dict[str, Any] = json.loads(template)
    except json.JSONDecodeError:
        return dict(_PARSE_YAML(template))
    return parsed


def _subscribe(_: str, given: Properties, __: Place) -> tuple[str]:
    attributes: dict[str, Any] = {name: given[name] for name in ("RawMessageDelivery", "RedrivePolicy") if name in given}
    sns: Subscriptions = vars(_SUBSCRIPTION)["sns"]
    return (sns.subscribe(given["TopicArn"], given["Protocol"], given["Endpoint"], attributes),)


def _unsubscribe(arn: str, place: Place) -> None:
    sns_backends[place[0]][place[1]].unsubscribe(arn)


def _set_topic_policy(name: str, given: Properties, place: Place) -> tuple[str]:
    for topic in given["Topics"]:
        sns_backends[place[0]][place[1]].set_topic_attribute(topic, "policy", json.dumps(given["PolicyDocument"]))
    return (name,)


def _set_queue_policy(name: str, given: Properties, place: Place) -> tuple[str]:
    for url in given["Queues"]:
        queue = sqs_backends[place[0]][place[1]].get_queue(url.rpartition("/")[2])
        queue.policy = json.dumps(given["PolicyDocument"])
    return (name,)


def _put_bucket_policy(_: str, given: Properties, place: Place) -> tuple[str]:
    s3_backends[place[0]]["aws"].put_bucket_policy(given["Bucket"], json.dumps(given["PolicyDocument"]).encode())
    return (given["Bucket"],)


def _delete_bucket_policy(bucket: str, place: Place) -> None:
    if bucket in s3_backends[place[0]]["aws"].buckets:
        s3_backends[place[0]]["aws"].delete_bucket_policy(bucket)


def _put_alarm(name: str, given: Properties, place: Place) -> tuple[str, str]:
    """Put an alarm, which DescribeAlarms lists and nothing evaluates."""
    alarm = cloudwatch_backends[place[0]][place[1]].put_metric_alarm(
        name=given.get("AlarmName", name),
        namespace=given["Namespace"],
        metric_name=given["MetricName"],
        comparison_operator=given["ComparisonOperator"],
        evaluation_periods=int(given["EvaluationPeriods"]),
        period=int(given["Period"]),
        threshold=float(given["Threshold"]),
        statistic=given["Statistic"],
        description=given.get("AlarmDescription", ""),
        dimensions=given.get("Dimensions", []),
        alarm_actions=given.get("AlarmActions", []),
        ok_actions=given.get("OKActions", []),
        treat_missing_data=given.get("TreatMissingData"),
    )
    return alarm.name, alarm.alarm_arn


_SUBSCRIPTION = moto_hooks.resource_type("AWS::SNS::Subscription", _subscribe, _unsubscribe)
# moto finds these as long as they exist.
_OTHERS = (
    moto_hooks.resource_type("AWS::SNS::TopicPolicy", _set_topic_policy),
    moto_hooks.resource_type("AWS::SQS::QueuePolicy", _set_queue_policy),
    moto_hooks.resource_type("AWS::S3::BucketPolicy", _put_bucket_policy, _delete_bucket_policy),
    moto_hooks.resource_type("AWS::CloudWatch::Alarm", _put_alarm, has_arn=True),
)
