"""Which Region the tools work in, and what an AWS error means to a person."""

import pytest

from tests.handlers.doubles import client_error
from tools.lib.aws.clients import connect, explain


@pytest.mark.parametrize(
    ("given", "environment", "region"),
    [
        (None, {"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        (None, {"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        (None, {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
        ("eu-west-3", {"AWS_REGION": "eu-west-1"}, "eu-west-3"),
    ],
)
def test_region(monkeypatch, given, environment, region):
    """The Region is the one given, else that of the environment, by the name that the CDK reads too."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    clients = connect(None, given)

    assert region == clients.s3.meta.region_name


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        ("Throttled", 429, "AWS asked to slow down"),
        ("KMSThrottling", 400, "AWS asked to slow down"),
        ("ProvisionedThroughputExceededException", 400, "AWS asked to slow down"),
        ("SlowDown", 503, "AWS asked to slow down"),
        ("503", 503, "AWS asked to slow down"),
        ("InternalError", 500, "AWS failed, at every attempt"),
        ("403", 403, "your credentials may not do this"),
        ("AuthorizationError", 403, "your credentials may not do this"),
        ("KmsAccessDenied", 400, "your credentials may not do this"),
        ("ExpiredToken", 400, "the AWS credentials have expired"),
        ("NeverHeardOf", 400, "was refused with NeverHeardOf"),
    ],
)
def test_explanation(code, status, message):
    """An error is explained by what the functions' table of codes takes it for."""
    assert message in str(explain(client_error(code, status)))
