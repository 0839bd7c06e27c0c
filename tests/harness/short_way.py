"""The short way of a function's calls: from the adapter to the engine, with neither boto3 nor HTTP between.

boto3's checks, its signing and the way through moto take nine tenths of a call's time. Tests that run thousands of scans take this
way for what functions call most; the others see to it that boto3 has nothing against what the adapters ask for.
"""

import json

from botocore import xform_name
from botocore.exceptions import ClientError

from tools.emulator.services.dynamodb.backend import OPERATIONS
from tools.emulator.services.rekognition.errors import RekognitionError
from tools.emulator.services.sqs.errors import SqsError
from tools.emulator.services.sqs.responses import _Operations


class ShortClient:
    """A client of a service; the line is told of each call as by boto3's events. What has no short way goes through boto3."""

    def __init__(self, line, service, client, answers):
        self._line = line
        self._service = service
        self._client = client
        self._answers = answers
        self._names = {xform_name(operation): operation for operation in answers}

    def __getattr__(self, method):
        """Return a method of the client."""
        if method not in self._names:
            return getattr(self._client, method)
        operation = self._names[method]
        name = f"{self._service}.{operation}"

        def call(**parameters):
            self._line.asked(name, parameters)
            self._line.calling(name, parameters)
            try:
                answer, error = self._answers[operation](parameters) if _asks(parameters) else {}, None
            except ClientError as raised:
                answer, error = raised.response, raised
            self._line.answered(name, answer)
            if error is not None:
                raise error
            return answer

        return call


def _asks(request):
    """Tell whether anything is left of a request: a test may have taken all of a batch back."""
    return request.get("RequestItems") != {} and request.get("Entries") != []


def short_clients(line):
    """Return the clients that take the short way, by service."""
    operations = _Operations(line.queues)
    answers = {
        "dynamodb": {operation: _of_tables(line, operation) for operation in OPERATIONS},
        "sqs": {operation: _of_queues(operations.find(operation), operation) for operation in operations._methods},
        "rekognition": {
            "StartContentModeration": _of_rekognition(line.rekognition.start, "StartContentModeration"),
            "GetContentModeration": _of_rekognition(line.rekognition.get, "GetContentModeration"),
        },
        "lambda": {"GetEventSourceMapping": lambda request: {"State": line.functions.mapping_state(request["UUID"])}},
    }
    return {service: ShortClient(line, service, line.client(service), given) for service, given in answers.items()}


def _of_tables(line, operation):
    def answer(request):
        status, _, body = line.tables.answer(operation, json.dumps(request))
        content = json.loads(body)
        if status >= 300:
            extra = {name: value for name, value in content.items() if name not in ("__type", "message")}
            raise _error(content["__type"].rpartition("#")[2], content.get("message", ""), operation, extra)
        return content

    return answer


def _of_queues(method, operation):
    def answer(request):
        try:
            return method(request, None)
        except SqsError as error:
            raise _error(error.code, error.message, operation, {}) from error

    return answer


def _of_rekognition(method, operation):
    def answer(request):
        try:
            return method(request)
        except RekognitionError as error:
            raise _error(error.code, error.message, operation, {}, error.status) from error

    return answer


def _error(code, message, operation, extra, status=400):
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}, **extra}
    return ClientError(response, operation)
