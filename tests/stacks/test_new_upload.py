"""What a watched bucket adds to the template, which events its rule takes, and that nothing of it is there without one."""

import json

import pytest

from handlers import settings
from handlers.domain import watch
from handlers.domain.watch import Watch
from stacks.settings import ContextError
from stacks.watch import ENVIRONMENT_LIMIT, FRAMES_VARIABLES, OTHER_VARIABLES, OUTBOX_VARIABLES, pattern
from tools.emulator.services.events import parse

BUCKET = "amzn-s3-demo-bucket"
# The detail of https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html, shortened.
EVENT = {
    "version": "0",
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": BUCKET}, "object": {"key": "a.mp4", "size": 5}, "reason": "PutObject"},
}


def event(key="a.mp4", size=5, bucket=BUCKET, **fields):
    """Return an event of S3 as JSON."""
    return json.dumps({**EVENT, "detail": {"bucket": {"name": bucket}, "object": {"key": key, "size": size}}, **fields})


@pytest.fixture(scope="module")
def resources(watching):
    """Return a function from a type, and a part of the logical id, to the properties of such resources."""
    return lambda kind, part="": [
        resource["Properties"] for name, resource in watching["Resources"].items() if resource["Type"] == kind and part in name
    ]


class TestPattern:
    @pytest.mark.parametrize(
        "taken",
        [
            event(),
            event("2026/A b+%.MP4"),
            event("a.Mov"),
            event("a.m4v"),
            event(".mp4"),
            event("é/😀.mp4"),
            event(size=1),
            event(size=6_000_000_000),
            event(size=5 * 1024**4),
        ],
    )
    def test_taken(self, taken):
        """An upload of a video is taken in whatever case its suffix is, and however large it is."""
        assert parse(json.dumps(pattern(Watch(BUCKET)))).matches(taken)

    @pytest.mark.parametrize(
        "other",
        [
            event(size=0),
            event("a.mp4.txt"),
            event("a.mkv"),
            event("mp4"),
            event("a.mp4/"),
            event(bucket="amzn-s3-demo-bucket2"),
            event(bucket="amzn-s3-demo"),
            event(source="aws.s3.other"),
            event(source="mine"),
            event(**{"detail-type": "Object Deleted"}),
            event(**{"detail-type": "Object Tags Added"}),
            event(detail={"bucket": {"name": BUCKET}, "object": {"key": "a.mp4"}}),
        ],
    )
    def test_not_taken(self, other):
        """Other suffixes, empty objects, other buckets and other events are not taken; nor is what resembles an event of S3."""
        assert not parse(json.dumps(pattern(Watch(BUCKET)))).matches(other)

    def test_no_numeric_comparison(self):
        """The size is not compared as a number: EventBridge's numbers end at 5.0e9, and videos of up to 10 GB are analysed."""
        assert "numeric" not in json.dumps(pattern(Watch(BUCKET)))

    def test_prefixes_are_left_to_the_function(self):
        """A prefix beside the suffixes would be an alternative to them."""
        assert pattern(Watch(BUCKET, prefixes=("2026/",))) == pattern(Watch(BUCKET))


class TestTemplate:
    def test_rule(self, resources):
        """The bucket's rule is enabled, sends to the queue, and what it cannot send to the dead letters."""
        (rule,) = resources("AWS::Events::Rule", "NewUpload")
        (target,) = rule["Targets"]
        queues = (target["Arn"], target["DeadLetterConfig"]["Arn"])

        assert rule == {"State": "ENABLED", "EventPattern": pattern(Watch(BUCKET)), "Targets": [target]}
        assert target.keys() == {"Id", "Arn", "DeadLetterConfig"}
        assert "Uploads" == target["Id"]
        assert ["NewUploadUploads", "NewUploadDeadLetters"] == [
            queue["Fn::GetAtt"][0].rstrip("0123456789ABCDEF") for queue in queues
        ]

    @pytest.mark.parametrize("name", ["Uploads", "DeadLetters"])
    def test_only_these_rules_may_send(self, resources, name):
        """EventBridge may send to both queues, for the rules of this deployment alone, and do nothing else."""
        (policy,) = resources("AWS::SQS::QueuePolicy", f"NewUpload{name}")
        (admitted,) = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]

        assert admitted["Principal"] == {"Service": "events.amazonaws.com"}
        assert admitted["Action"] == "sqs:SendMessage"
        assert admitted["Resource"]["Fn::GetAtt"][0].startswith(f"NewUpload{name}")
        (rule,) = [admitted["Condition"]["ArnEquals"]["aws:SourceArn"]]
        assert (rule if isinstance(rule, dict) else rule[0])["Fn::GetAtt"][0].startswith("NewUploadRules")
        assert set(admitted["Condition"]) == {"ArnEquals"}

    def test_queue(self, resources):
        """The queue keeps uploads for 14 days, and hides what was received for six times the function's timeout."""
        (queue,) = resources("AWS::SQS::Queue", "NewUploadUploads")
        (function,) = resources("AWS::Lambda::Function", "NewUpload")

        assert queue["VisibilityTimeout"] == 6 * function["Timeout"]
        assert queue["MessageRetentionPeriod"] == 1_209_600
        assert queue["RedrivePolicy"]["maxReceiveCount"] == 20
        assert queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].startswith("NewUploadDeadLetters")

    def test_every_queue_is_closed(self, resources):
        """Both queues are encrypted by SQS and refuse plain HTTP."""
        queues, policies = resources("AWS::SQS::Queue", "NewUpload"), resources("AWS::SQS::QueuePolicy", "NewUpload")

        assert [True, True] == [queue["SqsManagedSseEnabled"] for queue in queues]
        refusals = [each for policy in policies for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
        assert [{"Bool": {"aws:SecureTransport": "false"}}] * 2 == [each["Condition"] for each in refusals]

    def test_polled(self, resources):
        """Ten uploads at a time, two invocations at a time, and what one of them fails on comes back alone."""
        (mapping,) = resources("AWS::Lambda::EventSourceMapping", "NewUpload")

        assert (10, {"MaximumConcurrency": 2}) == (mapping["BatchSize"], mapping["ScalingConfig"])
        assert ["ReportBatchItemFailures"] == mapping["FunctionResponseTypes"]
        assert mapping["EventSourceArn"]["Fn::GetAtt"][0].startswith("NewUploadUploads")

    def test_dead_letters_are_noticed(self, resources):
        """The first dead letter mails the operator."""
        (alarm,) = resources("AWS::CloudWatch::Alarm", "Uploads")

        assert alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0].startswith("NewUploadDeadLetters")
        assert (1, "ApproximateNumberOfMessagesVisible") == (alarm["Threshold"], alarm["MetricName"])
        assert alarm["AlarmActions"][0]["Ref"].startswith("NotificationsAlerts")

    def test_a_rule_for_each_bucket(self, templates):
        """Each watched bucket has a rule, whose logical id depends on its name and not on its place in the list."""
        names = ["bucket-a", "bucket.a", "bucket-b"]
        both = templates(source_buckets=names, watch=[{"bucket": name} for name in names])
        one = templates(source_buckets=names, watch=[{"bucket": "bucket-b"}])

        assert set(rules(both)) == set(names)
        assert rules(both)["bucket-b"] == rules(one)["bucket-b"]

    def test_nothing_without_a_watched_bucket(self, template):
        """Where nothing is watched, the template does not mention it."""
        assert "NewUpload" not in json.dumps(template)
        assert "aws.s3" not in json.dumps(template)

    def test_the_work_bucket_is_refused(self, templates, watching):
        """A watch of the stack's own work bucket, by the name that CloudFormation gave it, is refused with the cure."""
        (logical_id,) = [
            name
            for name, resource in watching["Resources"].items()
            if resource["Type"] == "AWS::S3::Bucket" and name.startswith("Work")
        ]
        work_bucket = f"videomoderation-{logical_id.lower()}-1abc2def3"

        with pytest.raises(ContextError, match=f"watches '{work_bucket}', the work bucket") as raised:
            templates(source_buckets=["*"], watch=[{"bucket": work_bucket}])

        assert "name the bucket with the videos" in str(raised.value)

    def test_the_function_knows_the_work_bucket(self, resources):
        """The function that registers uploads is given the name of the bucket whose events it ignores."""
        (function,) = resources("AWS::Lambda::Function", "NewUpload")

        assert function["Environment"]["Variables"]["WORK_BUCKET_NAME"]["Ref"].startswith("Work")

    def test_no_physical_names(self, resources):
        """AWS names the rule and the queues."""
        for kind in ("AWS::Events::Rule", "AWS::SQS::Queue", "AWS::Lambda::Function"):
            assert not [each for each in resources(kind, "NewUpload") if {"Name", "QueueName", "FunctionName"} & set(each)]


def rules(template):
    """Return the logical ids of the rules of watched buckets, by bucket."""
    found = ((name, resource.get("Properties", {})) for name, resource in template["Resources"].items())
    return {
        properties["EventPattern"]["detail"]["bucket"]["name"][0]: name
        for name, properties in found
        if "EventPattern" in properties
    }


@pytest.mark.parametrize(
    ("deployment", "taken", "least"),
    [
        ("watching", OTHER_VARIABLES, 1_600),
        ("sampling", OTHER_VARIABLES + FRAMES_VARIABLES, 900),
        ("publishing", OTHER_VARIABLES + FRAMES_VARIABLES + OUTBOX_VARIABLES, 700),
    ],
)
def test_environment_fits(request, functions_of, deployment, taken, least):
    """With the longest list that the context takes, and the longest names, the sweeper's variables stay under Lambda's 4 KB."""
    variables = functions_of(request.getfixturevalue(deployment))["sweeper"]["Environment"]["Variables"]
    arn, url = 256 + 50, len("https://sqs.ap-southeast-1.amazonaws.com.cn/111122223333/") + 80
    longest = {"TABLE_NAME": 255, "STACK_NAME": 128, "ACCOUNT_ID": 12, "COMPLETION_FUNCTION_ARN": 64 + 60}
    lengths = {
        name: arn if name.endswith("TOPIC_ARN") else url if name.endswith("_URL") else longest.get(name, 36) for name in variables
    }

    others = sum(len(name) + length for name, length in lengths.items() if name != "WATCH") + len("WATCH")

    assert set(variables) == set(settings.to_environment(settings.from_environment(settings.SweeperSettings, filled(variables))))
    assert others <= taken
    assert ENVIRONMENT_LIMIT - taken > least


def filled(variables):
    """Return variables with a value of their type."""
    numbers = {"MAILS_PER_SCAN": "1", "SLOTS": "1"}
    return {name: numbers.get(name, "x") for name in variables}


def test_what_the_context_takes_is_what_functions_read(templates):
    """Keys of every kind come through the variable as they are in the context, and it is ASCII, so characters are bytes."""
    given = {"bucket": BUCKET, "prefixes": ["é +,%2B😀/", '"quoted"/'], "suffixes": [".MP4"]}
    template = templates(watch=[given])

    text = template["Outputs"]["WatchedBuckets"]["Value"]

    assert text.isascii()
    assert watch.parse(text) == {BUCKET: Watch(BUCKET, tuple(sorted(given["prefixes"])), (".mp4",))}
