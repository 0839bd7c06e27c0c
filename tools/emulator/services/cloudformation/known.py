"""Which resource types and properties come to life here; everything else is refused by name before anything is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.emulator.core import refuse

# Types by the properties that may be given. What is marked "noted" is kept or passed over without effect here, because nothing in
# the offline world depends on it; tests look for it in the template, not here.
KNOWN: dict[str, frozenset[str]] = {
    "AWS::CloudWatch::Alarm": frozenset(  # noted: alarms are never evaluated
        {
            "ActionsEnabled",
            "AlarmActions",
            "AlarmDescription",
            "AlarmName",
            "ComparisonOperator",
            "DatapointsToAlarm",
            "Dimensions",
            "EvaluationPeriods",
            "MetricName",
            "Namespace",
            "OKActions",
            "Period",
            "Statistic",
            "Threshold",
            "TreatMissingData",
            "Unit",
        }
    ),
    "AWS::DynamoDB::Table": frozenset(
        {
            "AttributeDefinitions",
            "BillingMode",
            "DeletionProtectionEnabled",
            "GlobalSecondaryIndexes",
            "KeySchema",
            "PointInTimeRecoverySpecification",  # noted
            "SSESpecification",  # noted
            "TableName",
            "Tags",
        }
    ),
    "AWS::Events::Rule": frozenset({"Description", "Name", "ScheduleExpression", "State", "Targets"}),
    "AWS::IAM::ManagedPolicy": frozenset({"Description", "ManagedPolicyName", "Path", "PolicyDocument", "Roles"}),
    "AWS::IAM::Policy": frozenset({"PolicyDocument", "PolicyName", "Roles"}),  # noted: nothing is denied
    "AWS::IAM::Role": frozenset({"AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "Policies", "RoleName", "Tags"}),
    "AWS::Lambda::EventInvokeConfig": frozenset(
        {"DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier"}
    ),
    "AWS::Lambda::EventSourceMapping": frozenset(
        {"BatchSize", "Enabled", "EventSourceArn", "FunctionName", "FunctionResponseTypes", "ScalingConfig"}
    ),
    "AWS::Lambda::Function": frozenset(
        {
            "Architectures",  # noted
            "Code",
            "DeadLetterConfig",
            "Description",
            "Environment",
            "FunctionName",
            "Handler",
            "LoggingConfig",  # noted: logs are files
            "MemorySize",
            "ReservedConcurrentExecutions",
            "Role",
            "Runtime",  # noted: it runs on the Python of the world
            "Tags",
            "Timeout",
        }
    ),
    "AWS::Lambda::Permission": frozenset({"Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"}),  # noted
    "AWS::Logs::LogGroup": frozenset({"LogGroupName", "RetentionInDays"}),  # noted
    "AWS::S3::Bucket": frozenset(
        {
            "BucketEncryption",
            "BucketName",
            "LifecycleConfiguration",  # noted
            "OwnershipControls",  # noted
            "PublicAccessBlockConfiguration",  # noted
            "Tags",
        }
    ),
    "AWS::S3::BucketPolicy": frozenset({"Bucket", "PolicyDocument"}),  # noted
    "AWS::SNS::Subscription": frozenset({"Endpoint", "Protocol", "RawMessageDelivery", "RedrivePolicy", "TopicArn"}),
    "AWS::SNS::Topic": frozenset({"DisplayName", "TopicName", "KmsMasterKeyId"}),
    "AWS::SNS::TopicPolicy": frozenset({"PolicyDocument", "Topics"}),
    "AWS::SQS::Queue": frozenset(
        {
            "DelaySeconds",
            "MaximumMessageSize",
            "MessageRetentionPeriod",
            "QueueName",
            "ReceiveMessageWaitTimeSeconds",
            "RedrivePolicy",
            "SqsManagedSseEnabled",
            "VisibilityTimeout",
        }
    ),
    "AWS::SQS::QueuePolicy": frozenset({"PolicyDocument", "Queues"}),
}
PASSED_OVER = frozenset({"AWS::CDK::Metadata"})  # the CDK's own statistics


def check(template: Mapping[str, Any]) -> None:
    """Refuse a template that holds what would not come to life here.

    Raises:
        UnsupportedError: Naming the resource with its type, or its property.
    """
    for name, resource in template["Resources"].items():
        kind = resource["Type"]
        if kind in PASSED_OVER:
            continue
        if kind not in KNOWN:
            raise refuse("cloudformation", f"the type {kind} (resource {name})")
        for given in resource.get("Properties", {}):
            if given not in KNOWN[kind]:
                raise refuse("cloudformation", f"the property {given} of {kind} (resource {name})")
