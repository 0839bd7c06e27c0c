"""Films for the benchmark of frames: a few seconds are encoded, and muxed again and again until the film is long enough."""

import functools
import io
from fractions import Fraction

import av

FPS = 30
# By the height: width, and bits a second as video sites recommend.
SIZES = {180: (320, 300_000), 720: (1280, 3_000_000), 1080: (1920, 5_000_000), 2160: (3840, 20_000_000)}
CONTAINERS = {
    "mp4": ("mp4", {}),
    "mkv": ("matroska", {}),
    "ts": ("mpegts", {}),
    "fragmented": ("mp4", {"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
}


@functools.lru_cache(maxsize=1)
def _group(height, key_s):
    """Return one group of pictures as a film."""
    width, bits = SIZES[height]
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "bf": "3", "sc_threshold": "0"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.bit_rate = key_s * FPS, bits
        for frame in _pictures(width, height, key_s):
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return target.getvalue()


def _pictures(width, height, seconds):
    """Yield a moving picture with noise, as cameras have."""
    graph = av.filter.Graph()
    last = graph.add("testsrc2", f"size={width}x{height}:rate={FPS}:duration={seconds}")
    for name, arguments in (("noise", "alls=6:allf=t"), ("format", "yuv420p"), ("buffersink", None)):
        following = graph.add(name, arguments)
        last.link_to(following)
        last = following
    graph.configure()
    for number in range(seconds * FPS):
        frame = graph.vpull()
        frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, FPS), 0
        yield frame


def film(height, key_s, container, seconds):
    """Return a film of about `seconds`, which is a whole number of groups."""
    name, options = CONTAINERS[container]
    target = io.BytesIO()
    with av.open(io.BytesIO(_group(height, key_s))) as group, av.open(target, "w", format=name, options=options) as output:
        encoded = group.streams.video[0]
        stream = output.add_stream_from_template(encoded)
        # Muxing a packet turns its times into those of the container.
        packets = [(packet, packet.pts, packet.dts) for packet in group.demux(encoded) if packet.size]
        for start in range(0, seconds, key_s):
            after = round(start / encoded.time_base)
            for packet, pts, dts in packets:
                packet.pts, packet.dts, packet.time_base, packet.stream = pts + after, dts + after, encoded.time_base, stream
                output.mux(packet)
    return target.getvalue()
