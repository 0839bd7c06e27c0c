"""An account in moto with a deployed stack and the emulator's table, and S3 Batch Operations played at botocore's own edge."""

import functools
import json
import os
from contextlib import contextmanager
from types import SimpleNamespace
from unittest import mock

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from moto import mock_aws
from moto.cloudformation.models import Stack
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from handlers.adapters.table import open_table
from handlers.domain import watch
from tests.harness.direct import DirectClient, as_boto3_raises, items_at_the_edge
from tools.emulator.core import moto_hooks
from tools.emulator.services import dynamodb
from tools.emulator.settings import EmulatorSettings
from tools.lib import doctor
from tools.lib.aws.clients import Clients
from tools.lib.cli import ProgramContext
from tools.lib.doctor.people import mail
from tools.submit_job import main

ACCOUNT = "111122223333"
REGION = "us-east-1"
BUCKET = "amzn-s3-demo-bucket"
WORK_BUCKET = "amzn-s3-demo-work"
TABLE = "videos"
DEAD_LETTERS = ("NormalDeadLetters", "ExpressDeadLetters", "CompletionDeadLetters", "UndeliveredNotices", "SweeperDeadLetters")
READING = ("Describe", "Get", "Head", "List", "Query", "BatchGet")


class Wire:
    """What a session sends: every call and request is noted, and chosen operations are answered here instead of by moto.

    Answers are given after botocore has validated the request, so a malformed one still fails. The items of `tables` are answered
    so, too: signing, HTTP and the way through moto take most of a call.
    """

    def __init__(self, session, tables):
        self.calls = []
        self.requests = []
        self.items_read = 0
        self._answers = {}
        self._items = items_at_the_edge(tables)
        session.events.register("before-parameter-build", self._note)
        session.events.register("before-call", self._answer)
        session.events.register("before-send", self._send)
        session.events.register("after-call.dynamodb", self._count_items)

    def answer(self, operation, answer):
        """Answer an operation with `answer(params)`, a dict or an `http_error`; None goes on to moto."""
        self._answers[operation] = answer

    def of(self, operation):
        """Return the parameters of each call of an operation."""
        return [params for name, params in self.calls if name == operation]

    @property
    def writes(self):
        """Return the operations called that change something."""
        return [name for name, _ in self.calls if not name.startswith(READING)]

    def _note(self, params, model, context, **_):
        context["tests.params"] = dict(params)
        self.calls.append((model.name, dict(params)))
        if "WaitTimeSeconds" in params:
            # moto would sit it out by the wall; in an account in which nothing else happens, no message comes meanwhile.
            params["WaitTimeSeconds"] = 0

    def _count_items(self, parsed, **_):
        batches = parsed.get("Responses")
        found = batches.values() if isinstance(batches, dict) else []
        self.items_read += len(parsed.get("Items", [])) + ("Item" in parsed) + sum(map(len, found))

    def _send(self, event_name, **_):
        self.requests.append(event_name.rpartition(".")[2])

    def _answer(self, model, context, **_):
        answer = self._answers.get(model.name, lambda _: None)(context["tests.params"])
        if answer is None and model.service_model.service_name == "dynamodb":
            found = self._items(model.name, context["tests.params"])
            self.requests += [model.name] if found else []
            return found
        if answer is None:
            return None
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 200)
        meta = {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}
        return SimpleNamespace(status_code=status), {"ResponseMetadata": meta, **answer}


def http_error(code, status, message="", **headers):
    """Return the parsed answer of a request that failed."""
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": shown, "RetryAttempts": 0},
    }


class Jobs:
    """S3 Batch Operations, as far as the tools see it: one job a token, and the answers of DescribeJob in their order."""

    def __init__(self, wire):
        self.states = [{"Status": "Active"}]
        self._ids = {}
        wire.answer("CreateJob", self._create)
        wire.answer("DescribeJob", self._describe)

    def _create(self, params):
        number = self._ids.setdefault(params["ClientRequestToken"], len(self._ids) + 1)
        return {"JobId": f"00000000-0000-4000-8000-{number:012}"}

    def _describe(self, params):
        state = self.states[0] if len(self.states) == 1 else self.states.pop(0)
        return state if "Error" in state else {"Job": {"JobId": params["JobId"], **state}}


class Clock:
    """A clock that stands still; who sleeps moves it on and lets happen what the test planned for that moment."""

    def __init__(self):
        self.time = 1_760_000_000.0
        self.sleeps = []
        self.planned = []

    def now(self):
        """Return the time."""
        return self.time

    def sleep(self, seconds):
        """Move on, and let the next planned thing happen."""
        self.sleeps.append(seconds)
        self.time += seconds
        if self.planned:
            self.planned.pop(0)()


class Seeding:
    """A session for what is in an account beforehand: its clients are made once for all tests, for they keep no state."""

    @staticmethod
    @functools.cache
    def client(service):
        """Return the client of a service."""
        return boto3.Session("testing", "testing", region_name=REGION).client(service)


class Account:
    """An AWS account with the deployed stack and one bucket of videos; `tables` is its DynamoDB."""

    def __init__(self, manifests, tables):
        self.session = Seeding()
        self.clock = Clock()
        self.manifests = manifests
        self.s3 = self.session.client("s3")
        self.sns = self.session.client("sns")
        self.cloudformation = self.session.client("cloudformation")
        self.sqs = self.session.client("sqs")
        self.dead_letters = {name: _make_queue(name) for name in DEAD_LETTERS}
        self.topic = sns_backends[ACCOUNT][REGION].create_topic("alerts").arn
        sns_backends[ACCOUNT][REGION].subscribe(self.topic, "reviewer@example.com", "email")
        for bucket in (BUCKET, WORK_BUCKET):
            s3_backends[ACCOUNT]["aws"].create_bucket(bucket, REGION)
        _make_table()
        self.table = open_table(past_boto3(tables), TABLE, self.clock)
        self.deploy()
        tools = boto3.Session(region_name=REGION)
        self.wire = Wire(tools, tables)
        self.jobs = Jobs(self.wire)
        self.clients = Clients(tools)
        # Of what the doctor looks at this account has the mail alone; the doctor has tests of its own.
        self.checks = (("mail", mail),)

    def deploy(self, stack="VideoModeration", **changed):
        """Create a stack with the outputs that the tools read."""
        outputs = {
            "TableName": TABLE,
            "WorkBucketName": WORK_BUCKET,
            "BatchInvokeFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:batch-invoke",
            "BatchRoleArn": f"arn:aws:iam::{ACCOUNT}:role/batch",
            "AlertsTopicArn": self.topic,
            "SourceBuckets": f"other-bucket,{BUCKET}",
            "CompletionFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:completion",
            **{f"{name}Url": url for name, url in self.dead_letters.items()},
            "Slots": "18",
            "AccountJobs": "20",
            **changed,
        }
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {name: {"Value": value} for name, value in outputs.items() if value},
        }
        self.cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))

    def deploy_watching(self, *watches, stack="Watching"):
        """Create another stack, which watches buckets that send their events; return the URLs of its queues."""
        urls = {name: _make_queue(name) for name in ("Uploads", "UploadsDeadLetters")}
        rules = {each.bucket: f"uploads-to-{each.bucket}" for each in watches}
        for name in rules.values():
            self.session.client("events").put_rule(Name=name, EventPattern='{"source": ["aws.s3"]}')
        # moto's own answer lacks EventBridge.
        put = {each.bucket: {"EventBridgeConfiguration": {}} for each in watches}
        self.wire.answer("GetBucketNotificationConfiguration", lambda asked: put[asked["Bucket"]])
        self.wire.answer(
            "PutBucketNotificationConfiguration",
            lambda given: put.update({given["Bucket"]: given["NotificationConfiguration"]}) or {},
        )
        self.deploy(
            stack,
            UploadsQueueUrl=urls["Uploads"],
            UploadsDeadLettersUrl=urls["UploadsDeadLetters"],
            WatchedBuckets=watch.text({each.bucket: each for each in watches}),
            WatchRuleNames=json.dumps(rules),
        )
        return urls

    def deploy_functions(self, **actions):
        """Have the stacks list functions, each allowed these actions on all objects; return the ARNs of their roles by name."""
        iam, roles = self.session.client("iam"), {}
        for name, allowed in actions.items():
            trust = json.dumps({"Version": "2012-10-17", "Statement": []})
            roles[name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
            statement = {"Effect": "Allow", "Action": allowed, "Resource": "arn:aws:s3:::*/*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_role_policy(RoleName=name, PolicyName="objects", PolicyDocument=document)
        listed = [{"ResourceType": "AWS::Lambda::Function", "PhysicalResourceId": name} for name in roles]
        self.wire.answer("ListStackResources", lambda _: {"StackResourceSummaries": listed})
        self.wire.answer("GetFunctionConfiguration", lambda asked: {"Role": roles[asked["FunctionName"]]})
        return roles

    def put(self, *keys, body=b"video"):
        """Put objects into the bucket of videos."""
        for key in keys:
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def submit(self, *arguments, interactive=False, answer=None):
        """Run submit_job in this process and return click's result."""
        program_context = ProgramContext(
            connect=lambda _profile, _region: self.clients,
            clock=self.clock,
            entropy=lambda count: bytes(range(count)),
            interactive=interactive,
        )
        measured = [] if {"--measure", "--run-plan"} & set(arguments) else ["--measure", "none"]
        arguments = ["--manifests", str(self.manifests), *measured, *arguments]
        with mock.patch.object(doctor, "CHECKS", self.checks):
            return CliRunner().invoke(main, arguments, obj=program_context, input=answer)


def past_boto3(tables):
    """Return a client of an account's tables for what is in them beforehand, and for looking."""
    return DirectClient(
        "dynamodb", as_boto3_raises(tables.call), lambda _name, _parameters, carry_out: carry_out(), validated=False
    )


def _make_queue(name):
    """Make a queue past boto3, as all that each account has: that takes a tenth of the time; return its URL."""
    sqs_backends[ACCOUNT][REGION].create_queue(name)
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"


def _make_table():
    names = ("pk", "sk", "work_pk", "work_sk", "scan_pk", "scan_sk")
    dynamodb_backends[ACCOUNT][REGION].create_table(
        TABLE,
        schema=_key("pk", "sk"),
        attr=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        global_indexes=[
            {"IndexName": name, "KeySchema": _key(f"{short}_pk", f"{short}_sk"), "Projection": {"ProjectionType": "ALL"}}
            for name, short in (("work", "work"), ("by_scan", "scan"))
        ],
        throughput=None,
        indexes=None,
        streams=None,
        billing_mode="PAY_PER_REQUEST",
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )


def _key(hash_key, range_key):
    return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]


# What keeps the machine's own AWS configuration out.
NO_AWS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCESS_KEY_ID": "fixture",
    "AWS_SECRET_ACCESS_KEY": "fixture",
    "MOTO_ACCOUNT_ID": ACCOUNT,
}


@pytest.fixture(autouse=True)
def no_aws(monkeypatch):
    """Keep the machine's own AWS configuration out of the tests."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in NO_AWS.items():
        monkeypatch.setenv(name, value)


@contextmanager
def account_of_its_own(manifests):
    """An account while the block runs."""
    tables = dynamodb.DynamoDbService(clock=Clock(), settings=EmulatorSettings(account_id=ACCOUNT, region=REGION))
    # moto reads JSON as YAML, which takes longer than all else.
    templates = moto_hooks.Replacement(Stack, "parse_template", staticmethod(json.loads))
    with mock_aws(), moto_hooks.install((templates, *dynamodb.hooks(tables))):
        yield Account(manifests, tables)


@pytest.fixture
def account(tmp_path, no_aws):
    """An account of its own for each test."""
    with account_of_its_own(tmp_path / "manifests") as made:
        yield made


@pytest.fixture
def errors():
    """How an answer that fails is written in a test, and what botocore makes of one."""

    def client_error(code, status=400):
        return ClientError(http_error(code, status), "Operation")

    return SimpleNamespace(http=http_error, client=client_error)
