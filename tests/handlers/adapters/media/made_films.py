"""Films with test cards at known times, in the codecs and containers that PyAV writes; drawn by a seed."""

import functools
import io
import os
import random
from dataclasses import dataclass
from fractions import Fraction

import av
from av.video.frame import VideoFrame

from handlers.adapters.media import open_media
from tools.emulator.cards import CARDS, GRID, grey_level, recognise

os.environ["SVT_LOG"] = "0"  # libsvtav1 talks

WIDTH, HEIGHT = 128, 96
X264 = {"preset": "ultrafast", "sc_threshold": "0"}
X265 = {"preset": "ultrafast", "x265-params": "scenecut=0:log-level=none:pools=1:frame-threads=1"}
VPX = {"deadline": "realtime", "cpu-used": "8"}
AV1 = {"preset": "12", "svtav1-params": "scd=0:lp=1"}
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
ENCRYPTED = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "01" * 16, "encryption_kid": "02" * 16}
# Encoder, its options, FFmpeg's name of the container, and the muxer's options.
KINDS = {
    "h264 mp4": ("libx264", X264, "mp4", {}),
    "h264 b-frames mp4": ("libx264", {**X264, "preset": "veryfast", "bf": "3"}, "mp4", {}),
    "h264 b-frames mov": ("libx264", {**X264, "preset": "veryfast", "bf": "3"}, "mov", {}),
    "h264 open gop mp4": ("libx264", {**X264, "preset": "veryfast", "bf": "3", "x264-params": "open-gop=1"}, "mp4", {}),
    "h264 fragmented": ("libx264", {**X264, "preset": "veryfast", "bf": "2"}, "mp4", FRAGMENTED),
    "h264 ts": ("libx264", {**X264, "preset": "veryfast", "bf": "3"}, "mpegts", {}),
    "h264 mkv": ("libx264", {**X264, "preset": "veryfast", "bf": "3"}, "matroska", {}),
    "h264 mkv without cues": ("libx264", X264, "matroska", {"live": "1"}),
    "h264 avi": ("libx264", X264, "avi", {}),
    "h264 b-frames avi": ("libx264", {**X264, "preset": "veryfast", "bf": "2"}, "avi", {}),
    "h264 flv": ("libx264", X264, "flv", {}),
    "hevc mp4": ("libx265", X265, "mp4", {}),
    "hevc ts": ("libx265", X265, "mpegts", {}),
    "hevc mkv": ("libx265", X265, "matroska", {}),
    "vp8 webm": ("libvpx", VPX, "webm", {}),
    "vp9 webm": ("libvpx-vp9", VPX, "webm", {}),
    "vp9 mp4": ("libvpx-vp9", VPX, "mp4", {}),
    "av1 mp4": ("libsvtav1", AV1, "mp4", {}),
    "av1 mkv": ("libsvtav1", AV1, "matroska", {}),
    "mpeg2 ts": ("mpeg2video", {"bf": "2", "sc_threshold": "1000000"}, "mpegts", {}),
    "mpeg2 ps": ("mpeg2video", {"bf": "2", "sc_threshold": "1000000"}, "mpeg", {}),
    "mpeg4 avi": ("mpeg4", {"sc_threshold": "1000000"}, "avi", {}),
    "wmv asf": ("wmv2", {"sc_threshold": "1000000"}, "asf", {}),
    "prores mov": ("prores_ks", {"profile": "proxy"}, "mov", {}),
}
PIXELS = {"prores_ks": "yuv422p10le"}
MPEG_RATES = (24, 25, 30, 50, 60)


@dataclass(frozen=True)
class Shown:
    """A card with its number in `CARDS`, from one second up to another."""

    card: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Made:
    """What a film is made of; `key_s` is how far key frames are apart, `pause` from when to when no frame comes."""

    kind: str
    seconds: float
    cards: tuple[Shown, ...] = ()
    fps: Fraction = Fraction(30)
    key_s: float = 2.0
    variable: bool = False
    rotation: int = 0
    start_s: float = 0.0
    seed: int = 0
    pause: tuple[float, float] = (0.0, 0.0)
    sound: bool = False
    encrypted: bool = False

    def times(self):
        """Return the times of the frames, in ticks of a 90,000th of a second."""
        period = 90_000 / self.fps
        if not self.variable:
            times = [round(number * period) for number in range(round(self.seconds * self.fps))]
            return [at for at in times if not self.pause[0] < at / 90_000 < self.pause[1]]
        chance = random.Random(self.seed)
        times, at = [], 0.0
        while at < self.seconds * 90_000:
            times.append(round(at))
            at += float(period) * chance.choice((1, 1, 2, 3))
        return times

    def card_at(self, seconds):
        """Return the card that is shown, if any."""
        return next((shown.card for shown in self.cards if shown.start_s <= seconds < shown.end_s), None)


@functools.cache
def film(made):
    """Return the bytes of a film."""
    encoder, options, container, muxer = KINDS[made.kind]
    target = io.BytesIO()
    options_of_muxer = muxer | (ENCRYPTED if made.encrypted else {})
    with av.open(target, "w", format=container, options=options_of_muxer) as output:
        stream = output.add_stream(encoder, rate=made.fps, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, PIXELS.get(encoder, "yuv420p")
        stream.codec_context.gop_size = max(1, round(made.key_s * made.fps))
        stream.codec_context.thread_count = 1
        stream.codec_context.bit_rate = 2_000_000
        counted = container == "avi" or encoder in {"mpeg2video", "mpeg4", "wmv2"}  # time in frames
        stream.codec_context.time_base = 1 / made.fps if counted else Fraction(1, 90_000)
        if made.rotation:
            stream.set_display_rotation(made.rotation)
        sound = _Silence(output) if made.sound else None
        for number, ticks in enumerate(made.times()):
            if sound:
                sound.mux_until(ticks / 90_000)
            frame = picture(made.card_at(ticks / 90_000), number % 32, stream.pix_fmt)
            frame.time_base = stream.codec_context.time_base
            frame.pts = round(Fraction(ticks, 90_000) / frame.time_base) + round(made.start_s / frame.time_base)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return target.getvalue()


class _Silence:
    """A sound track in which nothing is heard."""

    RATE, SAMPLES = 48_000, 1_152

    def __init__(self, output):
        self._output, self._at = output, 0
        self._stream = output.add_stream("mp2", rate=self.RATE, layout="mono")

    def mux_until(self, seconds):
        """Write sound up to a time."""
        while self._at < seconds * self.RATE:
            frame = av.AudioFrame(format="s16", layout="mono", samples=self.SAMPLES)
            frame.planes[0].update(bytes(frame.planes[0].buffer_size))
            frame.sample_rate, frame.pts, frame.time_base = self.RATE, self._at, Fraction(1, self.RATE)
            self._output.mux(self._stream.encode(frame))
            self._at += self.SAMPLES


def picture(card, number, pixels="yuv420p"):
    """Return a frame of a card or, without one, of a moving pattern."""
    frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane, data in zip(frame.planes, _planes(card, number if card is None else 0), strict=True):
        plane.update(data)
    return frame if pixels == "yuv420p" else frame.reformat(format=pixels)


@functools.cache
def _planes(card, number):
    rows = []
    for y in range(HEIGHT):
        if card is None:
            rows.append(bytes(channel for x in range(WIDTH) for channel in _background(x + y + 2 * number)))
            continue
        colour, grey = bytes(CARDS[card].rgb), bytes([grey_level(95)] * 3)
        inside = HEIGHT // 4 <= y < HEIGHT - HEIGHT // 4
        rows.append(colour * 32 + (grey if inside else colour) * 64 + colour * 32)
    frame = VideoFrame(WIDTH, HEIGHT, "rgb24")
    plane = frame.planes[0]
    padding = bytes(plane.line_size - 3 * WIDTH)
    plane.update(b"".join(row + padding for row in rows))
    return tuple(bytes(plane) for plane in frame.reformat(format="yuv420p").planes)


def _background(x):
    height = min(x % 64, 64 - x % 64) * 4
    return 60 + height, 80 + height // 2, 110 + height // 4


def card_of(jpeg):
    """Return the number of the card that a JPEG shows, or None."""
    frame = next(av.open(io.BytesIO(jpeg)).decode(video=0))
    small = frame.reformat(GRID, GRID, "rgb24", interpolation="AREA")
    plane = small.planes[0]
    rows = bytes(plane)
    seen = recognise(b"".join(rows[y * plane.line_size : y * plane.line_size + 3 * GRID] for y in range(GRID)))
    return None if seen is None else CARDS.index(seen[0])


class Bytes:
    """A source in memory that counts."""

    def __init__(self, data):
        self.data, self.size = data, len(data)
        self.gets = self.bytes = 0

    def read(self, offset, length):
        """Return the bytes of a range."""
        part = self.data[offset : offset + length]
        self.gets, self.bytes = self.gets + 1, self.bytes + len(part)
        return part


def frames_of(data, interval_ms=1_000, after_ms=None):
    """Return the frames of an object, and the media that they came from."""
    with open_media(Bytes(data), interval_ms=interval_ms, after_ms=after_ms) as media:
        return list(media.frames()), media
