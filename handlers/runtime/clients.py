"""The only place that makes AWS clients. Nothing is made, and no environment read, before a client is asked for.

Retries and time-outs are explicit for each service: boto3's default mode (`standard`) counts Rekognition's LimitExceeded as a
throttle and silently makes three Start calls of one, and the boto3 inside the Lambda runtime may have another default.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3control import S3ControlClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


def _config(*, attempts: int, connect: float, read: float) -> Config:
    """Return a configuration: attempts in all (1 = the SDK repeats nothing), time-outs in seconds."""
    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=connect,
        read_timeout=read,
    )


CONFIGS: dict[str, Config] = {
    # Every write is conditional, so the SDK may repeat it.
    "dynamodb": _config(attempts=4, connect=2, read=5),
    "s3": _config(attempts=3, connect=3, read=10),
    "s3control": _config(attempts=2, connect=3, read=10),
    # A message sent twice is harmless: it is only a hint.
    "sqs": _config(attempts=3, connect=2, read=5),
    "sns": _config(attempts=3, connect=3, read=10),
    # An event sent twice is harmless, and a mapping is given a state, not a change.
    "lambda": _config(attempts=3, connect=2, read=5),
    # One call is one call: the starter itself decides what a refusal means and paces its calls.
    "rekognition": _config(attempts=1, connect=3, read=20),
}


def dynamodb() -> DynamoDBClient:
    """Return the client of the table."""
    return cast("DynamoDBClient", _client("dynamodb"))


def s3() -> S3Client:
    """Return the client by which videos are looked at and hits are kept."""
    return cast("S3Client", _client("s3"))


def s3control() -> S3ControlClient:
    """Return the client of the S3 Batch Operations jobs."""
    return cast("S3ControlClient", _client("s3control"))


def sqs() -> SQSClient:
    """Return the client of the lanes."""
    return cast("SQSClient", _client("sqs"))


def sns() -> SNSClient:
    """Return the client of the mails."""
    return cast("SNSClient", _client("sns"))


def functions() -> LambdaClient:
    """Return the client by which functions and their event source mappings are reached."""
    return cast("LambdaClient", _client("lambda"))


def rekognition() -> RekognitionClient:
    """Return the client of the analyses; it never retries, because Get and Start each have their own retries."""
    return cast("RekognitionClient", _client("rekognition"))


@cache
def _client(service: str) -> Any:  # noqa: ANN401 # each public function says which client it is
    make: Any = boto3.client  # its overloads want the service's name as a literal
    return make(service, config=CONFIGS[service])
