"""What is noted of millions of ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.lib.review.ids import IdNotes

# Few bytes, so that an id often turns up across two others of its bucket.
IDS = st.lists(st.sampled_from([b"\0", b"\1"]), min_size=14, max_size=14).map(lambda rest: b"\0\0" + b"".join(rest))
STEPS = st.lists(
    st.tuples(IDS, st.sampled_from([1, 2, 4]), st.one_of(st.none(), st.sampled_from([0, 1, 256, 2**32 - 1]))), max_size=60
)


@pytest.mark.slow
@given(STEPS)
def test_as_a_dict_would(steps):
    """Whatever is noted, and in whatever order, an id has its own flags and place; one never named has none."""
    notes, known = IdNotes(), {}

    for key, flag, place in steps:
        flags, before = known.get(key, (0, 0))
        assert flags == (notes.mark(key, flag) if place is None else notes.put(key, flag, place))
        known[key] = (flags | flag, before if place is None else place)

    assert {key: place for key, (_, place) in known.items()} == {key: notes.place(key) for key in known}
    assert 0 == notes.place(b"\2" * 16)


ONE, OTHER = b"\0\1" + b"a" * 14, b"\0\1" + b"b" * 14


@pytest.mark.parametrize("name", ["put", "mark"])
def test_flags(name):
    """Flags are added to those that an id has, and the ones before are returned; another id of the bucket keeps its own."""
    notes = IdNotes()
    notes.put(OTHER, 4, 9)
    more = (7,) if name == "put" else ()

    found = [getattr(notes, name)(ONE, flag, *more) for flag in (1, 2, 1, 4)]

    assert [0, 1, 3, 3] == found
    assert (7, 4, 9) == (notes.mark(ONE, 0), notes.mark(OTHER, 0), notes.place(OTHER))


def test_places():
    """The place that was noted last counts, up to the largest number of four bytes; marking an id leaves it as it is."""
    notes = IdNotes()
    places = [notes.place(ONE)]
    for place in (1, 2**32 - 1, 256):
        notes.put(ONE, 1, place)
        notes.mark(ONE, 2)
        places.append(notes.place(ONE))
    notes.mark(OTHER, 1)

    assert ([0, 1, 2**32 - 1, 256], 0) == (places, notes.place(OTHER))


def test_buckets():
    """Ids that differ in the first or second byte alone are apart."""
    notes = IdNotes()
    ids = [bytes((first, second)) + b"a" * 14 for first, second in ((0, 0), (0, 1), (1, 0), (1, 1), (255, 255))]
    for number, each in enumerate(ids, 1):
        notes.put(each, 1, number)

    assert [1, 2, 3, 4, 5] == [notes.place(each) for each in ids]


def test_an_id_across_two_others():
    """An id whose bytes end one entry and begin the next is not taken for noted."""
    notes = IdNotes()
    notes.put(b"\0\0" + b"a" * 14, 1, 0x01010101)
    notes.put(b"\0\0" + b"b" * 14, 1, 0)

    assert 0 == notes.place(b"\0\0" + b"a" * 9 + b"\1" * 5)
    assert 0 == notes.mark((b"\0\0" + b"a" * 14 + b"\1" * 5 + b"\0\0" + b"b" * 14)[5:21], 2)
