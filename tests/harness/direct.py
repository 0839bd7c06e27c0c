"""AWS clients that skip HTTP: shaped like boto3's, answered by the emulator's engines in the same call.

boto3's signing, JSON and HTTP, and the way through moto, take nine tenths of an AWS call in one process. Every call goes through a
gate, which may stop whoever makes it, and decide what becomes of the call.
"""

import hashlib
import io
import marshal
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from types import SimpleNamespace

from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from tools.emulator.core.ports import NoSuchObjectError, StoredObject
from tools.emulator.core.refusal import AwsError
from tools.emulator.services import sqs
from tools.emulator.services.dynamodb.backend import OPERATIONS
from tools.emulator.services.events.put_events import put_events


@cache
def _operations(service):
    """Return an operation's name and input shape by the name of boto3's method."""
    model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    return {xform_name(name): (name, model.operation_model(name).input_shape) for name in model.operation_names}


class DirectClient:
    """One service for one caller: `gate(name, parameters, carry_out)` makes each call, such as "sqs.SendMessage".

    `validated`: whether botocore's own validator looks at the parameters, which takes longer than most engines.
    """

    def __init__(self, service, answer, gate, *, validated=True):
        self._service = service
        self._answer = answer
        self._gate = gate
        self._validated = validated

    def __getattr__(self, method):
        """Return an operation of the service."""
        operation, _ = _operations(self._service)[method]
        name = f"{self._service}.{operation}"

        def call(**parameters):
            if self._validated:
                _validate(parameters, self._service, method)
            return self._gate(name, parameters, lambda: self._answer(operation, token_of(operation) | parameters))

        self.__dict__[method] = call
        return call


def token_of(operation):
    """Return the token that botocore adds: its own repetitions of one call are one transaction."""
    return {"ClientRequestToken": str(uuid.uuid4())} if operation == "TransactWriteItems" else {}


def _validate(parameters, service, method):
    """Have botocore look at parameters, and only once at the very same ones of an operation: most calls repeat earlier ones."""
    try:
        written = marshal.dumps(parameters, 0)
    except ValueError:  # such as a body that is a file
        _look_at(parameters, service, method)
    else:
        _look_at_written(written, service, method)


@lru_cache(maxsize=1 << 14)
def _look_at_written(written, service, method):
    # What is raised is not kept.
    _look_at(marshal.loads(written), service, method)


def _look_at(parameters, service, method):
    _, shape = _operations(service)[method]
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


class Objects:
    """S3: the bytes by bucket and key, and when they were put by a clock. Implements `ports.Objects`."""

    def __init__(self, clock=None):
        self.stored = {}
        self.modified = {}
        self._clock = clock

    def read(self, bucket, key, version_id=None):
        """Return an object as other services see it."""
        if (bucket, key) not in self.stored:
            raise NoSuchObjectError(f"s3://{bucket}/{key}")
        return self.described(self.stored[bucket, key], version_id)

    @staticmethod
    def described(body, version_id=None):
        """Return bytes as an object with its etag."""
        return StoredObject(body, hashlib.md5(body, usedforsecurity=False).hexdigest(), len(body), version_id)

    def write(self, bucket, key, body):
        """Store an object."""
        self.stored[bucket, key] = body
        # S3's times have no fraction.
        self.modified[bucket, key] = 0 if self._clock is None else int(self._clock.now())

    def delete(self, bucket, key):
        """Delete an object, if it is there."""
        self.stored.pop((bucket, key), None)

    def modified_at(self, bucket, key):
        """Return when an object was put."""
        return datetime.fromtimestamp(self.modified[bucket, key], UTC)

    def listed(self, bucket, *, after, most):
        """Return the next keys of a bucket in S3's order."""
        keys = sorted((key for at, key in self.stored if at == bucket), key=str.encode)
        return [key for key in keys if key.encode() > after.encode()][:most]


def as_boto3_raises(answer):
    """Return a function that answers an operation with its parameters, and raises errors as boto3 does."""

    def answered(operation, parameters):
        try:
            return answer(operation, parameters)
        except AwsError as error:
            raise _client_error(operation, error.code, error.message, error.status, **error.extra) from error
        except NoSuchObjectError as error:
            raise _client_error(operation, "404" if operation == "HeadObject" else "NoSuchKey", str(error), 404) from error

    return answered


def items_at_the_edge(tables):
    """Return what answers operations on the items of tables in botocore's event `before-call`, and None for other operations.

    Calls are built and validated, and not sent; errors are parsed as botocore parses them.
    """
    answer = as_boto3_raises(tables.call)

    def answered(operation, parameters):
        if operation not in OPERATIONS:
            return None
        try:
            parsed = answer(operation, token_of(operation) | parameters)
        except ClientError as error:
            parsed = error.response
        status = parsed.get("ResponseMetadata", {}).get("HTTPStatusCode", 200)
        metadata = {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}
        return SimpleNamespace(status_code=status), parsed | {"ResponseMetadata": metadata}

    return answered


class Answers:
    """The answers of each service from an account's engines; errors are raised as boto3 raises them."""

    def __init__(self, engines):
        self._engines = engines
        self._messages = sqs.Operations(engines.queues)

    def of(self, service):
        """Return the function of an operation's name and parameters that answers a service's calls."""
        return as_boto3_raises(getattr(self, f"_{service}"))

    def _dynamodb(self, operation, parameters):
        return self._engines.tables.call(operation, parameters)

    def _sqs(self, operation, parameters):
        # A long poll would wait for a clock that only the test moves.
        asked = {**parameters, "WaitTimeSeconds": 0} if operation == "ReceiveMessage" else parameters
        return self._messages.call(operation, asked)

    def _s3(self, operation, parameters):
        if operation == "PutObject":
            self._engines.objects.write(parameters["Bucket"], parameters["Key"], parameters["Body"].read())
            return {}
        if operation == "ListObjectsV2":
            return self._listed(parameters)
        named = (parameters["Bucket"], parameters["Key"])
        if operation == "GetObjectTagging":
            tags = self._engines.objects.tags(*named, parameters.get("VersionId"))
            return {"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}
        if operation == "PutObjectTagging":
            tags = {tag["Key"]: tag["Value"] for tag in parameters["Tagging"]["TagSet"]}
            self._engines.objects.put_tags(*named, tags, parameters.get("VersionId"))
            return {}
        found = self._engines.objects.read(*named, parameters.get("VersionId"))
        if operation == "HeadObject":
            version = {} if found.version_id is None else {"VersionId": found.version_id}
            modified_at = self._engines.objects.modified_at(*named)
            return {"ETag": f'"{found.etag}"', "ContentLength": found.size, "LastModified": modified_at, **version}
        if parameters.get("IfMatch") not in (None, f'"{found.etag}"'):
            raise _client_error(operation, "PreconditionFailed", "At least one of the preconditions did not hold.", 412)
        first, _, last = parameters["Range"].removeprefix("bytes=").partition("-")
        return {"Body": io.BytesIO(found.body[int(first) : int(last) + 1])}

    def _listed(self, parameters):
        objects, bucket, most = self._engines.objects, parameters["Bucket"], parameters.get("MaxKeys", 1_000)
        keys = objects.listed(bucket, after=parameters.get("StartAfter", ""), most=most + 1)
        found = [(key, objects.read(bucket, key)) for key in keys[:most]]
        contents = [
            {"Key": key, "ETag": f'"{one.etag}"', "Size": one.size, "LastModified": objects.modified_at(bucket, key)}
            for key, one in found
        ]
        return {"Contents": contents, "KeyCount": len(contents), "IsTruncated": len(keys) > most}

    def _events(self, _operation, parameters):
        return put_events(self._engines.events, parameters["Entries"], self._engines.settings.put_events_max_bytes)

    def _s3control(self, operation, parameters):
        batch = self._engines.batch
        match operation:
            case "CreateJob":
                return {"JobId": batch.create_job(parameters)}
            case "DescribeJob":
                return {"Job": batch.describe_job(parameters["JobId"])}
            case "UpdateJobStatus":
                return batch.update_job_status(parameters["JobId"], parameters["RequestedJobStatus"])
        raise LookupError(f"nothing here answers s3control.{operation}")

    def _sns(self, operation, parameters):
        if operation == "ListSubscriptionsByTopic":
            page, token = self._engines.topics.listed(parameters["TopicArn"], parameters.get("NextToken"))
            return {"Subscriptions": page, **({} if token is None else {"NextToken": token})}
        given = parameters.get("MessageAttributes", {})
        attributes = {name: {"Type": one["DataType"], "Value": one["StringValue"]} for name, one in given.items()}
        return {
            "MessageId": self._engines.topics.send(
                parameters["TopicArn"], parameters["Message"], subject=parameters.get("Subject"), attributes=attributes
            )
        }

    def _lambda(self, operation, parameters):
        functions = self._engines.functions
        match operation:
            case "Invoke":
                functions.invoke_event(parameters["FunctionName"], parameters["Payload"])
                return {"StatusCode": 202}
            case "GetEventSourceMapping":
                return {"State": functions.mapping_state(parameters["UUID"])}
            case "UpdateEventSourceMapping":
                functions.put_mapping(replace(functions.mapping(parameters["UUID"]), enabled=parameters["Enabled"]))
                return {}
        raise LookupError(f"nothing here answers lambda.{operation}")

    def _rekognition(self, operation, parameters):
        if operation == "DetectModerationLabels":
            return self._engines.images.detect(parameters)
        engine = self._engines.rekognition
        return engine.start(parameters) if operation == "StartContentModeration" else engine.get(parameters)


def _client_error(operation, code, message, status=400, **extra):
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}, **extra}, operation
    )
