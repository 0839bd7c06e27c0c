"""Lines to look at: a deployed account for each test, from a template that is synthesised once."""

# ruff: noqa: E402 # Node must be found before anything imports aws_cdk

import functools
import json
from contextlib import ExitStack
from pathlib import Path

import boto3
import pytest

from stacks.node import use_bundled_node

use_bundled_node()

from tests.seed_defects.line import ACCOUNT, STACK, Line

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def assembly(tmp_path_factory):
    """Return a function from changes of the shipped context to the folder of the assembly."""
    from stacks.app import synthesise  # noqa: PLC0415 # starts Node: only when a test asks for it

    shipped = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]

    @functools.cache
    def make(changes):
        outdir = tmp_path_factory.mktemp("assembly")
        synthesise(root=ROOT, context=shipped | json.loads(changes), outdir=outdir)
        return outdir

    return lambda **changes: make(json.dumps({"alert_email": "reviewer@example.com"} | changes))


@pytest.fixture(scope="session")
def session():
    """Return one session for all lines: what it loads of botocore's models takes most of a test's time."""
    return boto3.Session("testing", "testing", region_name="us-east-1")


@pytest.fixture
def make_line(monkeypatch, tmp_path, assembly, session):
    """Return a function that deploys a line: `context` are changes of the shipped context, the rest dials of the emulator."""
    for name, value in {
        "MOTO_ACCOUNT_ID": ACCOUNT,
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)
    with ExitStack() as stack:
        yield lambda context=None, **settings: Line(stack, tmp_path, assembly(**(context or {})), session, **settings)


@pytest.fixture
def line(make_line):
    """Return a line as it is shipped."""
    return make_line()


@pytest.fixture(scope="session")
def template(assembly):
    """Return the template as it is shipped."""
    return json.loads((assembly() / f"{STACK}.template.json").read_text("utf-8"))
