"""Leads a shell, and every program in it that uses boto3 or the AWS CLI, to an offline world."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

PROFILE = "offline-world"
_CONFIG = f"[profile {PROFILE}]\n"
# Services whose own endpoint a shell may have, as for another emulator; it would take precedence over the common one.
_SERVICES = (
    "CLOUDFORMATION",
    "CLOUDWATCH",
    "CLOUDWATCH_LOGS",
    "DYNAMODB",
    "EVENTBRIDGE",
    "IAM",
    "LAMBDA",
    "REKOGNITION",
    "S3",
    "SERVICE_QUOTAS",
    "SNS",
    "SQS",
    "SSM",
    "STS",
)


def forget_aws_settings() -> None:
    """Remove the user's AWS settings from this process; moto cannot be imported where AWS_PROFILE names a missing profile."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]


def exports(environment: Mapping[str, str], *, config: Path) -> list[str]:
    """Return a line of shell for each variable that leads to a world, whatever the shell was set up for before.

    Args:
        environment: The world's own variables.
        config: Where to write the AWS configuration that they name.
    """
    # A shell that names a profile has to find it; one that names none does not mind.
    config.write_text(_CONFIG, encoding="utf-8")
    endpoint = environment["AWS_ENDPOINT_URL"]
    variables = {
        **{f"AWS_ENDPOINT_URL_{service}": endpoint for service in _SERVICES},
        **environment,
        # Python prefers the names in lower case, curl knows no other.
        "http_proxy": environment["HTTP_PROXY"],
        "no_proxy": environment["NO_PROXY"],
        "AWS_CONFIG_FILE": str(config.resolve()),
        "AWS_PROFILE": PROFILE,
        "AWS_DEFAULT_PROFILE": PROFILE,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_USE_FIPS_ENDPOINT": "false",
        "AWS_USE_DUALSTACK_ENDPOINT": "false",
    }
    return [f"export {name}={shlex.quote(value)}" for name, value in sorted(variables.items())]
