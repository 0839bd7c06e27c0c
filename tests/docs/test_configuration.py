"""`docs/configuration.md` describes the existing settings, with their values in `cdk.json` and their limits."""

import json
import re
from dataclasses import fields

from stacks import policy
from stacks.settings import BUCKETS, KMS_KEYS, LOG_RETENTION, StackSettings
from tests.docs.markdown import ROOT

TEXT = (ROOT / "docs" / "configuration.md").read_text("utf-8")
CONTEXT = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
ROWS = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", TEXT, re.MULTILINE))
MEANINGS = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+) \|$", TEXT, re.MULTILINE))


def test_names():
    """Every setting of the stack has a row in the table and a value in cdk.json."""
    names = {field.name for field in fields(StackSettings)}

    assert names == set(ROWS)
    assert names == set(CONTEXT)


def test_values():
    """The table shows the values of cdk.json; the policy's is in the block below it."""
    shown = {name: json.loads(value.strip("`")) for name, value in ROWS.items() if name != "policy"}
    (block,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)

    assert CONTEXT == {**shown, "policy": json.loads(block)}


def test_the_policy_shown_is_accepted():
    """The policy on the page can be deployed."""
    (block,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)

    assert json.loads(block) == json.loads(policy.compact(block, least=CONTEXT["min_confidence"]))


def test_limits():
    """The limits in the table are enforced."""
    assert f"at most {BUCKETS}," in MEANINGS["source_buckets"]
    assert f"at most {KMS_KEYS}," in MEANINGS["kms_keys"]
    assert sorted(LOG_RETENTION) == [int(number) for number in re.findall(r"\d+", MEANINGS["log_retention_days"])]
