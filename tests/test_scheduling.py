"""Tests that share a world run in one worker."""

import re
from pathlib import Path

import pytest

from tests.scheduling import ALONE, HALVED, WORLDS, ModuleScheduling

FOLDER = Path(__file__).parent / "end_to_end"
FAULTS = "tests/end_to_end/test_faults.py"


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (f"{FAULTS}::test_a[kind]", f"{FAULTS}::test_b[throttle-kind]", True),
        (f"{FAULTS}::test_a[kind]", f"{FAULTS}::test_a[unkind]", False),
        ("tests/end_to_end/test_demo.py::test_a", "tests/end_to_end/test_demo.py::test_b", True),
        ("tests/end_to_end/test_demo.py::test_a", "tests/end_to_end/test_demo.py::test_own_videos", False),
        ("tests/kill/test_kills.py::test_a[1]", "tests/kill/test_kills.py::test_a[2]", False),
        ("tests/browser/test_desk.py::test_axe[light-1280]", "tests/browser/test_desk.py::test_axe[dark-390]", True),
        ("tests/browser/test_desk.py::test_axe[light-1280]", "tests/browser/test_desk.py::test_uploads", False),
        ("tests/tools/test_x.py::TestA::test_a[s3://b/k]", "tests/tools/test_x.py::TestB::test_b", True),
    ],
)
def test_scopes(first, second, together):
    """Tests of a module run together, except in different worlds or with a world of their own."""
    scheduling = ModuleScheduling.__new__(ModuleScheduling)

    assert together == (scheduling._split_scope(first) == scheduling._split_scope(second))


def test_names_are_those_of_the_tests():
    """A renamed test or world would lose its place in silence."""
    text = "".join(path.read_text("utf-8") for path in FOLDER.glob("test_*.py"))

    assert [] == [name for name in ALONE if f"def {name}(" not in text]
    assert [] == [module for module in HALVED if not (FOLDER.parents[1] / module).exists()]
    assert [] == [world for world in WORLDS if f'"{world}"' not in text]


def test_every_long_test_is_run():
    """`make test-long` names the folder of each test that `make test` leaves out for its length."""
    makefile = (FOLDER.parents[1] / "Makefile").read_text("utf-8")
    folders = re.search(r"-m long (tests/.+)", makefile)[1].split()
    mark = "mark" + ".long"

    long = [
        str(path.relative_to(FOLDER.parents[1])) for path in FOLDER.parent.rglob("test_*.py") if mark in path.read_text("utf-8")
    ]

    assert long
    assert [] == [path for path in long if not path.startswith(tuple(f"{folder}/" for folder in folders))]
