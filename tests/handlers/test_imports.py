"""The handlers work where there is only what Lambda's Python runtime has: the standard library and boto3."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# boto3 and what it depends on.
BOTO3 = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six")

PROGRAM = """
import importlib, os, sys
sys.path.insert(0, sys.argv[1])
module = importlib.import_module("handlers." + sys.argv[2])
assert callable(module.handler)
assert not any(name.startswith(("mypy", "moto")) for name in sys.modules)
"""


@pytest.fixture(name="runtime")
def _runtime(tmp_path):
    """Return a folder that holds the handlers, boto3, and nothing else."""
    (tmp_path / "handlers").symlink_to(ROOT / "handlers")
    for name in BOTO3:
        origin = Path(importlib.util.find_spec(name).origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (tmp_path / source.name).symlink_to(source)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["batch_invoke", "start_analysis", "completion", "sweeper"])
def test_boto3_alone(runtime, name):
    """Each handler can be imported with boto3 alone and without environment variables."""
    # -I and -S: no site-packages, no PYTHONPATH.
    command = [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, str(runtime), name]

    done = subprocess.run(command, env={}, cwd=runtime, capture_output=True, text=True, check=False)

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
