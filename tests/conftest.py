"""What all tests share in a process: the models of AWS's services, read and parsed once."""

import pytest

from tests.shared_models import shared_models


@pytest.fixture(scope="session", autouse=True)
def _shared_models():
    """Read each model of botocore's once: reading them takes most of the time of a test that makes clients."""
    with shared_models():
        yield
