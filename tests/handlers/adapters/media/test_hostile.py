"""Hostile media end with a named reason, in bounded memory and time, and the worker lives on."""

import io
import itertools
import random
import signal
import struct
import sys
import zlib
from fractions import Fraction

import av
import pytest
from av.video.frame import VideoFrame

from handlers.adapters.media import MediaError, open_media, process
from handlers.adapters.media.process import Decoder, DecoderFailedError
from handlers.adapters.media.ranges import Ranges, ReadTooMuchError
from handlers.domain import reasons
from tests.handlers.adapters.media.made_films import Bytes, Made, Shown, card_of, film, frames_of

SENDS = "import sys; from handlers.decoder import send; send(sys.stdout.buffer"
CARD = Shown(7, 4.0, 6.0)
pytestmark = pytest.mark.slow


def problem_of(data):
    """Return why nothing is decoded."""
    with pytest.raises(MediaError) as caught:
        frames_of(data)
    return caught.value.problem


def reason_of(data):
    """Return the code of the reason why nothing is decoded."""
    return problem_of(data).code


def image(width, height, codec, pixels, container):
    """Return a black image."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as output:
        stream = output.add_stream(codec, rate=1)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        frame = VideoFrame(width, height, pixels)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts, frame.time_base = 0, Fraction(1)
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return target.getvalue()


def png(width, height, rows):
    """Return a grey PNG that claims a size and holds that many rows."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packed = zlib.compress(bytes((width + 1) * rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def size_of(jpeg):
    """Return width and height of a JPEG."""
    frame = next(av.open(io.BytesIO(jpeg)).decode(video=0))
    return frame.width, frame.height


@pytest.mark.parametrize(("codec", "pixels", "container"), [("bmp", "bgr24", "image2pipe"), ("png", "rgb24", "image2pipe")])
def test_one_pixel(codec, pixels, container):
    """An image of one pixel is padded to the size that Rekognition takes."""
    [frame], media = frames_of(image(1, 1, codec, pixels, container))

    assert ("image", 0, (80, 80)) == (media.kind, frame.at_ms, size_of(frame.data))


@pytest.mark.parametrize(("width", "height"), [(20_000, 20), (20, 20_000), (20_000, 200)])
def test_twenty_thousand_pixels(width, height):
    """An image that is too wide or too high is scaled to the size that Rekognition takes."""
    [frame], _ = frames_of(png(width, height, height))

    assert size_of(frame.data) == (
        max(80, min(width, 10_000 * width // max(width, height))),
        max(80, 10_000 * height // max(width, height)),
    )


def test_a_png_bomb():
    """A PNG of 400 million pixels is refused by its size, before it is unpacked."""
    assert reasons.TOO_MANY_PIXELS == reason_of(png(20_000, 20_000, rows=1))


def test_a_gif_bomb():
    """A GIF of the largest size is refused."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0x80, 0, 0) + bytes(6)
    picture = b"," + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0) + b"\x02\x16" + bytes(22) + b"\x00;"

    assert reason_of(screen + picture * 3) in {reasons.TOO_MANY_PIXELS, reasons.UNDECODABLE}


def test_the_words_of_ffmpeg():
    """The message has FFmpeg's words for what is wrong, without its error number or the names of its functions."""
    message = problem_of(b"This was meant to be a video.\n" * 100).message

    assert "FFmpeg cannot open it: Invalid data found when processing input" == message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"This was meant to be a video.\n" * 100,
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        random.Random(1).randbytes(100_000),
        b"\x1a\x45\xdf\xa3" + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" * 5_000,  # segments within segments
    ],
)
def test_no_media(data):
    """What is not a film has a reason; lists of other files are not followed."""
    assert reason_of(data) in {reasons.UNDECODABLE, reasons.NO_PICTURE}


def test_sound_alone():
    """A film without picture is refused by name."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=44_100, layout="mono")
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1_024)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.sample_rate, frame.pts = 44_100, 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))

    assert reasons.NO_PICTURE == reason_of(target.getvalue())


def test_many_streams():
    """Of a film with fifty pictures, the one that players show is looked at: the first."""
    target = io.BytesIO()
    with av.open(target, "w", format="matroska") as output:
        streams = [output.add_stream("mpeg4", rate=5) for _ in range(50)]
        for number, stream in enumerate(streams):
            stream.width = stream.height = 32 + 2 * number
            stream.pix_fmt = "yuv420p"
        for at in range(20):
            for stream in streams:
                frame = VideoFrame(stream.width, stream.height, "yuv420p")
                frame.pts, frame.time_base = at, Fraction(1, 5)
                output.mux(stream.encode(frame))

    frames, media = frames_of(target.getvalue())

    assert (4, True) == (len(frames), media.complete)
    assert {(80, 80)} == {size_of(frame.data) for frame in frames}


def check_cut_off(kind, seconds, step=None):
    """Check what is left of a film that is cut off after each multiple of a number of bytes, or of a quarter of it."""
    data = film(Made(kind, seconds, key_s=1.0, fps=Fraction(10)))
    _, whole = frames_of(data)
    images = []

    for length in range(0, len(data), step or len(data) // 4):
        try:
            frames, media = frames_of(data[:length])
        except MediaError as error:
            assert error.problem.code in {reasons.UNDECODABLE, reasons.NO_PICTURE}  # noqa: PT017
            continue
        assert media.decoded_ms <= whole.decoded_ms
        assert not media.complete or media.duration_ms is None or media.decoded_ms > media.duration_ms - 1_200
        images.append(len(frames))

    assert (whole.complete, whole.decoded_ms) == (True, pytest.approx(1_000 * seconds, abs=250))
    # The index of the one is behind its pictures, so that nothing of it is found once more than the end is missing.
    least = 0 if kind == "h264 mp4" else 0.7 * seconds
    assert least <= max(images, default=0) <= seconds + 1


@pytest.mark.parametrize("kind", ["h264 mp4", "h264 ts", "h264 mkv without cues"])
def test_cut_off(kind):
    """What is left of a film is decoded, and nothing is called complete that ends long before its header says."""
    check_cut_off(kind, 10.0)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["h264 mp4", "h264 fragmented", "h264 ts", "h264 mkv", "vp9 webm", "mpeg4 avi"])
def test_cut_off_at_every_kilobyte(kind):
    """The same holds wherever a film is cut off."""
    check_cut_off(kind, 5.0, step=1_024)


def test_cut_off_before_its_end():
    """A film of which the second half is missing says how far it was decoded."""
    data = film(Made("h264 fragmented", 20.0, (CARD,), key_s=1.0))
    described = film(Made("h264 flv", 20.0, (CARD,), key_s=1.0))

    frames, media = frames_of(described[: len(described) // 2])

    assert media.duration_ms == 20_000
    assert not media.complete
    assert 5_000 < media.decoded_ms < 15_000
    assert 7 in {card_of(frame.data) for frame in frames}
    assert frames_of(data)[1].complete


HOLES = ["h264 ts", "hevc ts", "mpeg2 ts", "mpeg2 ps", "h264 mkv", "h264 mkv without cues", "vp9 webm", "h264 flv", "wmv asf"]


def with_hole(data, *, filled, unit=1):
    """Return a film of which almost a third is missing, or overwritten with zeros; it begins and ends with whole units of bytes."""
    begin, end = (int(len(data) * share) // unit * unit for share in (0.31, 0.6))
    return data[:begin] + bytes(end - begin if filled else 0) + data[end:]


@pytest.mark.parametrize("filled", [True, False], ids=["zeros", "missing"])
@pytest.mark.parametrize("kind", HOLES)
def test_a_hole(kind, filled):
    """A film is not complete if a part of it is lost, also where FFmpeg reports nothing; what is around that part is analysed."""
    data = film(Made(kind, 30.0, key_s=2.0, fps=Fraction(25 if "mpeg2" in kind else 10)))

    frames, media = frames_of(with_hole(data, filled=filled, unit=188 if "ts" in kind else 1), interval_ms=2_000)

    assert max(later.at_ms - earlier.at_ms for earlier, later in itertools.pairwise(frames)) > 5_000
    assert (False, 30_000) == (media.complete, pytest.approx(media.decoded_ms, abs=500))
    assert frames_of(data, interval_ms=2_000)[1].complete


@pytest.mark.parametrize(
    ("kind", "sound"), [("h264 b-frames mp4", False), ("vp8 webm", False), ("h264 mkv", True), ("h264 ts", True)]
)
def test_a_picture_that_stays_on_screen(kind, sound):
    """A film without a frame for long is complete where its header, its sound or its bytes show that none is lost."""
    frames, media = frames_of(film(Made(kind, 30.0, fps=Fraction(10), pause=(10.0, 20.0), sound=sound)), interval_ms=2_000)

    assert max(later.at_ms - earlier.at_ms for earlier, later in itertools.pairwise(frames)) > 5_000
    assert (True, 30_000) == (media.complete, pytest.approx(media.decoded_ms, abs=250))


@pytest.mark.parametrize("filled", [True, False], ids=["zeros", "missing"])
def test_a_broken_fragment(filled):
    """A film in fragments is not complete if FFmpeg ends it at a part that is lost, although fragments follow."""
    data = film(Made("h264 fragmented", 30.0, key_s=2.0, fps=Fraction(10)))

    frames, media = frames_of(with_hole(data, filled=filled), interval_ms=2_000)

    assert (False, 5, True) == (media.complete, len(frames), media.decoded_ms < 12_000)
    assert frames_of(data, interval_ms=2_000)[1].complete
    assert frames_of(data[: len(data) * 2 // 3], interval_ms=2_000)[1].complete  # its recording was interrupted


@pytest.mark.parametrize("kind", ["h264 b-frames mp4", "h264 fragmented", "hevc mp4"])
def test_an_encrypted_film(kind):
    """A film that is encrypted is refused as such: what is decoded without its key is no picture of it."""
    problem = problem_of(film(Made(kind, 20.0, fps=Fraction(10), encrypted=True)))

    assert (reasons.UNDECODABLE, "it is encrypted (Common Encryption, as with DRM)") == (problem.code, problem.message)


@pytest.mark.parametrize("kind", ["h264 mp4", "prores mov"])
def test_bytes_behind_a_film(kind):
    """A film that its header describes as a whole is complete, whatever follows it."""
    data = film(Made(kind, 6.0, fps=Fraction(10)))

    assert frames_of(data + bytes(1_000), interval_ms=2_000)[1].complete


@pytest.mark.parametrize("seed", range(8))
def test_broken_bytes(seed):
    """Bytes that were changed at random end in frames or in a reason."""
    chance = random.Random(seed)
    data = bytearray(film(Made(("h264 mp4", "vp9 webm", "hevc mkv", "mpeg2 ts")[seed % 4], 5.0, key_s=1.0, fps=Fraction(25))))
    for _ in range(2 ** (seed + 2)):
        data[chance.randrange(len(data))] = chance.randrange(256)

    try:
        frames, _ = frames_of(bytes(data))
    except MediaError as error:
        assert error.problem.code in reasons.REASONS  # noqa: PT017
    else:
        assert len(frames) < 200


def test_times_that_begin_anew():
    """Where times go back, as in films that were joined, the second one is looked at as well."""
    first = film(Made("h264 ts", 10.0, key_s=1.0))
    second = film(Made("h264 ts", 5.0, (Shown(3, 1.0, 4.0),), key_s=1.0))

    frames, _ = frames_of(first + second)

    assert 3 in {card_of(frame.data) for frame in frames}
    assert [frame.at_ms for frame in frames] == sorted({frame.at_ms for frame in frames})
    assert len(frames) <= 17


def test_times_that_leap():
    """A frame a day after the one before it costs one image, not a day of them."""
    target = io.BytesIO()
    with av.open(target, "w", format="matroska") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for number in range(40):
            frame = VideoFrame(128, 96, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            for packet in stream.encode(frame):
                packet.pts, packet.dts = (at + (864_000 if at >= 20 else 0) for at in (packet.pts, packet.dts))
                output.mux(packet)

    frames, _ = frames_of(target.getvalue())

    assert 3 <= len(frames) <= 6
    assert frames[-1].at_ms > 86_400_000


class TestDecoder:
    """The process that decodes, replaced by others that misbehave."""

    def decoder(self, program, **options):
        """Return a decoder that runs a program."""
        return Decoder(Ranges(Bytes(bytes(1_000))), command=(sys.executable, "-c", program), **options)

    @pytest.mark.parametrize(
        ("program", "reason"),
        [
            ("import os; os.abort()", "SIGABRT"),
            ("raise SystemExit(3)", "exit code 3"),
            ("import sys; sys.stdout.write('x' * 100)", "a message of"),
            (f"{SENDS}, {{'is': 'read'}})", "without numbers"),
            (f"{SENDS}, {{'is': 'read', 'offset': 0, 'length': 0, 'until': 0}})", "bytes from 0 to 0, of 1000"),
            (f"{SENDS}, {{'is': 'read', 'offset': 1000, 'length': 1, 'until': 0}})", "bytes from 1000 to 1001, of 1000"),
        ],
    )
    def test_a_process_that_fails(self, program, reason):
        """How it failed is said."""
        decoder = self.decoder(program)

        with pytest.raises(DecoderFailedError, match=reason):
            decoder.step()

        decoder.close()

    def test_a_process_that_hangs(self):
        """It is given up after the seconds of a step."""
        decoder = self.decoder("import time; time.sleep(60)", step_seconds=0.01)

        with pytest.raises(DecoderFailedError, match=r"more than 0\.01 seconds"):
            decoder.step()

        decoder.close()

    def test_no_credentials(self, monkeypatch):
        """The process has none of our environment but what Python needs."""
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        decoder = self.decoder(f"import os; {SENDS}, {{'is': 'names', 'names': list(os.environ)}})")

        message, _ = decoder.step()

        decoder.close()
        assert not [name for name in message["names"] if name.startswith("AWS")]

    def test_memory(self):
        """A decoder that needs too much memory fails by itself."""
        decoder = self.decoder(
            "from handlers.decoder import __main__ as m\n"
            "m.limit_memory()\n"
            "few = bytearray(64 * 1024**2)\n"
            "try:\n    bytearray(2 * 1024**3)\n"
            "except MemoryError:\n    raise SystemExit(7)"
        )

        with pytest.raises(DecoderFailedError, match="exit code 7"):
            decoder.step()

        decoder.close()


@pytest.mark.parametrize(
    ("reads", "decoders", "opened"),
    [(0, 0, False), (3, 1, False), (4, 1, True)],
    ids=["at the first byte", "while it is opened", "on its way"],
)
def test_what_reading_raises_comes_out_as_it_is(reads, decoders, opened):
    """An error of S3 is not FFmpeg's, whether the film is opened or on its way, and the process is gone."""
    source = Bytes(film(Made("h264 ts", 20.0, key_s=1.0)) * 40)
    whole = source.read
    started, frames = [], []

    def read(offset, length):
        if source.gets == reads:
            raise ConnectionError("S3 is away")
        return whole(offset, length)

    def start(ranges):
        started.append(Decoder(ranges))
        return started[-1]

    source.read = read

    with (
        pytest.raises(ConnectionError, match="S3 is away"),
        open_media(source, interval_ms=1_000, after_ms=None, start=start) as media,
    ):
        frames.extend(media.frames())

    assert opened == bool(frames)
    assert [-signal.SIGKILL] * decoders == [each._process.returncode for each in started]


def test_a_crash_on_the_way(monkeypatch):
    """A film on which FFmpeg crashes after some frames counts as decoded up to there."""
    with open_media(Bytes(film(Made("h264 mp4", 10.0, key_s=1.0))), interval_ms=1_000, after_ms=None) as media:
        frames = media.frames()
        next(frames)
        media._decoder._process.kill()

        assert [] == list(frames)

    assert (False, 500) == (media.complete, media.decoded_ms)


def test_files_that_lead_in_circles():
    """Reading ends once far more was read than there is."""
    ranges = Ranges(Bytes(bytes(20 * 1024**2)))

    def read_again_and_again():
        for offset in itertools.cycle(range(0, 20 * 1024**2, 2 * 1024**2)):
            ranges.read(offset, 2 * 1024**2, 0)

    with pytest.raises(ReadTooMuchError, match="circles"):
        read_again_and_again()


def test_the_step_is_shorter_than_an_invocation():
    """One step leaves an invocation of 15 minutes time for others."""
    assert process.STEP_SECONDS <= 120
