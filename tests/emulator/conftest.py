"""An account in moto, with parts of the offline world put in its place."""

from contextlib import ExitStack

import boto3
import pytest
from moto import mock_aws

from tools.emulator.core import ManualClock, moto_hooks
from tools.emulator.world import World

ACCOUNT = "111122223333"


class Account:
    """Services installed in moto, in this process; the clock stands still."""

    def __init__(self, session, stack):
        self.clock = ManualClock()
        self._session = session
        self._stack = stack

    def install(self, responses, service):
        """Have a service's requests answered by it until the test ends, and return it."""
        self._stack.enter_context(moto_hooks.install(responses.hooks(service)))
        return service

    def client(self, name):
        """Return a boto3 client."""
        return self._session.client(name)


@pytest.fixture(scope="session")
def boto_session():
    """Return one session for all tests: what it loads of botocore's models takes most of a test's time."""
    return boto3.Session("testing", "testing", region_name="us-east-1")


@pytest.fixture
def account(monkeypatch, boto_session):
    """Return an empty account of its own for each test."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
    with ExitStack() as stack, mock_aws():
        yield Account(boto_session, stack)


@pytest.fixture
def world(tmp_path):
    """Return an open world."""
    with World(directory=tmp_path) as opened:
        yield opened
