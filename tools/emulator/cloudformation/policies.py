"""moto's check of IAM policies takes no ARN of an S3 Batch Operations job, because it has a Region; AWS does.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html (resource type job)
"""

from __future__ import annotations

import re
from typing import Any

from moto.iam.policy_validation import BaseIAMPolicyValidator

_JOB_ARN = re.compile(r"arn:[^:]+:s3:[^:]*:[^:]*:job/.+")
_METHOD = "_validate_resource_format"
_ORIGINAL = vars(BaseIAMPolicyValidator)[_METHOD]


def install() -> None:
    """Let job ARNs pass."""

    def validate(validator: Any, resource: str) -> None:  # noqa: ANN401 - moto's
        if not _JOB_ARN.fullmatch(resource):
            _ORIGINAL(validator, resource)

    setattr(BaseIAMPolicyValidator, _METHOD, validate)


def uninstall() -> None:
    """Leave moto as it was."""
    setattr(BaseIAMPolicyValidator, _METHOD, _ORIGINAL)
