"""Corrects what moto does with IAM policies.

moto refuses the ARN of an S3 Batch Operations job, because it has a Region; AWS accepts it. And moto keeps the policies of a role
that CloudFormation makes as dictionaries, so that GetRolePolicy does not answer with JSON.

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
_moto_validate = BaseIAMPolicyValidator._validate_resource_format  # noqa: SLF001 - what is corrected
_moto_put_policy = Role.put_policy


def hooks() -> tuple[moto_hooks.Hook, ...]:
    """Return what lets ARNs of jobs pass and keeps policies as text."""
    return (
        moto_hooks.Replacement(BaseIAMPolicyValidator, _moto_validate.__name__, _validate),
        moto_hooks.Replacement(Role, _moto_put_policy.__name__, _put_policy),
    )


def _validate(validator: Any, resource: str) -> None:  # noqa: ANN401 - moto's
    if not _JOB_ARN.fullmatch(resource):
        _moto_validate(validator, resource)


def _put_policy(role: Any, policy_name: str, policy: str | dict[str, Any]) -> None:  # noqa: ANN401 - moto's
    _moto_put_policy(role, policy_name, policy if isinstance(policy, str) else json.dumps(policy))
