"""Which objects may be analysed."""

import bz2
import gzip
import lzma
import struct
import tarfile

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


def box(kind, size=32, body=b""):
    """Return a box that states a size, with a body that fills it."""
    return struct.pack(">I4s", size, kind) + body.ljust(max(0, size - 8), b"\x00")


def judged(body):
    """Return what an object is found to be instead of a video, None where it is analysed."""
    return objects.not_a_video(body[: objects.FIRST_BYTES], len(body))


# Boxes as a film has them; that real films behind such beginnings are read is tested with the headers of the tools.
FILM = box(b"ftyp", 24, b"isom\x00\x00\x02\x00isommp42") + box(b"moov", 400) + box(b"mdat", 2_000)


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
    """Each known container is recognised by its first bytes, and is never something else."""
    found = objects.container(first_bytes[: objects.FIRST_BYTES], 10_000)

    assert (container, None) == (found, objects.not_a_video(first_bytes, 10_000))


@pytest.mark.parametrize(
    "front",
    [
        *(
            box(kind)
            for kind in (b"uuid", b"styp", b"udta", b"sidx", b"free", b"skip", b"wide", b"mdat", b"moof", b"meta", b"pdin")
        ),
        *(box(kind) for kind in (b"abcd", b"\xa9nam", b"\xff\xfe\x00\x01", b"\x00\x00\x00\x00", b"%PDF", b"ID3\x04")),
        box(b"uuid", 8),
        struct.pack(">I4sQ", 1, b"uuid", 64) + bytes(48),
        struct.pack(">I4sQ", 1, b"\x80\x81\x82\x83", 16),
        struct.pack(">I4s", 0, b"what"),
        bytes(8),
        bytes(2_000),
        b"\x00",
        b"garbage\x00",
        b"\xde\xad\xbe\xef" * 300,
        b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10),
        b"OggS\x00\x02" + bytes(22),
        b"\xff\xfb\x90\x64" + bytes(300),
        b"\xff\xf1\x50\x80" + bytes(300),
        packets(188, count=1),
        b"\x00\x00\x00\x01\x67\x64\x00\x1f",
        b"the moov\x00",
    ],
)
def test_unknown_beginnings(front):
    """A film with anything in front that is not positively something else is Rekognition's to judge, and not left out."""
    assert (None, None) == (judged(front + FILM), judged(front))


@given(st.binary(min_size=4, max_size=4), st.binary(max_size=3_000), st.booleans())
def test_any_box_in_front(kind, body, large):
    """Whatever one box in front of a film is called and holds, the film is not left out."""
    header = struct.pack(">I4sQ", 1, kind, 16 + len(body)) if large else struct.pack(">I4s", 8 + len(body), kind)

    assert judged(header + body + FILM) is None


@given(st.binary(min_size=8, max_size=objects.FIRST_BYTES), st.integers(0, 10 * GIB))
def test_any_box_within_its_object(first_bytes, more):
    """What parses as a box within the object is never left out, even if its size reads as letters."""
    stated = int.from_bytes(first_bytes[:4], "big")

    assert stated < 8 or objects.not_a_video(first_bytes, stated + more) is None


@pytest.mark.parametrize(
    "letters", [b"%PDF-1.7\n", b"GIF89a\x01\x00", b"PK\x03\x04\x14\x00\x00\x00", b"This is text", b"\x89PNG\r\n\x1a\n"]
)
def test_sizes_that_read_as_letters(letters):
    """The same letters are something else in an object that is smaller than they state, and a box in one that is as large."""
    stated = int.from_bytes(letters[:4], "big")

    found = [objects.not_a_video(letters, size) is None for size in (len(letters), stated - 1, stated)]

    assert [False, False, True] == found


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"This is a text file.\n", "text"),
        (b"a", "text"),
        (b"the free lunch", "text"),
        (b"and wide seas", "text"),
        (b"long moov" * 200, "text"),
        ("Größe, \u00a0👩\u200d👩\u200d👧 ".encode() * 100, "text"),
        (b"\xef\xbb\xbfbom", "text"),
        ("\ufeffUTF-16 ж".encode("utf-16-le"), "text"),
        ("\ufeffUTF-16 ж".encode("utf-16-be"), "text"),
        (b"<!DOCTYPE html><html><body>", "text"),
        (b"<?xml version='1.0'?><svg/>", "text"),
        (b'{"json": [1, 2]}', "text"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n", "text"),
        (b"\x1b[1mcoloured\x1b[0m\n", "text"),
        (b"G" + b"o" * 1023, "text"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "a JPEG image"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "a PNG image"),
        (b"GIF87a\x01\x00", "a GIF image"),
        (b"GIF89a\x01\x00", "a GIF image"),
        (b"II*\x00\x08\x00\x00\x00", "a TIFF image"),
        (b"MM\x00*\x00\x00\x00\x08", "a TIFF image"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "a WebP image"),
        (b"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00", "a BMP image"),
        (b"8BPS\x00\x01", "a Photoshop image"),
        (b"PK\x03\x04\x14\x00\x00\x00", "a ZIP archive"),
        (b"PK\x05\x06" + bytes(18), "a ZIP archive"),
        (gzip.compress(b"text", mtime=0), "a gzip archive"),
        (bz2.compress(b"text"), "a bzip2 archive"),
        (lzma.compress(b"text"), "an xz archive"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "a 7z archive"),
        (b"Rar!\x1a\x07\x01\x00", "a RAR archive"),
        (b"\x28\xb5\x2f\xfd\x24\x05", "a Zstandard archive"),
        (tarfile.TarInfo("film.mp4").tobuf(), "a tar archive"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
        (b"%!PS-Adobe-3.0\n\x04", "a PostScript document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(8), "an Office document"),
        (b"\x7fELF\x02\x01\x01\x00", "a program"),
        (b"MZ".ljust(0x3C, b"\x90") + b"\x40\x00\x00\x00PE\x00\x00", "a program"),
        (b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X", "an AppleDouble file"),
        (b"SQLite format 3\x00", "a SQLite database"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "WAVE sound"),
        (b"FORM\x00\x00\x10\x00AIFFCOMM", "AIFF sound"),
        (b"fLaC\x00\x00\x00\x22\x10\x00", "FLAC sound"),
    ],
)
def test_something_else(body, what):
    """What is positively something else is left out, and named (seed's defect 18), whatever the object is called."""
    assert what == judged(body)


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=3_000))
def test_any_text(text):
    """A text in any script, cut anywhere, is text; but where it copies a container's magic to the letter."""
    body = text.encode()

    assert (
        "text" == judged(body) or objects.container(body[: objects.FIRST_BYTES], len(body)) or body.startswith((b"FORM", b"RIFF"))
    )


@given(st.binary(max_size=1024), st.integers(0, 10 * GIB))
def test_any_bytes(first_bytes, size):
    """Whatever an object begins with, there is an answer, and a container is never something else."""
    container = objects.container(first_bytes, size)

    assert container in {None, "ISO-BMFF", "AVI", "Matroska", "MPEG-TS", "MPEG-PS", "FLV", "ASF"}
    assert container is None or objects.not_a_video(first_bytes, size) is None


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


@pytest.mark.parametrize(
    "first_bytes",
    [b"\xff\xfe  moov\x00\x04\x00\x04free" + b"a\x00" * 504, b"    moov\t\t\t\tfree" + b" " * 1_008],
    ids=["UTF-16", "UTF-8"],
)
def test_a_film_in_an_oversized_moov_is_no_text(first_bytes):
    """A `moov` that claims more than the object holds is never text, though its first bytes read so: FFmpeg plays it."""
    assert None is objects.not_a_video(first_bytes, 266_000)
