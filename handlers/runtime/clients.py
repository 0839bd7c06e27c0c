"""AWS clients; no other code makes any. Nothing is made, and no environment read, before a client is asked for.

Retries and time-outs are explicit for each service: boto3's default mode (`standard`) counts Rekognition's LimitExceeded as a
throttle and silently makes three Start calls of one, and the boto3 inside the Lambda runtime may have another default.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3control import S3ControlClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


def _config(*, attempts: int, connect: float, read: float) -> Config:
    """Return a configuration: attempts in all (1: the SDK does not retry), time-outs in seconds."""
    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=connect,
        read_timeout=read,
    )


CONFIGS: dict[str, Config] = {
    # Every write is conditional, so the SDK may repeat it.
    "dynamodb": _config(attempts=4, connect=2, read=5),
    # An event put twice is harmless: it says when its verdict was reached.
    "events": _config(attempts=3, connect=2, read=5),
    "s3": _config(attempts=3, connect=3, read=10),
    "s3control": _config(attempts=2, connect=3, read=10),
    # A message sent twice is harmless: it is only a hint.
    "sqs": _config(attempts=3, connect=2, read=5),
    "sns": _config(attempts=3, connect=3, read=10),
    # An event sent twice is harmless, and a mapping is given a state, not a change.
    "lambda": _config(attempts=3, connect=2, read=5),
    # Never retried: the starter itself decides what a refusal means, and paces its calls.
    "rekognition": _config(attempts=1, connect=3, read=20),
}


def _without_answer(response_dict: dict[str, Any], **_: object) -> None:
    """Leave out what S3 answers to a written annotation: it names the key, and XML cannot hold each character that a key may have.

    botocore takes an answer that it cannot parse for an error of S3's that may pass, and so it would be written for ever.
    """
    if response_dict["status_code"] == HTTPStatus.OK and b"<Error>" not in response_dict["body"]:
        response_dict["body"] = b"<PutObjectAnnotationOutput/>"


class Clients:
    """AWS clients, each made when it is first asked for."""

    dynamodb: DynamoDBClient
    events: EventBridgeClient
    functions: LambdaClient
    rekognition: RekognitionClient
    s3: S3Client
    s3control: S3ControlClient
    sns: SNSClient
    sqs: SQSClient

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401, D105 # each annotation says which client it is
        if name not in Clients.__annotations__:
            raise AttributeError(name)
        service = "lambda" if name == "functions" else name
        make: Any = boto3.client  # its overloads want the service's name as a literal
        made = make(service, config=CONFIGS[service])
        if name == "s3":
            # With a wildcard for the service, botocore calls this handler before its own, which would parse the answer.
            made.meta.events.register("before-parse.*.PutObjectAnnotation", _without_answer)
        setattr(self, name, made)
        return made
