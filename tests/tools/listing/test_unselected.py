"""What a listing has beside the selected suffixes: counted by suffix, each object once, however the listing is cut."""

import threading
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.listing.test_parallel import BUCKET, Bucket
from tools.lib.listing import Batch, ListedObject, Selection, UnselectedCounts, suffixes_of
from tools.lib.listing.filters import Filters
from tools.lib.listing.parallel import Listing
from tools.lib.listing.spool import Spool

names = st.text("ab/.", max_size=6)
keys_of_all_kinds = st.lists(
    st.builds(str.__add__, names, st.sampled_from([".mp4", ".MOV", ".mkv", ".txt", ".Ts", "", ".", "/", ".\u0436", ".x y"])),
    unique=True,
    max_size=40,
).map(lambda keys: sorted({key for key in keys if key}, key=str.encode))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder for spools."""
    return tmp_path_factory.mktemp("spools")


def counted(keys, folder, *, workers=4, page_size=3, selection=None, versions=1):
    """List a bucket to its end; return how many objects were selected, and the counts of the others."""
    selection, unselected = selection or Selection(bucket=BUCKET), UnselectedCounts()
    listing = Listing(
        Bucket(keys, page_size, versions=versions),
        Filters(selection, listed=True),
        Spool(folder),
        selection.ranges,
        threading.Event(),
        unselected=unselected,
    )
    return sum(map(len, listing.run(workers, lambda _: None))), unselected.summary()


@pytest.mark.slow
@settings(deadline=None)
@given(keys_of_all_kinds, st.integers(1, 7), st.integers(1, 8), st.integers(1, 2))
def test_every_object_is_selected_or_counted_once(folder, keys, page_size, workers, versions):
    """Whatever the keys and however many workers cut the listing: what is selected and what is counted add up to the bucket."""
    selected, others = counted(keys, folder, workers=workers, page_size=page_size, versions=versions)

    rest = [key for key in keys if not key.lower().endswith((".mp4", ".m4v", ".mov"))]
    assert len(keys) * versions == selected + sum(others.values())
    assert {suffix: count * versions for suffix, count in suffixes_of(rest).items()} == others


def test_only_what_meets_the_other_conditions(folder):
    """What is outside of the prefixes or excluded by its name is not counted as left out for its suffix."""
    selection = Selection(bucket=BUCKET, prefixes=("in/",), exclude=("*raw*",))

    assert (1, {".mkv": 1}) == counted(["in/a.mkv", "in/a.mp4", "in/raw.mkv", "out/a.mkv"], folder, selection=selection)


@pytest.mark.parametrize("suffixes", [(), ("",), (".mp4", "")])
def test_nothing_is_left_out_where_every_key_is_selected(folder, suffixes):
    """Without a suffix, or with an empty one, nothing is counted, and that is known."""
    assert (2, {}) == counted(["a.mkv", "b"], folder, selection=Selection(bucket=BUCKET, suffixes=suffixes))


def test_own_suffixes(folder):
    """A video without the suffix that was asked for is counted as what it is."""
    selection = Selection(bucket=BUCKET, suffixes=("_final.mp4",))

    assert (1, {".mp4": 2}) == counted(["a.mp4", "b.mp4", "b_FINAL.mp4"], folder, selection=selection)


def test_a_listing_that_ends_early_does_not_tell(folder):
    """Of a listing that a limit ends early, the counts are not known."""
    unselected, selection = UnselectedCounts(), Selection(bucket=BUCKET)
    bucket = Bucket([f"{number}.mp4" for number in range(9)], 2)
    listing = Listing(bucket, Filters(selection, listed=True), Spool(folder), ("",), threading.Event(), unselected=unselected)
    batches = listing.run(1, lambda _: None)

    next(batches)
    batches.close()

    assert unselected.summary() is None


@pytest.mark.parametrize(
    ("key", "suffix"),
    [
        ("a/b.MKV", ".mkv"),
        ("a.tar.gz", ".gz"),
        ("a.b/c", "none"),
        (".hidden", "none"),
        ("a/.mp4", "none"),
        ("folder/", "none"),
        ("a.", "none"),
        ("a.\x1b[2J", "others"),
        ("a.\u0436", "others"),
        ("a." + "x" * 13, "others"),
    ],
)
def test_suffix(key, suffix):
    """A suffix is what follows the last dot of a name, in lower case; what could not be shown is none of its own."""
    assert Counter([suffix]) == suffixes_of([key])


def of_counts(counts):
    """Return the summary of a source that was read to its end."""
    unselected = UnselectedCounts()
    unselected.add(counts)
    unselected.complete = True
    return unselected.summary()


def test_ten_are_named_and_the_others_summed():
    """The ten most frequent suffixes are named and the others summed, but for those of videos, which are always named."""
    counts = {f".s{number:02}": 100 - number for number in range(14)} | {".mkv": 1, "none": 3, "others": 5}

    summary = of_counts(counts)

    named = {f".s{number:02}": 100 - number for number in range(10)}
    assert {**named, ".mkv": 1, "none": 3, "others": 5 + sum(100 - number for number in range(10, 14))} == summary
    assert sum(counts.values()) == sum(summary.values())


def test_memory_is_bounded():
    """However many suffixes a bucket has, their number in memory is bounded, and no video is lost among the others."""
    summary = of_counts({f".x{number}": 1 for number in range(20_000)} | {".webm": 7})

    assert (7, 20_007) == (summary[".webm"], sum(summary.values()))


def test_split_is_apply():
    """What the filters select is the same whether or not the rest is counted."""
    batch = Batch.of([ListedObject("a.mp4", 1), ListedObject("b.mkv", 1), ListedObject("c d.txt", 1)])
    filters = Filters(Selection(bucket=BUCKET))

    chosen, others = filters.split(batch)

    assert (["a.mp4"], ["b.mkv", "c d.txt"]) == ([found.key for found in chosen], list(others))
    assert list(chosen) == list(filters.apply(batch))
