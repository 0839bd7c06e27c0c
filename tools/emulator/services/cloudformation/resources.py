"""The resource types that moto's CloudFormation lacks.

moto finds types among the subclasses of its `CloudFormationModel`, wherever they are defined.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.common_models import CloudFormationModel
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from tools.emulator.core import moto_hooks
from tools.emulator.services.cloudformation import policies


class Subscriptions(Protocol):
    """SNS as CloudFormation sees it."""

    def subscribe(self, topic_arn: str, protocol: str, endpoint: str, attributes: Mapping[str, Any]) -> str:
        """Subscribe an endpoint and return the subscription's ARN."""
        ...


def hooks(sns: Subscriptions) -> tuple[moto_hooks.Hook, ...]:
    """Return what corrects moto's policies and lets subscriptions be made by a service.

    moto knows the types below as soon as this module is imported.
    """
    return (moto_hooks.Replacement(SubscriptionResource, "sns", sns), *policies.hooks())


class _Resource:
    """What the types have in common: no name of their own, one attribute or none, nothing to do when they go."""

    type_name: ClassVar[str]
    attribute: ClassVar[str | None] = None

    def __init__(self, physical_id: str) -> None:
        self.physical_resource_id = physical_id

    @staticmethod
    def cloudformation_name_type() -> str:
        """Return that the resource has no property for its name."""
        return ""

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Return whether `Fn::GetAtt` knows an attribute."""
        return attr == cls.attribute

    def get_cfn_attribute(self, _: str) -> str:
        """Return the only attribute there is."""
        return self.physical_resource_id

    def delete(self, _account_id: str, _region_name: str) -> None:
        """Do nothing when the stack goes."""


class SubscriptionResource(_Resource, CloudFormationModel):  # type: ignore[misc] # moto is untyped
    """A subscription to a topic."""

    sns: ClassVar[Subscriptions | None] = None

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type's name."""
        return "AWS::SNS::Subscription"

    @classmethod
    def create_from_cloudformation_json(
        cls, _name: str, cloudformation_json: dict[str, Any], _account_id: str, _region_name: str, **_: object
    ) -> SubscriptionResource:
        """Subscribe."""
        given = cloudformation_json["Properties"]
        attributes = {name: given[name] for name in ("RawMessageDelivery", "RedrivePolicy") if name in given}
        if cls.sns is None:
            raise RuntimeError("the offline world's SNS is not installed")
        return cls(cls.sns.subscribe(given["TopicArn"], given["Protocol"], given["Endpoint"], attributes))

    def delete(self, account_id: str, region_name: str) -> None:
        """Unsubscribe."""
        sns_backends[account_id][region_name].unsubscribe(self.physical_resource_id)


class TopicPolicyResource(_Resource, CloudFormationModel):  # type: ignore[misc] # moto is untyped
    """The policy of topics."""

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type's name."""
        return "AWS::SNS::TopicPolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls, name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: object
    ) -> TopicPolicyResource:
        """Set the policy."""
        given = cloudformation_json["Properties"]
        for topic in given["Topics"]:
            sns_backends[account_id][region_name].set_topic_attribute(topic, "policy", json.dumps(given["PolicyDocument"]))
        return cls(name)


class QueuePolicyResource(_Resource, CloudFormationModel):  # type: ignore[misc] # moto is untyped
    """The policy of queues."""

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type's name."""
        return "AWS::SQS::QueuePolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls, name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: object
    ) -> QueuePolicyResource:
        """Set the policy."""
        given = cloudformation_json["Properties"]
        for url in given["Queues"]:
            queue = sqs_backends[account_id][region_name].get_queue(url.rpartition("/")[2])
            queue.policy = json.dumps(given["PolicyDocument"])
        return cls(name)


class BucketPolicyResource(_Resource, CloudFormationModel):  # type: ignore[misc] # moto is untyped
    """The policy of a bucket: noted only, because moto would apply it without its conditions and deny everything."""

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type's name."""
        return "AWS::S3::BucketPolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls, name: str, _json: dict[str, Any], _account_id: str, _region_name: str, **_: object
    ) -> BucketPolicyResource:
        """Take note."""
        return cls(name)


class AlarmResource(_Resource, CloudFormationModel):  # type: ignore[misc] # moto is untyped
    """An alarm: listed by DescribeAlarms, never evaluated."""

    attribute = "Arn"

    def __init__(self, name: str, arn: str) -> None:
        super().__init__(name)
        self._arn = arn

    def get_cfn_attribute(self, _: str) -> str:
        """Return the ARN."""
        return self._arn

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type's name."""
        return "AWS::CloudWatch::Alarm"

    @classmethod
    def create_from_cloudformation_json(
        cls, name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: object
    ) -> AlarmResource:
        """Put the alarm."""
        given = cloudformation_json["Properties"]
        alarm = cloudwatch_backends[account_id][region_name].put_metric_alarm(
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
        return cls(alarm.name, alarm.alarm_arn)
