"""Manifests: their rows, the local copy and the upload."""

import csv
import io
from pathlib import Path
from urllib.parse import unquote, unquote_plus

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.identity import Video
from tools.lib.listing import Batch, ListedObject
from tools.lib.manifest import manifest_rows, upload_manifest, write_videos
from tools.lib.manifest.upload import PART_BYTES

ROOT = Path(__file__).parents[3]
BUCKET = "amzn-s3-demo-bucket"
WORK_BUCKET = "amzn-s3-demo-work"

keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1024).filter(lambda key: len(key.encode()) <= 1024)
versions = st.none() | st.just("null") | st.text("abcXYZ019._-", min_size=1, max_size=40)


class Bar:
    """Notes how far the upload is said to have come."""

    def __init__(self):
        self.shown = []

    def show(self, _text, done, total):
        """Note it."""
        self.shown.append((done, total))


def alike(objects):
    """Give all objects a version, or none, as a bucket does."""
    return objects if all(version for _, version in objects) else [(key, None) for key, _ in objects]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A file that the examples of a property write one after another."""
    return tmp_path_factory.mktemp("manifests") / "manifest.csv"


@given(st.lists(st.tuples(keys, versions), max_size=5))
def test_videos_come_back(path, objects):
    """Rows of videos all have a version column where any has a version, and give every key back."""
    has_versions = write_videos(path, [Video(BUCKET, key, version) for key, version in objects])

    with path.open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))
    versioned = any(version is not None for _, version in objects)
    assert has_versions is versioned
    assert [(row[0], unquote(row[1], errors="strict"), *row[2:]) for row in rows] == [
        (BUCKET, key, version or "") if versioned else (BUCKET, key) for key, version in objects
    ]


@given(st.lists(st.tuples(keys, versions), max_size=5).map(alike))
def test_every_key_comes_back(path, objects):
    """Whatever a key is, a CSV reader and either way of percent-decoding give it back, and its version."""
    path.write_bytes(manifest_rows(BUCKET, Batch.of(ListedObject(key, 1, version) for key, version in objects)))

    with path.open(encoding="utf-8", newline="") as written:
        rows = list(csv.reader(written))
    assert [(row[0], unquote(row[1], errors="strict"), *row[2:]) for row in rows] == [
        (BUCKET, key) if version is None else (BUCKET, key, version) for key, version in objects
    ]
    assert [unquote_plus(row[1], errors="strict") for row in rows] == [key for key, _ in objects]


@given(st.lists(st.tuples(keys, versions), min_size=1, max_size=5).map(alike))
def test_the_form_is_what_s3_takes(path, objects):
    """ASCII without a byte order mark, one line a row, no blank line, nothing quoted, no spaces: slashes stay."""
    path.write_bytes(manifest_rows(BUCKET, Batch.of(ListedObject(key, 1, version) for key, version in objects)))

    content = path.read_bytes()
    assert content.isascii()
    assert content.endswith(b"\n")
    assert content.count(b"\n") == len(objects)
    assert not set(content) & set(b'" \r\t')
    assert content.count(b"/") == sum(key.count("/") for key, _ in objects)


def test_the_null_version_is_written_out():
    """An empty version field would fail the task with "missing VersionId"; the word null does not."""
    rows = manifest_rows(BUCKET, Batch.of([ListedObject("a.mp4", 1, "null")]))

    assert rows == f"{BUCKET},a.mp4,null\n".encode()


def test_the_example_is_a_manifest():
    """manifests/example.csv reads as bucket and key, and writing what it says gives it again."""
    example = (ROOT / "manifests" / "example.csv").read_text(encoding="utf-8")

    rows = list(csv.reader(io.StringIO(example)))
    written = manifest_rows(rows[0][0], Batch.of(ListedObject(unquote(row[1]), 1) for row in rows))

    assert len(rows) > 1
    assert written.decode() == example


def test_the_upload_is_encrypted_by_s3_and_its_etag_bare(account, tmp_path):
    """Where the bucket's default is a KMS key S3 Batch could not read it; with quotes around the etag the job would fail."""
    path = tmp_path / "manifest.csv"
    path.write_bytes(b"bucket,key\n")

    uploaded = upload_manifest(account.clients.s3, path, (WORK_BUCKET, "manifests/x.csv"), Bar())

    head = account.s3.head_object(Bucket=WORK_BUCKET, Key="manifests/x.csv")
    [put] = account.wire.of("PutObject")
    assert put["ServerSideEncryption"] == "AES256"
    assert head["ServerSideEncryption"] == "AES256"
    assert f'"{uploaded.etag}"' == head["ETag"]
    assert uploaded.uri == "s3://amzn-s3-demo-work/manifests/x.csv"


@pytest.mark.slow
def test_a_large_manifest_goes_up_in_parts(account, tmp_path):
    """More than a part's worth arrives whole and in order, and the progress adds up."""
    path = tmp_path / "manifest.csv"
    path.write_bytes(b"".join(b"%020d\n" % number for number in range(PART_BYTES // 21 + 1000)))
    bar = Bar()

    upload_manifest(account.clients.s3, path, (WORK_BUCKET, "x.csv"), bar)

    assert account.s3.get_object(Bucket=WORK_BUCKET, Key="x.csv")["Body"].read() == path.read_bytes()
    assert [created["ServerSideEncryption"] for created in account.wire.of("CreateMultipartUpload")] == ["AES256"]
    assert len(account.wire.of("UploadPart")) == 2
    assert sorted(bar.shown) == bar.shown
    assert bar.shown[-1] == (path.stat().st_size, path.stat().st_size)


def test_a_failed_upload_leaves_no_parts(account, errors, tmp_path):
    """Parts of an upload that failed are invisible and cost money: the upload is aborted, and the fault is told."""
    path = tmp_path / "manifest.csv"
    path.write_bytes(bytes(PART_BYTES + 1))
    account.wire.answer("UploadPart", lambda _: errors.http("AccessDenied", 403))

    with pytest.raises(ClientError, match="UploadPart"):
        upload_manifest(account.clients.s3, path, (WORK_BUCKET, "x.csv"), Bar())

    assert "Uploads" not in account.s3.list_multipart_uploads(Bucket=WORK_BUCKET)
