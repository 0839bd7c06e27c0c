"""Every AWS call of the functions in a whole scan is allowed, on its resource, by the role with which it was deployed."""

import io
import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import parse_qs, unquote

import pytest

from tools.emulator.core.calls import identify
from tools.emulator.samples import demo_library, tiny_clip

# Which action a call needs where it is not the operation's own: service authorization reference.
ACTIONS = {
    ("s3", "HeadObject"): "s3:GetObject",
    ("s3control", "DescribeJob"): "s3:DescribeJob",
    ("lambda", "Invoke"): "lambda:InvokeFunction",
    ("sqs", "SendMessageBatch"): "sqs:SendMessage",
}
# Calls of the lists in a request: DynamoDB checks each part of a transaction as a call of its own.
PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
pytestmark = pytest.mark.timeout(400)


@dataclass(frozen=True)
class Use:
    """One action on one resource by a function."""

    module: str
    action: str
    resource: str


class Recorder:
    """Sees each request to the world's server and reads what it asks for."""

    def __init__(self, stage):
        self._stage = stage
        self._application = stage.world._server._application
        self.uses = set()
        stage.world._server._application = self

    def __call__(self, environ, start_response):
        """Note one request and let it pass."""
        call = identify(environ)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        principal = self._stage.world.keys.find(call.signature.access_key).principal
        if principal.role is not None:
            needed = resources(call, environ, body, self._stage.world.settings)
            self.uses |= {Use(self._stage.module(principal.name), action, resource) for action, resource in needed}
        return self._application(environ, start_response)


def resources(call, environ, body, settings):
    """Yield the actions that a request needs, each with the ARN of what it is done to."""
    place = f"{settings.region}:{settings.account_id}"
    action = ACTIONS.get((call.service, call.operation), f"{call.service}:{call.operation}")
    match call.service:
        case "dynamodb":
            yield from table_resources(call.operation, json.loads(body), place)
        case "sqs":
            yield action, f"arn:aws:sqs:{place}:{json.loads(body)['QueueUrl'].rpartition('/')[2]}"
        case "sns":
            yield action, parse_qs(body.decode())["TopicArn"][0]
        case "s3":
            arn = f"arn:aws:s3:::{unquote(environ['PATH_INFO']).removeprefix('/')}"
            yield action, arn
            if "versionId=" in environ.get("QUERY_STRING", ""):
                yield "s3:GetObjectVersion", arn
        case "s3control":
            yield action, f"arn:aws:s3:{place}:job/{environ['PATH_INFO'].rpartition('/')[2]}"
        case "rekognition":
            yield action, "*"
            if channel := json.loads(body).get("NotificationChannel"):
                yield "iam:PassRole", channel["RoleArn"]
        case "lambda":
            yield action, f"arn:aws:lambda:{place}:{lambda_resource(environ['PATH_INFO'])}"
        case _:
            yield action, f"arn:aws:events:{place}:event-bus/default" if call.service == "events" else "*"


def lambda_resource(path):
    """Return the end of the ARN of what a Lambda call's path names: an event source mapping, or a function by name or ARN."""
    kind, name = unquote(path).split("/")[2:4]
    return f"event-source-mapping:{name}" if kind == "event-source-mappings" else f"function:{name.rpartition(':')[2]}"


def table_resources(operation, request, place):
    """Yield the actions and ARNs of a call of DynamoDB's."""
    table = f"arn:aws:dynamodb:{place}:table/"
    if operation == "TransactWriteItems":
        for part in request["TransactItems"]:
            [(kind, named)] = part.items()
            yield f"dynamodb:{PARTS[kind]}", table + named["TableName"]
    elif "RequestItems" in request:
        for name in request["RequestItems"]:
            yield f"dynamodb:{operation}", table + name
    else:
        index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
        yield f"dynamodb:{operation}", table + request["TableName"] + index


def statements(stage, module):
    """Return the statements of the policies that a function's deployed role has."""
    iam, functions = stage.world.client("iam"), stage.world.client("lambda")
    role = functions.get_function_configuration(FunctionName=stage.function(module))["Role"].rpartition("/")[2]
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    return [statement for document in documents for statement in document["Statement"]]


def allows(policy, use):
    """Tell whether one of the statements allows a use; those of the stack have neither conditions nor exceptions."""
    assert all(statement.keys() <= {"Effect", "Action", "Resource", "Sid"} for statement in policy)
    return any(
        statement["Effect"] == "Allow"
        and any(matches(pattern, use.action) for pattern in listed(statement["Action"]))
        and any(matches(pattern, use.resource) for pattern in listed(statement["Resource"]))
        for statement in policy
    )


def listed(value):
    """Return a policy's value as a list: one element may stand alone."""
    return value if isinstance(value, list) else [value]


def matches(pattern, text):
    """Match as IAM does: `*` and `?` alone are special."""
    return fnmatchcase(text, re.sub(r"\[", "[[]", pattern))


@pytest.fixture(scope="module", name="stage")
def _stage(stages):
    """Return a stage on which the demo's library was scanned, in both lanes, with its mails sent, and all of it recorded."""
    stage = stages()
    stage.recorder = Recorder(stage)
    for sample in demo_library():
        stage.put(f"demo/{sample.key}", sample.body())
    stage.put("express/gone wrong.mp4", tiny_clip("Weapons"))
    scan_ids = [stage.submit("demo/"), stage.submit("express/", "--express")]
    for scan_id in scan_ids:
        stage.until_final(scan_id)
    stage.s3.put_bucket_versioning(Bucket="amzn-s3-demo-bucket", VersioningConfiguration={"Status": "Enabled"})
    stage.put("versions/1.mp4", tiny_clip())
    scan_ids.append(stage.scan("versions/"))
    stage.close(*scan_ids)
    return stage


@pytest.mark.parametrize("module", ["batch_invoke", "start_analysis", "completion", "sweeper"])
def test_every_call_that_was_made_is_allowed(stage, module):
    """Each action on each resource that a function requested is allowed by its deployed role."""
    uses = {use for use in stage.recorder.uses if use.module == module}
    policy = statements(stage, module)

    assert len(uses) > 2
    assert [] == sorted(str(use) for use in uses if not allows(policy, use))


def test_the_matcher_refuses(stage):
    """The matcher refuses another function's action and another table."""
    policy = statements(stage, "batch_invoke")

    assert not allows(policy, Use("batch_invoke", "rekognition:StartContentModeration", "*"))
    assert not allows(policy, Use("batch_invoke", "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/another"))
    assert not allows(policy, Use("batch_invoke", "s3:GetObject", "arn:aws:s3:::amzn-s3-demo-bucket2/a.mp4"))
