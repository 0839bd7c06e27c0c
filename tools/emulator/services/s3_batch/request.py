"""A CreateJob request, checked as S3 checks it before there is a job.

Lengths and patterns are those of the API model (s3control 2018-08-20), which boto3 does not check before sending.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from tools.emulator.services.s3_batch import generator
from tools.emulator.services.s3_batch.errors import BatchError, access_denied, bad_request, not_implemented
from tools.emulator.services.s3_batch.generator import Generator

CSV_FORMAT = "S3BatchOperations_CSV_20180820"
REPORT_FORMAT = "Report_CSV_20180820"
FIELD_NAMES = ("Ignore", "Bucket", "Key", "VersionId")
SCHEMA_VERSIONS = ("1.0", "2.0")
MAX_PRIORITY = 2_147_483_647
MAX_TAGS = 50
MAX_USER_ARGUMENTS = 10
MAX_ARGUMENT_NAME = 64
MAX_ARGUMENT_VALUE = 1024

_ACCOUNT = re.compile(r"\d{12}")
_ROLE = re.compile(r"arn:[^:]+:iam::(\d{12}):role/.+", re.DOTALL)
_FUNCTION = re.compile(
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?"
    r"(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
_BUCKET_ARN = re.compile(r"arn:[^:]+:s3:::([^/:]+)")
_OBJECT_ARN = re.compile(r"arn:[^:]+:s3:::([^/:]+)/(.+)", re.DOTALL)
_TAG_TEXT = re.compile(r"[\w\s.:/=+\-@]*")


@dataclass(frozen=True, slots=True)
class Given:
    """A CSV manifest that was made beforehand: where it is, and which columns it has."""

    bucket: str
    key: str
    version: str | None
    etag: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a job was asked to do.

    Attributes:
        described: The request's members that DescribeJob repeats, as they came.
        fingerprint: Equal for equal requests: what a repeated token is held against.
        schema_version: Of the events, "1.0" or "2.0".
        report_bucket: None where no report was asked for.
    """

    described: dict[str, Any]
    fingerprint: str
    token: str
    priority: int
    needs_confirmation: bool
    tags: tuple[tuple[str, str], ...]
    function_arn: str
    schema_version: str
    user_arguments: dict[str, str] | None
    manifest: Given | Generator
    report_bucket: str | None
    report_prefix: str
    report_owner: str | None
    failed_tasks_only: bool


def parse(request: Mapping[str, Any], account_id: str) -> JobRequest:
    """Check a request (members as in boto3's `create_job`) and return it.

    Raises:
        BatchError: BadRequestException, AccessDenied, or NotImplemented for what only the real service can do.
    """
    check_account(request.get("AccountId"), account_id)
    token = _text(request, "ClientRequestToken", 1, 64)
    function = _operation(request.get("Operation"))
    manifest = _manifest(request)
    report = _report(request.get("Report"))
    _role(_text(request, "RoleArn", 1, 2048), account_id)
    if request.get("Description") is not None:
        _text(request, "Description", 1, 256)
    described = {name: request[name] for name in _DESCRIBED if request.get(name) is not None}
    described["Operation"] = {"LambdaInvoke": {name: value for name, value in function.items() if value is not None}}
    needs_confirmation = request.get("ConfirmationRequired") is not False  # left out, it is required [S3:batch-ops-job-status]
    return JobRequest(
        described={**described, "ConfirmationRequired": needs_confirmation},
        fingerprint=json.dumps({**request, "AccountId": account_id}, sort_keys=True, default=str),
        token=token,
        priority=priority(request.get("Priority")),
        needs_confirmation=needs_confirmation,
        tags=tags(request.get("Tags") or ()),
        function_arn=function["FunctionArn"],
        schema_version=function["InvocationSchemaVersion"] or "1.0",  # the default [bc:s3control LambdaInvokeOperation]
        user_arguments=function["UserArguments"],
        manifest=manifest,
        report_bucket=report["Bucket"],
        report_prefix=report["Prefix"],
        report_owner=report["ExpectedBucketOwner"],
        failed_tasks_only=report["ReportScope"] == "FailedTasksOnly",
    )


_DESCRIBED = ("Description", "Manifest", "ManifestGenerator", "Operation", "Report", "RoleArn")


def check_account(given: object, account_id: str) -> None:
    """Raise unless the account in the request is the caller's."""
    if not isinstance(given, str) or not _ACCOUNT.fullmatch(given):
        raise bad_request("AccountId must be 12 digits")
    if given != account_id:
        raise access_denied("Access Denied")


def priority(value: object) -> int:
    """Return a valid priority, or raise."""
    if not isinstance(value, int) or not 0 <= value <= MAX_PRIORITY:
        raise bad_request(f"Priority is required and must be from 0 to {MAX_PRIORITY}")
    return value


def tags(given: object) -> tuple[tuple[str, str], ...]:
    """Return a tag set as pairs, or raise: BadRequestException, or TooManyTagsException for more than 50."""
    if not isinstance(given, (list, tuple)):
        raise bad_request("Tags must be a list")
    if len(given) > MAX_TAGS:
        raise BatchError("TooManyTagsException", f"A job can have {MAX_TAGS} tags at most")
    pairs = tuple((_text(tag, "Key", 1, 128), _text(tag, "Value", 0, 256)) for tag in given)
    if len({key for key, _ in pairs}) < len(pairs):
        raise bad_request("Tag keys must be unique")
    if not all(_TAG_TEXT.fullmatch(text) for pair in pairs for text in pair):
        raise bad_request("Tags may hold letters, digits, spaces and _.:/=+-@ only")
    return pairs


def _text(holder: Mapping[str, Any], name: str, shortest: int, longest: int) -> str:
    value = holder.get(name)
    if value is None and shortest == 0:
        value = ""
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        raise bad_request(f"{name} is required and must have {shortest} to {longest} characters")
    return value


def _operation(operation: object) -> dict[str, Any]:
    chosen = {name: value for name, value in (operation or {}).items() if value is not None} if _is_map(operation) else {}
    if len(chosen) != 1:
        raise bad_request("Exactly one operation is required")
    (name,) = chosen
    if name != "LambdaInvoke":
        raise not_implemented(f"the operation {name}")
    function = chosen[name]
    arn = _text(function, "FunctionArn", 1, 1024)
    if not _FUNCTION.fullmatch(arn):
        raise bad_request("FunctionArn is not that of a function")
    version = function.get("InvocationSchemaVersion")
    if version not in (None, *SCHEMA_VERSIONS):
        raise bad_request(f"InvocationSchemaVersion must be one of {', '.join(SCHEMA_VERSIONS)}")
    return {"FunctionArn": arn, "InvocationSchemaVersion": version, "UserArguments": _arguments(function, version)}


def _arguments(function: Mapping[str, Any], version: str | None) -> dict[str, str] | None:
    arguments = function.get("UserArguments")
    if arguments is None:
        return None
    if version != "2.0":
        raise bad_request("UserArguments need InvocationSchemaVersion 2.0")
    if not 1 <= len(arguments) <= MAX_USER_ARGUMENTS:
        raise bad_request(f"UserArguments must have 1 to {MAX_USER_ARGUMENTS} entries")
    read = {name: value or "" for name, value in arguments.items()}  # an empty element of XML is read as None
    if not all(1 <= len(name) <= MAX_ARGUMENT_NAME and len(value) <= MAX_ARGUMENT_VALUE for name, value in read.items()):
        raise bad_request(f"UserArguments: keys have 1 to {MAX_ARGUMENT_NAME} characters, values up to {MAX_ARGUMENT_VALUE}")
    return read


def _manifest(request: Mapping[str, Any]) -> Given | Generator:
    manifest = request.get("Manifest")
    if request.get("ManifestGenerator") is not None:
        if manifest is not None:
            raise bad_request("Give either Manifest or ManifestGenerator, not both")
        return generator.parse(request["ManifestGenerator"])
    if not _is_map(manifest):
        raise bad_request("Manifest or ManifestGenerator is required")
    spec, location = manifest.get("Spec"), manifest.get("Location")
    if not _is_map(spec) or not _is_map(location):
        raise bad_request("Manifest needs Spec and Location")
    if spec.get("Format") != CSV_FORMAT:
        raise not_implemented(f"the manifest format {spec.get('Format')}")
    fields = tuple(spec.get("Fields") or ())
    if not set(fields) <= set(FIELD_NAMES):
        raise bad_request(f"Fields may be {', '.join(FIELD_NAMES)}")
    _text(location, "ETag", 1, 1024)
    if location.get("ObjectVersionId") is not None:
        _text(location, "ObjectVersionId", 1, 2000)
    arn = _OBJECT_ARN.fullmatch(_text(location, "ObjectArn", 1, 2000))
    if arn is None:
        raise bad_request("ObjectArn is not that of an object")
    return Given(arn[1], arn[2], location.get("ObjectVersionId"), location["ETag"], fields)


def _report(report: object) -> dict[str, Any]:
    if not _is_map(report) or not isinstance(report.get("Enabled"), bool):
        raise bad_request("Report with Enabled is required")
    if not report["Enabled"]:
        return {"Bucket": None, "Prefix": "", "ExpectedBucketOwner": None, "ReportScope": "AllTasks"}
    bucket = _BUCKET_ARN.fullmatch(_text(report, "Bucket", 1, 128))
    if bucket is None:
        raise bad_request("Report.Bucket is not the ARN of a bucket")
    if report.get("Format") != REPORT_FORMAT:
        raise bad_request(f"Report.Format must be {REPORT_FORMAT}")
    if report.get("ReportScope") not in ("AllTasks", "FailedTasksOnly"):
        raise bad_request("Report.ReportScope must be AllTasks or FailedTasksOnly")
    owner = report.get("ExpectedBucketOwner")
    if owner is not None and not _ACCOUNT.fullmatch(owner):
        raise bad_request("Report.ExpectedBucketOwner must be 12 digits")
    prefix = "" if report.get("Prefix") is None else _text(report, "Prefix", 1, 512)
    return {"Bucket": bucket[1], "Prefix": prefix, "ExpectedBucketOwner": owner, "ReportScope": report["ReportScope"]}


def _role(arn: str, account_id: str) -> None:
    role = _ROLE.fullmatch(arn)
    if role is None:
        raise bad_request("RoleArn is not that of a role")
    if role[1] != account_id:
        raise access_denied("Cross-account pass role is not allowed")  # [S3:troubleshooting-batch-operations]


def _is_map(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)
