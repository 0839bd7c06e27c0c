"""Films to read the headers of, muxed by FFmpeg: of any length and layout in no time, for all of a film is one frame repeated."""

import functools
import tempfile
from fractions import Fraction
from pathlib import Path

import av

CODECS = {"h264": "libx264", "hevc": "libx265", "mpeg4": "mpeg4", "vp9": "libvpx-vp9", "mpeg2": "mpeg2video"}
FRAGMENTED = "frag_keyframe+empty_moov"
FPS = 25


@functools.cache
def film(seconds=60, *, codec="h264", container="mp4", flags="", sound=False, sound_first=False, padding=0, keyframe_every=50):
    """Return a film as bytes.

    Args:
        seconds: Its length.
        codec: Of its picture.
        container: mp4, mov, or another of FFmpeg's formats.
        flags: FFmpeg's movflags: where the header goes, and whether there are fragments.
        sound: Whether it has a sound track.
        sound_first: Whether that is the first track.
        padding: Bytes by which each frame is longer, so that the film is as large as real ones.
        keyframe_every: Frames between two keyframes; a fragment begins with each.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film"
        with av.open(str(path), "w", format=container, options={"movflags": flags} if flags else {}) as target:
            noise = target.add_stream("aac", rate=44_100) if sound_first else None
            picture = target.add_stream(CODECS[codec], rate=FPS, options=_QUIET.get(codec, {}))
            picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
            noise = target.add_stream("aac", rate=44_100) if sound and not sound_first else noise
            frame = _packets(picture, target)[0]
            hush = _silence(noise, target) if noise else b""
            _mux(target, picture, noise, frame + bytes(padding), hush, seconds, keyframe_every)
        return path.read_bytes()


_QUIET = {
    "h264": {"preset": "ultrafast"},
    "hevc": {"x265-params": "log-level=none"},
    "vp9": {"deadline": "realtime", "cpu-used": "8"},
}


def _packets(stream, target):
    frame = av.VideoFrame(64, 64, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.pts = 0
    target.start_encoding()
    return [bytes(packet) for packet in [*stream.encode(frame), *stream.encode(None)]]


def _silence(stream, target):
    frame = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
    frame.sample_rate = 44_100
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    packets = [*stream.encode(frame), *stream.encode(None)]
    return bytes(packets[-1])


def _mux(target, picture, noise, frame, hush, seconds, keyframe_every):
    sounded = 0
    for number in range(seconds * FPS):
        packet = av.Packet(frame)
        packet.stream, packet.time_base = picture, Fraction(1, FPS)
        packet.pts = packet.dts = number
        packet.duration = 1
        packet.is_keyframe = number % keyframe_every == 0
        target.mux(packet)
        while noise and sounded * 1024 / 44_100 < (number + 1) / FPS:
            packet = av.Packet(hush)
            packet.stream, packet.time_base = noise, Fraction(1, 44_100)
            packet.pts = packet.dts = sounded * 1024
            packet.duration = 1024
            target.mux(packet)
            sounded += 1
