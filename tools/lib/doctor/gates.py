"""Checks of the gates: whether those that are installed still let the functions' roles through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from tools.lib.doctor.case import Case
from tools.lib.doctor.findings import Finding, ok, warning
from tools.lib.gate import GatePolicy, exempts, policy_of, read_policy, statements_of
from tools.lib.text import counted

# As many buckets are looked at: watched ones are at most as many (docs/configuration.md), then those of the newest scans.
_BUCKETS = 21


def gates(case: Case) -> Iterator[Finding]:
    """Check whether the gates of this bucket, and of those watched or scanned lately, exempt the roles as they are now."""
    gated: list[str] = []
    buckets = _buckets(case)
    for bucket in buckets:
        try:
            document = read_policy(case.clients.s3, bucket)
        except ClientError as error:
            if fault_of(error) is Fault.FORBIDDEN:
                yield warning(
                    f"The policy of {bucket} may not be read: whether it has a gate that shuts the functions out is not known.",
                    "Have s3:GetBucketPolicy on the bucket added to your user or role.",
                )
            elif fault_of(error) is not Fault.MISSING:  # another check names a bucket that is gone
                raise
            continue
        ours = [each for each in statements_of(document or {}) if policy_of(each.get("Sid"))]
        if ours:
            gated.append(bucket)
            yield from _faults(case, bucket, ours)
    has = "have one, which exempts" if len(gated) > 1 else "has one, which exempts"
    yield ok(f"{', '.join(gated)} {has} the functions' roles" if gated else f"none in {counted(len(buckets), 'bucket')}")


def _buckets(case: Case) -> list[str]:
    """Return the bucket that is examined, the watched ones, and those of the scans that were submitted last."""
    watched = case.deployment.watching.watches if case.deployment.watching else {}
    scanned = [scan.bucket for scan in case.table.scans.submitted()]
    return list(dict.fromkeys([case.bucket, *watched, *scanned]))[:_BUCKETS]


def _faults(case: Case, bucket: str, statements: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    roles = case.roles(bucket)
    shut_out: dict[GatePolicy, list[str]] = {}
    for statement in statements:
        policy = policy_of(statement.get("Sid"))
        if policy is None:
            continue
        missing = shut_out.setdefault(policy, [])
        missing += [role for role in roles.needed_by(policy) if role not in missing and not exempts(statement, role)]
    for policy, missing in shut_out.items():
        if missing:
            lost = "what it closes cannot be analysed" if policy.on_reading else "they cannot tag what it closes"
            yield warning(
                f"The gate of {bucket} ({policy}) does not exempt {', '.join(missing)}: {lost}.",
                f"`python tools/control_scan.py gate {bucket} --policy {policy}` prints it anew; repeat its reviewers.",
            )
    if GatePolicy.DENY_UNLESS_CLEAN in shut_out and not roles.tagging:
        yield warning(
            f"The gate of {bucket} ({GatePolicy.DENY_UNLESS_CLEAN}) closes every object without a tag, and no function "
            "of the stack tags objects.",
            f"`python tools/control_scan.py gate {bucket} --remove` prints the policy without it; or deploy with tags.",
        )
