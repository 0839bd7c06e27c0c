"""Which Region the tools work in, and what an AWS error means to a person."""

import pytest
from botocore.exceptions import InvalidRegionError

from tests.handlers.doubles import client_error
from tools.lib.aws.clients import connect, explain
from tools.lib.errors import ToolError


@pytest.mark.parametrize(
    ("given", "environment", "region"),
    [
        (None, {"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        (None, {"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        (None, {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
        ("eu-west-3", {"AWS_REGION": "eu-west-1"}, "eu-west-3"),
        (None, {"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        (None, {"AWS_REGION": "cn-north-1"}, "cn-north-1"),
    ],
)
def test_region(monkeypatch, given, environment, region):
    """The Region is the one given, else that of the environment, by the name that the CDK reads too."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    clients = connect(None, given)

    assert region == clients.s3.meta.region_name


def test_region_of_the_profile(monkeypatch, tmp_path):
    """An empty variable, as of a secret that a CI job lacks, does not hide the Region of the profile."""
    (tmp_path / "config").write_text("[profile mine]\nregion = eu-south-2\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_REGION", "")

    assert "eu-south-2" == connect(None, None).s3.meta.region_name


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_no_region(monkeypatch, name):
    """Where there is only an empty variable, no Region is set, which the message says."""
    monkeypatch.setenv(name, "")

    with pytest.raises(ToolError, match="No AWS Region is set"):
        connect(None, None)


def test_misspelt_region():
    """A text that cannot be a Region is named, with how one is written."""
    with pytest.raises(InvalidRegionError) as raised:
        connect(None, "eu west 1").cloudformation  # noqa: B018 - the client is made when it is first asked for

    assert "eu west 1" in str(explain(raised.value))
    assert "us-east-1" in explain(raised.value).cure


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        ("Throttled", 429, "AWS throttled the request"),
        ("KMSThrottling", 400, "AWS throttled the request"),
        ("ProvisionedThroughputExceededException", 400, "AWS throttled the request"),
        ("SlowDown", 503, "AWS throttled the request"),
        ("503", 503, "AWS throttled the request"),
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
