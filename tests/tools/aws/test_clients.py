"""Which Region the tools work in."""

import pytest

from tools.lib.aws.clients import connect


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
