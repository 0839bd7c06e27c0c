"""How a video is looked at: by Rekognition's video API, or by sampled frames."""

from __future__ import annotations

from enum import StrEnum


class Engine(StrEnum):
    """What looks at a video; an image is always looked at by one call. What was stored without an engine was by `video`."""

    VIDEO = "video"
    FRAMES = "frames"


# The longest gap between two analysed frames, in milliseconds: bounds of what may be chosen, and what is chosen without a word.
SHORTEST_INTERVAL_MS = 1_000
LONGEST_INTERVAL_MS = 60_000
DEFAULT_INTERVAL_MS = 5_000
