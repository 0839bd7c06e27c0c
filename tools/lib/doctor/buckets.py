"""Looking at the buckets: the one to be scanned, as far as the caller can see, and the one where reports go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, code_of, fault_of
from tools.lib.doctor import policies, required
from tools.lib.doctor.case import REDEPLOY, Case
from tools.lib.doctor.findings import Finding, ok, stop, unless, warning
from tools.lib.errors import ToolError

_READS = ("s3:GetObject", "s3:GetObjectVersion")


def source(case: Case) -> list[Finding]:
    """Look whether the bucket is there, in the deployment's Region, and one that the functions may read."""
    try:
        required.require_bucket(case.clients.s3, case.bucket, case.deployment)
    except ToolError as error:
        return [stop("bucket", str(error), error.cure)]
    return [ok("bucket", f"{case.bucket} is in {case.deployment.region}, and one of the source buckets")]


def bucket_policy(case: Case) -> list[Finding]:
    """Look whether the bucket's policy denies reading; who it denies it to, and under which conditions, only AWS can weigh."""
    try:
        document: Any = json.loads(case.clients.s3.get_bucket_policy(Bucket=case.bucket)["Policy"])
    except ClientError as error:
        if code_of(error) == "NoSuchBucketPolicy":
            return [ok("bucket policy", "there is none")]
        raise
    stated = document.get("Statement", [])
    denials = [each for each in (stated if isinstance(stated, list) else [stated]) if _denies_reading(each)]
    if not denials:
        return [ok("bucket policy", "denies no reads except requests without TLS")]
    shown = ", ".join(str(each.get("Sid") or "a statement without a name") for each in denials)
    return [
        warning(
            "bucket policy",
            f"The policy of {case.bucket} denies reading ({shown}): if that hits the functions' roles, every video fails.",
            "Except the roles of the functions batch_invoke and start_analysis there, or try with --limit 1 first.",
        )
    ]


def _denies_reading(statement: dict[str, Any]) -> bool:
    if statement.get("Effect") != "Deny" or not any(policies.names(statement, action) for action in _READS):
        return False
    return "aws:SecureTransport" not in json.dumps(statement.get("Condition", {}))


def encryption(case: Case) -> list[Finding]:
    """Look whether the bucket encrypts with a key of the account's own, and if so whether the functions may decrypt with it."""
    try:
        rules = case.clients.s3.get_bucket_encryption(Bucket=case.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    except ClientError as error:
        if code_of(error) == "ServerSideEncryptionConfigurationNotFoundError":
            return [ok("encryption", "S3's own keys")]
        raise
    keys = [rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") for rule in rules]
    own = [key for key in keys if key and not key.endswith("alias/aws/s3")]
    return unless((fault for key in own for fault in _key_faults(case, key)), ok("encryption", _keys_said(own)))


def _keys_said(keys: list[str]) -> str:
    return f"the functions may decrypt with {', '.join(keys)}" if keys else "keys of AWS's"


def _key_faults(case: Case, key: str) -> Iterator[Finding]:
    """Yield what is wrong for those functions that read videos; they are the ones that may read the bucket."""
    object_arn = f"{case.deployment.bucket_arn(case.bucket)}/x"
    for name, function in case.functions.items():
        statements = case.statements(function["Role"]) if function else []
        reads = policies.allows(statements, "s3:GetObject", object_arn)
        if reads and not policies.allows(statements, "kms:Decrypt", key):
            yield stop(
                "encryption",
                f"New objects of {case.bucket} are encrypted with {key}, with which {name} may not decrypt.",
                f"Add the key's ARN to \"kms_keys\" in cdk.json, run `make deploy`, and let the key's policy allow it: {key}",
            )


def reports(case: Case) -> list[Finding]:
    """Look whether a completion report can be delivered. Nothing is written to try it: that the role may is seen at the role."""
    s3, work = case.clients.s3, case.deployment.work_bucket
    try:
        s3.head_bucket(Bucket=work)
    except ClientError as error:
        if fault_of(error) is Fault.MISSING:
            return [stop("work bucket", f"There is no bucket {work}: manifests and reports would have no place.", REDEPLOY)]
        raise
    if _locks(case, work):
        return [
            stop(
                "work bucket",
                f"{work} has a default retention (Object Lock): S3 Batch delivers no report into such a bucket.",
                "Take the default retention off it; the report would be the only proof of what was scanned.",
            )
        ]
    return [ok("work bucket", f"{work} takes manifests and reports")]


def _locks(case: Case, bucket: str) -> bool:
    try:
        lock = case.clients.s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    except ClientError as error:
        if code_of(error) == "ObjectLockConfigurationNotFoundError":
            return False
        raise
    return "DefaultRetention" in lock.get("Rule", {})
