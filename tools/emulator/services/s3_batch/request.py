"""A CreateJob request, checked as S3 does before it creates a job: by the API model, and by what only S3 knows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.emulator.core import model, refuse
from tools.emulator.services.s3_batch import generator
from tools.emulator.services.s3_batch.errors import SERVICE, BatchError, access_denied, bad_request
from tools.emulator.services.s3_batch.generator import Generator

CSV_FORMAT = "S3BatchOperations_CSV_20180820"
SCHEMA_VERSIONS = ("1.0", "2.0")
MAX_TAGS = 50

_OBJECT_ARN = re.compile(r"arn:[^:]+:s3:::([^/:]+)/(.+)", re.DOTALL)
_DESCRIBED = ("Description", "Manifest", "ManifestGenerator", "Operation", "Report", "RoleArn")


@dataclass(frozen=True, slots=True)
class ManifestLocation:
    """A CSV manifest that exists: where it is, and which columns it has."""

    bucket: str
    key: str
    version: str | None
    etag: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a job is to do."""

    described: dict[str, Any]  # the members that DescribeJob repeats, unchanged
    fingerprint: str  # equal for equal requests: a repeated token must come with the same
    token: str
    priority: int
    needs_confirmation: bool
    tags: tuple[tuple[str, str], ...]
    function_arn: str
    schema_version: str  # of the events, "1.0" or "2.0"
    user_arguments: dict[str, str] | None
    manifest: ManifestLocation | Generator
    report_bucket: str | None  # None without a report
    report_prefix: str
    report_owner: str | None
    failed_tasks_only: bool


def parse(request: Mapping[str, Any], account_id: str) -> JobRequest:
    """Check a request (members as in boto3's `create_job`) and return it.

    Raises:
        BatchError: BadRequestException or AccessDenied.
        UnsupportedError: The emulator lacks something.
    """
    check_account(request.get("AccountId"), account_id)
    labels = tags(request.get("Tags") or ())
    check("CreateJob", {**request, "Tags": None})
    if request["RoleArn"].split(":")[4] != account_id:
        raise access_denied("Cross-account pass role is not allowed")  # [S3:troubleshooting-batch-operations]
    function = _operation(request["Operation"])
    report = _report(request["Report"])
    described = {name: request[name] for name in _DESCRIBED if request.get(name) is not None}
    described["Operation"] = {"LambdaInvoke": function}
    needs_confirmation = request.get("ConfirmationRequired") is not False  # left out, it is required [S3:batch-ops-job-status]
    return JobRequest(
        described={**described, "ConfirmationRequired": needs_confirmation},
        fingerprint=json.dumps({**request, "AccountId": account_id}, sort_keys=True, default=str),
        token=request["ClientRequestToken"],
        priority=request["Priority"],
        needs_confirmation=needs_confirmation,
        tags=labels,
        function_arn=function["FunctionArn"],
        schema_version=function.get("InvocationSchemaVersion", "1.0"),  # the default [bc:s3control LambdaInvokeOperation]
        user_arguments=function.get("UserArguments"),
        manifest=_manifest(request),
        report_bucket=report.get("Bucket"),
        report_prefix=report.get("Prefix") or "",
        report_owner=report.get("ExpectedBucketOwner"),
        failed_tasks_only=report.get("ReportScope") == "FailedTasksOnly",
    )


def check(operation: str, given: object, member: str | None = None) -> None:
    """Check a request, or one member of it, by the API model; raise BadRequestException for what the model does not allow."""
    try:
        model.check("s3control", operation, given, member)
    except model.ModelError as error:
        raise bad_request(str(error)) from None


def check_account(given: object, account_id: str) -> None:
    """Raise `BatchError` unless the account in the request is the caller's."""
    check("CreateJob", given, "AccountId")
    if given != account_id:
        raise access_denied("Access Denied")


def tags(given: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Return a tag set as pairs, or raise BadRequestException, or TooManyTagsException for more than 50."""
    if len(given) > MAX_TAGS:
        raise BatchError("TooManyTagsException", f"A job can have {MAX_TAGS} tags at most")
    read = [{"Key": tag.get("Key"), "Value": tag.get("Value") or ""} for tag in given]  # an empty XML element is read as None
    check("CreateJob", read, "Tags")
    pairs = tuple((str(tag["Key"]), str(tag["Value"])) for tag in read)
    if len({key for key, _ in pairs}) < len(pairs):
        raise bad_request("Tag keys must be unique")
    return pairs


def _operation(operation: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {name: value for name, value in operation.items() if value is not None}
    if len(chosen) != 1:
        raise bad_request("Exactly one operation is required")
    (name,) = chosen
    if name != "LambdaInvoke":
        raise refuse(SERVICE, f"the operation {name}")
    function = {member: value for member, value in chosen[name].items() if value is not None}
    if "FunctionArn" not in function:
        raise bad_request("LambdaInvoke needs FunctionArn")
    version = function.get("InvocationSchemaVersion", "1.0")
    if version not in SCHEMA_VERSIONS:
        raise bad_request(f"InvocationSchemaVersion must be one of {', '.join(SCHEMA_VERSIONS)}")
    if "UserArguments" in function:
        if version != "2.0":
            raise bad_request("UserArguments need InvocationSchemaVersion 2.0")
        function["UserArguments"] = {key: value or "" for key, value in function["UserArguments"].items()}  # as with tags
    return function


def _manifest(request: Mapping[str, Any]) -> ManifestLocation | Generator:
    manifest, made = request.get("Manifest"), request.get("ManifestGenerator")
    if (manifest is None) == (made is None):
        raise bad_request("Either Manifest or ManifestGenerator is required, and not both")
    if manifest is None:
        return generator.parse(made or {})
    spec, location = manifest["Spec"], manifest["Location"]
    if spec["Format"] != CSV_FORMAT:
        raise refuse(SERVICE, f"the manifest format {spec['Format']}")
    arn = _OBJECT_ARN.fullmatch(location["ObjectArn"])
    if arn is None:
        raise bad_request("ObjectArn is not that of an object")
    fields = tuple(spec.get("Fields") or ())
    return ManifestLocation(arn[1], arn[2], location.get("ObjectVersionId"), location["ETag"], fields)


def _report(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request's `Report` with the bucket's name; nothing if no report is wanted."""
    if not report["Enabled"]:
        return {}
    for name in ("Bucket", "Format", "ReportScope"):
        if report.get(name) is None:
            raise bad_request(f"Report.{name} is required")
    return {**report, "Bucket": generator.bucket_of(report["Bucket"], "Report.Bucket")}
