import csv
import io
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.emulator.services.s3_batch.manifest import ManifestError, check, rows

FIELDS = ("Bucket", "Key")
VERSIONED = ("Bucket", "Key", "VersionId")
keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)


@given(st.lists(keys, min_size=1, max_size=20), st.booleans())
def test_any_key(raw, crlf):
    """Any URL-encoded key comes out exactly as the manifest has it."""
    encoded = [quote(key, safe="/") for key in raw]
    end = "\r\n" if crlf else "\n"
    body = "".join(f"videos,{key}{end}" for key in encoded).encode()

    read = list(rows(body, FIELDS))

    assert [("videos", key, None) for key in encoded] == read


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="%"), min_size=1, max_size=200))
def test_quoted_fields(key):
    """Fields that the csv module had to quote are read as it wrote them."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(["videos", key, "null"])

    read = list(rows(text.getvalue().encode(), VERSIONED))

    assert [("videos", key, "null")] == read


def test_columns_by_fields():
    """The job's Fields name the columns, of which others are skipped; an empty version stays empty."""
    body = b"x,v1,videos,a.mp4\nx,,videos,b.mp4"

    read = list(rows(body, ("Ignore", "VersionId", "Bucket", "Key")))

    assert [("videos", "a.mp4", "v1"), ("videos", "b.mp4", "")] == read


def test_last_line_without_an_end():
    """A manifest may end with or without a line break."""
    assert 2 == check(b"videos,a\nvideos,b", FIELDS) == check(b"videos,a\nvideos,b\n", FIELDS)


def test_longest_key():
    """A key of 1,024 bytes passes however long its encoding is; a longer key does not."""
    longest = quote("ü" * 512)

    assert 1 == check(f"videos,{longest}".encode(), FIELDS)
    with pytest.raises(ManifestError, match="more than 1024 bytes"):
        check(f"videos,{longest}a".encode(), FIELDS)


@pytest.mark.parametrize(
    ("body", "fields", "reason"),
    [
        (b"", FIELDS, "lists no object"),
        (b"\xef\xbb\xbfvideos,a\n", FIELDS, "line 1 begins with a byte order mark"),
        (b"Bucket,Key\nvideos,a\n", FIELDS, "line 1: 'Bucket' is not a bucket"),
        (b"videos,a\n\nvideos,b\n", FIELDS, "line 2 is blank"),
        (b"videos,a\nvideos,b\n\n", FIELDS, "line 3 is blank"),
        (b"videos,a\nvideos\n", FIELDS, "line 2 has 1 columns, the job's Fields name 2"),
        (b"videos,a,b\n", FIELDS, "line 1 has 3 columns"),
        (b"videos,a\n", VERSIONED, "line 1 has 2 columns, the job's Fields name 3"),
        (b"videos,a \n", FIELDS, "line 1 has spaces at the edge"),
        (b"videos, a\n", FIELDS, "line 1 has spaces at the edge"),
        (b"videos,\xff\n", FIELDS, "line 1 is not UTF-8"),
        (b"videos,a\rb\n", FIELDS, "line 1 holds a control character"),
        (b'videos,"a\n', FIELDS, "line 1 leaves a quote open"),
        (b'videos,"a\nb"\n', FIELDS, "line 1 leaves a quote open"),
        (b'videos,a"b\n', FIELDS, "line 1 has a quote inside"),
        (b'videos,"a"b\n', FIELDS, "line 1 goes on after a closing quote"),
        (b"videos,\n", FIELDS, "line 1 has an empty key"),
        (b"videos,a%2\n", FIELDS, "line 1 is not URL-encoded"),
        (b"videos,a%zz\n", FIELDS, "line 1 is not URL-encoded"),
        (b",a\n", FIELDS, "line 1: '' is not a bucket"),
        (b"videos,a\nother,b\n", FIELDS, "row 2 names bucket other"),
        (b"videos,a\n", ("Bucket",), "Required fields are missing in the schema: Key"),
        (b"videos,a\n", (), "Required fields are missing in the schema: Bucket, Key"),
        (b"videos,a\n", ("Bucket", "Key", "Key"), "Fields name Key more than once"),
    ],
)
def test_malformed(body, fields, reason):
    """A malformed manifest is refused with a message that names the line and the fault."""
    with pytest.raises(ManifestError, match=reason):
        check(body, fields)


@given(st.binary(max_size=300))
def test_any_bytes(body):
    """Any bytes are either read or refused with a reason that fits into a FailureReason."""
    outcome = _read(body)

    assert outcome == len(list(rows(body, FIELDS))) if isinstance(outcome, int) else 0 < len(outcome) <= 256


def _read(body):
    try:
        return check(body, FIELDS)
    except ManifestError as error:
        return str(error)
