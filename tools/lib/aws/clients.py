"""AWS clients of the tools, and botocore's errors explained with a cure."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore import exceptions as sdk
from botocore.client import BaseClient
from botocore.config import Config

from handlers.adapters.aws_errors import FAULTS, Fault, code_of, fault_of
from handlers.domain.languages import Phrase, phrase
from tools.lib.errors import ToolError

if TYPE_CHECKING:
    # The stubs are for the type checker only: a user's machine does not have them.
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3control import S3ControlClient
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 6},  # throttling and 5xx; a person waits, so for seconds
    max_pool_connections=32,  # as many headers are read concurrently; boto3's default is 10
    user_agent_extra="video-moderation-tools",
)


# Clients that are not called by their service's name.
_SERVICES = {"functions": "lambda", "quotas": "service-quotas"}


class Clients:
    """The boto3 clients of one session, each created when it is first used."""

    cloudformation: CloudFormationClient
    dynamodb: DynamoDBClient
    events: EventBridgeClient
    functions: LambdaClient
    iam: IAMClient
    quotas: ServiceQuotasClient
    s3: S3Client
    s3control: S3ControlClient
    sns: SNSClient
    sqs: SQSClient
    sts: STSClient

    def __init__(self, session: boto3.Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> BaseClient:
        if name not in Clients.__annotations__:
            raise AttributeError(name)
        client: Any = self._session.client  # the stubs know it by the literal names of all services
        made: BaseClient = client(_SERVICES.get(name, name), config=_CONFIG)
        if name == "dynamodb":
            for operation in ("Query", "BatchGetItem"):
                made.meta.events.register(f"before-parse.dynamodb.{operation}", _parse_as_json)
        setattr(self, name, made)
        return made

    def lister(self, connections: int) -> S3Client:
        """Return a separate client for this many concurrent listing requests, whose event handlers affect no other call."""
        # Validating the parameters of a listing, all ours, costs a fifth of a request, and so does composing the user agent.
        config = _CONFIG.merge(
            Config(max_pool_connections=connections, parameter_validation=False, user_agent="video-moderation-tools")
        )
        return self._session.client("s3", config=config)

    def reader(self, connections: int) -> S3Client:
        """Return a separate client for this many concurrent requests."""
        return self._session.client("s3", config=_CONFIG.merge(Config(max_pool_connections=connections)))

    def regions(self, service: str) -> list[str]:
        """Return the Regions of all partitions in which a service is available."""
        known = boto3.Session()  # the Regions are botocore's data, independent of the session
        return [
            region
            for partition in known.get_available_partitions()
            for region in known.get_available_regions(service, partition_name=partition)
        ]


def _parse_as_json(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Parse a successful response of DynamoDB as plain JSON: equivalent except for binary attributes, which our items lack.

    botocore's parser is ten times slower, and would take half of the time of a review.
    """
    if response_dict["status_code"] == HTTPStatus.OK:
        customized_response_dict.update(json.loads(response_dict["body"]))
        response_dict["body"] = b"{}"


def connect(profile: str | None, region: str | None) -> Clients:
    """Return the clients for a profile and a Region; None means those of the environment and the AWS configuration.

    AWS_REGION takes precedence over AWS_DEFAULT_REGION, as in the AWS CLI and the CDK; boto3 itself ignores it.

    Raises:
        ToolError: There is no such profile, or no Region is set anywhere.
    """
    # An empty variable, as of a secret that a CI job lacks, is none.
    given = [name for name in ("AWS_REGION", "AWS_DEFAULT_REGION") if os.environ.get(name)]
    variables = {"region": ("region", given, None, None)}
    try:
        session = boto3.Session(
            profile_name=profile, region_name=region, botocore_session=botocore.session.Session(session_vars=variables)
        )
    except sdk.ProfileNotFound as error:
        raise ToolError(f"{error}.", cure="`aws configure list-profiles` lists your profiles.") from error
    if not session.region_name:
        raise ToolError(
            "No AWS Region is set.",
            cure="Set AWS_REGION to the Region of your buckets and of the stack, as in `export AWS_REGION=us-east-1`; "
            "programs also take --region.",
        )
    return Clients(session)


def explain(error: sdk.BotoCoreError | sdk.ClientError) -> ToolError:
    """Return an AWS error as a message and a cure for the user."""
    if isinstance(error, sdk.ClientError):
        return _explain_refusal(error)
    for kinds, message, cure in _LOCAL_FAULTS:
        if isinstance(error, kinds):
            return ToolError(phrase("{fault}: {error}", fault=message, error=str(error)), cure=cure)
    return ToolError(phrase("The AWS SDK failed: {error}", error=str(error)), cure=_TRACEBACK)


def _explain_refusal(error: sdk.ClientError) -> ToolError:
    code, operation = code_of(error), error.operation_name
    text = error.response.get("Error", {}).get("Message", "")
    # By code first: SlowDown comes with a 5xx, which alone means UNKNOWN.
    if known := _REFUSALS.get(code) or _FAULTS.get(FAULTS.get(code, fault_of(error))):
        message, cure = known
        message = phrase("{operation}: {fault} ({code}: {text})", operation=operation, fault=message, code=code, text=text)
        if fault_of(error) is Fault.FORBIDDEN:
            cure = replace(cure, values={"operation": operation})
            if operation in _READ_A_BUCKET:
                cure = phrase("{cure} {more}", cure=cure, more=REQUESTER_PAYS)
        return ToolError(message, cure=cure)
    refused = phrase("{operation} was refused with {code}: {text}", operation=operation, code=code, text=text)
    return ToolError(refused, cure=_TRACEBACK)


_TRACEBACK = phrase("Run the command again with --debug for the traceback.")
_CREDENTIALS_CURE = phrase(
    "Log in (`aws sso login`, `aws configure`) or name a profile with AWS_PROFILE or --profile; "
    "`aws sts get-caller-identity` shows who you are."
)
_LOCAL_FAULTS: tuple[tuple[tuple[type[Exception], ...], Phrase, Phrase], ...] = (
    (
        (
            sdk.NoCredentialsError,
            sdk.PartialCredentialsError,
            sdk.CredentialRetrievalError,
            sdk.NoAuthTokenError,
            sdk.TokenRetrievalError,
            sdk.SSOError,
        ),
        phrase("No usable AWS credentials were found"),
        _CREDENTIALS_CURE,
    ),
    (
        (sdk.InvalidRegionError, sdk.UnknownRegionError),
        phrase("This cannot be a Region"),
        phrase("Write --region, AWS_REGION or the profile's region as us-east-1 is written."),
    ),
    (
        (sdk.HTTPClientError, sdk.ConnectionError),
        phrase("AWS could not be reached"),
        phrase("Check the network, the proxy settings and --region, then run the command again."),
    ),
    (
        (sdk.ParamValidationError,),
        phrase("The AWS SDK would not send the request"),
        phrase("This is a fault of the tool: please report it with the output of --debug."),
    ),
)
_REFUSALS: dict[str, tuple[Phrase, Phrase]] = {
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "RequestExpired"),
        (phrase("the AWS credentials have expired"), _CREDENTIALS_CURE),
    ),
    **dict.fromkeys(
        (
            "AuthFailure",
            "IncompleteSignature",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "InvalidToken",
            "MissingAuthenticationToken",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ),
        (phrase("AWS does not know these credentials"), _CREDENTIALS_CURE),
    ),
    "RequestTimeTooSkewed": (phrase("this machine's clock is wrong"), phrase("Set the clock, then run the command again.")),
}
# S3 refuses them with the same code where the bucket is Requester Pays (S3 user guide, ObjectsinRequesterPaysBuckets).
_READ_A_BUCKET = frozenset({"GetObject", "HeadBucket", "HeadObject", "ListObjectsV2", "ListObjectVersions"})
REQUESTER_PAYS = phrase(
    "A Requester Pays bucket of another account cannot be scanned: Rekognition and S3 Batch Operations do not offer to pay."
)
_LATER = phrase("Wait a minute, then run the command again.")
_FAULTS: dict[Fault, tuple[Phrase, Phrase]] = {
    Fault.FORBIDDEN: (
        phrase("your credentials may not do this"),
        phrase("Have the permission for {operation} added to your user or role; docs/configuration.md lists what the tools need."),
    ),
    Fault.REFUSED: (phrase("AWS throttled the request and every retry"), _LATER),
    Fault.UNKNOWN: (phrase("AWS failed, at every attempt"), _LATER),
}
