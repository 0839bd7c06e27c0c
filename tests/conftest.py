"""What all tests of a process share: the Node that jsii starts, and botocore's service models, read and parsed once."""

import gc
import sys

import pytest
from hypothesis import HealthCheck, settings

from stacks.node import use_bundled_node
from tests.scheduling import ModuleScheduling
from tests.shared_models import shared_models
from tests.shared_moto import moto_repeats_less

# Here, because it must be known before any test file imports aws_cdk.
use_bundled_node()

# A busy machine is not a counter-example: pytest's own time-out bounds the tests.
settings.register_profile("without-deadline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without-deadline")

# `make unit` looks at fewer.
settings.register_profile("quick", settings.get_profile("without-deadline"), max_examples=20)

SERVERS = frozenset({"assembly", "served", "serving", "world"})
"""Fixtures that serve, or deploy a stack."""


def pytest_xdist_make_scheduler(config, log):
    """Give out modules where the command line says `--dist loadfile`."""
    return ModuleScheduling(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Keep the garbage collector off what is there to the end, modules and tests: searching that takes a sixth of collection."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items):
    """Mark what `make unit` leaves out."""
    for item in items:
        if not SERVERS.isdisjoint(item.fixturenames):
            item.add_marker(pytest.mark.server)


@pytest.fixture(scope="session", autouse=True)
def _shared_models():
    """Read each model of botocore's once: reading them takes most of the time of a test that makes clients."""
    with shared_models():
        yield


@pytest.fixture(scope="session", autouse=True)
def _botocore_alone_is_mocked():
    """Keep moto from intercepting the library requests, by which nothing calls AWS: that is half of an account's cost."""
    with pytest.MonkeyPatch.context() as patch:
        if models := sys.modules.get("moto.core.models"):
            patch.setattr(models, "RESPONSES_METHODS", [])
        yield


@pytest.fixture(scope="session", autouse=True)
def _moto_repeats_less():
    """Have moto find out once what it finds out for each request."""
    with moto_repeats_less():
        yield
