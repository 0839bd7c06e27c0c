"""Checks of the buckets: the one to be scanned, as far as the caller can see, and the work bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, code_of, fault_of
from tools.lib.aws import REQUESTER_PAYS, Deployment
from tools.lib.doctor import policies
from tools.lib.doctor.case import REDEPLOY, Case
from tools.lib.doctor.findings import Finding, ok, stop, warning
from tools.lib.errors import ToolError
from tools.lib.gate import READING, policy_of, read_policy, statements_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ANALYSIS = ("kms:Decrypt", "kms:GenerateDataKey")

_KEY_CURE = "Add the key's ARN to \"kms_keys\" in cdk.json, run `make deploy`, and let the key's policy allow it: {key}"


def require_bucket(s3: S3Client, bucket: str, deployment: Deployment) -> None:
    """Make sure that the bucket exists, is in the deployment's Region, and may be read by the deployed functions.

    Raises:
        ToolError: One of these does not hold.
    """
    region = _region_of(s3, bucket)
    if region not in {None, deployment.region}:
        raise ToolError(
            f"The bucket {bucket} is in {region}, the stack {deployment.stack_name} in {deployment.region}; "
            "S3 Batch Operations and Rekognition both work within one Region.",
            cure=f"Deploy a stack in {region} (`AWS_REGION={region} make deploy`), then run this again with --region {region}.",
        )
    if not deployment.may_read(bucket):
        raise ToolError(
            f"The stack {deployment.stack_name} may not read the bucket {bucket}: its source buckets are "
            f"{', '.join(deployment.source_buckets)}.",
            cure=f'Add "{bucket}" to "source_buckets" in cdk.json and run `make deploy`.',
        )


def require_there(s3: S3Client, bucket: str) -> None:
    """Make sure that a bucket exists and may be looked into.

    Raises:
        ToolError: One of these does not hold.
    """
    _region_of(s3, bucket)


def _region_of(s3: S3Client, bucket: str) -> str | None:
    try:
        return s3.head_bucket(Bucket=bucket).get("BucketRegion")
    except ClientError as error:
        if fault_of(error) is Fault.MISSING:
            raise ToolError(
                f"There is no bucket named {bucket}.",
                cure="`aws s3 ls` lists the buckets of your account; is the name spelt right?",
            ) from error
        # A refusal still names the bucket's Region, and another Region may be all that is wrong.
        region: str | None = error.response["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region")
        if region not in {None, s3.meta.region_name}:
            return region
        if fault_of(error) is Fault.FORBIDDEN:
            raise ToolError(
                f"You may not look into the bucket {bucket}: it is another account's, or a policy denies it.{REQUESTER_PAYS}",
                cure="Have s3:ListBucket, s3:ListBucketVersions and s3:GetBucketVersioning on it added to your user or role.",
            ) from error
        raise


def source(case: Case) -> Iterator[Finding]:
    """Check whether the bucket exists, is in the deployment's Region, and is one that the functions may read."""
    try:
        require_bucket(case.clients.s3, case.bucket, case.deployment)
    except ToolError as error:
        yield stop(str(error), error.cure)
    yield ok(f"{case.bucket} is in {case.deployment.region}, and one of the source buckets")


def payer(case: Case) -> Iterator[Finding]:
    """Check who pays for reading: a Requester Pays bucket refuses all but its own account and who offers to pay."""
    if case.clients.s3.get_bucket_request_payment(Bucket=case.bucket).get("Payer", "BucketOwner") != "Requester":
        yield ok("the owner of the bucket")
        return
    try:
        case.clients.s3.head_bucket(Bucket=case.bucket)
    except ClientError as error:
        if fault_of(error) is not Fault.FORBIDDEN:
            raise
        yield stop(
            f"{case.bucket} is a Requester Pays bucket of another account: Rekognition and S3 Batch do not offer to pay.",
            "Copy the videos into a bucket of this account (`aws s3 sync --request-payer requester`), and scan that.",
        )
    yield ok(f"{case.bucket} is Requester Pays; requests of its own account, as these are, need not offer to pay")


def bucket_policy(case: Case) -> Iterator[Finding]:
    """Check whether the bucket's policy denies reading; to whom and under which conditions, only AWS can evaluate.

    What a gate denies is checked by itself.
    """
    document = read_policy(case.clients.s3, case.bucket)
    if document is None:
        yield ok("there is none")
        return
    denials = [each for each in statements_of(document) if _denies_reading(each)]
    if denials:
        shown = ", ".join(str(each.get("Sid") or "a statement without a name") for each in denials)
        yield warning(
            f"The policy of {case.bucket} denies reading ({shown}): if that applies to the functions' roles, every video fails.",
            "Exempt the roles of the functions batch_invoke and start_analysis, or try with --limit 1 first.",
        )
    yield ok("denies no reads except requests without TLS")


def _denies_reading(statement: dict[str, Any]) -> bool:
    if statement.get("Effect") != "Deny" or policy_of(statement.get("Sid")):
        return False
    if not any(policies.names(statement, action) for action in READING):
        return False
    return "aws:SecureTransport" not in json.dumps(statement.get("Condition", {}))


def encryption(case: Case) -> Iterator[Finding]:
    """Check whether the functions and Rekognition may use the key of new objects, if it is a customer managed one."""
    try:
        rules = case.clients.s3.get_bucket_encryption(Bucket=case.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    except ClientError as error:
        if code_of(error) != "ServerSideEncryptionConfigurationNotFoundError":
            raise
        yield ok("S3's own keys")
        return
    keys = [rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") for rule in rules]
    own = [_key_arn(case, key) for key in keys if key and not key.endswith("alias/aws/s3")]
    for key in own:
        if "alias/" in key:
            yield warning(
                f"New objects of {case.bucket} are encrypted with the key of {key}: the functions may lack it.",
                f'"kms_keys" in cdk.json must name its ARN, which `aws kms describe-key --key-id {key}` shows.',
            )
            continue
        yield from _key_faults(case, key)
        yield from _analysis_faults(case, key)
    yield ok(f"the functions and Rekognition may use {', '.join(own)}" if own else "AWS's keys")


def _key_arn(case: Case, key: str) -> str:
    """Return the ARN of a key that a bucket may name by its id alone; an alias as it is."""
    if key.startswith(("arn:", "alias/")):
        return key
    deployment = case.deployment
    return f"arn:{deployment.partition}:kms:{deployment.region}:{deployment.account_id}:key/{key}"


def _key_faults(case: Case, key: str) -> Iterator[Finding]:
    """Yield the functions that may read the bucket but not decrypt with the key."""
    object_arn = f"{case.deployment.bucket_arn(case.bucket)}/x"
    for name, function in case.functions.items():
        statements = case.statements(function["Role"]) if function else []
        reads = policies.allows(statements, "s3:GetObject", object_arn)
        if reads and not policies.allows(statements, "kms:Decrypt", key):
            yield stop(
                f"New objects of {case.bucket} are encrypted with {key}, with which {name} may not decrypt.",
                _KEY_CURE.format(key=key),
            )


def _analysis_faults(case: Case, key: str) -> Iterator[Finding]:
    """Yield the roles of a Start that lack a permission that AWS asks for (docs/aws.md#5-iam)."""
    for what, role in _roles_of_start(case):
        statements = case.statements(role)
        missing = [action for action in _ANALYSIS if not policies.allows(statements, action, key)]
        if missing:
            yield warning(
                f"New objects of {case.bucket} are encrypted with {key}, on which {what} may not use {' and '.join(missing)}.",
                _KEY_CURE.format(key=key),
            )


def _roles_of_start(case: Case) -> Iterator[tuple[str, str]]:
    """Yield the function that calls Start and the role of its notification channel, each with its role."""
    for name, function in case.functions.items():
        variables = function.get("Environment", {}).get("Variables", {}) if function else {}
        if function and "REKOGNITION_ROLE_ARN" in variables:
            yield name, function["Role"]
            yield "Rekognition's role", variables["REKOGNITION_ROLE_ARN"]


def reports(case: Case) -> Iterator[Finding]:
    """Check whether the work bucket can take completion reports, without writing; the role's permission is checked elsewhere."""
    s3, work = case.clients.s3, case.deployment.work_bucket
    try:
        s3.head_bucket(Bucket=work)
    except ClientError as error:
        if fault_of(error) is not Fault.MISSING:
            raise
        yield stop(f"There is no bucket {work} for manifests and reports.", REDEPLOY)
        return
    if _has_default_retention(case, work):
        yield stop(
            f"{work} has a default retention (Object Lock): S3 Batch does not deliver reports to such a bucket.",
            "Remove its default retention: the report would be the only proof of what was scanned.",
        )
    yield ok(f"{work} takes manifests and reports")


def _has_default_retention(case: Case, bucket: str) -> bool:
    try:
        lock = case.clients.s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    except ClientError as error:
        if code_of(error) == "ObjectLockConfigurationNotFoundError":
            return False
        raise
    return "DefaultRetention" in lock.get("Rule", {})
