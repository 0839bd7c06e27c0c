"""Proposes the policy of a bucket with a gate, or without it.

Before that it checks that the gate can keep its promise, and says what it would close.
"""

from __future__ import annotations

from collections.abc import Sequence

from handlers.domain.consequence import TAG_KEY, ObjectStatus
from tools.lib.cli import Invocation
from tools.lib.coverage import Status, measure
from tools.lib.errors import ToolError
from tools.lib.gate.merge import merge, remove
from tools.lib.gate.policy_document import MAX_BYTES, Document, byte_count, read_whole_policy, statements_of
from tools.lib.gate.result import MergedPolicy
from tools.lib.gate.statements import GatePolicy, Roles, policy_of, statements
from tools.lib.listing import Selection
from tools.lib.text import counted

# What else a policy on reading takes to hold against who may tag: without it the tag can be removed, or the one that opens written.
_COMPLETED_BY = {
    GatePolicy.DENY_FLAGGED: GatePolicy.FLAGGED_STAYS_TAGGED,
    GatePolicy.DENY_UNLESS_CLEAN: GatePolicy.ONLY_THIS_STACK_MAY_TAG,
}
# What a bucket without a policy begins with.
_EMPTY: Document = {"Version": "2012-10-17", "Statement": []}


def propose(run: Invocation, bucket: str, policies: Sequence[GatePolicy], reviewers: Sequence[str], roles: Roles) -> MergedPolicy:
    """Return the policy of a bucket with these policies of the gate merged into it.

    Check first that the bucket is there and may be read: see the doctor's `require_bucket`.

    Args:
        run: Where the talk goes, and what the objects are looked up with.
        bucket: The bucket.
        policies: What the gate shall have; what it has besides stays.
        reviewers: The ARNs of users and roles that may read everything, besides the roles of the stack.
        roles: Those of the stack.

    Raises:
        ToolError: A policy could not keep its promise on this bucket, the bucket's policy may not be read, or S3 would not take
            the new one.
    """
    chosen = tuple(dict.fromkeys(policies))
    _require_roles(run, bucket, chosen, roles)
    unless_clean = GatePolicy.DENY_UNLESS_CLEAN in chosen
    if unless_clean:
        _require_versions(run, bucket)
    before = read_whole_policy(run.clients.s3, bucket)
    after = merge(
        before or _EMPTY,
        (
            statement
            for policy in chosen
            for statement in statements(policy, run.deployment.bucket_arn(bucket), _exempt(policy, roles, reviewers))
        ),
    )
    size = _require_size(bucket, after)
    if roles.tagging:
        _mention_what_is_missing(run, chosen, after)
    unreadable = _count_unreadable(run, bucket) if unless_clean else 0
    run.terminal.info(f"The policy would have {size:,} of the {MAX_BYTES:,} bytes that S3 takes.")
    return _shown(run, MergedPolicy(bucket, before, after, unreadable))


def _mention_what_is_missing(run: Invocation, chosen: Sequence[GatePolicy], after: Document) -> None:
    present = {policy_of(statement.get("Sid")) for statement in statements_of(after)}
    for policy in chosen:
        other = _COMPLETED_BY.get(policy)
        if other and other not in present:
            run.terminal.info(f"{policy} holds only against those who may not tag objects, unless {other} is there as well.")


def withdraw(run: Invocation, bucket: str, policies: Sequence[GatePolicy]) -> MergedPolicy:
    """Return the policy of a bucket without these policies of the gate, without all if none is named.

    Raises:
        ToolError: The bucket's policy may not be read.
    """
    before = read_whole_policy(run.clients.s3, bucket)
    after = remove(before or _EMPTY, policies or tuple(GatePolicy))
    return _shown(run, MergedPolicy(bucket, before, after))


def _shown(run: Invocation, merged: MergedPolicy) -> MergedPolicy:
    """Say how a person puts the policy, for these programs change none."""
    bucket = merged.bucket
    if merged.changed:
        run.terminal.info(
            f"Nothing was changed. With --json this prints the whole policy, and "
            f"`aws s3api put-bucket-policy --bucket {bucket} --policy file://FILE` puts it."
            if merged.lines_after
            else f"Nothing was changed. No statement is left: `aws s3api delete-bucket-policy --bucket {bucket}` deletes the rest."
        )
    return merged


def _exempt(policy: GatePolicy, roles: Roles, reviewers: Sequence[str]) -> list[str]:
    """Return who is exempt; who reviews decides through the programs, and need not tag."""
    return sorted({*roles.needed_by(policy), *(reviewers if policy.on_reading else ())})


def _require_roles(run: Invocation, bucket: str, policies: Sequence[GatePolicy], roles: Roles) -> None:
    """Make sure that the stack does what the policies are about: reads the objects and, but for deny-flagged, tags them."""
    stack = run.deployment.stack_name
    if not roles.reading:
        raise ToolError(
            f"No function of the stack {stack} has a role that may read {bucket}, as far as its roles can be seen.",
            cure="Deploy it again with `make deploy`, then run this again.",
        )
    if roles.tagging:
        return
    needing = [policy for policy in policies if policy is not GatePolicy.DENY_FLAGGED]
    if needing:
        raise ToolError(
            f"No function of the stack {stack} may tag the objects of {bucket}: {' and '.join(needing)} would close what no "
            "verdict opens, or lock out the function that tags once there is one.",
            cure='Set "tag_objects" to true in cdk.json, run `make deploy`, then run this again.',
        )
    run.terminal.info(
        f"No function of the stack {stack} tags the objects of {bucket}: until one does, deny-flagged closes nothing."
    )


def _require_versions(run: Invocation, bucket: str) -> None:
    if run.clients.s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled":
        return
    raise ToolError(
        f"{GatePolicy.DENY_UNLESS_CLEAN} needs versions, which {bucket} does not keep: between verdict and tag an object can be "
        "overwritten, and the new content would carry the tag of the old one and be open.",
        cure=f"`aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled`, or use deny-flagged.",
    )


def _require_size(bucket: str, after: Document) -> int:
    size = byte_count(after)
    if size > MAX_BYTES:
        raise ToolError(
            f"The policy of {bucket} would have {size:,} bytes; S3 takes {MAX_BYTES:,} (20 KB).",
            cure="Name fewer reviewers (one role instead of many users, or a pattern with *), or shorten the other statements.",
        )
    return size


def _count_unreadable(run: Invocation, bucket: str) -> int:
    """Return on how many objects, of any suffix, the table has no verdict; what is not a video never gets a tag either."""
    coverage = measure(run, Selection(bucket=bucket, suffixes=("",)), None)
    total, known = coverage.total.objects, coverage.statuses[Status.CURRENT].objects
    run.terminal.info(
        f"{counted(total - known, 'object')} of {total:,} in {bucket} would become unreadable for all who are not exempt, because "
        "the table has no verdict on them as they are now: each was looked up as `coverage` does; tags were not read. Of the other "
        f"{known:,}, those tagged {TAG_KEY}={ObjectStatus.NO_FLAGS_FOUND} stay readable; what got its verdict before the stack "
        "tagged objects has no tag. Older versions were not counted."
    )
    return total - known
