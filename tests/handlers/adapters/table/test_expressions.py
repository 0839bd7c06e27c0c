"""Values in DynamoDB's wire format."""

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from handlers.adapters.table.expressions import deserialized_item

TEXTS = st.text(st.characters(codec="utf-8"), max_size=10)
# DynamoDB keeps 38 digits, and a magnitude up to 10**126 (developer guide, naming rules and data types).
NUMBERS = st.decimals(-(10**20), 10**20, allow_nan=False, places=9).map(str) | st.sampled_from(["0", "-0", "1E-130", "9.9E+125"])
BINARIES = st.binary(max_size=10)
SCALARS = st.one_of(
    st.builds(dict, S=TEXTS),
    st.builds(dict, N=NUMBERS),
    st.builds(dict, B=BINARIES),
    st.builds(dict, BOOL=st.booleans()),
    st.builds(dict, NULL=st.just(True)),
    st.builds(dict, SS=st.lists(TEXTS, min_size=1, max_size=3)),
    st.builds(dict, NS=st.lists(NUMBERS, min_size=1, max_size=3)),
    st.builds(dict, BS=st.lists(BINARIES, min_size=1, max_size=3)),
)
VALUES = st.recursive(
    SCALARS,
    lambda values: st.builds(dict, L=st.lists(values, max_size=3)) | st.builds(dict, M=st.dictionaries(TEXTS, values, max_size=3)),
    max_leaves=10,
)


def types_of(value):
    """Return a value with the types of all its parts, because True equals 1 and Binary equals bytes."""
    if isinstance(value, dict):
        return {name: types_of(each) for name, each in value.items()}
    if isinstance(value, list):
        return list(map(types_of, value))
    return (type(value), {(type(each), each) for each in value}) if isinstance(value, set) else (type(value), value)


@pytest.mark.slow
@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_as_boto3_does(item):
    """Whatever an item holds, it is read as boto3's TypeDeserializer reads it: each value of the same type."""
    expected = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}

    assert types_of(expected) == types_of(deserialized_item(item))


@pytest.mark.parametrize("kind", ["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"])
def test_each_type(kind):
    """Each of DynamoDB's types is read, also within a list and a map."""
    values = [None, True, "a", b"a", 5, {"a"}, {5}, {b"a"}, ["a", [True]], {"a": {"b": 5}}]
    value = next(each for each in map(TypeSerializer().serialize, values) if kind in each)
    item = {"a": value, "b": {"L": [value, {"L": [value]}]}, "c": {"M": {"d": value}}}

    found = deserialized_item(item)

    assert types_of({name: TypeDeserializer().deserialize(each) for name, each in item.items()}) == types_of(found)


@pytest.mark.parametrize("value", [{}, {"X": "a"}, {"S": "a", "N": "5"}])
def test_what_no_attribute_is(value):
    """A value without a type, of an unknown type, or of two, is refused rather than left out."""
    with pytest.raises((KeyError, ValueError)):
        deserialized_item({"a": value})


def test_more_digits_than_dynamodb_keeps():
    """A number is not rounded: one of more digits than DynamoDB keeps is refused as boto3 refuses it."""
    for read in (TypeDeserializer().deserialize, lambda value: deserialized_item({"a": value})):
        with pytest.raises(ArithmeticError):
            read({"N": "1" * 39})
