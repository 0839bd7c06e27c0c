"""Corrections of what moto does with IAM policies.

moto refuses the ARN of an S3 Batch Operations job, because it has a Region; AWS accepts it. And moto keeps the policies of a role
that CloudFormation makes as Python's values, so that GetRolePolicy does not answer with JSON.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html (resource type job)
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.iam.models import Role
from moto.iam.policy_validation import BaseIAMPolicyValidator

from tools.emulator.core import moto_hooks

_JOB_ARN = re.compile(r"arn:[^:]+:s3:[^:]*:[^:]*:job/.+")
_METHOD = "_validate_resource_format"
_ORIGINAL = vars(BaseIAMPolicyValidator)[_METHOD]
_PUT = "put_policy"
_ORIGINAL_PUT = vars(Role)[_PUT]


def hooks() -> tuple[moto_hooks.Hook, ...]:
    """Return what lets job ARNs pass and keeps policies as text."""
    return (
        moto_hooks.Replacement(BaseIAMPolicyValidator, _METHOD, _validate),
        moto_hooks.Replacement(Role, _PUT, _put_policy),
    )


def _validate(validator: Any, resource: str) -> None:  # noqa: ANN401 - moto's
    if not _JOB_ARN.fullmatch(resource):
        _ORIGINAL(validator, resource)


def _put_policy(role: Any, policy_name: str, policy: str | dict[str, Any]) -> None:  # noqa: ANN401 - moto's
    _ORIGINAL_PUT(role, policy_name, policy if isinstance(policy, str) else json.dumps(policy))
