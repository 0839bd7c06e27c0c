"""Filters: each says of a batch what a naive predicate says of each object; and selections come back from JSON."""

import fnmatch
import json
import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tools.lib.listing import Batch, Filters, ListedObject, Sample, Selection

BUCKET = "amzn-s3-demo-bucket"
MOMENT = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)

keys = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
    st.builds("{}{}".format, st.text("ab/%+ .\n", min_size=1, max_size=5), st.sampled_from([".mp4", ".MP4", ".mKv", ".mov", "A9"])),
)
moments = st.integers(0, 4 * 86_400_000).map(lambda ms: MOMENT + timedelta(milliseconds=ms - 2 * 86_400_000))
whole_moments = moments.map(lambda moment: moment.replace(microsecond=0))
classes = st.sampled_from(["STANDARD", "GLACIER", "STANDARD_IA"])
objects = st.lists(
    st.builds(ListedObject, keys, st.integers(0, 20), st.none(), classes, st.just("e"), whole_moments), min_size=0, max_size=12
)
patterns = st.one_of(
    st.text("ab/*?.[]!4", min_size=1, max_size=6),
    st.sampled_from(["*.mp4", "a*", "re:^a", "re:(?i)\\.MP4$", "re:b/", "re:\\s", "[!a]*", "*/*", "*\n*"]),
)
selections = st.builds(
    Selection,
    bucket=st.just(BUCKET),
    prefixes=st.lists(st.sampled_from(["", "a", "ab", "b/", "%"]), max_size=3).map(tuple),
    suffixes=st.lists(st.sampled_from(["", ".mp4", ".MkV", "a9", "é", "\n"]), max_size=2).map(tuple),
    include=st.lists(patterns, max_size=2).map(tuple),
    exclude=st.lists(patterns, max_size=2).map(tuple),
    min_size=st.none() | st.integers(0, 20),
    max_size=st.none() | st.integers(0, 20),
    modified_after=st.none() | moments,
    modified_before=st.none() | moments,
    storage_classes=st.lists(classes, max_size=2).map(tuple),
)
FILTERS = (
    "prefixes",
    "suffixes",
    "include",
    "exclude",
    "min_size",
    "max_size",
    "modified_after",
    "modified_before",
    "storage_classes",
)
one_filter = st.sampled_from(FILTERS)


def matches(key, pattern):
    """Tell whether a key matches a pattern, naively."""
    if pattern.startswith("re:"):
        return re.search(pattern.removeprefix("re:"), key) is not None
    return fnmatch.fnmatchcase(key, pattern)


def naive(found, chosen):
    """Tell whether a selection means an object, in the words of its description."""
    return (
        (not chosen.prefixes or any(found.key.startswith(prefix) for prefix in chosen.prefixes))
        and (not chosen.suffixes or any(found.key.lower().endswith(suffix.lower()) for suffix in chosen.suffixes))
        and (not chosen.include or any(matches(found.key, pattern) for pattern in chosen.include))
        and not any(matches(found.key, pattern) for pattern in chosen.exclude)
        and (chosen.min_size is None or found.size >= chosen.min_size)
        and (chosen.max_size is None or found.size <= chosen.max_size)
        and (chosen.modified_after is None or found.modified >= chosen.modified_after)
        and (chosen.modified_before is None or found.modified < chosen.modified_before)
        and (not chosen.storage_classes or found.storage_class in chosen.storage_classes)
    )


@given(objects, selections)
@example([ListedObject("a.m\u212av", 1, modified=MOMENT)], Selection(bucket=BUCKET, suffixes=(".mkv",)))
def test_all_filters_are_the_naive_predicate(found, chosen):
    """Whatever is combined, the batch keeps exactly the objects of which the predicate holds, in their order."""
    kept = Filters(chosen).apply(Batch.of(found))

    assert list(kept) == [one for one in found if naive(one, chosen)]


@given(objects, selections, one_filter)
def test_each_filter_by_itself(found, chosen, name):
    """One filter alone: the others leave everything."""
    alone = Selection(**{"bucket": BUCKET, "suffixes": (), name: getattr(chosen, name)})

    kept = Filters(alone).apply(Batch.of(found))

    assert list(kept) == [one for one in found if naive(one, alone)]


def test_every_filter_is_compared():
    """The filters that are compared with the naive predicate are all conditions on an object by itself."""
    of_the_whole = {"bucket", "sample", "limit", "all_versions"}

    assert {field.name for field in fields(Selection)} == {*FILTERS, *of_the_whole}


@given(objects)
def test_a_batch_is_its_objects(found):
    """Objects come back from a batch as they went in, by slices too."""
    batch = Batch.of(found)

    assert list(batch) == found
    assert [one for place in range(len(batch)) for one in batch[place : place + 1]] == found
    assert list(batch.keys) == [one.key for one in found]


def test_what_has_no_time_is_of_no_time():
    """An object whose time is unknown is neither before nor after anything."""
    batch = Batch.of([ListedObject("a", 1)])

    later = Filters(Selection(bucket=BUCKET, suffixes=(), modified_after=MOMENT - timedelta(days=9999))).apply(batch)
    earlier = Filters(Selection(bucket=BUCKET, suffixes=(), modified_before=MOMENT)).apply(batch)

    assert (len(later), len(earlier)) == (0, 0)


samples = (
    st.none() | st.builds(Sample, count=st.integers(1, 9), seed=st.integers(0, 9)) | st.builds(Sample, percent=st.floats(0.1, 100))
)


@pytest.mark.slow
@given(selections, samples, st.none() | st.integers(1, 9), st.booleans())
def test_a_selection_comes_back_from_json(chosen, sample, limit, all_versions):
    """What a plan keeps is the same selection again; times are kept to the millisecond."""
    values = {name: getattr(chosen, name) for name in chosen.__slots__} | {
        "sample": sample,
        "limit": limit,
        "all_versions": all_versions,
    }
    for name in ("modified_after", "modified_before"):
        if values[name]:
            values[name] = values[name].replace(microsecond=values[name].microsecond // 1000 * 1000)
    whole = Selection(**values)

    assert Selection.from_json(json.loads(json.dumps(whole.as_json()))) == whole


def test_an_unknown_name_is_refused():
    """A plan of a later version is not half understood."""
    with pytest.raises(ValueError, match="a selection has no colour"):
        Selection.from_json({"bucket": BUCKET, "colour": "red"})


def test_prefixes_that_others_take_in_are_not_listed_twice():
    """Of prefixes only the shortest remain, in the order of the bucket."""
    assert Selection(bucket=BUCKET, prefixes=("b", "a/b", "a", "b/c", "a")).ranges == ("a", "b")
    assert Selection(bucket=BUCKET, prefixes=()).ranges == ("",)
