"""Films with a cover picture, which is a video track of its own."""

import io

import av
import pytest

from handlers.domain.mp4 import Header
from tools.lib.estimate.headers import HeaderReader
from tools.lib.listing import ListedObject


class Stored:
    """A file in memory, read as from S3."""

    def __init__(self, body):
        self._body = body

    def get_object(self, Bucket, Key, Range, **_):  # noqa: N803
        """Answer GetObject."""
        first, last = map(int, Range.removeprefix("bytes=").split("-"))
        return {"Body": io.BytesIO(self._body[first : last + 1])}


def packets(container, codec, pixels, count):
    """Yield the packets of a stream with as many black pictures."""
    stream = container.add_stream(codec, rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 64, pixels
    yield stream
    for number in range(count):
        frame = av.VideoFrame(64, 64, pixels)
        frame.pts = number
        yield from stream.encode(frame)
    yield from stream.encode(None)


@pytest.mark.parametrize("order", [("mjpeg", "libx264"), ("libx264", "mjpeg")])
def test_a_cover_is_not_the_film(tmp_path, order):
    """Wherever its track is, a JPEG cover does not make the film one of JPEGs, which would be left out of the scan."""
    path = tmp_path / "a.mov"
    kinds = {"mjpeg": ("yuvj420p", 1), "libx264": ("yuv420p", 50)}
    with av.open(str(path), "w", format="mov") as container:
        streams = [packets(container, codec, *kinds[codec]) for codec in order]
        for stream in streams:
            next(stream)
        for packet in (packet for stream in streams for packet in stream):
            container.mux(packet)
    body = path.read_bytes()

    header = HeaderReader(Stored(body)).read("amzn-s3-demo-bucket", ListedObject("a.mov", len(body)))

    assert isinstance(header, Header)
    assert ("h264", 2.0, None) == (header.codec, pytest.approx(header.seconds, abs=0.1), header.fault)
