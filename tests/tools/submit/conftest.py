"""Lines to submit scans in (see `tests/harness`)."""

import pytest

from tests.harness.fixtures import assembly, line, make_line, session, template
from tests.tools.submit.runs import Runs

__all__ = ["assembly", "line", "make_line", "session", "template"]


@pytest.fixture
def runs(line):
    """Return what runs the programs in a line whose bucket holds five videos and an empty one.

    Without the doctor: it only looks, before anything is written, with as many calls as all the rest.
    """
    for number in range(5):
        line.put(f"2024/{number} +,.mp4")
    line.put("2024/zero.mp4", b"")
    return Runs(line, checks=())
