"""Frames as JPEGs that Rekognition takes: upright, opaque, with square pixels, scaled and padded."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import av
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from handlers.domain.sampling import LONGEST_SIDE, MOST_BYTES_SENT, WIDEST_FRAME, Size, padded, scaled

# Quantisers on FFmpeg's scale from 2 (best) to 31, tried in turn until the JPEG is small enough.
_QUALITIES = (3, 8, 20)
# FFmpeg's filters by the angle, in degrees counterclockwise, by which a picture must be turned.
_TURNS = {90: "transpose=cclock", -90: "transpose=clock", 180: "hflip,vflip", -180: "hflip,vflip"}


def widest_of(kind: str) -> int:
    """Return how wide a picture that is analysed may be: a frame `WIDEST_FRAME`, an image as wide as Rekognition takes."""
    return WIDEST_FRAME if kind == "film" else LONGEST_SIDE


class Jpegs:
    """Encodes the frames of one object, at most `widest` pixels wide, each by the first of `qualities` that is small enough."""

    def __init__(self, widest: int, qualities: Sequence[int] = _QUALITIES) -> None:
        self._widest = widest
        self._qualities = qualities
        self._key: tuple[object, ...] = ()
        self._graph = Graph()

    def encode(self, frame: VideoFrame, pixel_aspect: Fraction) -> bytes:
        """Return a frame as a JPEG of at most `MOST_BYTES_SENT`.

        A transparent background becomes grey, so that both black and white stand out against it. `pixel_aspect` is a pixel's width
        divided by its height.
        """
        widest = self._widest
        while True:
            picture = self._upright(frame, pixel_aspect, widest)
            for quality in self._qualities:
                data = _jpeg(picture, quality)
                if len(data) <= MOST_BYTES_SENT:
                    return data
            widest = min(widest, picture.width) // 2

    def _upright(self, frame: VideoFrame, pixel_aspect: Fraction, widest: int) -> VideoFrame:
        transparent = _is_transparent(frame)
        key = (frame.width, frame.height, frame.format.name, frame.rotation, pixel_aspect, widest)
        if transparent or key != self._key:  # a graph with a background serves one frame only
            self._graph, self._key = _graph(frame, pixel_aspect, widest), key
        frame.pts = 0
        self._graph.vpush(frame)
        if transparent:
            self._graph.vpush(None)
        return self._graph.vpull()


def _is_transparent(frame: VideoFrame) -> bool:
    return frame.format.name == "pal8" or any(component.is_alpha for component in frame.format.components)


def _graph(frame: VideoFrame, pixel_aspect: Fraction, widest: int) -> Graph:
    """Return the filters for frames of this size, format and rotation."""
    turn = round(frame.rotation / 90) * 90
    if turn % 180:
        pixel_aspect = 1 / pixel_aspect
    size = scaled(Size(frame.width, frame.height).turned(turn), pixel_aspect, widest)
    before = size.turned(turn)
    graph = Graph()
    graph.threads = 1
    last = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1_000))
    last = _chain(graph, last, f"scale={before.width}:{before.height}")
    if _is_transparent(frame):
        last = _on_grey(graph, last, before)
    if turn in _TURNS:
        last = _chain(graph, last, f"format=rgb24,{_TURNS[turn]}")
    if padded(size) != size:
        last = _chain(graph, last, f"format=rgb24,pad={padded(size).width}:{padded(size).height}:-1:-1")
    _chain(graph, last, "scale=out_range=full,format=yuvj420p,buffersink")
    graph.configure()
    return graph


def _chain(graph: Graph, last: FilterContext, steps: str) -> FilterContext:
    """Append filters, as `name=arguments,name=arguments`, and return the last of them."""
    for step in steps.split(","):
        name, _, arguments = step.partition("=")
        following = graph.add(name, arguments or None)
        last.link_to(following)
        last = following
    return last


def _on_grey(graph: Graph, last: FilterContext, size: Size) -> FilterContext:
    background = graph.add("color", f"c=gray:s={size.width}x{size.height}:r=1:d=1")
    overlay = graph.add("overlay", "format=rgb")
    background.link_to(overlay, 0, 0)
    _chain(graph, last, "format=rgba").link_to(overlay, 0, 1)
    return overlay


def _jpeg(picture: VideoFrame, quality: int) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)  # noqa: S101  # tells mypy
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.qmin = encoder.qmax = quality
    encoder.thread_count = 1
    picture.pts = None
    return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
