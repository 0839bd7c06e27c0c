"""What each construct asks of AWS, on the template (moto drops half of it in silence)."""

import json

import aws_cdk.aws_lambda as lambda_
import pytest
from aws_cdk.assertions import Match, Template

from stacks.function import RUNTIME


@pytest.fixture(scope="module")
def resources(template):
    """Return the template as aws_cdk's assertions see it."""
    return Template.from_json(template)


def of_type(template, kind):
    """Return the resources of a type."""
    return [resource for resource in template["Resources"].values() if resource["Type"] == kind]


def test_table(resources):
    """The table is on demand, restorable, has the two indexes of the contract, and outlives the stack."""
    resources.has_resource(
        "AWS::DynamoDB::Table",
        {
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                "KeySchema": keys("pk", "sk"),
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "work",
                        "KeySchema": keys("work_pk", "work_sk"),
                        "Projection": {
                            "ProjectionType": "INCLUDE",
                            "NonKeyAttributes": ["bucket", "key", "version_id", "attempt", "lane"],
                        },
                    },
                    {
                        "IndexName": "by_scan",
                        "KeySchema": keys("scan_pk", "scan_sk"),
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    },
                ],
            },
        },
    )


def keys(partition, sort):
    """Return a key schema."""
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def test_key_attributes_are_text(template):
    """Every key attribute is a string."""
    (table,) = of_type(template, "AWS::DynamoDB::Table")

    types = {each["AttributeName"]: each["AttributeType"] for each in table["Properties"]["AttributeDefinitions"]}

    assert types == dict.fromkeys(["pk", "sk", "work_pk", "work_sk", "scan_pk", "scan_sk"], "S")


def test_lanes(resources):
    """Two lanes hide a message for 5,400 s, keep it for 14 days and give it up after 1,000 receives."""
    lane = {
        "VisibilityTimeout": 5400,
        "MessageRetentionPeriod": 1_209_600,
        "RedrivePolicy": {"maxReceiveCount": 1000, "deadLetterTargetArn": Match.any_value()},
    }

    resources.resource_properties_count_is("AWS::SQS::Queue", lane, 2)


def test_every_queue_is_closed(template):
    """Every queue is encrypted by SQS, keeps for 14 days and refuses plain HTTP."""
    queues = of_type(template, "AWS::SQS::Queue")
    policies = of_type(template, "AWS::SQS::QueuePolicy")

    assert [(True, 1_209_600)] * 7 == [
        (queue["Properties"]["SqsManagedSseEnabled"], queue["Properties"]["MessageRetentionPeriod"]) for queue in queues
    ]
    assert len(queues) == sum(refuses_plain_http(policy, "sqs:*") for policy in policies)


def refuses_plain_http(policy, action):
    """Tell whether a resource policy denies this action without TLS."""
    return any(
        s["Effect"] == "Deny" and s["Action"] == action and s["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for s in policy["Properties"]["PolicyDocument"]["Statement"]
    )


def test_topics_refuse_plain_http(template):
    """Both topics take publications over TLS only."""
    assert [True, True] == [refuses_plain_http(policy, "sns:Publish") for policy in of_type(template, "AWS::SNS::TopicPolicy")]


def test_no_other_account_publishes(template):
    """No topic policy admits anyone but this account's alarms: a notice from elsewhere does not even arrive."""
    statements = [
        s for policy in of_type(template, "AWS::SNS::TopicPolicy") for s in policy["Properties"]["PolicyDocument"]["Statement"]
    ]

    (admitted,) = [statement for statement in statements if statement["Effect"] == "Allow"]

    assert admitted["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert admitted["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_mail_subscription(resources):
    """The address of the context is subscribed to the topic of the alerts."""
    resources.has_resource_properties(
        "AWS::SNS::Subscription",
        {
            "Protocol": "email",
            "Endpoint": "reviewer@example.com",
            "TopicArn": {"Ref": Match.string_like_regexp("NotificationsAlerts")},
        },
    )


def test_no_address_no_subscription(templates):
    """Without an address there is no e-mail subscription."""
    subscriptions = of_type(templates(alert_email=""), "AWS::SNS::Subscription")

    assert ["lambda"] == [subscription["Properties"]["Protocol"] for subscription in subscriptions]


def test_notices_reach_completion(resources):
    """`completion` hears the topic of Rekognition, and what cannot be delivered to it is kept."""
    resources.has_resource_properties(
        "AWS::SNS::Subscription",
        {
            "Protocol": "lambda",
            "Endpoint": {"Fn::GetAtt": [Match.string_like_regexp("CompletionHandlerFunction"), "Arn"]},
            "TopicArn": {"Ref": Match.string_like_regexp("NotificationsCompletions")},
            "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": [Match.string_like_regexp("CompletionUndelivered"), "Arn"]}},
        },
    )


def test_undelivered_notices_are_let_in(resources):
    """SNS may put undeliverable notices of that topic, and of no other, into their queue."""
    resources.has_resource_properties(
        "AWS::SQS::QueuePolicy",
        {
            "Queues": [{"Ref": Match.string_like_regexp("CompletionUndelivered")}],
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {
                                "Effect": "Allow",
                                "Action": "sqs:SendMessage",
                                "Principal": {"Service": "sns.amazonaws.com"},
                                "Condition": {
                                    "ArnEquals": {"aws:SourceArn": {"Ref": Match.string_like_regexp("NotificationsCompletions")}}
                                },
                            }
                        )
                    ]
                )
            },
        },
    )


def test_work_bucket(resources, template):
    """Manifests and reports: private, TLS only, S3's own keys, no versions, no forgotten parts, kept when the stack goes."""
    resources.has_resource(
        "AWS::S3::Bucket",
        {
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
                },
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                "LifecycleConfiguration": {
                    "Rules": [{"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}, "Status": "Enabled"}]
                },
                "VersioningConfiguration": Match.absent(),
            },
        },
    )
    assert [True] == [refuses_plain_http(policy, "s3:*") for policy in of_type(template, "AWS::S3::BucketPolicy")]


@pytest.mark.parametrize(
    ("module", "timeout", "memory"),
    [("batch_invoke", 300, 256), ("start_analysis", 900, 256), ("completion", 900, 1024), ("sweeper", 120, 512)],
)
def test_function(functions, module, timeout, memory):
    """Each function has its time and memory, runs on arm64 and logs JSON into a group of its own."""
    properties = functions[module]

    assert (timeout, memory) == (properties["Timeout"], properties["MemorySize"])
    assert ["arm64"] == properties["Architectures"]
    assert "JSON" == properties["LoggingConfig"]["LogFormat"]
    assert properties["LoggingConfig"]["LogGroup"]["Ref"].startswith(module.title().replace("_", ""))


def test_runtime_is_the_newest(functions):
    """All functions run on the newest Python that this aws-cdk-lib knows; fails when an upgrade brings a newer one."""
    known = [name for name in dir(lambda_.Runtime) if name.startswith("PYTHON_3_")]
    newest = max(known, key=lambda name: int(name.rpartition("_")[2]))

    assert RUNTIME.name == getattr(lambda_.Runtime, newest).name
    assert {RUNTIME.name} == {properties["Runtime"] for properties in functions.values()}


@pytest.mark.parametrize(("days", "kept"), [(30, 30), (731, 731), (1, 1)])
def test_logs_are_kept_as_long_as_set(templates, days, kept):
    """Every log group keeps its logs for the days of the context."""
    groups = of_type(templates(log_retention_days=days), "AWS::Logs::LogGroup")

    assert [kept] * 4 == [group["Properties"]["RetentionInDays"] for group in groups]


def test_dead_letters_of_asynchronous_functions(functions):
    """The two functions that are invoked asynchronously keep the events they failed on; the others have who repeats them."""
    assert {"completion", "sweeper"} == {module for module, properties in functions.items() if "DeadLetterConfig" in properties}


def test_starters(template):
    """Each lane is polled by start_analysis, one message at a time, two at once, with failures reported per message."""
    mappings = [mapping["Properties"] for mapping in of_type(template, "AWS::Lambda::EventSourceMapping")]

    assert ["LanesExpressQueue", "LanesNormalQueue"] == sorted(m["EventSourceArn"]["Fn::GetAtt"][0][:-8] for m in mappings)
    for mapping in mappings:
        assert mapping["FunctionName"]["Ref"].startswith("StartAnalysisHandlerFunction")
        assert 1 == mapping["BatchSize"]
        assert {"MaximumConcurrency": 2} == mapping["ScalingConfig"]
        assert ["ReportBatchItemFailures"] == mapping["FunctionResponseTypes"]


def test_lambda_polls_only_once_it_may(template):
    """A function exists only after its permissions do; a mapping made earlier would be refused."""
    functions = [r for name, r in template["Resources"].items() if r["Type"] == "AWS::Lambda::Function"]

    assert all(any("DefaultPolicy" in name for name in function["DependsOn"]) for function in functions)


def test_schedule(resources):
    """The sweeper runs every minute, and EventBridge may invoke it."""
    resources.has_resource_properties(
        "AWS::Events::Rule",
        {
            "ScheduleExpression": "rate(1 minute)",
            "State": "ENABLED",
            "Targets": [Match.object_like({"Arn": {"Fn::GetAtt": [Match.string_like_regexp("SweeperHandlerFunction"), "Arn"]}})],
        },
    )
    resources.has_resource_properties(
        "AWS::Lambda::Permission",
        {
            "Principal": "events.amazonaws.com",
            "FunctionName": {"Fn::GetAtt": [Match.string_like_regexp("SweeperHandlerFunction"), "Arn"]},
            "SourceArn": {"Fn::GetAtt": [Match.string_like_regexp("SweeperEveryMinute"), "Arn"]},
        },
    )


def test_every_dead_letter_is_noticed(template):
    """Each queue of dead letters has an alarm that mails the operator at the first letter."""
    dead = {name for name in template["Resources"] if "DeadLetters" in name or "Undelivered" in name}
    queues = {name for name in dead if template["Resources"][name]["Type"] == "AWS::SQS::Queue"}
    alarms = [
        properties
        for alarm in of_type(template, "AWS::CloudWatch::Alarm")
        if (properties := alarm["Properties"])["Namespace"] == "AWS/SQS"
    ]

    assert queues == {alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0] for alarm in alarms}
    for alarm in alarms:
        assert ("ApproximateNumberOfMessagesVisible", 1) == (alarm["MetricName"], alarm["Threshold"])
        assert alarm["AlarmActions"][0]["Ref"].startswith("NotificationsAlerts")


def test_a_silent_sweeper_is_noticed(resources):
    """Where the sweeper does not run for a quarter of an hour the operator is mailed; silence is what it looks like."""
    resources.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "MetricName": "Invocations",
            "ComparisonOperator": "LessThanThreshold",
            "Threshold": 1,
            "Period": 300,
            "EvaluationPeriods": 3,
            "TreatMissingData": "breaching",
            "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": Match.string_like_regexp("SweeperHandlerFunction")}}],
            "AlarmActions": [{"Ref": Match.string_like_regexp("NotificationsAlerts")}],
        },
    )


def test_no_reserved_concurrency_by_default(functions):
    """By default no function reserves concurrency: a new account could not deploy it."""
    assert not [properties for properties in functions.values() if "ReservedConcurrentExecutions" in properties]


def test_batch_concurrency(templates):
    """`batch_concurrency` reserves concurrency for batch_invoke and for nothing else."""
    found = of_type(templates(batch_concurrency=50), "AWS::Lambda::Function")

    reserved = {f["Properties"]["Handler"]: f["Properties"].get("ReservedConcurrentExecutions") for f in found}

    assert reserved.pop("handlers.batch_invoke.handler") == 50
    assert set(reserved.values()) == {None}


def test_no_physical_names(template):
    """AWS names everything, so that two deployments fit into one account (the CDK names inline policies, which is harmless)."""
    names = {"TableName", "QueueName", "TopicName", "BucketName", "FunctionName", "RoleName", "LogGroupName", "AlarmName", "Name"}
    exempt = {"AWS::Lambda::Permission", "AWS::Lambda::EventSourceMapping"}  # their FunctionName says whose they are

    named = [
        (kind, name)
        for resource in template["Resources"].values()
        if (kind := resource["Type"]) not in exempt
        for name in names & resource.get("Properties", {}).keys()
    ]

    assert [] == named


def test_partition_neutral(template):
    """No ARN is written for one partition, and nothing is written for one Region or account."""
    text = json.dumps(template)

    assert "arn:aws" not in text
    assert "us-east-1" not in text
    assert "111122223333" not in text
