"""Image files: their size in pixels, and the test card that they show."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from tools.emulator.cards import recognise
from tools.emulator.services.rekognition.cells import cells_of

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_MARKER = 0xFF  # begins each segment of a JPEG; any number of them may
# JPEG's markers of a frame header, which holds the size (SOF0 to SOF15 without those of tables), and markers without a length.
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


class UnreadableError(Exception):
    """It is not an image that Rekognition can read."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is in an image: the label of its test card, with the confidence in per cent; None and 0 without a card."""

    label: str | None = None
    confidence: float = 0.0


class CardReader:
    """Decodes JPEG and PNG files and recognises test cards; like Rekognition, it can read nothing else."""

    def size(self, body: bytes) -> tuple[int, int]:
        """Return width and height in pixels as the header says, before anything large is decoded.

        Raises:
            UnreadableError: It is neither JPEG nor PNG, or has no header.
        """
        try:
            if body.startswith(_PNG):
                width, height = struct.unpack_from(">II", body, 16)
                return width, height
            if body.startswith(_JPEG):
                return _jpeg_size(body)
        except (struct.error, IndexError):
            raise UnreadableError from None
        raise UnreadableError

    def look(self, body: bytes) -> Picture:
        """Decode an image and return the card that fills it, if any, or raise `UnreadableError`."""
        try:
            with av.open(io.BytesIO(body), "r", format="png_pipe" if body.startswith(_PNG) else "jpeg_pipe") as container:
                frame = next(container.decode(video=0), None)
        except FFmpegError as error:
            raise UnreadableError from error
        if not isinstance(frame, VideoFrame):
            raise UnreadableError
        found = recognise(cells_of(frame, VideoReformatter()))
        return Picture() if found is None else Picture(found[0].label, found[1])


def _jpeg_size(body: bytes) -> tuple[int, int]:
    """Return the width and height in the first frame header.

    Raises:
        UnreadableError: Something is not a segment.
        IndexError, struct.error: The file ends before the header.
    """
    at = 2
    while True:
        while body[at] == body[at + 1] == _MARKER:
            at += 1
        marker = body[at + 1]
        if body[at] != _MARKER:
            raise UnreadableError
        if marker in _FRAME_HEADERS:
            height, width = struct.unpack_from(">HH", body, at + 5)
            return width, height
        at += 2 if marker in _WITHOUT_LENGTH else 2 + struct.unpack_from(">H", body, at + 2)[0]
