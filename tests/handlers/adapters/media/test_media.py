"""Pictures of films and images, how little is read for them, and how a film is taken up again."""

import io
import itertools
import struct
from fractions import Fraction

import av
import pytest
from av.video.frame import VideoFrame

from handlers.adapters.media import MediaError, open_media
from handlers.adapters.media.ranges import Ranges
from handlers.adapters.media.still import still_size
from handlers.domain import reasons
from handlers.domain.objects import FIRST_BYTES, image_problem
from handlers.domain.sampling import Size
from tests.handlers.adapters.media.heic import heic
from tests.handlers.adapters.media.made_films import FRAGMENTED, KINDS, Bytes, Made, Shown, card_of, film, frames_of
from tools.lib.review.cures import cure_of

pytestmark = pytest.mark.slow
GREEN, RED, GREY = (0, 255, 0), (255, 0, 0), (128, 128, 128)


def halves(width, height, pixels="rgb24"):
    """Return a frame whose left half is red, and whose right half is green."""
    frame = VideoFrame(width, height, "rgba")
    plane = frame.planes[0]
    row = bytes((*RED, 255)) * (width // 2) + bytes((*GREEN, 255)) * (width - width // 2)
    plane.update(row.ljust(plane.line_size, b"\x00") * height)
    return frame.reformat(format=pixels)


def encoded(frames, codec, container, pixels, rotation=0, aspect=None, rate=1, options=None):
    """Return a film or an image of these frames."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, pixels
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, Fraction(1, rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return target.getvalue()


def pixel(jpeg, across, down):
    """Return the colour at a place of a JPEG, given in shares of its width and height, and its size."""
    frame = next(av.open(io.BytesIO(jpeg)).decode(video=0)).to_rgb()
    at = int(down * frame.height) * frame.planes[0].line_size + 3 * int(across * frame.width)
    return tuple(bytes(frame.planes[0])[at : at + 3]), (frame.width, frame.height)


def near(expected, found):
    """Tell whether a colour is what was drawn."""
    return all(abs(one - other) < 12 for one, other in zip(expected, found, strict=True))


@pytest.mark.parametrize(
    ("rotation", "size", "red_at"),
    [(0, (160, 96), (0.2, 0.5)), (90, (96, 160), (0.5, 0.8)), (-90, (96, 160), (0.5, 0.2)), (180, (160, 96), (0.8, 0.5))],
)
def test_rotation(rotation, size, red_at):
    """A frame is sent upright, as its header says a player must turn it."""
    data = encoded([halves(160, 96, "yuv420p")] * 3, "libx264", "mp4", "yuv420p", rotation)

    frames, _ = frames_of(data)

    colour, found = pixel(frames[0].data, *red_at)
    assert (size, True) == (found, near(RED, colour))


def test_pixels_that_are_not_square():
    """A frame with oblong pixels is sent as wide as it is shown; nonsense in the header is not followed."""
    oblong = encoded([halves(180, 144, "yuv420p")] * 3, "libx264", "mp4", "yuv420p", aspect=Fraction(64, 45))
    absurd = encoded([halves(180, 144, "yuv420p")] * 3, "libx264", "mp4", "yuv420p", aspect=Fraction(255, 1))

    assert (256, 144) == pixel(frames_of(oblong)[0][0].data, 0, 0)[1]
    assert (180, 144) == pixel(frames_of(absurd)[0][0].data, 0, 0)[1]


def test_a_wide_film_and_a_wide_image():
    """A film is scaled to 1,280 pixels, an image is not."""
    wide = halves(2_000, 200, "yuv420p")

    [of_film], _ = frames_of(encoded([wide], "libx264", "mp4", "yuv420p"))
    [of_image], _ = frames_of(encoded([wide.reformat(format="bgr24")], "bmp", "image2pipe", "bgr24"))

    assert ((1_280, 128), (2_000, 200)) == (pixel(of_film.data, 0, 0)[1], pixel(of_image.data, 0, 0)[1])


@pytest.mark.parametrize(
    ("codec", "container", "pixels"),
    [
        ("libwebp", "webp", "yuv420p"),
        ("bmp", "image2pipe", "bgr24"),
        ("tiff", "image2pipe", "rgb24"),
        ("libsvtav1", "avif", "yuv420p"),
        ("png", "image2pipe", "rgb24"),
        ("mjpeg", "image2pipe", "yuvj420p"),
    ],
)
def test_images(codec, container, pixels):
    """An image is one frame at 0; JPEG and PNG are sent as they are."""
    data = encoded([halves(160, 96, pixels)], codec, container, pixels)

    frames, media = frames_of(data)

    assert ("image", codec in {"png", "mjpeg"}, None, True) == (media.kind, media.passthrough, media.duration_ms, media.complete)
    for frame in frames:
        assert (0, (160, 96)) == (frame.at_ms, pixel(frame.data, 0, 0)[1])
        assert near(RED, pixel(frame.data, 0.2, 0.5)[0])
        assert near(GREEN, pixel(frame.data, 0.8, 0.5)[0])
    assert len(frames) == (not media.passthrough)


@pytest.mark.parametrize(("codec", "container", "pixels"), [("gif", "gif", "rgb8"), ("apng", "apng", "rgb24")])
def test_animated_images(codec, container, pixels):
    """An animated image is a film: its frames are sent by the interval, an animated PNG's as well."""
    frames, media = frames_of(encoded([halves(160, 96, pixels)] * 40, codec, container, pixels, rate=10))

    assert ("film", False) == (media.kind, media.passthrough)
    assert [500, 1_500, 2_500, 3_500] == pytest.approx([frame.at_ms for frame in frames], abs=110)


@pytest.mark.parametrize("thumbnails", [0, 2])
def test_a_heic_image(thumbnails):
    """A HEIC image of one tile is one frame, whatever thumbnails stand beside it."""
    [frame], media = frames_of(heic(thumbnails=thumbnails))

    assert ("image", 0, (80, 80)) == (media.kind, frame.at_ms, pixel(frame.data, 0, 0)[1])


@pytest.mark.parametrize("thumbnails", [0, 1])
def test_a_heic_image_of_tiles(thumbnails):
    """One of several tiles, as phones make them, is refused by name: neither a tile nor a thumbnail is taken for the whole."""
    with pytest.raises(MediaError) as caught:
        frames_of(heic(3, 2, thumbnails))

    assert (reasons.TILED, "it is an image of 6 tiles, which are not joined here") == (
        caught.value.problem.code,
        caught.value.problem.message,
    )
    assert cure_of(reasons.TILED) == "save it as JPEG or PNG, upload and scan the new file"


def tiff(order, *kinds):
    """Return a TIFF with an image for each kind, which is the value of its NewSubfileType, or of SubfileType if it is negative."""
    data = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))
    link = 4
    for kind in kinds:
        strip = len(data)
        data += bytes(RED) * 80 * 96
        tag, width, value = (254, 4, kind) if kind >= 0 else (255, 3, -kind)
        entries = [(tag, width, value), (256, 4, 80), (257, 4, 96), (258, 3, 8), (259, 3, 1), (262, 3, 2)]
        entries += [(273, 4, strip), (277, 3, 3), (278, 4, 96), (279, 4, 3 * 80 * 96)]
        struct.pack_into(f"{order}I", data, link, len(data))
        data += struct.pack(f"{order}H", len(entries))
        for tag, width, value in entries:
            data += struct.pack(f"{order}HHI{'I' if width == 4 else 'Hxx'}", tag, width, 1, value)
        link = len(data)
        data += bytes(4)
    return bytes(data)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kinds", [(0, 0), (0, 1, 0), (2, 2), (-3, -3)])
def test_a_tiff_of_several_pages(order, kinds):
    """A TIFF of several pages is refused by name: FFmpeg would decode the first one alone."""
    with pytest.raises(MediaError) as caught:
        frames_of(tiff(order, *kinds))

    assert reasons.PAGES == caught.value.problem.code
    assert cure_of(reasons.PAGES) == "save each page as an image of its own, upload and scan the new files"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kinds", [(0,), (0, 1, 4), (0, -2), (-1,)])
def test_a_tiff_of_one_page(order, kinds):
    """Smaller copies and masks beside an image are no pages; neither is what a damaged file promises."""
    whole = tiff(order, *kinds)
    cut_off = whole[:-4] + struct.pack(f"{order}I", len(whole) + 1_000)

    for data in (whole, cut_off):
        [frame], media = frames_of(data)

        assert ("image", (80, 96)) == (media.kind, pixel(frame.data, 0, 0)[1])


def test_a_tiff_in_a_circle():
    """The pages of a TIFF are counted to an end, although each follows another."""
    data = bytearray(tiff("<", 0, 0))
    data[-4:] = data[4:8]

    with pytest.raises(MediaError) as caught:
        frames_of(bytes(data))

    assert reasons.PAGES == caught.value.problem.code


def test_an_animated_avif():
    """An animated AVIF is a film: its frames are sent by the interval."""
    pictures = [halves(160, 96, "yuv420p") for _ in range(40)]

    frames, media = frames_of(encoded(pictures, "libsvtav1", "avif", "yuv420p", rate=10))

    assert "film" == media.kind
    assert [500, 1_500, 2_500, 3_500] == pytest.approx([frame.at_ms for frame in frames], abs=110)


def test_an_animated_webp():
    """FFmpeg, as it is here, knows no animated WebP: it is refused, not looked at in part. Registration refuses it by name."""
    canvas = b"VP8X" + (10).to_bytes(4, "little") + b"\x02\0\0\0" + (99).to_bytes(3, "little") * 2
    still = encoded([halves(100, 100, "yuv420p")], "libwebp", "webp", "yuv420p")[12:]
    shown = bytes(6) + (99).to_bytes(3, "little") * 2 + (100).to_bytes(3, "little") + b"\0" + still
    chunks = canvas + b"ANIM" + (6).to_bytes(4, "little") + bytes(6) + (b"ANMF" + len(shown).to_bytes(4, "little") + shown) * 3
    data = b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WEBP" + chunks

    with pytest.raises(MediaError) as caught:
        frames_of(data)

    assert reasons.UNDECODABLE == caught.value.problem.code
    assert reasons.ANIMATED_WEBP == image_problem(data[:FIRST_BYTES]).code
    assert image_problem(encoded([halves(100, 100, "yuv420p")], "libwebp", "webp", "yuv420p")) is None


def test_transparent_parts():
    """What is transparent becomes grey, whatever colour hides in it."""
    frame = VideoFrame(160, 96, "rgba")
    frame.planes[0].update(bytes((*RED, 0)) * (frame.planes[0].line_size // 4) * 96)

    [sent], _ = frames_of(encoded([frame], "tiff", "image2pipe", "rgba"))

    assert near(GREY, pixel(sent.data, 0.5, 0.5)[0])


@pytest.mark.parametrize(
    ("start", "size"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x50\0\0\0\x60\x08\2\0\0\0\0\0\0\0\0\0\0\1IDAT", Size(80, 96)),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x50\0\0\0\x60\x08\2\0\0\0\0\0\0\0\0\0\0\x08acTL", None),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIH", None),
        (b"\xff\xd8\xff\xe0\0\x04ab\xff\xc2\0\x11\x08\0\x50\0\x60", Size(96, 80)),
        (b"\xff\xd8\xff\xff\xe1\0\x02\xff\xc4\0\x02\xff\xc0\0\x11\x08\0\x50\0\x60", Size(96, 80)),
        (b"\xff\xd8\xff\xe0\0\x04ab\xff\xda\0\x08", None),
        (b"\xff\xd8\xff\xe0\0", None),
        (b"\xff\xd8\xff\xe0\0\x02" + b"\xff\xe0\0\x02" * 10_000, None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_sizes_from_headers(start, size):
    """The size of a JPEG or a PNG is read from its header; animated or damaged ones have none."""
    assert size == still_size(lambda offset, length: start[offset : offset + length])


def test_a_large_jpeg_is_not_sent_as_it_is():
    """A JPEG of more than 15 MB is decoded and encoded anew."""
    data = encoded([halves(160, 96, "yuvj420p")], "mjpeg", "image2pipe", "yuvj420p")

    frames, media = frames_of(data + bytes(15 * 1024**2))

    assert (False, 1) == (media.passthrough, len(frames))


@pytest.mark.parametrize("kind", ["h264 b-frames mp4", "h264 ts", "vp9 webm", "h264 b-frames avi"])
def test_going_on_where_it_was(kind):
    """A film that is taken up again has the frames that were left, and none twice."""
    data = film(Made(kind, 12.0, (Shown(5, 8.0, 10.5),), key_s=3.0))
    whole, _ = frames_of(data)

    for number in (0, 4, len(whole) - 1):
        rest, media = frames_of(data, after_ms=whole[number].at_ms)

        assert [frame.at_ms for frame in whole[number + 1 :]] == pytest.approx([frame.at_ms for frame in rest], abs=110)
        assert all(frame.at_ms > whole[number].at_ms for frame in rest)
        assert media.complete
    assert 5 in {card_of(frame.data) for frame in whole}


def test_going_on_within_a_still_picture():
    """A picture that is on screen for seconds is analysed once, although its time is stored in whole milliseconds."""
    data = encoded([halves(160, 96)] * 3, "libx264", "mp4", "yuv420p", rate=Fraction(3, 10))
    whole, _ = frames_of(data)

    rests = [[frame.at_ms for frame in frames_of(data, after_ms=at)[0]] for at in (3_333, 6_667)]

    assert [0, 3_333, 6_667] == [frame.at_ms for frame in whole]
    assert [[6_667], []] == rests


def test_going_on_late_in_a_film_without_reliable_times():
    """Of what was analysed the key frames alone are decoded, and the rest is found at its times."""
    data = film(Made("h264 b-frames avi", 100.0, (Shown(5, 94.0, 98.0),), fps=Fraction(10), key_s=3.0))

    rest, _ = frames_of(data, interval_ms=2_000, after_ms=90_000)

    assert [92_000, 94_000, 96_000, 98_000] == pytest.approx([frame.at_ms for frame in rest][:4], abs=400)
    assert 5 in {card_of(frame.data) for frame in rest}
    assert len(rest) <= 5


def test_an_indexed_film_is_read_in_parts():
    """Of an MP4 with B-frames and a key frame each interval, the key frames alone are read, each by one GET."""
    source = Bytes(film(Made("prores mov", 20.0, key_s=1.0)))

    with open_media(source, interval_ms=5_000, after_ms=None) as media:
        images = sum(1 for _ in media.frames())

    assert images == 4
    assert source.bytes < 0.4 * source.size
    assert source.gets <= images + 6


def test_an_index_that_lies():
    """An MP4 whose table of key frames is wrong is read in order, and the cards are found."""
    data = bytearray(film(Made("h264 b-frames mp4", 20.0, (Shown(4, 9.2, 11.6),), key_s=2.0)))
    at = data.index(b"stss") + 8
    count = int.from_bytes(data[at : at + 4], "big")
    for number in range(1, count):
        entry = at + 4 + 4 * number
        data[entry : entry + 4] = (int.from_bytes(data[entry : entry + 4], "big") + 7).to_bytes(4, "big")

    frames, _ = frames_of(bytes(data), interval_ms=2_000)

    assert 4 in {card_of(frame.data) for frame in frames}
    assert max(b.at_ms - a.at_ms for a, b in itertools.pairwise(frames)) <= 2_200


def test_what_follows_the_index():
    """Fragments behind the film that the header describes are looked at as well."""
    plain = film(Made("h264 fragmented", 6.0, key_s=1.0))
    more = film(Made("h264 fragmented", 12.0, (Shown(9, 8.0, 11.0),), key_s=1.0))

    frames, _ = frames_of(plain + more[more.index(b"moof") - 4 :])

    assert 9 in {card_of(frame.data) for frame in frames}


class TestRanges:
    """Small reads of an object become few large ones."""

    def test_one_after_the_other(self):
        """Pieces double while they follow one another, up to 2 MB."""
        source = Bytes(bytes(range(256)) * 40_000)
        ranges = Ranges(source)

        read = b"".join(ranges.read(offset, 4_096, 0) for offset in range(0, source.size, 4_096))

        assert source.data == read
        assert source.gets == 5 + 4  # 64 KiB to 1 MiB, and the rest of ten

    def test_what_will_be_needed(self):
        """All up to a place that is known is read at once."""
        source = Bytes(bytes(1_000_000))
        ranges = Ranges(source)

        for offset in range(300_000, 500_000, 10_000):
            ranges.read(offset, 10_000, 500_000)

        assert (1, 200_000) == (source.gets, source.bytes)

    def test_what_is_kept(self):
        """The pieces that were used last are kept, 8 MB of them."""
        source = Bytes(bytes(64 * 1024**2))
        ranges = Ranges(source)

        for offset in range(0, source.size, 2 * 1024**2):
            ranges.read(offset, 2 * 1024**2, 0)
            ranges.read(0, 10, 0)

        assert source.bytes == source.size
        assert sum(map(len, ranges._pieces.values())) <= 8 * 1024**2


def test_the_kinds_that_are_made():
    """The films of the tests have the codecs and containers that are promised."""
    assert {"mp4", "mov", "mpegts", "matroska", "webm", "avi"} <= {container for _, _, container, _ in KINDS.values()}
    assert any(options == FRAGMENTED for _, _, _, options in KINDS.values())
