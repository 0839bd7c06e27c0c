"""The parts of media by themselves: sizes of pictures, reading ahead, and what the decoder's messages mean."""

import struct
from types import SimpleNamespace

import pytest

from handlers.adapters.media import ranges as ranges_module
from handlers.adapters.media.media import Frame, Media, MediaError, _can_be_sent_as_it_is
from handlers.adapters.media.process import Decoder, DecoderFailedError, _ending
from handlers.adapters.media.ranges import Ranges, ReadTooMuchError
from handlers.adapters.media.still import still_size
from handlers.decoder import outer_boxes as outer
from handlers.domain import reasons
from handlers.domain.sampling import Size

KIB, MIB = 1024, 1024**2


def size_of(data):
    """Return the size of a picture of these bytes."""
    return still_size(lambda offset, length: data[offset : offset + length])


# --- sizes --------------------------------------------------------------------------------------------------------------


def segment(marker, body=b""):
    """Return a segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", 2 + len(body)) + body


def frame_header(marker=0xC0, width=640, height=480):
    """Return the segment that has the size."""
    return segment(marker, b"\x08" + struct.pack(">HH", height, width) + bytes(10))


JPEG, APP = b"\xff\xd8", segment(0xE0, bytes(14))
FOUND = Size(640, 480)


@pytest.mark.parametrize("marker", [marker for marker in range(0xC0, 0xD0) if marker not in {0xC4, 0xC8, 0xCC}])
def test_kinds_of_jpeg(marker):
    """The size is read from the frame header of every kind of JPEG."""
    assert size_of(JPEG + APP + frame_header(marker)) == FOUND


@pytest.mark.parametrize("marker", [0xC4, 0xC8, 0xCC, 0xDB, 0xFE])
def test_other_segments(marker):
    """Tables and comments are passed over, whatever is in them."""
    assert size_of(JPEG + segment(marker, frame_header(width=1)) + frame_header()) == FOUND


@pytest.mark.parametrize("between", [b"\xff", b"\xff" * 5, b"\xff\x01", b"\xff\xd0", b"\xff\xd7"])
def test_what_has_no_length(between):
    """Padding, and markers that stand alone, are passed over."""
    assert size_of(JPEG + APP + between + frame_header()) == FOUND


@pytest.mark.parametrize(
    "data",
    [
        JPEG + APP + segment(0xDA) + frame_header(),
        JPEG + APP + b"\x00" + frame_header(),
        JPEG + APP + frame_header(height=0),
        JPEG + APP + frame_header()[:8],
        JPEG + APP,
        JPEG,
        b"",
        b"\xff\xd9" + APP + frame_header(),
    ],
    ids=["scan", "no marker", "no height", "ends", "nothing", "short", "empty", "other"],
)
def test_no_size(data):
    """A JPEG whose scan comes first, that is damaged, or that names no height, has no size that could be relied on."""
    assert size_of(data) is None


@pytest.mark.parametrize(("count", "expected"), [(199, FOUND), (200, None)])
def test_many_parts(count, expected):
    """Two hundred parts are looked at, of a JPEG and of a PNG."""
    chunks = png_chunk(b"IHDR", struct.pack(">II", 640, 480) + bytes(5)) + png_chunk(b"tEXt") * (count - 1)

    assert expected == size_of(JPEG + APP * count + frame_header())
    assert expected == size_of(PNG + chunks + png_chunk(b"IDAT"))


PNG = b"\x89PNG\r\n\x1a\n"


def png_chunk(kind, body=b""):
    """Return a chunk of a PNG, with a checksum that no one reads."""
    return struct.pack(">I", len(body)) + kind + body + bytes(4)


HEADER = png_chunk(b"IHDR", struct.pack(">II", 640, 480) + bytes(5))


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (HEADER + png_chunk(b"tEXt", b"acTL") + png_chunk(b"IDAT"), FOUND),
        (HEADER + png_chunk(b"IDAT") + png_chunk(b"acTL"), FOUND),
        (HEADER + png_chunk(b"acTL", bytes(8)) + png_chunk(b"IDAT"), None),
        (png_chunk(b"IDAT") + HEADER, None),
        (HEADER, None),
        (HEADER[:12], None),
    ],
    ids=["still", "late", "animated", "without a header", "without a picture", "ends"],
)
def test_png(chunks, expected):
    """The size of a PNG is in its header; one that is animated is not a still."""
    assert expected == size_of(PNG + chunks)


class Source:
    """An object of zeros, and the ranges that were read of it."""

    def __init__(self, size):
        self.size, self.reads = size, []

    def read(self, offset, length):
        """Return the bytes there are."""
        self.reads.append((offset, length))
        return bytes(max(0, min(length, self.size - offset)))


@pytest.mark.parametrize(
    ("size", "width", "height", "expected"),
    [
        (15 * MIB, 4_096, 4_096, True),
        (15 * MIB + 1, 4_096, 4_096, False),
        (16 * MIB, 8_192, 8_192, False),
        (16 * MIB, 8_193, 8_192, MediaError),
        (1 * MIB, 10, 10, False),
        (1 * MIB, 10, 10_000_000, MediaError),
    ],
)
def test_sent_as_it_is(monkeypatch, size, width, height, expected):
    """An image is read by Rekognition itself as long as its limits allow, else decoded here, if it has not too many pixels."""
    monkeypatch.setattr("handlers.adapters.media.media.still_size", lambda _read: Size(width, height))

    if expected is MediaError:
        with pytest.raises(MediaError) as refused:
            _can_be_sent_as_it_is(SimpleNamespace(size=size))
        assert reasons.TOO_MANY_PIXELS == refused.value.problem.code
        assert f"it has {width} x {height} pixels; at most 67,108,864 are decoded" == refused.value.problem.message
    else:
        assert expected is _can_be_sent_as_it_is(SimpleNamespace(size=size))


# --- reading ahead ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "until", "fetched"),
    [
        (10, 0, 64 * KIB),
        (10, 1_000, 64 * KIB),
        (10, 1_001, 10),
        (10, 1_010, 10),
        (10, 1_011, 11),
        (10, 1_000 + 2 * MIB, 2 * MIB),
        (10, 1_000 + 2 * MIB + 1, 2 * MIB),
        (3 * MIB, 0, 3 * MIB),
    ],
)
def test_how_much_is_fetched(length, until, fetched):
    """At a new place 64 KiB are fetched, or all up to where it is needed; 2 MiB at most, but what is asked for at least."""
    source = Source(9 * MIB)

    assert length == len(Ranges(source).read(1_000, length, until))
    assert [(1_000, fetched)] == source.reads


def test_the_end_of_the_object():
    """Nothing is requested from behind the end."""
    source = Source(100)

    assert (1, 100) == (len(Ranges(source).read(99, 10, 0)), len(Ranges(source).read(0, 200, 0)))
    assert [(99, 1), (0, 100)] == source.reads


@pytest.mark.parametrize(("offset", "reads"), [(1_000, 1), (1_000 + 64 * KIB - 1, 1), (1_000 + 64 * KIB, 2), (999, 2)])
def test_what_is_there(offset, reads):
    """What was fetched is not fetched again, from its first byte to its last; a read that begins in it ends with it."""
    source = Source(9 * MIB)
    ranges = Ranges(source)
    ranges.read(1_000, 1, 0)

    found = ranges.read(offset, 1 * MIB if reads == 1 else 1, 0)

    assert reads == len(source.reads)
    assert len(found) == (1_000 + 64 * KIB - offset if reads == 1 else 1)


def test_one_after_the_other():
    """What follows the last piece is fetched in twice its size."""
    source = Source(9 * MIB)
    ranges = Ranges(source)

    for offset in (0, 64 * KIB, 192 * KIB, 5 * MIB):
        ranges.read(offset, 1, 0)

    assert [(0, 64 * KIB), (64 * KIB, 128 * KIB), (192 * KIB, 256 * KIB), (5 * MIB, 64 * KIB)] == source.reads


@pytest.mark.parametrize(("more", "is_kept"), [(0, True), (1, False)])
def test_what_is_kept(more, is_kept):
    """8 MiB are kept; what was needed longest ago goes for what is more than that, and no other."""
    source = Source(20 * MIB)
    ranges = Ranges(source)
    for number in (0, *range(8)):
        ranges.read(number * MIB, MIB, (number + 1) * MIB)
    ranges.read(0, 1, 0)
    if more:
        ranges.read(10 * MIB, more, 10 * MIB + more)
    before = len(source.reads)

    ranges.read(1 * MIB, 1, 0)
    fetched = len(source.reads) - before
    ranges.read(0, 1, 0)

    assert (0 if is_kept else 1, 8 + more + fetched) == (fetched, len(source.reads))


def test_how_much_in_all(monkeypatch):
    """Of a file three times its size and 64 MiB are read, and not a byte more."""
    monkeypatch.setattr(ranges_module, "_MOST_KEPT", 0)
    ranges = Ranges(Source(MIB))
    for _ in range(3 + 64):
        ranges.read(0, MIB, 0)

    with pytest.raises(ReadTooMuchError):
        ranges.read(0, 1, 1)


@pytest.mark.parametrize("besides", [0, 50])
def test_too_much(monkeypatch, besides):
    """Of a file three times its size is read, and a fixed amount besides, but not a byte more."""
    monkeypatch.setattr(ranges_module, "_MOST_KEPT", 0)
    monkeypatch.setattr(ranges_module, "_MOST_BESIDES", besides)
    ranges = Ranges(Source(100))
    for _ in range(3):
        ranges.read(0, 100, 0)
    if besides:
        ranges.read(100 - besides, besides, 0)

    with pytest.raises(ReadTooMuchError):
        ranges.read(99, 1, 0)


# --- the decoder's messages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "is_read"),
    [
        ({"offset": 0, "length": 1, "until": 0}, True),
        ({"offset": 99, "length": 2**23, "until": 0}, True),
        ({"offset": -1, "length": 1, "until": 0}, False),
        ({"offset": 100, "length": 1, "until": 0}, False),
        ({"offset": 0, "length": 0, "until": 0}, False),
        ({"offset": 0, "length": 2**23 + 1, "until": 0}, False),
        ({"offset": "0", "length": 1, "until": 0}, False),
        ({"offset": 0, "length": None, "until": 0}, False),
        ({"offset": 0, "length": 1}, False),
    ],
)
def test_reads_of_the_decoder(message, is_read):
    """The decoder, which may be under control of a hostile file, reads within the object, 8 MiB at once at most."""
    decoder = SimpleNamespace(_ranges=SimpleNamespace(size=100, read=lambda *given: given))

    if is_read:
        assert (message["offset"], message["length"], message["until"]) == Decoder._read(decoder, message)
    else:
        with pytest.raises(DecoderFailedError):
            Decoder._read(decoder, message)


@pytest.mark.parametrize(("code", "how"), [(-9, "SIGKILL"), (-1, "SIGHUP"), (0, "exit code 0"), (1, "exit code 1")])
def test_how_it_ended(code, how):
    """A process that ended is described by its signal, or its exit code."""
    assert f"FFmpeg's process ended ({how})" == _ending(code)


class Steps:
    """A decoder that gives planned messages, and fails after them."""

    def __init__(self, *messages, error=None):
        self.messages, self.error, self.closed = list(messages), error, 0

    def step(self):
        """Give the next one."""
        if not self.messages:
            raise self.error
        return self.messages.pop(0), b"jpeg"

    def close(self):
        """Count."""
        self.closed += 1


FRAME, END = {"is": "frame", "at_ms": 2_500}, {"is": "end", "decoded_ms": 9_000, "complete": False}


def test_frames():
    """Frames come as the decoder has them; its end says how far the film could be decoded."""
    decoder = Steps(FRAME, {"is": "frame", "at_ms": 7_500}, END)

    with Media(decoder, "film", 10_000, resumed=False) as media:
        assert [Frame(2_500, b"jpeg"), Frame(7_500, b"jpeg")] == list(media.frames())

    assert (9_000, False, False, 10_000, 1) == (
        media.decoded_ms,
        media.complete,
        media.passthrough,
        media.duration_ms,
        decoder.closed,
    )


def test_frames_behind_a_hole():
    """That a film has a hole is known with the first frame behind it; a frame of a decoder that does not say has none before it."""
    decoder = Steps(FRAME, {**FRAME, "complete": True}, {**FRAME, "complete": False}, END)

    with Media(decoder, "film", 10_000, resumed=False) as media:
        found = [media.complete for _ in media.frames()]

    assert [True, True, False] == found


@pytest.mark.parametrize("error", [DecoderFailedError("crashed"), ReadTooMuchError("circles")])
@pytest.mark.parametrize(("messages", "is_resumed", "decoded_ms"), [((FRAME,), False, 2_500), ((), True, None)])
def test_a_decoder_that_fails(error, messages, is_resumed, decoded_ms):
    """A film of which something was seen, now or before, is not complete where its decoder fails."""
    media = Media(Steps(*messages, error=error), "film", None, resumed=is_resumed)

    assert len(messages) == len(list(media.frames()))
    assert (decoded_ms, False) == (media.decoded_ms, media.complete)


def test_a_decoder_that_fails_at_once():
    """A film of which nothing was seen cannot be decoded."""
    media = Media(Steps(error=DecoderFailedError("crashed")), "film", None, resumed=False)

    with pytest.raises(MediaError) as refused:
        next(media.frames())

    assert (reasons.UNDECODABLE, "crashed") == (refused.value.problem.code, refused.value.problem.message)


def test_a_problem():
    """What the decoder says of a film is its problem."""
    media = Media(Steps(FRAME, {"is": "problem", "code": "odd", "message": "It is odd."}), "film", None, resumed=True)

    with pytest.raises(MediaError) as refused:
        list(media.frames())

    assert ("odd", "It is odd.") == (refused.value.problem.code, refused.value.problem.message)


def test_an_image_as_it_is():
    """An image that is sent as it is has no frames, and needs no decoder."""
    with Media(None, "image", None, resumed=False) as media:
        assert [] == list(media.frames())

    assert (True, True, None) == (media.passthrough, media.complete, media.decoded_ms)


# --- the outermost boxes of an MP4 ----------------------------------------------------------------------------------------


def box(kind, body=b"", size=None):
    """Return a box, whose size may lie."""
    return struct.pack(">I4s", len(body) + 8 if size is None else size, kind) + body


START = box(b"ftyp", b"isom") + box(b"moov")
FRAGMENT = box(b"moof", bytes(8)) + box(b"mdat", bytes(20))


def outer_boxes(data):
    """Return whether a file has fragments, and whether its boxes are whole to the end."""
    source = SimpleNamespace(size=len(data), peek=lambda offset, length: data[offset : offset + length])
    return outer.has_fragments(source), outer.is_whole_from(source, 0)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (START + FRAGMENT * 2 + box(b"mfra"), (True, True)),
        (START + box(b"mdat", bytes(20)), (False, True)),
        (START + FRAGMENT + struct.pack(">I4sQ", 1, b"mdat", 20) + bytes(4), (True, True)),
        (START + FRAGMENT + struct.pack(">I4sQ", 1, b"mdat", 7) + bytes(4), (True, False)),
        (START + FRAGMENT + box(b"mdat", bytes(9), size=0), (True, True)),
        (START + FRAGMENT + box(b"free", bytes(9), size=0), (True, False)),
        (START + FRAGMENT + box(b"mdat", bytes(9), size=18), (True, True)),
        (START + FRAGMENT + box(b"moof", bytes(9), size=18), (True, True)),
        (START + FRAGMENT + box(b"free", bytes(9), size=18), (True, False)),
        (START + FRAGMENT + box(b"free", bytes(9), size=17), (True, True)),
        (START + FRAGMENT + box(b"free", size=7), (True, False)),
        (START + FRAGMENT + bytes(8), (True, False)),
        (START + FRAGMENT + bytes(7), (True, True)),
        (START + FRAGMENT + box(b"\xffoof"), (True, False)),
        (START + FRAGMENT + box(b"\x01oof"), (True, False)),
        (START + box(b"free") * 13 + FRAGMENT, (True, True)),
        (START + box(b"free") * 14 + FRAGMENT, (False, True)),
        (bytes(16) + FRAGMENT, (False, False)),
        (b"", (False, True)),
    ],
)
def test_outermost_boxes(data, found):
    """Boxes follow one another to the end of the file; only a fragment may be cut off there, or have no size."""
    assert found == outer_boxes(data)
