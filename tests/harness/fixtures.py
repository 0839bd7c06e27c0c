"""Fixtures of lines: a deployed account for each test, from a template that is synthesised once."""

import functools
import json
from contextlib import ExitStack, contextmanager

import pytest

from tests.harness.line import ACCOUNT, STACK, Line
from tests.harness.session import Session
from tests.once import synthesised
from tools.emulator import deploy

# An assembly stays as it is.
_zip = functools.cache(deploy._zip)


@pytest.fixture(scope="session")
def assembly(tmp_path_factory):
    """Return a function from changes of the shipped context to the folder of the assembly."""
    return lambda **changes: synthesised(tmp_path_factory, **({"alert_email": "reviewer@example.com"} | changes))


@pytest.fixture(scope="session")
def session():
    """Return one session for all lines."""
    return Session()


@contextmanager
def opened(directory, assembly, session):
    """Provide a function that deploys a line: `context` changes the shipped context, other arguments the emulator's settings."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr(deploy, "_zip", _zip)
        patch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
        patch.setenv("AWS_CONFIG_FILE", "/nonexistent")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        yield lambda context=None, **settings: Line(stack, directory, assembly(**(context or {})), session, **settings)


@pytest.fixture
def make_line(tmp_path, assembly, session):
    """Return a function that deploys a line of its own for a test (see `opened`)."""
    with opened(tmp_path, assembly, session) as make:
        yield make


@pytest.fixture(scope="module")
def refusing_line(tmp_path_factory, assembly, session):
    """Return one line for all tests of a module, which must all leave it unchanged."""
    with opened(tmp_path_factory.mktemp("line"), assembly, session) as make:
        yield make()


@pytest.fixture
def line(make_line):
    """Return a line with the shipped settings."""
    return make_line()


@pytest.fixture(scope="session")
def template(assembly):
    """Return the template with the shipped settings."""
    return json.loads((assembly() / f"{STACK}.template.json").read_text("utf-8"))
