"""The length of a video by its header: what is read, where to read on, and that no file is believed to be longer than may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain import movie_header
from handlers.domain.movie_header import LONGEST_MS, ReadOn

FTYP = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
SIZE = 10_000_000


def box(name, content=b"", *, large=False):
    """Return a box, with a size of 64 bits if it is `large`."""
    if large:
        return (1).to_bytes(4, "big") + name + (16 + len(content)).to_bytes(8, "big") + content
    return (8 + len(content)).to_bytes(4, "big") + name + content


def mvhd(timescale, duration, *, version=0):
    """Return the box that has the length."""
    width = 8 if version else 4
    head = bytes([version, 0, 0, 0]) + bytes(2 * width)
    return box(b"mvhd", head + timescale.to_bytes(4, "big") + duration.to_bytes(width, "big") + bytes(80))


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("before", [b"", FTYP, FTYP + box(b"free", bytes(100)) + box(b"uuid", bytes(40))])
def test_at_the_beginning(version, large, before):
    """A header before the film is read, in either version, after whatever boxes, and rounded up."""
    chunk = before + box(b"moov", mvhd(90_000, 123_456_789, version=version), large=large)

    assert movie_header.length_ms(chunk, 0, SIZE) == 1_371_743


@pytest.mark.parametrize("large", [False, True])
def test_behind_the_film(large):
    """Where the film comes first, the place behind it is named, and from there the header is read."""
    film = box(b"mdat", bytes(100_000), large=large)

    found = movie_header.length_ms((FTYP + film)[:1_024], 0, SIZE)

    assert found == ReadOn(len(FTYP + film))
    assert movie_header.length_ms(box(b"moov", mvhd(1_000, 5_000)), found.at, SIZE) == 5_000


def test_cut_off():
    """A header that the end of a chunk cuts off is read on from its beginning."""
    before = FTYP + box(b"free", bytes(960))
    chunk = (before + box(b"moov", mvhd(1_000, 5_000)))[:1_024]

    assert movie_header.length_ms(chunk, 0, SIZE) == ReadOn(len(before) + 8)


@pytest.mark.parametrize(
    "chunk",
    [
        b"",
        b"short",
        FTYP + bytes(1_000),
        FTYP + (0).to_bytes(4, "big") + b"mdat" + bytes(500),
        FTYP + (7).to_bytes(4, "big") + b"free" + bytes(500),
        FTYP + (1).to_bytes(4, "big") + b"mdat" + (15).to_bytes(8, "big") + bytes(500),
        FTYP + (1).to_bytes(4, "big") + b"mdat" + (2**64 - 1).to_bytes(8, "big") + bytes(500),
        FTYP + box(b"mdat", bytes(SIZE))[:500],
        box(b"moov", mvhd(0, 5_000)),
        box(b"moov", mvhd(1_000, 0)),
        box(b"moov", mvhd(1_000, 2**32 - 1)),
        box(b"moov", mvhd(1_000, 2**64 - 1, version=1)),
        box(b"moov", box(b"mvhd", b"\x02" + bytes(99))),
        box(b"moov", box(b"mvhd", b"") + bytes(50)),
    ],
)
def test_no_length(chunk):
    """What has no header, or one that does not say, has no length; nothing is looked for behind the end of the file."""
    assert movie_header.length_ms(chunk, 0, SIZE) is None


def test_longest():
    """No video is taken to be longer than Rekognition takes, whatever its header says."""
    assert movie_header.length_ms(box(b"moov", mvhd(1, 2**32 - 2)), 0, SIZE) == LONGEST_MS


@given(st.binary(max_size=1_024), st.integers(0, 2**40), st.integers(0, 2**40))
def test_anything(chunk, at, size):
    """Whatever the bytes are, there is an answer, and reading on goes forward, within the file."""
    found = movie_header.length_ms(chunk, at, size)

    assert found is None or (at < found.at < size if isinstance(found, ReadOn) else 0 < found <= LONGEST_MS)


@pytest.mark.parametrize(("size", "milliseconds"), [(0, 0), (1_000_000, 32_000), (10**9, LONGEST_MS), (10**15, LONGEST_MS)])
def test_expected(size, milliseconds):
    """Where the header does not say, the length is that of its bytes at 250 kbit/s, within bounds."""
    assert movie_header.expected_ms(size) == milliseconds
