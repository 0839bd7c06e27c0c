"""The two engines: Rekognition's video API, and sampled frames that are sent to its image API."""

from __future__ import annotations

from enum import StrEnum

from handlers.domain import reasons


class Engine(StrEnum):
    """How a video is analysed; an image always takes one call. Items stored without an engine are of `video`."""

    VIDEO = "video"
    FRAMES = "frames"


def is_as_thorough(engine: Engine, interval_ms: int | None, asked: Engine, asked_ms: int) -> bool:
    """Tell whether a verdict by `engine` is at least as thorough as one by `asked` would be.

    The video API is more thorough than frames, and a shorter interval more than a longer one. A verdict by frames without an
    interval is of an image, which is always analysed in the same way.
    """
    if engine is Engine.VIDEO or interval_ms is None:
        return True
    return asked is Engine.FRAMES and interval_ms <= asked_ms


# The interval between two analysed frames, in milliseconds: the shortest and longest that may be chosen, and the default.
SHORTEST_INTERVAL_MS = 1_000
LONGEST_INTERVAL_MS = 60_000
DEFAULT_INTERVAL_MS = 5_000

# What an image counts as towards the minutes of a day: at the list prices ($0.001 an image, $0.10 a minute by the video API) it
# costs as much as so much film.
IMAGE_MS = 600

# Why the video API certainly does not take a film that is analysed by frames instead, where a scan has frames for such others.
OTHERS_BY_FRAMES = frozenset({reasons.CODEC, reasons.CONTAINER})
