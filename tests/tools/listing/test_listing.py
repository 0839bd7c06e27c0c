"""Listing a bucket in moto: which objects and versions, and what they are called."""

import pytest

from tools.lib.listing import ListedObject, Selection, is_versioned, list_batches

BUCKET = "amzn-s3-demo-bucket"


def versioning(account, status):
    """Switch the bucket's versioning."""
    account.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})


def listed(account, **chosen):
    """List the bucket to the end."""
    versioned = is_versioned(account.s3, BUCKET)
    batches = list_batches(account.clients, Selection(bucket=BUCKET, **chosen), versioned=versioned, workers=3)
    return [found for batch in batches for found in batch]


def test_the_suffix_matches_in_any_case(account):
    """`.mp4` finds `.MP4` and `.Mp4`, which S3's own manifest generator would miss."""
    account.put("a.mp4", "b.MP4", "c.Mp4", "d.mp4.txt", "mp4")

    assert [found.key for found in listed(account)] == ["a.mp4", "b.MP4", "c.Mp4"]


@pytest.mark.parametrize("suffixes", [(), ("",), (".mp4", "")])
def test_an_empty_suffix_takes_every_key(account, suffixes):
    """No suffix, or an empty one, means every object."""
    account.put("a.mp4", "b.mov", "c")

    assert [found.key for found in listed(account, suffixes=suffixes)] == ["a.mp4", "b.mov", "c"]


def test_several_suffixes_and_a_prefix(account):
    """A key is taken if it begins with the prefix and ends in one of the suffixes."""
    account.put("in/a.mp4", "in/b.MOV", "in/c.txt", "out/d.mp4")

    assert [found.key for found in listed(account, prefixes=("in/",), suffixes=(".mp4", ".mov"))] == ["in/a.mp4", "in/b.MOV"]


def test_an_empty_bucket(account):
    """Where nothing is, nothing is listed."""
    assert listed(account) == []


def test_a_bucket_without_versions_gives_none(account):
    """Objects of an unversioned bucket carry no version, so that the manifest has no such column."""
    account.put("a.mp4", body=b"12345")

    [found] = listed(account)

    assert found == ListedObject("a.mp4", 5, None, "STANDARD", "827ccb0eea8a706c4c34a16891f84e7b", found.modified)


def test_of_a_versioned_bucket_the_latest_version_is_listed(account):
    """Only the latest version of each object is meant, and a deleted object is none."""
    versioning(account, "Enabled")
    account.put("a.mp4", "deleted.mp4", body=b"old")
    newest = account.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=b"newest")["VersionId"]
    account.s3.delete_object(Bucket=BUCKET, Key="deleted.mp4")

    found = listed(account)

    assert [(one.key, one.size, one.version_id) for one in found] == [("a.mp4", 6, newest)]


def test_an_object_older_than_versioning_has_the_version_null(account):
    """What was there before versioning is called by the literal `null`, also after versioning was suspended."""
    account.put("a.mp4")
    versioning(account, "Enabled")
    versioning(account, "Suspended")

    assert [(one.key, one.version_id) for one in listed(account)] == [("a.mp4", "null")]


def test_a_page_is_asked_for_when_it_is_needed(account, monkeypatch):
    """The listing is lazy until it is read, and reads pages of botocore's own raw XML: each once."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "5")
    account.put(*(f"{number:02}.mp4" for number in range(12)))

    batches = list_batches(account.clients, Selection(bucket=BUCKET), versioned=False, workers=1)
    before = account.wire.requests.count("ListObjectsV2")
    keys = [found.key for batch in batches for found in batch]

    assert keys == [f"{number:02}.mp4" for number in range(12)]
    assert (before, account.wire.requests.count("ListObjectsV2")) == (0, 3)
