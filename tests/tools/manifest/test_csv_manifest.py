"""Manifests and lists of keys of one's own: every malformation is refused with its line."""

import io
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from handlers.domain.identity import MAX_KEY_BYTES
from tools.lib.errors import ToolError
from tools.lib.manifest.sources.csv_manifest import OwnManifest
from tools.lib.manifest.sources.key_list import keys
from tools.lib.manifest.sources.named import Named, Repeats, batches_of
from tools.lib.manifest.sources.reading import MAX_PIECE, is_utf16

B = "amzn-s3-demo-bucket"
KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda key: len(key.encode()) <= MAX_KEY_BYTES
)


def read(text, bucket=None):
    """Return what a manifest names, and what there is to warn of."""
    own = OwnManifest("own.csv", bucket)
    content = text if isinstance(text, bytes) else text.encode()
    return list(own.rows(io.BytesIO(content))), own.warnings()


@given(st.lists(st.tuples(KEYS, st.sampled_from(["null", "v.1_x"])), min_size=1), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_whatever_is_a_key_is_read_back(rows, end, versioned):
    """Any key, percent-encoded, comes back as it was, with or without versions, whatever the lines end in."""
    text = end.join(f"{B},{quote(key)}{f',{version}' if versioned else ''}" for key, version in rows)

    named, warnings = read(text)

    assert [(key, version if versioned else None) for key, version in rows] == [(each.key, each.version_id) for each in named]
    assert [] == warnings


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        ("", None, "names no object"),
        (b"\xef\xbb\xbf" + f"{B},a.mp4".encode(), 1, "begins with a byte order mark"),
        ("bucket,key\n", 1, "is a header"),
        ("Bucket Name,Key\n", 1, "is a header"),
        (f"{B},a.mp4\n\n{B},b.mp4\n", 2, "is blank"),
        (f"{B},a.mp4\n\n", 2, "is blank"),
        (f"{B}\n", 1, "has 1 column, not 2 or 3"),
        (f"{B},a,b,c\n", 1, "has 4 columns, not 2 or 3"),
        (f"{B},a.mp4\n{B},b.mp4,v1\n", 2, "has 3 columns, not 2 like those before it"),
        (f"{B},a.mp4\nother-bucket,b.mp4\n", 2, f"names the bucket other-bucket, not {B}"),
        ("no/bucket,a.mp4\n", 1, "begins with 'no/bucket', which is not a bucket's name"),
        (f"{B},100%.mp4\n", 1, "has a % in its key without two hexadecimal digits"),
        (f"{B},%ff.mp4\n", 1, "has a key that is not percent-encoded UTF-8"),
        (f"{B},a.mp4,v1\n{B},b.mp4,\n", 2, "has no version"),
        (f"{B},{'k' * 1025}\n", 1, "has a key of 1,025 bytes; S3 takes 1,024"),
        (f"{B},{'%F0%9F%8E%AC' * 257}\n", 1, "has a key of 1,028 bytes"),
        (f"{B},\n", 1, "names no key"),
        (f"{B},a%00.mp4\n", 1, "has a NUL in its key"),
        (f"{B},a\0.mp4\n", 1, "holds a control character"),
        (f"{B},a.mp4\n".encode("utf-16-le"), 1, "is UTF-16"),
        (f"{B},a.mp4\r\n".encode("utf-16-be"), 1, "is UTF-16"),
        (f"{B},a.mp4\n".encode("utf-16"), 1, "is UTF-16"),
        (f"{B},a\rb.mp4\n", 1, "holds a control character"),
        (f"{B}, a.mp4\n", 1, "has spaces at the beginning or end of a field"),
        (f"{B},a.mp4 \n", 1, "has spaces at the beginning or end of a field"),
        (f'{B},"a.mp4\n', 1, "is not a row of CSV"),
        (f"{B},é.mp4\n".encode("latin-1"), 1, "is not UTF-8"),
        (f"{B},a.mp4\n{'x' * (MAX_PIECE + 1)}\n", 2, "is longer than a row can be"),
    ],
)
def test_a_malformed_manifest_is_refused_with_its_line(text, line, fault):
    """The error names the file, the line and the rule."""
    with pytest.raises(ToolError) as refused:
        read(text)

    assert str(refused.value).startswith("own.csv names no object" if line is None else f"own.csv, line {line} {fault}")
    assert refused.value.cure


def test_the_bucket_that_was_asked_for_is_the_manifests():
    """With --bucket the first row must name it already."""
    with pytest.raises(ToolError, match="line 1 names the bucket amzn-s3-demo-bucket, not amzn-s3-demo-bucket2"):
        read(f"{B},a.mp4\n", "amzn-s3-demo-bucket2")


def test_a_plus_is_a_space():
    """As S3's readers and our function take it; that it was met is told."""
    named, warnings = read(f"{B},a+b%2Bc.mp4\n")

    assert ["a b+c.mp4"] == [each.key for each in named]
    assert ["1 key of the manifest has a +, which means a space there; a plus is written %2B."] == warnings


@pytest.mark.slow
@given(st.lists(KEYS, min_size=1))
def test_keys_set_apart_by_nul_are_any_keys(named):
    """`find -print0`: keys with line feeds in them, too."""
    content = "".join(f"{key}\0" for key in named).encode()
    assume(not (named[0].startswith("\ufeff") or is_utf16(content)))

    assert named == [each.key for each in keys(io.BytesIO(content), "-", "no-such-bucket")]


@given(st.lists(st.sampled_from(["a.mp4", "2024/café.mp4", "日本/映画.mov", "ab"]), min_size=1), st.sampled_from(["\n", "\r\n"]))
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_utf_16_is_refused(encoding, named, end):
    """As editors of Windows save it, with or without a mark: its keys would be single letters."""
    content = "".join(f"{key}{end}" for key in named).encode(encoding)

    with pytest.raises(ToolError, match="UTF-16"):
        list(keys(io.BytesIO(content), "keys.txt", B))


def test_keys_of_the_same_length_set_apart_by_nul():
    """NUL at every second place only is what tells UTF-16: keys of one length are a list."""
    named = [f"clip-{number:05}.mp4" for number in range(100)]

    assert named == [each.key for each in keys(io.BytesIO("\0".join(named).encode()), "-", B)]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("2026-11-28 20:38:17       4639 CAMERA ROLL/IMG 0001.MP4", "aws s3 ls"),
        ("2026-11-28 20:38:17    4.5 KiB a.mp4", "aws s3 ls"),
        ("2026-11-28 20:38:17  512 Bytes a.mp4", "aws s3 ls"),
        ("2026-11-28 20:38:17 a.mp4", None),
        ("                           PRE web/", "aws s3 ls"),
        ("Total Objects: 15", "aws s3 ls"),
        ("   Total Size: 57.3 KiB", "aws s3 ls"),
        ("2026/11/28 20:38:17              4639  a.mp4", "aws s3 ls"),
        ("2026-11-28T20:38:17+00:00 4639 a.mp4", "aws s3 ls"),
        ("-rw-r--r--  1 ana  staff  4639 Nov 28 20:38 a.mp4", "ls -l"),
        ("[", "JSON"),
        ("{\r", "JSON"),
        ('    "a.mp4",', "JSON"),
        ('    "Key": "a.mp4",', "JSON"),
        ('["a.mp4","b.mp4"]', "JSON"),
        ("s3://other-bucket/a.mp4", "is a URI"),
        ("arn:aws-cn:s3:::bucket/a.mp4", "is a URI"),
        ("https://bucket.s3.eu-west-1.amazonaws.com/a.mp4", "is a URI"),
        ("https://bucket.s3.amazonaws.com/a.mp4", "is a URI"),
        ("https://s3.amazonaws.com/bucket/a.mp4", "is a URI"),
        ("https://bucket.s3.dualstack.eu-west-1.amazonaws.com/a.mp4", "is a URI"),
        ("https://bucket.s3.cn-north-1.amazonaws.com.cn/a.mp4", "is a URI"),
        ("https://eu-west-1.console.aws.amazon.com/s3/object/bucket?region=eu-west-1&prefix=a.mp4", "is a URI"),
        ("https://console.amazonaws-us-gov.com/s3/object/bucket?prefix=a.mp4", "is a URI"),
        ("https://console.amazonaws.cn/s3/object/bucket?prefix=a.mp4", "is a URI"),
        ("a.mp4\tb c.mp4", "--output text"),
        ('CONTENTS\t2026-11-28T20:38:17+00:00\t"d41d"\ta.mp4\t0', "--output text"),
        ('{"Key": "a.mp4", "Size": 5}', "JSON"),
        ('"a.mp4"', "JSON"),
        ('"a.mp4",', "JSON"),
        (f"{B},a.mp4", "row of a manifest"),
        (f'"{B}","a.mp4"', "row of a manifest"),
        ("[2026-11-28 20:38:17 UTC] 4.5KiB STANDARD a.mp4", "aws s3 ls"),
        ("2026-11-28 20:38         4639  s3://bucket/a.mp4", "aws s3 ls"),
        ("     4639 2026-11-28 20:38:17.000000000 a.mp4", "aws s3 ls"),
        ("2026-11-28 20:38 concert.mp4", None),
        ("{a}.mp4", None),
        ("4639 2026-11-28 concert.mp4", None),
        ('"a", "b".mp4', None),
        ("https://example.com/a.mp4", None),
        ("https://console.example.com/s3/a.mp4", None),
        ("2024-05-01 concert.mp4", None),
        ("[live] a.mp4", None),
        ('"quoted".mp4', None),
    ],
)
def test_what_other_programs_write_is_not_a_key(line, what):
    """Pasted listings are refused with their line, not submitted as keys that are not there; set apart by NUL they are keys."""
    text = f"a.mp4\n{line}\n".encode()

    if what is None:
        assert ["a.mp4", line] == [each.key for each in keys(io.BytesIO(text), "keys.txt", B)]
    else:
        with pytest.raises(ToolError, match=f"line 2 .*{what}"):
            list(keys(io.BytesIO(text), "keys.txt", B))
    set_apart = list(keys(io.BytesIO(f"a.mp4\0{line}\0".encode()), "keys.txt", B))
    assert line == set_apart[1].key


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"a.mp4\n\nb.mp4\n", "line 2 is blank"),
        (b"\xef\xbb\xbfa.mp4\n", "line 1 begins with a byte order mark"),
        (b"a.mp4\n\xff.mp4\n", "line 2 is not UTF-8"),
        (f"s3://{B}/a.mp4\n".encode(), "line 1 is a URI"),
        (b"k" * 1025 + b"\n", "line 1 has a key of 1,025 bytes"),
        (b"k" * (MAX_PIECE + 1), "line 1 is longer than a key can be"),
        (b"", "names no object"),
    ],
)
def test_a_malformed_list_of_keys_is_refused_with_its_line(text, fault):
    """The error names the list, the line and the rule."""
    with pytest.raises(ToolError) as refused:
        list(keys(io.BytesIO(text), "keys.txt", B))

    assert fault in str(refused.value)


@given(st.lists(st.sampled_from("abcdefgh"), max_size=30))
def test_what_is_named_again_is_reported(names):
    """How often, and where for the first time, as a model that keeps everything would say."""
    repeats, lines, again = Repeats(), {}, []
    for number, name in enumerate(names, 1):
        if name in lines:
            again.append((number, max(line for line in range(1, number) if names[line - 1] == name)))
        lines[name] = number

    rows = [row for batch in batches_of((Named(number, name) for number, name in enumerate(names, 1)), repeats) for row in batch]

    assert names == [row.key for row in rows]
    assert (len(again), min(again, default=None)) == repeats.found()
