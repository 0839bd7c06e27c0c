import io
import json
import zipfile

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.awslambda.models import LambdaBackend, LambdaFunction

from tools.emulator.core import moto_hooks
from tools.emulator.services import events, lambda_
from tools.emulator.settings import EmulatorSettings

ACCOUNT = "111122223333"
REGION = "us-east-1"
LANE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:lane"
DEAD = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"


@pytest.fixture(scope="module")
def aws():
    """Clients by service name, made once: that takes longer than everything else here."""
    session = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION)
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    return {name: session.client(name, config=config) for name in ("lambda", "iam", "sqs", "cloudformation")}


@pytest.fixture
def hooked(service, queue, clock, monkeypatch):
    """The service behind moto, in this process, with EventBridge for its rules."""
    bus = events.EventBus(clock=clock, settings=EmulatorSettings(), functions=service, queues=queue)
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
    with mock_aws(), moto_hooks.install([*lambda_.hooks(service), *events.hooks(bus)]):
        yield


@pytest.fixture
def client(hooked, aws):
    """A client of Lambda."""
    return aws["lambda"]


@pytest.fixture
def role(hooked, aws):
    """The ARN of a role that functions may have."""
    return aws["iam"].create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]


@pytest.fixture
def create(client, role, package):
    """Creates the function `work`."""

    def make(**members):
        given = {
            "FunctionName": "work",
            "Runtime": "python3.12",
            "Role": role,
            "Handler": "app.work",
            "Code": {"ZipFile": package(app="def work(event, context): return 1")},
        }
        return client.create_function(**(given | members))

    return make


@pytest.fixture
def lane(hooked, aws, create):
    """The URL of moto's queue `lane`, beside the function `work`."""
    create()
    return aws["sqs"].create_queue(QueueName="lane")["QueueUrl"]


def test_a_created_function_is_known(create, service):
    """CreateFunction's configuration reaches the service whole."""
    create(
        Timeout=60,
        MemorySize=512,
        Environment={"Variables": {"TABLE_NAME": "t"}},
        DeadLetterConfig={"TargetArn": DEAD},
    )

    function = service.function("work")

    assert (function.handler, function.timeout, function.memory) == ("app.work", 60.0, 512)
    assert (function.environment, function.dead_letter_arn, function.max_retry_attempts) == ({"TABLE_NAME": "t"}, DEAD, 2)
    assert zipfile.ZipFile(io.BytesIO(function.code)).namelist() == ["app.py"]


def test_updates_are_known(create, client, service, runtime, package):
    """New configuration, code, concurrency and retry settings each reach the service."""
    create()
    client.update_function_configuration(FunctionName="work", Timeout=9, DeadLetterConfig={"TargetArn": DEAD})
    client.update_function_code(FunctionName="work", ZipFile=package(other=""))
    client.put_function_concurrency(FunctionName="work", ReservedConcurrentExecutions=3)
    client.put_function_event_invoke_config(
        FunctionName="work", MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": DEAD}}
    )

    function = service.function("work")

    assert (function.timeout, function.dead_letter_arn, function.reserved_concurrency) == (9.0, DEAD, 3)
    assert (function.max_retry_attempts, function.on_failure_arn) == (1, DEAD)
    assert zipfile.ZipFile(io.BytesIO(function.code)).namelist() == ["other.py"]
    assert set(runtime.retired) == {"work"}
    assert client.get_function_configuration(FunctionName="work")["DeadLetterConfig"] == {"TargetArn": DEAD}


def test_limits_can_be_taken_away(create, client, service):
    """Deleting concurrency and retry settings goes back to the defaults."""
    create()
    client.put_function_concurrency(FunctionName="work", ReservedConcurrentExecutions=3)
    client.put_function_event_invoke_config(FunctionName="work", MaximumRetryAttempts=0)
    client.delete_function_concurrency(FunctionName="work")
    client.delete_function_event_invoke_config(FunctionName="work")

    function = service.function("work")

    assert (function.reserved_concurrency, function.max_retry_attempts) == (None, 2)


def test_a_deleted_function_is_gone(create, client, service):
    """DeleteFunction reaches the service."""
    create()
    client.delete_function(FunctionName="work")

    assert service.function("work") is None


def test_invoke_answers(create, client, runtime):
    """A synchronous Invoke returns the function's payload."""
    create()
    runtime.script = lambda run: run.answer({"saw": run.event})

    answer = client.invoke(FunctionName="work", Payload='{"n": "é"}'.encode())

    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read()) == {"saw": {"n": "é"}}


def test_invoke_shows_function_errors(create, client, runtime):
    """A raising function is a 200 with FunctionError."""
    create()
    runtime.script = lambda run: run.fail("no")

    answer = client.invoke(FunctionName=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:work")

    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.loads(answer["Payload"].read())["errorMessage"] == "no"


def test_invoke_queues_events(create, client, runtime, clock):
    """InvocationType Event answers 202 before the function runs."""
    create()

    answer = client.invoke(FunctionName="work", InvocationType="Event", Payload=b'{"n": 1}')
    at_once = len(runtime.runs)
    clock.advance(0)

    assert (answer["StatusCode"], at_once) == (202, 0)
    assert runtime.runs[0].event == {"n": 1}


def test_dry_runs_run_nothing(create, client, runtime):
    """InvocationType DryRun answers 204."""
    create()

    assert client.invoke(FunctionName="work", InvocationType="DryRun")["StatusCode"] == 204
    assert runtime.runs == []


@pytest.mark.parametrize(
    ("concurrency", "request_", "code"),
    [
        (0, {"FunctionName": "work"}, "TooManyRequestsException"),
        (1, {"FunctionName": "missing"}, "ResourceNotFoundException"),
        (1, {"FunctionName": "work", "Payload": b"{"}, "InvalidRequestContentException"),
        (1, {"FunctionName": "work", "Payload": b"{", "InvocationType": "Event"}, "InvalidRequestContentException"),
    ],
)
def test_invoke_refuses_as_lambda_does(create, client, concurrency, request_, code):
    """Throttled, missing, malformed: Lambda's own error codes."""
    create()
    client.put_function_concurrency(FunctionName="work", ReservedConcurrentExecutions=concurrency)

    with pytest.raises(ClientError) as refusal:
        client.invoke(**request_)

    assert refusal.value.response["Error"]["Code"] == code


def test_a_dead_letter_topic_is_refused(create):
    """CreateFunction names what is not implemented: a dead letter would be lost."""
    with pytest.raises(ClientError, match="SQS only, not to arn:aws:sns"):
        create(DeadLetterConfig={"TargetArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:dead"})


def test_account_settings(create, client, service):
    """GetAccountSettings returns the account's concurrency, and what of it no function has reserved."""
    create()
    client.put_function_concurrency(FunctionName="work", ReservedConcurrentExecutions=30)

    answer = client.get_account_settings()

    limit, usage = answer["AccountLimit"], answer["AccountUsage"]
    concurrency = service.account_concurrency
    assert (concurrency, concurrency - 30) == (limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"])
    assert 1 == usage["FunctionCount"]
    assert usage["TotalCodeSize"] == client.get_function(FunctionName="work")["Configuration"]["CodeSize"]


def test_a_mapping_polls(aws, lane, runtime, queue, clock):
    """CreateEventSourceMapping starts a poller with the mapping's settings; moto's own call inside SendMessage is cut off."""
    queue.put("one", "two", "three")

    created = aws["lambda"].create_event_source_mapping(
        EventSourceArn=LANE,
        FunctionName="work",
        BatchSize=1,
        ScalingConfig={"MaximumConcurrency": 2},
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    aws["sqs"].send_message(QueueUrl=lane, MessageBody="to moto's queue")
    before = len(runtime.runs)
    clock.advance(0)

    assert (created["State"], before, len(runtime.runs)) == ("Enabled", 0, 2)


@pytest.mark.usefixtures("lane")
def test_a_mapping_is_disabled_and_deleted(client, service, runtime, queue, clock):
    """UpdateEventSourceMapping(Enabled=False): Disabling while a batch runs, then Disabled; deleted: gone."""
    queue.put("one")
    uuid = client.create_event_source_mapping(EventSourceArn=LANE, FunctionName="work", BatchSize=1)["UUID"]
    clock.advance(0)

    states = [client.update_event_source_mapping(UUID=uuid, Enabled=False)["State"]]
    runtime.runs[0].answer()
    states.append(client.get_event_source_mapping(UUID=uuid)["State"])
    states.append(client.update_event_source_mapping(UUID=uuid, Enabled=True)["State"])
    client.delete_event_source_mapping(UUID=uuid)

    assert states == ["Disabling", "Disabled", "Enabled"]
    assert service.mapping_state(uuid) is None


@pytest.mark.parametrize(
    "members",
    [
        {"ScalingConfig": {"MaximumConcurrency": 1}},
        {"ScalingConfig": {"MaximumConcurrency": 1001}},
        {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}},
    ],
)
@pytest.mark.usefixtures("lane")
def test_a_mapping_that_cannot_be_is_refused(client, members):
    """Bounds are kept, and what is not implemented is refused by name; nothing of it stays."""
    with pytest.raises(ClientError) as refusal:
        client.create_event_source_mapping(EventSourceArn=LANE, FunctionName="work", **members)

    assert refusal.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert client.list_event_source_mappings(FunctionName="work")["EventSourceMappings"] == []


@pytest.fixture
def template(role, queue):
    """A template with everything that functions have; a message waits for its mapping."""
    queue.put("one")
    return {
        "Resources": {
            "Lane": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "lane"}},
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": "work",
                    "Code": {"ZipFile": "def handler(event, context): return 1"},
                    "Handler": "index.handler",
                    "Role": role,
                    "Runtime": "python3.12",
                    "DeadLetterConfig": {"TargetArn": DEAD},
                    "ReservedConcurrentExecutions": 5,
                },
            },
            "Retries": {
                "Type": "AWS::Lambda::EventInvokeConfig",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "Qualifier": "$LATEST",
                    "MaximumRetryAttempts": 1,
                    "DestinationConfig": {"OnFailure": {"Destination": DEAD}},
                },
            },
            "Mapping": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "EventSourceArn": {"Fn::GetAtt": ["Lane", "Arn"]},
                    "BatchSize": 1,
                    "ScalingConfig": {"MaximumConcurrency": 2},
                },
            },
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "ScheduleExpression": "rate(1 minute)",
                    "State": "ENABLED",
                    "Targets": [{"Id": "1", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}],
                },
            },
        }
    }


def test_a_template_deploys(aws, template, service, clock, runtime):
    """CloudFormation's function keeps its dead-letter queue and retry settings, and its mapping and rule run."""
    aws["cloudformation"].create_stack(StackName="stack", TemplateBody=json.dumps(template))
    function = service.function("work")
    clock.advance(60)

    assert (function.dead_letter_arn, function.on_failure_arn) == (DEAD, DEAD)
    assert (function.max_retry_attempts, function.reserved_concurrency) == (1, 5)
    assert [("Records" in run.event, "resources" in run.event) for run in runtime.runs] == [(True, False), (False, True)]


def test_moto_is_left_as_it_was(service):
    """Uninstalling puts every method back."""
    before = (dict(vars(LambdaBackend)), dict(vars(LambdaFunction)))
    with moto_hooks.install(lambda_.hooks(service)):
        changed = vars(LambdaBackend)["invoke"] is not before[0]["invoke"]

    assert changed
    assert (dict(vars(LambdaBackend)), dict(vars(LambdaFunction))) == before
