"""The same versions are installed on every Python, so the demo and the functions behave alike on all of them."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
REQUIREMENTS = [
    *PROJECT["project"]["dependencies"],
    *(
        entry
        for group in ("infrastructure", "media", "emulator")
        for entry in PROJECT["dependency-groups"][group]
        if isinstance(entry, str)
    ),
]
NAMES = [re.match(r"[A-Za-z0-9-]+", requirement).group() for requirement in REQUIREMENTS]


@pytest.mark.parametrize("name", NAMES)
def test_what_the_project_asks_for_has_one_version_for_all_pythons(name):
    """A package that the programs import is locked once, without a condition on the Python version."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")

    lines = re.findall(rf"^{re.escape(name)}==.*$", lock, re.MULTILINE)

    assert len(lines) == 1
    assert "python" not in lines[0]


def test_frames_are_decoded_by_one_version_everywhere():
    """The function's layer has the PyAV of the tests and the offline world, with the same hashes and nothing else."""
    layer = _packages("stacks/media-layer.lock")

    assert ["av"] == list(layer)
    assert layer["av"] == _packages("requirements.lock")["av"]


def test_annotations_are_written_by_one_sdk_everywhere():
    """The layer for annotations has the boto3 of the tests and the offline world, with the same hashes."""
    layer, tested = _packages("stacks/sdk-layer.lock"), _packages("requirements.lock")

    assert {"boto3", "botocore"} <= layer.keys()
    assert layer == {name: tested[name] for name in layer}


def _packages(lock):
    """Return version and hashes of the packages in a lock, by name."""
    lines = [line for line in (ROOT / lock).read_text("utf-8").splitlines() if not line.lstrip().startswith("#")]
    return dict(re.findall(r"^([a-z0-9-]+)==(.*(?:\n .*)*)", "\n".join(lines), re.MULTILINE))


def test_the_layer_is_made_for_the_runtime_of_the_functions():
    """`make package` takes the wheels of the Python and the processor that the functions have."""
    from stacks.function import RUNTIME  # noqa: PLC0415 # starts Node: only for this test

    makefile = (ROOT / "Makefile").read_text("utf-8")

    assert f"--python-version {RUNTIME.name.removeprefix('python')} --python-platform aarch64-manylinux_2_28" in makefile
