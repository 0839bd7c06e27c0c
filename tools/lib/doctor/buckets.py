"""Checks of the buckets: the one to be scanned, as far as the caller can see, and the work bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from tools.lib.aws.clients import code_of
from tools.lib.aws.objects import NO_SUCH_BUCKET
from tools.lib.doctor import policies
from tools.lib.doctor.case import REDEPLOY, Case
from tools.lib.doctor.findings import Finding, ok, stop, warning
from tools.lib.doctor.required import require_bucket
from tools.lib.errors import ToolError

_READS = ("s3:GetObject", "s3:GetObjectVersion")


def source(case: Case) -> Iterator[Finding]:
    """Check whether the bucket exists, is in the deployment's Region, and is one that the functions may read."""
    try:
        require_bucket(case.clients.s3, case.bucket, case.deployment)
    except ToolError as error:
        yield stop(str(error), error.cure)
    yield ok(f"{case.bucket} is in {case.deployment.region}, and one of the source buckets")


def bucket_policy(case: Case) -> Iterator[Finding]:
    """Check whether the bucket's policy denies reading; to whom and under which conditions, only AWS can evaluate."""
    try:
        document: Any = json.loads(case.clients.s3.get_bucket_policy(Bucket=case.bucket)["Policy"])
    except ClientError as error:
        if code_of(error) != "NoSuchBucketPolicy":
            raise
        yield ok("there is none")
        return
    denials = [each for each in policies.statements_of(document) if _denies_reading(each)]
    if denials:
        shown = ", ".join(str(each.get("Sid") or "a statement without a name") for each in denials)
        yield warning(
            f"The policy of {case.bucket} denies reading ({shown}): if that applies to the functions' roles, every video fails.",
            "Exempt the roles of the functions batch_invoke and start_analysis, or try with --limit 1 first.",
        )
    yield ok("denies no reads except requests without TLS")


def _denies_reading(statement: dict[str, Any]) -> bool:
    if statement.get("Effect") != "Deny" or not any(policies.names(statement, action) for action in _READS):
        return False
    return "aws:SecureTransport" not in json.dumps(statement.get("Condition", {}))


def encryption(case: Case) -> Iterator[Finding]:
    """Check whether the functions may decrypt new objects, if the bucket encrypts them with a customer managed key."""
    try:
        rules = case.clients.s3.get_bucket_encryption(Bucket=case.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    except ClientError as error:
        if code_of(error) != "ServerSideEncryptionConfigurationNotFoundError":
            raise
        yield ok("S3's own keys")
        return
    keys = [rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") for rule in rules]
    own = [key for key in keys if key and not key.endswith("alias/aws/s3")]
    for key in own:
        yield from _key_faults(case, key)
    yield ok(f"the functions may decrypt with {', '.join(own)}" if own else "AWS's keys")


def _key_faults(case: Case, key: str) -> Iterator[Finding]:
    """Yield the functions that may read the bucket but not decrypt with the key."""
    object_arn = f"{case.deployment.bucket_arn(case.bucket)}/x"
    for name, function in case.functions.items():
        statements = case.statements(function["Role"]) if function else []
        reads = policies.allows(statements, "s3:GetObject", object_arn)
        if reads and not policies.allows(statements, "kms:Decrypt", key):
            yield stop(
                f"New objects of {case.bucket} are encrypted with {key}, with which {name} may not decrypt.",
                f"Add the key's ARN to \"kms_keys\" in cdk.json, run `make deploy`, and let the key's policy allow it: {key}",
            )


def reports(case: Case) -> Iterator[Finding]:
    """Check whether the work bucket can take completion reports, without writing; the role's permission is checked elsewhere."""
    s3, work = case.clients.s3, case.deployment.work_bucket
    try:
        s3.head_bucket(Bucket=work)
    except ClientError as error:
        if code_of(error) not in NO_SUCH_BUCKET:
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
