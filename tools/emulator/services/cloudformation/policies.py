"""What moto does with IAM policies, mended.

It takes no ARN of an S3 Batch Operations job, because it has a Region; AWS does. And it keeps the policies of a role that
CloudFormation makes as Python's values, so that GetRolePolicy's answer is no JSON.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html (resource type job)
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.iam.models import Role
from moto.iam.policy_validation import BaseIAMPolicyValidator

_JOB_ARN = re.compile(r"arn:[^:]+:s3:[^:]*:[^:]*:job/.+")
_METHOD = "_validate_resource_format"
_ORIGINAL = vars(BaseIAMPolicyValidator)[_METHOD]
_PUT = "put_policy"
_ORIGINAL_PUT = vars(Role)[_PUT]


def install() -> None:
    """Let job ARNs pass, and keep policies as text."""

    def validate(validator: Any, resource: str) -> None:  # noqa: ANN401 - moto's
        if not _JOB_ARN.fullmatch(resource):
            _ORIGINAL(validator, resource)

    def put_policy(role: Any, policy_name: str, policy: str | dict[str, Any]) -> None:  # noqa: ANN401 - moto's
        _ORIGINAL_PUT(role, policy_name, policy if isinstance(policy, str) else json.dumps(policy))

    setattr(BaseIAMPolicyValidator, _METHOD, validate)
    setattr(Role, _PUT, put_policy)


def uninstall() -> None:
    """Leave moto as it was."""
    setattr(BaseIAMPolicyValidator, _METHOD, _ORIGINAL)
    setattr(Role, _PUT, _ORIGINAL_PUT)
