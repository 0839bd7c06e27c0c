"""Lines to look at: a deployed account for each test, from a template that is synthesised once."""

import json
from contextlib import ExitStack, contextmanager

import pytest

from tests.line.line import ACCOUNT, STACK, Line
from tests.line.session import Session
from tests.once import synthesised


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
    """Give a function that deploys a line: `context` are changes of the shipped context, the rest dials of the emulator."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
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
    """Return one line for all tests of a module: of those that leave it as it was, and no other may be in the module."""
    with opened(tmp_path_factory.mktemp("line"), assembly, session) as make:
        yield make()


@pytest.fixture
def line(make_line):
    """Return a line as it is shipped."""
    return make_line()


@pytest.fixture(scope="session")
def template(assembly):
    """Return the template as it is shipped."""
    return json.loads((assembly() / f"{STACK}.template.json").read_text("utf-8"))
