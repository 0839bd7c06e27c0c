"""AWS clients of boto3's shape for one environment, whose calls go straight to the emulator's engines: no HTTP, no JSON between."""

import io
import json
from types import SimpleNamespace

from botocore import xform_name
from botocore.exceptions import ClientError

from tests.bench.simulation.rekognition import ETAG, MP4
from tools.emulator.services.dynamodb.backend import OPERATIONS
from tools.emulator.services.dynamodb.errors import DynamoDbError
from tools.emulator.services.rekognition.errors import RekognitionError
from tools.emulator.services.sqs.errors import SqsError


def _client(environment, service, operations):
    """Return a client; `operations` are functions of the parameters, by AWS's names."""
    return SimpleNamespace(
        **{xform_name(name): _operation(environment, f"{service}.{name}", act) for name, act in operations.items()}
    )


def _operation(environment, name, act):
    def call(**parameters):
        return environment.call(name, act, parameters)

    return call


def _raise(error, code, message, status=400, **extra):
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}, **extra}
    raise ClientError(answer, "Operation") from error


def refusal(code):
    """Return the error of an AWS code, to be raised many times over."""
    return ClientError({"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "Operation")


def dynamodb(environment, engine):
    """Return a client of a DynamoDB engine."""

    def through(operation):
        def act(parameters):
            try:
                return engine.call(operation, parameters)
            except DynamoDbError as error:
                _raise(error, error.code, error.message, **error.extra)

        return act

    return _client(environment, "dynamodb", {operation: through(operation) for operation in OPERATIONS})


def rekognition(environment, engine, *, token=True):
    """Return a client of a Rekognition engine; without `token` Start forgets its ClientRequestToken, for a mutant."""

    def through(method):
        def act(parameters):
            try:
                return method(parameters)
            except RekognitionError as error:
                _raise(error, error.code, error.message, error.status)

        return act

    start = through(engine.start)

    def start_without(parameters):
        return start({name: value for name, value in parameters.items() if name != "ClientRequestToken"})

    operations = {"StartContentModeration": start if token else start_without, "GetContentModeration": through(engine.get)}
    return _client(environment, "rekognition", operations)


def s3(environment):
    """Return a client that finds a video wherever it looks, and swallows what it is given."""
    head = {"ETag": f'"{ETAG}"', "ContentLength": 10_000_000}
    operations = {
        "HeadObject": lambda _: head,
        "GetObject": lambda _: {"Body": io.BytesIO(MP4)},
        "PutObject": lambda _: {},
    }
    return _client(environment, "s3", operations)


def s3control(environment, batch):
    """Return a client of an S3 Batch engine."""
    return _client(environment, "s3control", {"DescribeJob": lambda given: {"Job": batch.describe_job(given["JobId"])}})


def sqs(environment, queues):
    """Return a client of the queues."""

    def through(act):
        def guarded(parameters):
            try:
                return act(**parameters)
            except SqsError as error:
                _raise(error, error.code, str(error))

        return guarded

    return _client(environment, "sqs", {name: through(act) for name, act in queues.operations.items()})


def sns(environment, topics):
    """Return a client whose mails are counted."""
    return _client(environment, "sns", {"Publish": topics.mail})


def functions(environment, service, mappings):
    """Return a client of Lambda."""

    def invoke(given):
        service.invoke_event(given["FunctionName"], given["Payload"])
        return {"StatusCode": 202}

    operations = {
        "Invoke": invoke,
        "GetEventSourceMapping": lambda given: {"State": service.mapping_state(given["UUID"])},
        "UpdateEventSourceMapping": lambda given: mappings.switch(given["UUID"], enabled=given["Enabled"]),
    }
    return _client(environment, "lambda", operations)


def quick_functions(environment, service):
    """Return a client of a Lambda in memory, whose mappings are always on."""
    operations = {
        "Invoke": lambda given: service.event(given["FunctionName"].rpartition(":")[2], json.loads(given["Payload"])),
        "GetEventSourceMapping": lambda _: {"State": "Enabled"},
    }
    return _client(environment, "lambda", operations)
