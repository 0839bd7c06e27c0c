"""Listing with many requests at once comes to what one request after another comes to."""

import bisect
import threading
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.lib.errors import ToolError
from tools.lib.listing import Batch, Filters, ListedObject, Selection
from tools.lib.listing.pages import Marker, Page
from tools.lib.listing.parallel import Listing, workers_for
from tools.lib.listing.spool import Spool

BUCKET = "amzn-s3-demo-bucket"
ALL = Selection(bucket=BUCKET, suffixes=())

anything = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
alike = st.builds(
    "{}/{}{:04}".format, st.sampled_from(["a", "a/b", "customers/2024/été/cam-", "z"]), anything, st.integers(0, 9999)
)
numbered = st.integers(1, 300).map(lambda count: [f"flat/{number:05}" for number in range(count)])
key_sets = st.one_of(st.lists(st.one_of(anything, alike), max_size=80), numbered).map(lambda keys: sorted(set(keys)))


class Bucket:
    """Keys that are listed in pages; some of them disappear with the requests.

    Args:
        versions: How many versions of each key.
        going: Keys that are deleted, one with each request.
    """

    def __init__(self, keys, page_size, *, versions=1, going=()):
        self._entries = sorted((key, version) for key in keys for version in range(versions))
        self._page_size = page_size
        self._versions = versions
        self._going = list(going)
        self._lock = threading.Lock()
        self.pages = self.probes = 0

    def page(self, prefix, after, marker):
        """Return a page."""
        self.pages += 1
        begin = (marker.key, int(marker.version)) if marker else (after, self._versions)
        found = self._beyond(prefix, begin)
        time.sleep(0)
        page, rest = found[: self._page_size], found[self._page_size :]
        batch = Batch.of([ListedObject(key, 1, str(version) if self._versions > 1 else None) for key, version in page])
        following = Marker(key=page[-1][0], version=str(page[-1][1])) if rest else None
        return Page(batch, len(page), page[0][0] if page else "", page[-1][0] if page else "", following)

    def first_beyond(self, prefix, after):
        """Return the first key beyond another."""
        self.probes += 1
        found = self._beyond(prefix, (after, self._versions))
        return found[0][0] if found else None

    def _beyond(self, prefix, place):
        with self._lock:
            if self._going:
                gone = self._going.pop()
                self._entries = [entry for entry in self._entries if entry[0] != gone]
            begin = bisect.bisect_right(self._entries, place)
            return [entry for entry in self._entries[begin:] if entry[0].startswith(prefix)]


def listed(bucket, tmp_path, *, selection=ALL, workers=4, in_memory=2):
    """List a bucket to the end; return keys and versions."""
    spool = Spool(tmp_path, in_memory=in_memory)
    listing = Listing(bucket, Filters(selection, listed=True), spool, selection.ranges, threading.Event())
    return [(found.key, found.version_id) for batch in listing.run(workers, lambda _: None) for found in batch]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder for spools."""
    return tmp_path_factory.mktemp("spools")


@pytest.mark.slow
@settings(deadline=None)
@given(key_sets, st.integers(1, 7), st.integers(1, 8), st.integers(1, 3))
def test_parallel_is_serial(folder, keys, page_size, workers, versions):
    """Whatever the keys, and however small the pages: every key (and version) once, in S3's order."""
    found = listed(Bucket(keys, page_size, versions=versions), folder, workers=workers)

    assert found == [(key, str(version) if versions > 1 else None) for key in keys for version in range(versions)]


@pytest.mark.parametrize(("seconds", "most", "workers"), [(0.0, 32, 4), (0.05, 32, 10), (0.15, 32, 26), (9.0, 32, 32), (9.0, 3, 3)])
def test_as_many_workers_as_keep_the_processor_busy(seconds, most, workers):
    """Where pages come at once a few workers do it, and more would only hinder each other; where they take long, many."""
    assert workers == workers_for(seconds, most)


@pytest.mark.slow
@settings(deadline=None)
@given(key_sets, st.lists(st.one_of(st.just(""), anything, st.sampled_from(["a", "a/", "flat/000", "z"])), max_size=5))
def test_several_prefixes_are_one_listing(folder, keys, prefixes):
    """Overlapping or repeated prefixes list no key twice, and the order is that of the bucket."""
    selection = Selection(bucket=BUCKET, prefixes=tuple(prefixes), suffixes=())

    found = listed(Bucket(keys, 3), folder, selection=selection)

    assert [key for key, _ in found] == [key for key in keys if key.startswith(tuple(prefixes or [""]))]


@pytest.mark.slow
@settings(deadline=None)
@given(key_sets, st.data())
def test_deletions_while_listing(folder, keys, data):
    """What is there all the time is listed once; what goes is listed once at most; the order stands."""
    going = data.draw(st.lists(st.sampled_from(keys), unique=True)) if keys else []

    found = [key for key, _ in listed(Bucket(keys, 2, going=going), folder)]

    assert found == sorted(set(found))
    assert set(keys) - set(going) <= set(found) <= set(keys)


class Endless(Bucket):
    """A store that says that more follows, and answers with the same marker, none, or one of two in turn."""

    def __init__(self, markers, *, entries):
        super().__init__(["a", "b"] if entries else [], 2)
        self._markers = markers

    def page(self, prefix, after, marker):
        """Return a page behind which there is more."""
        page = super().page(prefix, "", None)
        return replace(page, following=self._markers[self.pages % len(self._markers)])


@pytest.mark.parametrize("entries", [True, False], ids=["the same keys", "empty"])
@pytest.mark.parametrize(
    "markers",
    [[Marker(token="t")], [Marker()], [Marker(token="t"), Marker(token="u")], [Marker(key="b", version="1")]],
    ids=["the same token", "no token", "tokens in turn", "the same version"],
)
def test_a_listing_that_does_not_go_on(tmp_path, markers, entries):
    """IsTruncated without a new place to go on from ends with an error, not never."""
    with pytest.raises(ToolError, match=r"does not go on|not in the order"):
        listed(Endless(markers, entries=entries), tmp_path, workers=1)


class Inclusive(Bucket):
    """A store whose marker is the first key to be listed, not the last one before."""

    def _beyond(self, prefix, place):
        return super()._beyond(prefix, place if place[1] < self._versions else (place[0], -1))


@pytest.mark.slow
@settings(deadline=None)
@given(numbered)
def test_a_marker_may_be_inclusive(folder, keys):
    """It is open whether S3 lists versions from a key marker on, or after it: either way each is listed once."""
    found = listed(Inclusive(keys, 2, versions=2), folder)

    assert found == [(key, str(version)) for key in keys for version in range(2)]


FEW = range(20_000)
LAYOUTS = {
    "flat": [f"{number:06}" for number in FEW],
    "deep": [f"customers/2024/emea/camera-17/recording-{number:010}.mp4" for number in FEW],
    "outliers": ["a", *(f"customers/2024/emea/recording-{number:010}.mp4" for number in FEW), "zzz"],
    "folders": [f"{number // 200:03}/{number % 200:03}.mp4" for number in FEW],
    "ten-folders": [f"library-{number // 2_000}/recording-{number % 2_000:08}.mp4" for number in FEW],
    "beyond-ascii": [f"é/{chr(0x4E00 + number // 100)}/{number % 100:02}" for number in FEW],
    "not-padded": [f"uploads/video{number}.mp4" for number in FEW],
    "random": [f"user-uploads/{number * 0x9E3779B97F4A7C15 % 2**64:016x}/original.mp4" for number in FEW],
    "dates": [
        f"v/{2015 + number % 9}/{1 + number % 12:02}/{1 + number % 28:02}/{number * 40503 % 65536:04x}.mp4" for number in FEW
    ],
    "renditions": [f"movies/{number // 4:06}/{('1080p', '240p', '480p', 'master')[number % 4]}.mp4" for number in FEW],
    "skewed": [f"old/cam/{number:07}.mp4" if number % 10 else f"{chr(97 + number % 17)}/{number:x}.mp4" for number in FEW],
}


@pytest.mark.slow
@pytest.mark.parametrize("keys", LAYOUTS.values(), ids=LAYOUTS)
def test_any_layout_is_shared_out(tmp_path, keys):
    """One range becomes many without knowing the layout: no worker lists more than half of 200 pages, few requests are lost."""
    bucket = Slow(keys, 100)

    found = listed(bucket, tmp_path, workers=8, in_memory=10_000)

    assert [key for key, _ in found] == sorted(keys)
    assert max(bucket.by_worker.values()) < 100
    assert bucket.pages < 240
    assert bucket.probes < 200  # fewer than pages; how many depends on how the threads meet


class Slow(Bucket):
    """A bucket whose answers take a moment, as in life; counts the pages of each worker."""

    def __init__(self, keys, page_size, *, seconds=0.004):
        super().__init__(keys, page_size)
        self._seconds = seconds
        self.by_worker = {}

    def page(self, prefix, after, marker):
        """Return a page."""
        name = threading.current_thread().name
        self.by_worker[name] = self.by_worker.get(name, 0) + 1
        time.sleep(self._seconds)
        return super().page(prefix, after, marker)

    def first_beyond(self, prefix, after):
        """Return the first key beyond another."""
        time.sleep(self._seconds)
        return super().first_beyond(prefix, after)


@pytest.mark.slow
def test_a_slow_bucket_is_asked_by_many(folder):
    """The first page tells how many are worth it, and what they list together is the whole."""
    keys = [f"{number:05}" for number in range(4_000)]
    bucket = Slow(keys, 10, seconds=0.05)

    found = listed(bucket, folder, workers=32)

    assert keys == [key for key, _ in found]
    assert 4 < len(bucket.by_worker) <= 32


@pytest.mark.slow
def test_what_is_ahead_waits_on_disk(tmp_path):
    """With room for one batch in memory and next to none on disk nothing is lost, and no thread waits for ever."""
    keys = [f"{number:06}" for number in range(3_000)]
    spool = Spool(tmp_path, in_memory=1, on_disk=2_000)
    listing = Listing(Slow(keys, 10), Filters(ALL, listed=True), spool, ("",), threading.Event())

    found = [key for batch in listing.run(8, lambda _: None) for key in batch.keys]

    assert found == keys
    assert list(tmp_path.iterdir()) == []


def test_a_listing_can_be_left(tmp_path):
    """Who closes the generator ends the workers: none asks on."""
    bucket = Bucket([f"{number:06}" for number in range(50_000)], 10)
    batches = Listing(bucket, Filters(ALL, listed=True), Spool(tmp_path), ("",), threading.Event()).run(4, lambda _: None)

    next(batches)
    batches.close()
    asked = bucket.pages

    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("listing-")] == []
    assert bucket.pages == asked < 5_000


def test_a_fault_reaches_the_reader(tmp_path):
    """What goes wrong in a worker is raised where the listing is read."""

    class Broken(Bucket):
        def page(self, prefix, after, marker):
            if marker:
                raise PermissionError("no more")
            return super().page(prefix, after, marker)

    with pytest.raises(PermissionError, match="no more"):
        listed(Broken(["a", "b", "c"], 1), tmp_path)


def test_another_order_is_refused(tmp_path):
    """A store that does not list in the order of the keys (a directory bucket) is told so, instead of losing some."""

    class Unordered(Bucket):
        def page(self, prefix, after, marker):
            page = super().page(prefix, after, marker)
            return Page(page.batch, page.entries, page.last, page.first, page.following)

    with pytest.raises(ToolError, match="a page from b to a comes after ''"):
        listed(Unordered(["a", "b", "c"], 2), tmp_path)


def test_progress_counts_what_is_looked_at(tmp_path):
    """Progress ends at the number of all objects, also of those that the filters leave out, and never goes back."""
    heard = []
    bucket = Bucket([f"{number:04}.{'mp4' if number % 2 else 'txt'}" for number in range(100)], 7)
    listing = Listing(bucket, Filters(Selection(bucket=BUCKET), listed=True), Spool(tmp_path), ("",), threading.Event())

    found = sum(map(len, listing.run(1, heard.append)))

    assert (found, heard[-1]) == (50, 100)
    assert heard == sorted(heard)
