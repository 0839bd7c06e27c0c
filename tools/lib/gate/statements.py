"""The statements of the gate, as GuardDuty Malware Protection for S3 and cdk-serverless-clamscan write theirs.

Sources: GuardDuty user guide, tag-based-access-s3-malware-protection; S3 user guide, tagging-and-policies;
docs/aws.md#14-events-tags-annotations-and-bucket-policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from handlers.domain.consequence import TAG_KEY, ObjectStatus


class GatePolicy(StrEnum):
    """What a bucket's policy can have follow from the tag."""

    DENY_FLAGGED = "deny-flagged"
    DENY_UNLESS_CLEAN = "deny-unless-clean"
    ONLY_THIS_STACK_MAY_TAG = "only-this-stack-may-tag"
    FLAGGED_STAYS_TAGGED = "flagged-stays-tagged"

    @property
    def on_reading(self) -> bool:
        """Tell whether it denies reading; the others deny tagging."""
        return self in {GatePolicy.DENY_FLAGGED, GatePolicy.DENY_UNLESS_CLEAN}


@dataclass(frozen=True, slots=True)
class Roles:
    """The ARNs of the roles of a stack's functions, by what they do with the objects of a bucket."""

    reading: tuple[str, ...]
    tagging: tuple[str, ...]

    def needed_by(self, policy: GatePolicy) -> tuple[str, ...]:
        """Return the roles that a policy must exempt: Rekognition reads as the role that calls it, and no other function tags."""
        return self.reading if policy.on_reading else self.tagging


@dataclass(frozen=True, slots=True)
class _Denial:
    """One statement, without bucket and exempt roles. The Sid finds it again, so it is never renamed."""

    sid: str
    actions: tuple[str, ...]
    condition: Mapping[str, Mapping[str, str]]


_EXISTING = f"s3:ExistingObjectTag/{TAG_KEY}"
READING = ("s3:GetObject", "s3:GetObjectVersion")
TAGGING = ("s3:PutObjectTagging", "s3:PutObjectVersionTagging")
_UNTAGGING = ("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging")

_DENIALS: Mapping[GatePolicy, tuple[_Denial, ...]] = {
    GatePolicy.DENY_FLAGGED: (
        _Denial("VideoModerationDenyFlagged", READING, {"StringEquals": {_EXISTING: ObjectStatus.FLAGS_FOUND.value}}),
    ),
    GatePolicy.DENY_UNLESS_CLEAN: (
        _Denial("VideoModerationDenyUnlessClean", READING, {"StringNotEquals": {_EXISTING: ObjectStatus.NO_FLAGS_FOUND.value}}),
    ),
    GatePolicy.ONLY_THIS_STACK_MAY_TAG: (
        # Without regard to case: AWS does not say whether s3:ExistingObjectTag/<key> finds a tag in another case.
        _Denial(
            "VideoModerationOnlyThisStackMayTag",
            ("s3:PutObject", *TAGGING),
            {"ForAnyValue:StringEqualsIgnoreCase": {"s3:RequestObjectTagKeys": TAG_KEY}},
        ),
        _Denial("VideoModerationOnlyThisStackMayUntag", _UNTAGGING, {"Null": {_EXISTING: "false"}}),
    ),
    GatePolicy.FLAGGED_STAYS_TAGGED: (
        # Putting tags replaces all of them, so it can remove this one as deleting does.
        _Denial(
            "VideoModerationFlaggedStaysTagged",
            (*TAGGING, *_UNTAGGING),
            {"StringEquals": {_EXISTING: ObjectStatus.FLAGS_FOUND.value}},
        ),
    ),
}
# What the statement of a Sid belongs to.
_POLICIES = {denial.sid: policy for policy, denials in _DENIALS.items() for denial in denials}


def policy_of(sid: object) -> GatePolicy | None:
    """Return what the statement with a Sid belongs to; None if it is not one of a gate."""
    return _POLICIES.get(sid) if isinstance(sid, str) else None


def sids_of(policies: Iterable[GatePolicy]) -> frozenset[str]:
    """Return the Sids of all statements of these policies."""
    chosen = frozenset(policies)
    return frozenset(sid for sid, policy in _POLICIES.items() if policy in chosen)


def statements(policy: GatePolicy, bucket_arn: str, arns: Sequence[str]) -> list[dict[str, Any]]:
    """Return the statements of a policy for all objects of a bucket, which exempt users and roles by their ARNs.

    They are exempt by aws:PrincipalArn, as AWS advises against NotPrincipal. Of a session it is the ARN of the role, and AWS says
    not to write that of the session (IAM user guide, reference_policies_condition-keys). Anonymous requests have no such key, and
    ArnNotEquals holds without it: they are denied.
    """
    return [
        {
            "Sid": denial.sid,
            "Effect": "Deny",
            "Principal": "*",
            "Action": [*denial.actions],
            "Resource": f"{bucket_arn}/*",
            "Condition": {
                **{operator: dict(keys) for operator, keys in denial.condition.items()},
                "ArnNotEquals": {"aws:PrincipalArn": [*arns]},
            },
        }
        for denial in _DENIALS[policy]
    ]


def exempt(statement: Mapping[str, Any]) -> list[str]:
    """Return the ARNs that a statement of the gate exempts; none if its condition was changed by hand."""
    condition: Any = statement.get("Condition", {})
    keys: Any = condition.get("ArnNotEquals", {}) if isinstance(condition, dict) else {}
    arns: Any = keys.get("aws:PrincipalArn", []) if isinstance(keys, dict) else []
    return [arns] if isinstance(arns, str) else [str(arn) for arn in arns]


def exempts(statement: Mapping[str, Any], arn: str) -> bool:
    """Tell whether a statement of the gate exempts a role or user."""
    return any(fnmatchcase(arn, pattern.replace("[", "[[]")) for pattern in exempt(statement))
