"""Films and images of a few bytes for the engine of frames: a decoder without a process, and an analyser of what it makes.

A film is a video of `tests.harness.videos`, whose frames are in the middle of their intervals and show what is seen in these.
"""

import hashlib
import json
import math
from functools import partial

from handlers import wiring
from handlers.adapters.media import open_media
from handlers.adapters.media.process import Decoder
from handlers.decoder import END, FRAME, OPENED, PROBLEM, READ
from handlers.domain import reasons
from tests.harness.videos import content_of
from tools.emulator.services.rekognition.picture import Picture, UnreadableError

WIDTH, HEIGHT = 640, 480
# What a film states about itself is within its first bytes; what may follow is read as its frames are.
HEADER = 32 * 1024
# The beginning of a JPEG, up to its size in pixels.
JPEG = b"\xff\xd8\xff\xc0\x00\x11\x08" + HEIGHT.to_bytes(2) + WIDTH.to_bytes(2)


def image(label=None, confidence=0.0, **further):
    """Return an image in which a label is seen, or nothing."""
    return JPEG + json.dumps({"label": label, "confidence": confidence, **further}).encode()


def seen_in(body):
    """Return what an image states about its content."""
    return json.loads(body.removeprefix(JPEG))


def frames_of(body, interval_ms):
    """Return the frames of a film, by their times."""
    content, film = content_of(body), hashlib.md5(body, usedforsecurity=False).hexdigest()
    # A film that is shorter than half an interval has one frame all the same.
    times = range(interval_ms // 2, content["seconds"] * 1_000, interval_ms) or [content["seconds"] * 500]
    return {at_ms: _frame(film, at_ms, interval_ms, content["sightings"]) for at_ms in times}


def _frame(film, at_ms, interval_ms, sightings):
    began = at_ms - at_ms % interval_ms
    shown = [(confidence, label) for seen_ms, label, confidence in sightings if began <= seen_ms < began + interval_ms]
    confidence, label = max(shown, default=(0.0, None))
    return image(label, confidence, film=film, at_ms=at_ms)


class ImageEyes:
    """Sees in an image what the image states. Implements the emulator's `ImageAnalyser`."""

    def size(self, body):
        """Return its size in pixels."""
        if not body.startswith(JPEG):
            raise UnreadableError
        return WIDTH, HEIGHT

    def look(self, body):
        """Return what is seen."""
        content = seen_in(body)
        return Picture(content["label"], content["confidence"])


class DecoderInPlace(Decoder):
    """Sends what the decoder's process sends, from this process; all that is before the process is the product's."""

    def __init__(self, ranges):
        self._ranges = ranges
        self._step_seconds = math.inf
        self._program = _decode()
        next(self._program)

    def close(self):
        """End it."""
        self._program.close()

    def _exchange(self, answer, data):
        return self._program.send((answer, data))


def _decode():
    """Yield the decoder's messages, each with its data; the answers to them are sent in."""
    asked, _ = yield
    body = b""
    while len(body) < min(asked["size"], HEADER):
        _, data = yield _reading(len(body), min(asked["size"], HEADER) - len(body))
        body += data
    content = content_of(body)
    if "reason" in content:
        yield {"is": PROBLEM, "code": reasons.UNDECODABLE, "message": content["reason"]}, b""
    yield {"is": OPENED, "kind": "film", "duration_ms": content["seconds"] * 1_000}, b""
    after_ms = -1 if asked["after_ms"] is None else asked["after_ms"]
    for at_ms, frame in frames_of(body, asked["interval_ms"]).items():
        if at_ms > after_ms:
            yield _reading(asked["size"] * at_ms // (content["seconds"] * 1_000), 1)
            yield {"is": FRAME, "at_ms": at_ms, "complete": True}, frame
    yield {"is": END, "decoded_ms": content["seconds"] * 1_000, "complete": True}, b""


def _reading(offset, length):
    return {"is": READ, "offset": offset, "length": length, "until": 0}, b""


class Adapters(wiring.Adapters):
    """The product's adapters, but for the decoder."""

    def media(self):
        """Open films and images with a decoder in this process."""
        return partial(open_media, start=DecoderInPlace)
