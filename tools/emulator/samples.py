"""Samples: real videos with test cards at known seconds, real images of them, and the library that a rehearsal scans.

A clip is a moving picture in muted colours in which test cards (see `cards.py`) appear for a while, a still is one such picture.
PyAV's FFmpeg encodes them; equal clips give equal bytes, and so do equal stills.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import av
from av.codec.context import Flags
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tools.emulator.cards import card_for, grey_level

# By a clip's codec: FFmpeg's encoder and its options. One thread, so that all machines make the same bytes.
_ENCODERS = {
    "h264": ("libx264", {"preset": "veryfast", "crf": "18", "threads": "1"}),
    "hevc": ("libx265", {"preset": "ultrafast", "crf": "18", "x265-params": "pools=none:frame-threads=1:log-level=error"}),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "threads": "1"}),
    "mpeg4": ("mpeg4", {"threads": "1"}),
}
# By a still's format: FFmpeg's muxer, encoder and format of pixels.
_STILLS = {"jpeg": ("mjpeg", "mjpeg", "yuvj444p"), "png": ("image2pipe", "png", "rgb24")}
_TILE = 64  # pixels after which the background's pattern repeats


@dataclass(frozen=True, slots=True)
class CardAt:
    """A test card with its label and confidence in per cent, shown from one second up to (not including) another."""

    label: str
    confidence: float
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Clip:
    """A video to make: length in seconds, cards, codec, an even size in pixels, frames a second, FFmpeg's name of the container.

    The codec is one of "h264", "hevc", "vp9" and "mpeg4".
    """

    seconds: float
    cards: tuple[CardAt, ...] = ()
    codec: str = "h264"
    width: int = 128
    height: int = 96
    fps: int = 10
    container: str = "mp4"


@dataclass(frozen=True, slots=True)
class Still:
    """An image to make: "jpeg" or "png", the label and confidence in per cent of its card (None: no card), its size in pixels."""

    format: str = "jpeg"
    label: str | None = None
    confidence: float = 95.0
    width: int = 128
    height: int = 96


@dataclass(frozen=True, slots=True)
class Expected:
    """What a scan with the shipped settings makes of an object.

    Attributes:
        state: CLEAN, FLAGGED, FAILED, INELIGIBLE, SKIPPED, or NOT_LISTED for an object that a scan of videos leaves out.
        labels: The cards that Rekognition reports, without parents. Their seconds are those of the picture, of which Rekognition
            samples every half second.
        reason: The code of a FAILED or INELIGIBLE object, otherwise "".
    """

    state: str
    labels: tuple[CardAt, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """An object of the demo library: its key, its content, and what a scan makes of it.

    Attributes:
        by_frames: What a scan by frames, every second, of all suffixes of the library makes of it; None: the same.
    """

    key: str
    content: Clip | Still | bytes
    expected: Expected
    by_frames: Expected | None = None

    def body(self) -> bytes:
        """Return the object's bytes; encodes a clip or a still, which takes milliseconds."""
        match self.content:
            case Clip():
                return encode(self.content)
            case Still():
                return encode_still(self.content)
        return self.content


def encode(clip: Clip) -> bytes:
    """Return a clip as a file, mp4 unless it says otherwise.

    Raises:
        KeyError: A card's label is not in the taxonomy, or the codec is unknown.
    """
    encoder, options = _ENCODERS[clip.codec]
    target = io.BytesIO()
    # bitexact: no version of the muxer in the file
    with av.open(target, "w", format=clip.container, options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(encoder, rate=clip.fps, options=options)
        assert isinstance(stream, VideoStream)  # noqa: S101 - tells mypy what every encoder above makes
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
        for frame in _frames(clip):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def encode_still(still: Still) -> bytes:
    """Return a still as a file.

    Raises:
        KeyError: The card's label is not in the taxonomy, or the format is unknown.
    """
    muxer, encoder, pixels = _STILLS[still.format]
    target = io.BytesIO()
    with av.open(target, "w", format=muxer, options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(encoder, rate=1, options={"threads": "1"})
        assert isinstance(stream, VideoStream)  # noqa: S101 - tells mypy what every encoder above makes
        stream.width, stream.height, stream.pix_fmt = still.width, still.height, pixels
        stream.codec_context.flags |= Flags.bitexact
        stream.codec_context.qmin = stream.codec_context.qmax = 2  # JPEG's best: a card keeps its colours
        container.mux(stream.encode(_picture(still.width, still.height, _rows(still, 0, still.label, still.confidence))))
        container.mux(stream.encode(None))
    return target.getvalue()


def _frames(clip: Clip) -> Iterator[VideoFrame]:
    for number in range(round(clip.seconds * clip.fps)):
        second = number / clip.fps
        card = next((card for card in clip.cards if card.start_s <= second < card.end_s), None)
        label, confidence = (None, 0.0) if card is None else (card.label, card.confidence)
        frame = _picture(clip.width, clip.height, _rows(clip, number, label, confidence))
        frame.pts = number
        yield frame


def _picture(width: int, height: int, rows: Iterable[bytes]) -> VideoFrame:
    frame = VideoFrame(width, height, "rgb24")
    plane = frame.planes[0]
    padding = bytes(plane.line_size - 3 * width)
    plane.update(b"".join(row + padding for row in rows))
    return frame


def _rows(size: Clip | Still, number: int, label: str | None, confidence: float) -> Iterator[bytes]:
    return _background(size, number) if label is None else _card(size, label, confidence)


def _card(size: Clip | Still, label: str, confidence: float) -> Iterator[bytes]:
    colour, grey = bytes(card_for(label).rgb), bytes([grey_level(confidence)] * 3)
    edge = size.width // 4
    plain = colour * size.width
    with_square = colour * edge + grey * (size.width - 2 * edge) + colour * edge
    for y in range(size.height):
        yield with_square if size.height // 4 <= y < size.height - size.height // 4 else plain


def _background(size: Clip | Still, number: int) -> Iterator[bytes]:
    """Yield the rows of a diagonal pattern that moves two pixels a frame."""
    pattern = _pattern() * (size.width // _TILE + 2)
    for y in range(size.height):
        offset = 3 * ((y + 2 * number) % _TILE)
        yield pattern[offset : offset + 3 * size.width]


@functools.cache
def _pattern() -> bytes:
    """Return a tile's row: a wave from slate to sand and back."""
    heights = [min(x, _TILE - x) * 4 for x in range(_TILE)]
    return bytes(channel for h in heights for channel in (60 + h, 80 + h // 2, 110 + h // 4))


@functools.cache
def tiny_clip(label: str | None = None, confidence: float = 95.0) -> bytes:
    """Return the smallest useful mp4 (one second, below 4 KB), which shows one card throughout, or none; made once."""
    cards = () if label is None else (CardAt(label, confidence, 0.0, 1.0),)
    return encode(Clip(1.0, cards, width=32, height=32, fps=2))


@functools.cache
def cut_short(clip: Clip) -> bytes:
    """Return a clip's mp4 file as an interrupted upload leaves it: the header, which is in front, and none of the pictures."""
    body = encode(clip)
    pictures, header = body.index(b"mdat") - 4, body.rindex(b"moov") - 4
    return body[:pictures] + body[header:] + body[pictures : pictures + 8]


def demo_library() -> tuple[Sample, ...]:
    """Return the objects of the demo bucket: every outcome, and keys such as people choose."""
    return (*_clean(), *_flagged(), *_not_analysed())


def demo_formats() -> tuple[Sample, ...]:
    """Return the objects of the demo bucket that only a scan by frames analyses."""
    smoking, explosion = CardAt("Smoking", 95.0, 1.0, 3.0), CardAt("Explosions and Blasts", 94.0, 2.0, 4.5)
    not_listed = Expected("NOT_LISTED")
    return (
        Sample(
            "phone/IMG_0002.mov",
            Clip(5.0, (smoking,), codec="hevc", container="mov"),
            Expected("INELIGIBLE", reason="codec"),
            Expected("FLAGGED", (smoking,)),
        ),
        Sample(
            "web/recording.webm",
            Clip(6.0, (explosion,), codec="vp9", container="webm"),
            not_listed,
            Expected("FLAGGED", (explosion,)),
        ),
        Sample("pictures/garden.jpg", Still("jpeg"), not_listed, Expected("CLEAN")),
        Sample(
            "pictures/poster.png",
            Still("png", "Hate Symbols", 97.0),
            not_listed,
            Expected("FLAGGED", (CardAt("Hate Symbols", 97.0, 0.0, 0.0),)),
        ),
    )


def demo_upload() -> Sample:
    """Return the object that is uploaded while the library is scanned."""
    return _with_cards("uploads/just in.mp4", 4.0, CardAt("Weapons", 97.0, 1.0, 2.5))


def _clean() -> tuple[Sample, ...]:
    clean = Expected("CLEAN")
    toast = CardAt("Alcohol", 60.0, 1.0, 3.0)
    return (
        Sample("holidays/2019/beach.mp4", Clip(8.0), clean),
        Sample("Familienfeier/Großmutter Äpfel & Öl.mp4", Clip(5.0), clean),
        Sample("deep/er/and/still/deeper/it's a+b=c.mp4", Clip(3.0), clean),
        Sample("web/<script>alert(1)</script>.mp4", Clip(4.0), clean),
        # Rekognition finds it (its own minimum is 50 %), but it is too weak for the policy (80 %).
        Sample("parties/a toast, perhaps.mp4", Clip(4.0, (toast,)), Expected("CLEAN", (toast,))),
    )


def _flagged() -> tuple[Sample, ...]:
    return (
        _with_cards("clips/100% real + raw %2B.mp4", 6.0, CardAt("Weapons", 96.0, 2.0, 4.0)),
        _with_cards(
            'quotes/"hello", she said.mp4', 8.0, CardAt("Explicit Nudity", 98.0, 1.0, 3.0), CardAt("Blood & Gore", 91.0, 5.0, 6.5)
        ),
        _with_cards("emoji/🎬 première 🍿.mp4", 5.0, CardAt("Middle Finger", 93.0, 3.0, 5.0)),
        _with_cards("CAMERA ROLL/IMG 0001.MP4", 4.0, CardAt("Smoking", 97.0, 0.0, 1.5)),
        _with_cards("sport/final; the end.mp4", 7.0, CardAt("Hate Symbols", 95.0, 6.0, 7.0)),
    )


def _with_cards(key: str, seconds: float, *cards: CardAt) -> Sample:
    return Sample(key, Clip(seconds, cards), Expected("FLAGGED", cards))


def _not_analysed() -> tuple[Sample, ...]:
    return (
        # Its header is in order: only Rekognition finds out.
        Sample(
            "broken/cut short.mp4",
            cut_short(Clip(3.0)),
            Expected("FAILED", reason="analysis-failed"),
            Expected("FAILED", reason="undecodable"),
        ),
        Sample("legacy/vp9 in disguise.mp4", Clip(3.0, codec="vp9"), Expected("INELIGIBLE", reason="codec"), Expected("CLEAN")),
        Sample("broken/zero.mp4", b"", Expected("INELIGIBLE", reason="empty")),
        Sample("broken/read me.mp4", b"This was meant to be a video.\n", Expected("SKIPPED")),
        Sample("notes.txt", b"Not a video, and not called one.\n", Expected("NOT_LISTED")),
    )
