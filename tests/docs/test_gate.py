"""docs/gate.md shows what the statements of the gate do."""

import json
import re

from tests.docs import gates
from tests.docs.helptexts import BEGIN, END
from tools.lib.gate import GatePolicy
from tools.lib.gate.statements import _DENIALS, statements


def test_table():
    """The table has who may do what, as a simulated policy decides it today."""
    text = gates.PAGE.read_text("utf-8")

    assert (1, 1) == (text.count(BEGIN), text.count(END))
    assert gates.written() == text, "run `make docs`"


def test_every_policy():
    """Each policy denies something to somebody, and each has its statements, by their Sids, on the page."""
    denying = {row[0] for row in gates.rows() if set(row[2:]) != {"yes"}}
    text = gates.PAGE.read_text("utf-8")

    assert {f"`{policy}`" for policy in GatePolicy} == denying
    assert [denial.sid for denials in _DENIALS.values() for denial in denials] == re.findall(r"`(VideoModeration[A-Z]\w+)`", text)[
        1:
    ]


def test_example():
    """The statement on the page is the one that is printed."""
    (block,) = re.findall(r"```json\n(.*?)```", gates.PAGE.read_text("utf-8"), re.DOTALL)
    arns = [f"arn:aws:iam::{gates.ACCOUNT}:role/{name}" for name in ("Reviewer", "VideoModeration-StartAnalysis")]

    assert statements(GatePolicy.DENY_FLAGGED, f"arn:aws:s3:::{gates.BUCKET}", arns) == [json.loads(block)]
