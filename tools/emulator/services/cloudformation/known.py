"""Which resource types and properties have an effect here; everything else is refused by name before anything is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.emulator.core import refuse

# Types with the properties that they may have. What is marked "noted" is kept or ignored without effect, because nothing in the
# offline world depends on it; tests look for it in the template, not here.
_PROPERTIES = {
    # noted: alarms are never evaluated
    "AWS::CloudWatch::Alarm": (
        "ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator DatapointsToAlarm Dimensions "
        "EvaluationPeriods MetricName Namespace OKActions Period Statistic Threshold TreatMissingData Unit"
    ),
    # noted: PointInTimeRecoverySpecification, SSESpecification
    "AWS::DynamoDB::Table": (
        "AttributeDefinitions BillingMode DeletionProtectionEnabled GlobalSecondaryIndexes KeySchema "
        "PointInTimeRecoverySpecification SSESpecification TableName Tags"
    ),
    "AWS::Events::Rule": "Description EventPattern Name ScheduleExpression State Targets",
    "AWS::IAM::ManagedPolicy": "Description ManagedPolicyName Path PolicyDocument Roles",
    # noted, because nothing is denied
    "AWS::IAM::Policy": "PolicyDocument PolicyName Roles",
    "AWS::IAM::Role": "AssumeRolePolicyDocument Description ManagedPolicyArns Policies RoleName Tags",
    "AWS::Lambda::EventInvokeConfig": "DestinationConfig FunctionName MaximumEventAgeInSeconds MaximumRetryAttempts Qualifier",
    "AWS::Lambda::EventSourceMapping": "BatchSize Enabled EventSourceArn FunctionName FunctionResponseTypes ScalingConfig",
    # noted: Architectures; Layers; LoggingConfig, as logs are files; Runtime, as functions run on the Python of the world
    "AWS::Lambda::Function": (
        "Architectures Code DeadLetterConfig Description Environment FunctionName Handler Layers LoggingConfig MemorySize "
        "ReservedConcurrentExecutions Role Runtime Tags Timeout"
    ),
    # noted, as functions run with the packages of the world
    "AWS::Lambda::LayerVersion": "CompatibleArchitectures CompatibleRuntimes Content Description LayerName LicenseInfo",
    # noted
    "AWS::Lambda::Permission": "Action FunctionName Principal SourceAccount SourceArn",
    # noted
    "AWS::Logs::LogGroup": "LogGroupName RetentionInDays",
    # noted: LifecycleConfiguration, OwnershipControls, PublicAccessBlockConfiguration
    "AWS::S3::Bucket": "BucketEncryption BucketName LifecycleConfiguration OwnershipControls PublicAccessBlockConfiguration Tags",
    "AWS::S3::BucketPolicy": "Bucket PolicyDocument",
    "AWS::SNS::Subscription": "Endpoint Protocol RawMessageDelivery RedrivePolicy TopicArn",
    "AWS::SNS::Topic": "DisplayName KmsMasterKeyId TopicName",
    "AWS::SNS::TopicPolicy": "PolicyDocument Topics",
    "AWS::SQS::Queue": (
        "DelaySeconds MaximumMessageSize MessageRetentionPeriod QueueName ReceiveMessageWaitTimeSeconds RedrivePolicy "
        "SqsManagedSseEnabled VisibilityTimeout"
    ),
    "AWS::SQS::QueuePolicy": "PolicyDocument Queues",
}
KNOWN = {kind: frozenset(names.split()) for kind, names in _PROPERTIES.items()}
IGNORED = frozenset({"AWS::CDK::Metadata"})  # the CDK's own statistics


def check(template: Mapping[str, Any]) -> None:
    """Refuse a template that contains what would have no effect here.

    Raises:
        UnsupportedError: It has such a resource type or property; the message names it.
    """
    for name, resource in template["Resources"].items():
        kind = resource["Type"]
        if kind in IGNORED:
            continue
        if kind not in KNOWN:
            raise refuse("cloudformation", f"the type {kind} (resource {name})")
        for given in resource.get("Properties", {}):
            if given not in KNOWN[kind]:
                raise refuse("cloudformation", f"the property {given} of {kind} (resource {name})")
