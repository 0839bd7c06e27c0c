"""Decoded frames as the grids of cells in which test cards are recognised."""

from __future__ import annotations

from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from tools.emulator.cards import GRID

# Exact enough that a grey level changes by at most 2 of 255.
_SHRINKING = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def cells_of(frame: VideoFrame, reformatter: VideoReformatter) -> bytes:
    """Shrink a frame to `GRID` by `GRID` RGB cells for `recognise`; one reformatter serves all frames of a film."""
    small = reformatter.reformat(frame, GRID, GRID, "rgb24", interpolation=_SHRINKING)
    plane = small.planes[0]
    pixels = bytes(plane)
    return b"".join(pixels[y * plane.line_size : y * plane.line_size + GRID * 3] for y in range(GRID))
