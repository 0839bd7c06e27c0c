"""`python app.py` with an address that cannot receive mail."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.settings import ContextError, from_context

ROOT = Path(__file__).parents[2]
SHIPPED = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
BAD = [
    "reviewer",
    "a@b",
    "@example.com",
    "a b@example.com",
    "a@example.com,b@example.com",
    "a@example.com\nBcc: x@example.com",
    7,
    None,
]


def test_a_bad_address_is_named_and_nothing_is_synthesised(tmp_path):
    """It exits with 2, names key, value and cure on stderr without a traceback, and writes no template."""
    context = json.dumps({"alert_email": "reviewer@example,com"})
    environment = os.environ | {"CDK_OUTDIR": str(tmp_path / "out"), "CDK_CONTEXT_JSON": context}

    done = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert (2, "") == (done.returncode, done.stdout)
    assert "Context key \"alert_email\": must be one e-mail address, is 'reviewer@example,com'; write e.g." in done.stderr
    assert "Traceback" not in done.stderr
    assert [] == list(tmp_path.rglob("*.template.json"))


@pytest.mark.parametrize("address", BAD, ids=repr)
def test_every_bad_address_is_refused(address):
    """The reader of the context accepts only a single address, and names any other value."""
    with pytest.raises(ContextError) as refusal:
        from_context(SHIPPED | {"alert_email": address})

    assert f'"alert_email": must be one e-mail address, is {address!r}' in str(refusal.value)
