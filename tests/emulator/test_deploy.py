"""Deploying an assembly creates what it contains; what would have no effect is refused before anything is made."""

import json
import time

import pytest
from botocore.exceptions import ClientError

from tools.emulator.core import UnsupportedError
from tools.emulator.deploy import DeploymentError

CODE = """
import boto3, json, os
def handler(event, context):
    for record in event["Records"]:
        boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item={"pk": {"S": record["Sns"]["Message"]}})
"""
TOPIC_POLICY = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": {"Ref": "Topic"}}]}
QUEUE_POLICY = {
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}]
}
ROLE = {
    "AssumeRolePolicyDocument": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    },
    "Policies": [
        {
            "PolicyName": "Jobs",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": "s3:DescribeJob", "Resource": "arn:aws:s3:us-east-1:111122223333:job/*"}
                ],
            },
        }
    ],
}


def resource(kind, **properties):
    """Return a resource of a template."""
    return {"Type": f"AWS::{kind}", "Properties": properties}


BUCKET_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "s3:*",
            "Resource": [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Join": ["", [{"Fn::GetAtt": ["Bucket", "Arn"]}, "/*"]]}],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ],
}
RESOURCES = {
    "Table": resource(
        "DynamoDB::Table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    ),
    "Topic": resource("SNS::Topic"),
    "Queue": resource(
        "SQS::Queue",
        VisibilityTimeout=120,
        RedrivePolicy={"deadLetterTargetArn": {"Fn::GetAtt": ["Dlq", "Arn"]}, "maxReceiveCount": 3},
    ),
    "Dlq": resource("SQS::Queue"),
    "Bucket": resource("S3::Bucket"),
    "BucketPolicy": resource("S3::BucketPolicy", Bucket={"Ref": "Bucket"}, PolicyDocument=BUCKET_POLICY),
    "TopicPolicy": resource("SNS::TopicPolicy", Topics=[{"Ref": "Topic"}], PolicyDocument=TOPIC_POLICY),
    "QueuePolicy": resource("SQS::QueuePolicy", Queues=[{"Ref": "Queue"}], PolicyDocument=QUEUE_POLICY),
    "Role": resource("IAM::Role", **ROLE),
    "Function": resource(
        "Lambda::Function",
        Code={"S3Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": "code.zip"},
        Handler="module.handler",
        Runtime="python3.14",
        Timeout=60,
        Role={"Fn::GetAtt": ["Role", "Arn"]},
        Environment={"Variables": {"TABLE": {"Ref": "Table"}}},
    ),
    "ToFunction": resource(
        "SNS::Subscription",
        TopicArn={"Ref": "Topic"},
        Protocol="lambda",
        Endpoint={"Fn::GetAtt": ["Function", "Arn"]},
        RedrivePolicy={"deadLetterTargetArn": {"Fn::GetAtt": ["Dlq", "Arn"]}},
    ),
    "ToPerson": resource("SNS::Subscription", TopicArn={"Ref": "Topic"}, Protocol="email", Endpoint="reviewer@example.com"),
    "Alarm": resource(
        "CloudWatch::Alarm",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": {"Fn::GetAtt": ["Dlq", "QueueName"]}}],
        Statistic="Maximum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[{"Ref": "Topic"}],
    ),
}
OUTPUTS = {name: {"Value": {"Ref": name}} for name in ("Table", "Topic", "Queue", "Dlq", "Alarm")} | {
    "AlarmArn": {"Value": {"Fn::GetAtt": ["Alarm", "Arn"]}}
}


@pytest.fixture(name="assembly")
def _assembly(tmp_path):
    """Return a function that writes an assembly of one stack with these resources besides."""
    folder = tmp_path / "cdk.out"
    (folder / "asset.code").mkdir(parents=True)
    (folder / "asset.code" / "module.py").write_text(CODE)

    def write(**more):
        stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Stack.template.json"}}
        bucket = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"
        asset = {
            "source": {"path": "asset.code", "packaging": "zip"},
            "destinations": {"here": {"bucketName": bucket, "objectKey": "code.zip"}},
        }
        contents = {
            "manifest.json": {"artifacts": {"Stack": stack}},
            "Stack.assets.json": {"files": {"code": asset}},
            "Stack.template.json": {"Resources": RESOURCES | more, "Outputs": OUTPUTS},
        }
        for name, content in contents.items():
            (folder / name).write_text(json.dumps(content))
        return folder

    return write


def until(found, seconds=30):
    """Wait until something is found and return it."""
    end = time.monotonic() + seconds
    while not (result := found()) and time.monotonic() < end:
        time.sleep(0.05)
    return result


def test_a_deployed_stack_lives(world, assembly):
    """A message published to the topic is written to the table by the function, and mailed."""
    outputs = world.deploy(assembly(), "Stack")
    table = world.client("dynamodb")

    world.client("sns").publish(TopicArn=outputs["Topic"], Message="hello")
    items = until(lambda: table.scan(TableName=outputs["Table"])["Items"])

    assert items == [{"pk": {"S": "hello"}}]
    assert len(list(world.outbox.glob("*.eml"))) == 1
    (call,) = world.ledger.calls(service="dynamodb", operation="PutItem")
    assert call.principal.startswith("Stack-Function-")


def test_what_was_deployed_is_configured_as_the_template_says(world, assembly):
    """Queue, dead letters, policies and alarm are there with their settings."""
    outputs = world.deploy(assembly(), "Stack")

    queue = world.client("sqs").get_queue_attributes(QueueUrl=outputs["Queue"], AttributeNames=["All"])["Attributes"]
    topic = world.client("sns").get_topic_attributes(TopicArn=outputs["Topic"])["Attributes"]
    (alarm,) = world.client("cloudwatch").describe_alarms(AlarmNames=[outputs["Alarm"]])["MetricAlarms"]

    assert queue["VisibilityTimeout"] == "120"
    assert json.loads(queue["RedrivePolicy"])["maxReceiveCount"] == 3
    assert json.loads(queue["Policy"])["Statement"][0]["Action"] == "sqs:SendMessage"
    assert json.loads(topic["Policy"])["Statement"][0]["Action"] == "sns:Publish"
    assert (alarm["AlarmArn"], alarm["Threshold"], alarm["AlarmActions"]) == (outputs["AlarmArn"], 1.0, [outputs["Topic"]])


@pytest.mark.parametrize(
    ("strange", "named"),
    [
        (resource("EC2::Instance"), "AWS::EC2::Instance"),
        (resource("SQS::Queue", FifoQueue=True), "FifoQueue"),
        (resource("SNS::Subscription", FilterPolicy={}), "FilterPolicy"),
        (resource("Lambda::Function", VpcConfig={}), "VpcConfig"),
    ],
    ids=["type", "queue", "subscription", "function"],
)
def test_what_would_have_no_effect_is_refused_by_name(world, assembly, strange, named):
    """The refusal names the type or property, and nothing is deployed, not even an asset."""
    with pytest.raises(UnsupportedError, match=named):
        world.deploy(assembly(Strange=strange), "Stack")

    assert world.client("cloudformation").list_stacks()["StackSummaries"] == []
    with pytest.raises(ClientError):
        world.client("s3").head_object(Bucket="cdk-hnb659fds-assets-111122223333-us-east-1", Key="code.zip")


def test_a_stack_that_is_not_in_the_assembly_is_named(world, assembly):
    """The error names the stacks of the assembly."""
    with pytest.raises(DeploymentError, match="Stack"):
        world.deploy(assembly(), "Other")


def test_a_deleted_stack_takes_its_subscriptions_along(world, assembly):
    """After DeleteStack no mail is sent."""
    world.deploy(assembly(), "Stack")

    world.client("cloudformation").delete_stack(StackName="Stack")

    assert world.client("sns").list_subscriptions()["Subscriptions"] == []
