"""Which engine looks at the objects of a scan, and so what of them is left out, what is analysed, and in how many images."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from handlers.domain import Engine, Problem, reasons, sampling
from handlers.domain.engine import DEFAULT_INTERVAL_MS
from tools.lib.estimate.figure import Range
from tools.lib.estimate.mp4.header import OTHER_CONTAINER, Header, Reading

# Bits of video a second if no header could be read, from web video to cameras: an assumption without a confidence level.
GUESSED_BIT_RATES = Range(1e6, 5e6, 20e6)

# What the video API does not take and frames do: any codec and container that FFmpeg decodes, however long it is.
_BY_FRAMES = frozenset({reasons.CODEC, reasons.CONTAINER, reasons.TOO_LONG})

# What of it goes by frames in a scan by the video API: registration tells containers apart by their first bytes, but no codecs.
_OTHERS = frozenset({reasons.CONTAINER})


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """What looks at the objects of a scan.

    Attributes:
        interval_ms: The interval of the films that go by frames.
        others: What looks at films in a container that the engine does not take; None: nothing does.
        images: Whether images are analysed, each by one call whatever the engine: so it is where frames are deployed.
    """

    engine: Engine = Engine.VIDEO
    interval_ms: int = DEFAULT_INTERVAL_MS
    others: Engine | None = None
    images: bool = False

    @property
    def alternative(self) -> EngineChoice:
        """Return the other engine, for comparison; frames, which analyse images, would have to be deployed for it."""
        engine = Engine.VIDEO if self.engine is Engine.FRAMES else Engine.FRAMES
        return replace(self, engine=engine, others=None, images=True)

    def problem(self, reading: Reading) -> Problem | None:
        """Return why an object certainly cannot be analysed, None if nothing is known."""
        fault = reading.fault
        if fault is None or self.analyses_image(reading) or fault.code in self._taken_by_frames:
            return None
        return fault

    def seconds(self, reading: Reading) -> float | None:
        """Return how many seconds of a film the engine looks at, without those that `guessed` returns; None if not known."""
        if _is_image(reading) or self._is_worthless(reading) or self._length_is_guessed(reading):
            return 0.0
        return 0.0 if self.engine is Engine.VIDEO and reading.fault is not None else _length(reading)

    def pictures(self, reading: Reading) -> float | None:
        """Return how many images of an object are paid for, without those of `guessed` seconds; None if not known."""
        if _is_image(reading):
            return float(self.images)
        if not self.goes_by_frames(reading) or self._length_is_guessed(reading):
            return 0.0
        seconds = _length(reading)
        return None if seconds is None else max(1.0, math.ceil(seconds * 1_000 / self.interval_ms))

    def guessed(self, reading: Reading, size: int) -> float:
        """Return how many seconds of a film of this size frames are taken of, if only its size tells, otherwise 0."""
        return 8 * size / GUESSED_BIT_RATES.best if self._length_is_guessed(reading) else 0.0

    def analyses_image(self, reading: Reading) -> bool:
        """Tell whether an object is an image, and images are analysed."""
        return self.images and _is_image(reading)

    def goes_by_frames(self, reading: Reading) -> bool:
        """Tell whether an object is a film that frames are taken of."""
        if self._is_worthless(reading) or _is_image(reading):
            return False
        return self.engine is Engine.FRAMES or _format_problem(reading) in self._taken_by_frames

    def _length_is_guessed(self, reading: Reading) -> bool:
        """Tell whether a film goes by frames whose format, and so its length, is not read here."""
        return _format_problem(reading) is not None and self.goes_by_frames(reading) and _length(reading) is None

    @property
    def _taken_by_frames(self) -> frozenset[str]:
        """Return the codes of what the video API does not take and this choice has frames look at."""
        if self.engine is Engine.FRAMES:
            return _BY_FRAMES
        return _OTHERS if self.others is Engine.FRAMES else frozenset()

    def _is_worthless(self, reading: Reading) -> bool:
        if isinstance(reading, Header) or reading.fault is not None:
            return self.problem(reading) is not None
        return reading.worthless


def _format_problem(reading: Reading) -> str | None:
    """Return the code of what keeps a film from the video API, also where only Rekognition knows; None if nothing does."""
    if not isinstance(reading, Header) and reading.code == OTHER_CONTAINER:
        return reasons.CONTAINER
    return None if reading.fault is None else reading.fault.code


def _is_image(reading: Reading) -> bool:
    return not isinstance(reading, Header) and reading.image


def _length(reading: Reading) -> float | None:
    """Return the seconds that a header states; of a codec that the video API does not take it may state none."""
    return reading.seconds or None if isinstance(reading, Header) else None


# What is chosen without a word.
BY_VIDEO = EngineChoice()


def every(interval_ms: int) -> str:
    """Return an interval for a person: `every 2.5 s`."""
    return f"every {interval_ms / 1_000:g} s"


def missed(interval_ms: int) -> str:
    """Return what frames at this interval may miss, as a sentence without its full stop."""
    scene_ms = min(1_000, interval_ms // 2)
    seen, certain_ms = sampling.probability_seen(scene_ms, interval_ms), sampling.LONGEST_GAP * interval_ms
    return (
        f"a scene of {scene_ms / 1_000:g} s is seen with {100 * seen:.0f} %, one of {certain_ms / 1_000:g} s or more for certain; "
        "AWS recommends the video API for accuracy"
    )
