"""Listing a bucket."""

import itertools
import tracemalloc

import pytest

from tools.lib.listing import ListedObject, Selection, is_versioned, list_objects
from tools.lib.tally import Tally

BUCKET = "amzn-s3-demo-bucket"
ODD_KEYS = [
    "2024/a b.mp4",
    "a+b.mp4",
    "100%.mp4",
    "%41%2B.mp4",
    'quote".mp4',
    "comma,.mp4",
    "line\nbreak.mp4",
    "Übung/😀.MP4",
    "<script>alert(1)</script>.mp4",
    "=cmd|' /C calc'!A0.mp4",
    "k" * 1020 + ".mp4",
]


def versioning(account, status):
    """Switch the bucket's versioning."""
    account.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})


def listed(account, *, versioned=False, **chosen):
    """List the bucket to the end."""
    return list(list_objects(account.s3, Selection(bucket=BUCKET, **chosen), versioned=versioned))


def test_the_suffix_matches_in_any_case(account):
    """`.mp4` finds `.MP4` and `.Mp4`, which S3's own manifest generator would miss."""
    account.put("a.mp4", "b.MP4", "c.Mp4", "d.mp4.txt", "mp4")

    keys = [found.key for found in listed(account)]

    assert keys == ["a.mp4", "b.MP4", "c.Mp4"]


@pytest.mark.parametrize("suffixes", [(), ("",), (".mp4", "")])
def test_an_empty_suffix_takes_every_key(account, suffixes):
    """No suffix, or an empty one, means every object."""
    account.put("a.mp4", "b.mov", "c")

    keys = [found.key for found in listed(account, suffixes=suffixes)]

    assert keys == ["a.mp4", "b.mov", "c"]


def test_several_suffixes_and_a_prefix(account):
    """A key is taken if it begins with the prefix and ends in one of the suffixes."""
    account.put("in/a.mp4", "in/b.MOV", "in/c.txt", "out/d.mp4")

    keys = [found.key for found in listed(account, prefix="in/", suffixes=(".mp4", ".mov"))]

    assert keys == ["in/a.mp4", "in/b.MOV"]


def test_odd_keys_come_out_as_they_are(account):
    """A key is what it is in the bucket, whatever the listing's own encoding does to it."""
    account.put(*ODD_KEYS)

    keys = [found.key for found in listed(account)]

    assert sorted(keys) == sorted(ODD_KEYS)


def test_a_bucket_without_versions_gives_none(account):
    """Objects of an unversioned bucket carry no version, so that the manifest has no such column."""
    account.put("a.mp4", body=b"12345")

    found = listed(account)

    assert not is_versioned(account.s3, BUCKET)
    assert found == [ListedObject("a.mp4", 5, None, "STANDARD")]


def test_of_a_versioned_bucket_the_latest_version_is_listed(account):
    """Only the latest version of each object is meant, and a deleted object is none."""
    versioning(account, "Enabled")
    account.put("a.mp4", "deleted.mp4", body=b"old")
    newest = account.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=b"newest")["VersionId"]
    account.s3.delete_object(Bucket=BUCKET, Key="deleted.mp4")

    found = listed(account, versioned=is_versioned(account.s3, BUCKET))

    assert found == [ListedObject("a.mp4", 6, newest, "STANDARD")]


def test_an_object_older_than_versioning_has_the_version_null(account):
    """What was there before versioning is called by the literal `null`, also after versioning was suspended."""
    account.put("a.mp4")
    versioning(account, "Enabled")
    versioning(account, "Suspended")

    found = listed(account, versioned=is_versioned(account.s3, BUCKET))

    assert [(one.key, one.version_id) for one in found] == [("a.mp4", "null")]


@pytest.mark.parametrize("versioned", [False, True])
def test_every_page_is_read(account, monkeypatch, versioned):
    """More objects than a page holds are all listed, each once."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "5")
    if versioned:
        versioning(account, "Enabled")
    account.put(*(f"{number:02}.mp4" for number in range(12)))

    keys = [found.key for found in list_objects(account.clients.s3, Selection(bucket=BUCKET), versioned=versioned)]

    assert keys == [f"{number:02}.mp4" for number in range(12)]
    assert len(account.wire.of("ListObjectVersions" if versioned else "ListObjectsV2")) == 3


def pages_of(account, pages):
    """Let the bucket have so many pages of 1,000 keys, and return the tokens asked for."""
    asked = []

    def page(params):
        number = int(params.get("ContinuationToken", "0"))
        asked.append(number)
        contents = [{"Key": f"{number:06}/{place:04}.mp4", "Size": 7} for place in range(1000)]
        more = {"NextContinuationToken": str(number + 1)} if number + 1 < pages else {}
        return {"Contents": contents, "IsTruncated": bool(more), **more}

    account.wire.answer("ListObjectsV2", page)
    return asked


def test_a_page_is_asked_for_when_it_is_needed(account):
    """The listing is lazy: whoever takes 1,001 objects of 10,000 has asked for two pages."""
    asked = pages_of(account, 10)

    listing = list_objects(account.clients.s3, Selection(bucket=BUCKET), versioned=False)
    taken = list(itertools.islice(listing, 1001))

    assert (len(taken), asked) == (1001, [0, 1])


def test_memory_does_not_grow_with_the_bucket(account):
    """Counting 40,000 objects takes no more memory than counting 4,000."""

    def peak(pages):
        pages_of(account, pages)
        tracemalloc.start()
        tally = Tally()
        count = sum(1 for _ in tally.counting(list_objects(account.clients.s3, Selection(bucket=BUCKET), versioned=False)))
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (count, tally.bytes) == (pages * 1000, pages * 7000)
        return held

    peak(1)
    small, large = peak(4), peak(40)

    assert large < small + 100_000
