"""Which objects may be analysed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain import objects

GIB = 1024**3
RESTORED = 'ongoing-request="false", expiry-date="Fri, 21 Dec 2029 00:00:00 GMT"'
RESTORING = 'ongoing-request="true"'


def packets(length, offset=0, count=3):
    """Return the beginning of a transport stream."""
    return b"\x00" * offset + (b"\x47" + b"\xff" * (length - 1)) * count


@pytest.mark.parametrize(
    ("first_bytes", "container"),
    [
        (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00", "ISO-BMFF"),
        (b"\x00\x00\x00\x14ftypqt  ", "ISO-BMFF"),
        (b"\x00\x00\x10\x00moov", "ISO-BMFF"),
        (b"\xf0\x00\x00\x00mdat", "ISO-BMFF"),
        (b"\x00\x00\x00\x01mdat\x00\x00\x00\x02\x40\x00\x00\x00", "ISO-BMFF"),
        (b"\x00\x00\x00\x00mdat", "ISO-BMFF"),
        (b"\x00\x00\x00\x08wide", "ISO-BMFF"),
        (b"\x00\x00\x00\x08free", "ISO-BMFF"),
        (b"\x00\x00\x00\x08skip", "ISO-BMFF"),
        (b"RIFF\x24\x00\x00\x00AVI LIST", "AVI"),
        (b"\x1a\x45\xdf\xa3\x01\x00", "Matroska"),
        (packets(188), "MPEG-TS"),
        (packets(192, offset=4), "MPEG-TS"),
        (packets(188, count=2), "MPEG-TS"),
        (b"\x00\x00\x01\xba\x44\x00", "MPEG-PS"),
        (b"FLV\x01\x05", "FLV"),
        (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + b"\x00", "ASF"),
    ],
)
def test_videos(first_bytes, container):
    """Each known container is recognised by its first bytes."""
    assert objects.container(first_bytes[: objects.FIRST_BYTES]) == container


@pytest.mark.parametrize(
    "first_bytes",
    [
        b"",
        b"\x00",
        b"\x00\x00\x00\x20fty",
        b"This is a text file.\n",
        b"the free lunch",
        b"and wide seas",
        b"\x00\x00\x00\x07ftypisom",
        b"<html><body>",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        b"PK\x03\x04",
        b"ID3\x04",
        b"G" + b"o" * 1023,
        packets(188, count=1),
        packets(188, count=2)[:188],
        packets(188, count=2) + b"\x00" * 200,
        b"\x00" * 1024,
    ],
)
def test_no_videos(first_bytes):
    """A text file or an image is no video, whatever it is called (seed's defect 18)."""
    assert objects.container(first_bytes) is None


@given(st.text(st.characters(codec="ascii"), max_size=1024))
def test_no_text_is_a_video(text):
    """Plain text is not taken for a video (unless it copies a container's magic to the letter)."""
    first_bytes = text.encode()
    copied = first_bytes[4:8] in {b"mdat", b"ftyp", b"moov", b"free", b"wide", b"skip"} or first_bytes.startswith(
        (b"FLV\x01", b"RIFF")
    )

    assert copied or first_bytes[:1] == b"G" or first_bytes[4:5] == b"G" or objects.container(first_bytes) is None


@given(st.binary(max_size=1024))
def test_any_bytes(first_bytes):
    """Whatever an object begins with, there is an answer."""
    assert objects.container(first_bytes) in {None, "ISO-BMFF", "AVI", "Matroska", "MPEG-TS", "MPEG-PS", "FLV", "ASF"}


@pytest.mark.parametrize("size", [1, 10 * GIB])
@pytest.mark.parametrize(
    "storage_class", [None, "STANDARD", "STANDARD_IA", "ONEZONE_IA", "GLACIER_IR", "INTELLIGENT_TIERING", "NEW_CLASS"]
)
def test_readable_objects(size, storage_class):
    """What can be read at once and is not too large may be analysed."""
    assert objects.eligibility(size, storage_class) is None


@pytest.mark.parametrize(
    ("size", "code"),
    [(0, "empty"), (10 * GIB + 1, "too-large")],
)
def test_size(size, code):
    """Nothing, and more than Rekognition takes, is refused before it is paid for."""
    assert objects.eligibility(size).code == code


@pytest.mark.parametrize(
    ("storage_class", "archive_status"),
    [
        ("GLACIER", None),
        ("DEEP_ARCHIVE", None),
        ("INTELLIGENT_TIERING", "ARCHIVE_ACCESS"),
        ("INTELLIGENT_TIERING", "DEEP_ARCHIVE_ACCESS"),
    ],
)
@pytest.mark.parametrize(("restore", "code"), [(None, "archived"), (RESTORING, "archived"), (RESTORED, None)])
def test_archived_objects(storage_class, archive_status, restore, code):
    """An archived object can be read only once its restoration is over."""
    problem = objects.eligibility(1, storage_class, restore, archive_status)

    assert (problem and problem.code) == code


def test_restoring_what_is_too_large_is_not_advised():
    """An object that is both archived and too large is too large: restoring it would be paid in vain."""
    assert objects.eligibility(11 * GIB, "GLACIER").code == "too-large"


@pytest.mark.parametrize(
    ("size", "storage_class", "named"),
    [(0, None, "0 bytes"), (10 * 1024**3 + 1, None, "10737418241"), (100, "DEEP_ARCHIVE", "DEEP_ARCHIVE")],
)
def test_the_reason_says_what_is_the_matter(size, storage_class, named):
    """The report's sentence says how large, or in which archive."""
    assert named in objects.eligibility(size, storage_class, None, None).message
