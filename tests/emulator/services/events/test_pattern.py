"""Which events a pattern matches, and which patterns EventBridge takes.

Cases from https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html unless a comment says more.
"""

import json

import pytest

from tools.emulator.services.events import InvalidPatternError, parse
from tools.emulator.services.events.pattern import MAX_CHARACTERS

MATCHES = [
    ({"a": ["x"]}, {"a": "x"}),
    ({"a": ["x"]}, {"a": ["w", "x"]}),  # an array matches by any of its elements
    ({"a": ["x"], "b": [1]}, {"a": "x", "b": 1, "c": 2}),
    ({"a": {"b": ["x"]}}, {"a": {"b": "x"}}),
    ({"a": {"b": ["x"], "c": ["y"]}}, {"a": [{"b": "x", "c": "n"}, {"b": "x", "c": "y"}]}),
    ({"a": [None]}, {"a": None}),
    ({"a": [""]}, {"a": ""}),
    ({"a": [True]}, {"a": True}),
    ({"a": [{"prefix": "us-"}]}, {"a": "us-east-1"}),
    ({"a": [{"prefix": {"equals-ignore-case": "EventB"}}]}, {"a": "eventBRIDGE"}),
    ({"a": [{"suffix": ".mp4"}]}, {"a": "b/c.mp4"}),
    ({"a": [{"suffix": {"equals-ignore-case": ".mp4"}}]}, {"a": "C.MP4"}),
    ({"a": [{"equals-ignore-case": "alice"}]}, {"a": "ALICE"}),
    ({"a": [{"anything-but": "x"}]}, {"a": "y"}),
    ({"a": [{"anything-but": ["x", "y"]}]}, {"a": "z"}),
    ({"a": [{"anything-but": [1, 2]}]}, {"a": 3}),
    ({"a": [{"anything-but": {"prefix": "us-"}}]}, {"a": "eu-west-1"}),
    ({"a": [{"anything-but": {"suffix": [".png", ".jpg"]}}]}, {"a": "a.mp4"}),
    ({"a": [{"anything-but": {"equals-ignore-case": ["X"]}}]}, {"a": "y"}),
    ({"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"a": "src/x"}),
    ({"a": [{"numeric": [">", 0]}]}, {"a": 1}),
    ({"a": [{"numeric": [">", 0]}]}, {"a": 5_000_000_000}),
    ({"a": [{"anything-but": [0]}]}, {"a": 6_000_000_000}),  # aws/event-ruler, ComparableNumber
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}),
    ({"a": [{"numeric": ["=", 100]}]}, {"a": 100.0}),
    ({"a": [{"exists": True}]}, {"a": None}),
    ({"a": [{"exists": False}]}, {"b": 1}),
    ({"a": {"b": [{"exists": False}]}}, {"c": 1}),
    ({"a": [{"exists": False}, "x"]}, {"a": "x"}),
    ({"a": [{"wildcard": "dir/*.png"}]}, {"a": "dir/a/b.png"}),
    ({"a": [{"wildcard": "a\\*b\\\\*"}]}, {"a": "a*b\\c"}),
    ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.255"}),
    ({"$or": [{"a": [1]}, {"b": [{"prefix": "x"}]}]}, {"a": 2, "b": "xy"}),
    ({"d": {"$or": [{"a": [1]}, {"b": [2]}]}}, {"d": {"b": 2}}),
]
OTHERS = [
    ({"a": ["x"]}, {"a": "X"}),
    ({"a": ["x"]}, {"b": "x"}),
    ({"a": ["x"]}, {"a": {"b": "x"}}),
    ({"a": ["1"]}, {"a": 1}),
    ({"a": [1]}, {"a": True}),  # JSON's types, not Python's
    ({"a": [300]}, {"a": 300.0}),  # numbers are compared as text [EB:eb-create-pattern]
    ({"a": [None]}, {}),
    ({"a": ["x"], "b": [1]}, {"a": "x"}),
    ({"a": {"b": ["x"], "c": ["y"]}}, {"a": [{"b": "x", "c": "n"}, {"b": "n", "c": "y"}]}),  # found in two elements
    ({"a": [{"prefix": "us-"}]}, {"a": 5}),
    ({"a": [{"suffix": ".mp4"}]}, {"a": "b.MP4"}),
    ({"a": [{"numeric": [">", 0]}]}, {"a": 5_000_000_001}),  # aws/event-ruler, ComparableNumber
    ({"a": [{"numeric": ["<", 0]}]}, {"a": -6_000_000_000}),
    ({"a": [{"anything-but": [0]}]}, {"a": 0}),
    ({"a": [{"anything-but": "x"}]}, {}),  # the field must be there
    ({"a": [{"anything-but": {"suffix": [".png", ".jpg"]}}]}, {"a": "a.jpg"}),
    ({"a": [{"numeric": [">", 0]}]}, {"a": "1"}),
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5.1}),
    ({"a": [{"exists": False}]}, {"a": None}),
    ({"a": [{"exists": True}]}, {"a": {"b": 1}}),  # works on leaves only
    ({"a": [{"wildcard": "dir/*.png"}]}, {"a": "dir.png"}),
    ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.1.0"}),
    ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "home"}),
    ({"$or": [{"a": [1]}, {"b": [2]}]}, {"a": 2, "b": 1}),
]
INVALID = [
    "",
    "{",
    "[]",
    "{}",
    '{"a": "x"}',
    '{"a": []}',
    '{"a": {}}',
    '{"a": [["x"]]}',
    '{"a": [{"begins-with": "x"}]}',
    '{"a": [{"prefix": "x", "suffix": "y"}]}',
    '{"a": [{"prefix": 1}]}',
    '{"a": [{"prefix": {"lower": "x"}}]}',
    '{"a": [{"equals-ignore-case": 1}]}',
    '{"a": [{"numeric": [">"]}]}',
    '{"a": [{"numeric": ["~", 1]}]}',
    '{"a": [{"numeric": [">", "1"]}]}',
    '{"a": [{"numeric": [">", 6e9]}]}',
    '{"a": [{"numeric": ["<", 5, ">", 0]}]}',
    '{"a": [{"numeric": [">", 5, "<", 1]}]}',
    '{"a": [{"anything-but": []}]}',
    '{"a": [{"anything-but": ["x", 1]}]}',
    '{"a": [{"anything-but": {"numeric": [">", 1]}}]}',
    '{"a": [{"exists": "yes"}]}',
    '{"a": [{"wildcard": "a**b"}]}',
    '{"a": [{"wildcard": "a\\\\b"}]}',
    '{"a": [{"cidr": "10.0.0.0/99"}]}',
    '{"$or": [{"a": [1]}]}',
]


@pytest.mark.parametrize(("pattern", "event"), MATCHES)
def test_events_that_match(pattern, event):
    """Each comparison matches the events that it names."""
    assert parse(json.dumps(pattern)).matches(json.dumps(event))


@pytest.mark.parametrize(("pattern", "event"), OTHERS)
def test_events_that_do_not_match(pattern, event):
    """No comparison matches another type, another case, or an absent field."""
    assert not parse(json.dumps(pattern)).matches(json.dumps(event))


@pytest.mark.parametrize("pattern", INVALID)
def test_patterns_that_eventbridge_refuses(pattern):
    """A pattern that EventBridge would not take is refused when the rule is put."""
    with pytest.raises(InvalidPatternError, match="InvalidEventPatternException"):
        parse(pattern)


def test_a_long_pattern_is_refused():
    """A pattern may have 2,048 characters, as the quota says."""
    name = "a" * (MAX_CHARACTERS - len('{"": [1]}'))

    parse(json.dumps({name: [1]}))
    with pytest.raises(InvalidPatternError, match="2049 characters"):
        parse(json.dumps({f"{name}a": [1]}))
