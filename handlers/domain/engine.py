"""How a video is looked at: by Rekognition's video API, or by sampled frames."""

from __future__ import annotations

from enum import StrEnum


class Engine(StrEnum):
    """What looks at a video; an image is always looked at by one call. What was stored without an engine was by `video`."""

    VIDEO = "video"
    FRAMES = "frames"


def is_as_thorough(engine: Engine, interval_ms: int | None, asked: Engine, asked_ms: int) -> bool:
    """Tell whether a verdict is at least as thorough as one that is asked for.

    The video API is more thorough than frames, a shorter interval than a longer one. What frames without an interval looked at is
    an image, which is always looked at in the same way.
    """
    if engine is Engine.VIDEO or interval_ms is None:
        return True
    return asked is Engine.FRAMES and interval_ms <= asked_ms


# The longest gap between two analysed frames, in milliseconds: bounds of what may be chosen, and what is chosen without a word.
SHORTEST_INTERVAL_MS = 1_000
LONGEST_INTERVAL_MS = 60_000
DEFAULT_INTERVAL_MS = 5_000

# What an image counts as towards the minutes of a day: at the list prices ($0.001 an image, $0.10 a minute by the video API) it
# costs as much as so much film.
IMAGE_MS = 600
