"""The same versions are installed on every Python, so the demo and the functions behave alike on all of them."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
REQUIREMENTS = [
    *PROJECT["project"]["dependencies"],
    *(entry for group in ("infrastructure", "emulator") for entry in PROJECT["dependency-groups"][group]),
]
NAMES = [re.match(r"[A-Za-z0-9-]+", requirement).group() for requirement in REQUIREMENTS]


@pytest.mark.parametrize("name", NAMES)
def test_what_the_project_asks_for_has_one_version_for_all_pythons(name):
    """A package that the programs import is locked once, without a condition on the Python version."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")

    lines = re.findall(rf"^{re.escape(name)}==.*$", lock, re.MULTILINE)

    assert len(lines) == 1
    assert "python" not in lines[0]
