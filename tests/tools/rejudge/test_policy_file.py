"""A policy in a file, and its schema: the schema takes what the parser takes, and refuses what it refuses."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.domain import policy, taxonomy
from handlers.domain.policy import PolicyError
from tools.lib.errors import ToolError
from tools.lib.rejudge import policy_file

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / policy_file.SCHEMA).read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
RULE = {"min_confidence": 80, "alert": True}

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)  # JSON has no other numbers
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from([0, 100, -0.1, 100.1, 80]) | st.text(max_size=5)
FIELDS = st.sampled_from(["default", "labels", "min_confidence", "alert", "extra"])
GOOD_RULES = st.fixed_dictionaries({"min_confidence": st.floats(0, 100), "alert": st.booleans()})
RULES = GOOD_RULES | st.fixed_dictionaries({"min_confidence": SCALARS, "alert": SCALARS}) | st.dictionaries(FIELDS, SCALARS)
LABELS = st.dictionaries(st.sampled_from(taxonomy.names()) | st.text(max_size=5), GOOD_RULES | RULES, max_size=3)
POLICIES = (
    st.fixed_dictionaries({"default": GOOD_RULES}, optional={"labels": LABELS})
    | st.fixed_dictionaries({"default": RULES}, optional={"labels": LABELS | SCALARS, "extra": SCALARS})
    | st.dictionaries(FIELDS, RULES | SCALARS)
    | SCALARS
    | st.lists(SCALARS, max_size=2)
)


def is_parsed(value):
    """Tell whether the parser takes a value."""
    try:
        policy.parse(json.dumps(value))
    except PolicyError:
        return False
    return True


def has_twins(value):
    """Tell whether a policy names a label twice, which no schema can see."""
    labels = value.get("labels") if isinstance(value, dict) else None
    return isinstance(labels, dict) and len({taxonomy.folded(name) for name in labels}) < len(labels)


@pytest.mark.slow
@settings(max_examples=500)
@given(POLICIES.filter(lambda value: not has_twins(value)))
def test_schema_agrees(value):
    """Schema and parser take the same policies."""
    assert VALIDATOR.is_valid(value) == is_parsed(value)


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ({"default": RULE}, True),
        ({"default": RULE, "labels": {"Alcohol": RULE, "Something New": RULE}}, True),
        ({"default": RULE, "labels": {" \t": RULE}}, False),
        ({"default": RULE, "labels": {"Alcohol": {**RULE, "min_confidence": True}}}, False),
        ({"default": {**RULE, "min_confidence": 100.5}}, False),
        ({"labels": {}}, False),
        ([], False),
    ],
)
def test_schema_examples(value, good):
    """Both say so of these, which no chance must leave out."""
    assert (good, good) == (VALIDATOR.is_valid(value), is_parsed(value))


def test_schema_is_one():
    """The schema itself is well formed, and the policy that is shipped goes by it."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    shipped = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]["policy"]

    assert VALIDATOR.is_valid(shipped)


@pytest.fixture(name="file")
def _file(tmp_path):
    """Return a function that writes a policy, or a text as it is, and reads it."""

    def write(value):
        path = tmp_path / "new.json"
        path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
        return policy_file.read(path)

    return write


def test_read(file):
    """A policy is read with its labels as the file writes them; a byte order mark does no harm."""
    found = file(b"\xef\xbb\xbf" + json.dumps({"default": RULE, "labels": {"ALCOHOL ": RULE}}).encode())

    assert ("ALCOHOL ", "else") == (found.name_of("alcohol"), found.name_of("else"))
    assert policy.parse(json.dumps({"default": RULE, "labels": {"alcohol": RULE}})).hash == found.policy.hash


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"\xff\xfe", "not written in UTF-8"),
        (b"{", "is not JSON"),
        ({"labels": {}}, 'has no "default" rule'),
        ({"default": RULE, "labels": {"Alcohol": {"min_confidence": "80", "alert": True}}}, "The policy's rule for 'Alcohol'"),
        ({"default": RULE, "labels": {"Alcohol": RULE, "alcohol": RULE}}, "twice"),
    ],
)
def test_refused(file, value, message):
    """What is wrong is said with the file, the rule and a cure."""
    with pytest.raises(ToolError, match=message) as refusal:
        file(value)

    assert "new.json" in str(refusal.value)
    assert refusal.value.cure


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("Alcohool", 'Did you mean "Alcohol"?'),
        ("graphic violense", 'Did you mean "Graphic Violence"?'),
        ("Drugs and Tobacco", 'Did you mean "Drugs & Tobacco"?'),
        ("Qqq", ""),
    ],
)
def test_unknown_label(file, label, meant):
    """A label that the taxonomy does not know is allowed, and said to be unknown, with the one that may have been meant."""
    (warning,) = file({"default": RULE, "labels": {label: RULE, "ALCOHOL": RULE}}).warnings()

    assert f'"{label}"' in warning
    assert warning.endswith(meant or "knows it.")


def test_hostile_label(file):
    """A label steers no terminal."""
    (warning,) = file({"default": RULE, "labels": {"\x1b[31mred\u202e": RULE}}).warnings()

    assert warning.isprintable()
