"""The engine that analyses a scan's objects, which of them it leaves out, and how many seconds or images the others cost."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from handlers.domain import Engine, Problem, reasons, sampling
from handlers.domain.engine import DEFAULT_INTERVAL_MS, OTHERS_BY_FRAMES
from handlers.domain.mp4 import OTHER_CONTAINER, Header, Reading
from tools.lib.estimate.figure import Range

# Bits a second that are assumed for a film whose header is not read, from web video to cameras: a guess without a confidence level.
GUESSED_BIT_RATES = Range(1e6, 5e6, 20e6)

# Faults for the video API only: frames take any codec and container that FFmpeg decodes, and films of any length.
_BY_FRAMES = frozenset({reasons.CODEC, reasons.CONTAINER, reasons.TOO_LONG})


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """How the objects of a scan are analysed.

    Attributes:
        engine: For the films that it takes.
        interval_ms: The interval of the films that are analysed by frames.
        others: The engine for films in a container or codec that `engine` does not take; None leaves them out.
        images: Whether images are analysed, each by one call whatever the engine; true where frames are deployed.
    """

    engine: Engine = Engine.VIDEO
    interval_ms: int = DEFAULT_INTERVAL_MS
    others: Engine | None = None
    images: bool = False

    @property
    def alternative(self) -> EngineChoice:
        """Return the choice of the other engine, for comparison; it includes images, as if frames were deployed."""
        engine = Engine.VIDEO if self.engine is Engine.FRAMES else Engine.FRAMES
        return replace(self, engine=engine, others=None, images=True)

    def problem(self, reading: Reading) -> Problem | None:
        """Return why an object certainly cannot be analysed, None if it may be."""
        fault = reading.fault
        if fault is None or self.analyses_image(reading) or fault.code in self._taken_by_frames(reading):
            return None
        return fault

    def seconds(self, reading: Reading) -> float | None:
        """Return how many seconds of a film are analysed, without those that `guessed` returns; None if not known."""
        if _is_image(reading) or self._is_worthless(reading) or self._length_is_guessed(reading):
            return 0.0
        return 0.0 if self.engine is Engine.VIDEO and reading.fault is not None else _length(reading)

    def pictures(self, reading: Reading) -> float | None:
        """Return how many images an object costs, without those of `guessed` seconds; None if not known."""
        if _is_image(reading):
            return float(self.images)
        if not self.goes_by_frames(reading) or self._length_is_guessed(reading):
            return 0.0
        seconds = _length(reading)
        return None if seconds is None else max(1.0, math.ceil(seconds * 1_000 / self.interval_ms))

    def guessed(self, reading: Reading, size: int) -> float:
        """Return the length in seconds of a film by frames, guessed from its size in bytes; 0 if it need not be guessed."""
        return 8 * size / GUESSED_BIT_RATES.best if self._length_is_guessed(reading) else 0.0

    def analyses_image(self, reading: Reading) -> bool:
        """Tell whether an object is an image that will be analysed."""
        return self.images and _is_image(reading)

    def goes_by_frames(self, reading: Reading) -> bool:
        """Tell whether an object is a film that will be analysed by frames."""
        if self._is_worthless(reading) or _is_image(reading):
            return False
        return self.engine is Engine.FRAMES or _format_problem(reading) in self._taken_by_frames(reading)

    def _length_is_guessed(self, reading: Reading) -> bool:
        """Tell whether an object will be analysed by frames but has a format whose headers, and so lengths, are not read here."""
        return _format_problem(reading) is not None and self.goes_by_frames(reading) and _length(reading) is None

    def _taken_by_frames(self, reading: Reading) -> frozenset[str]:
        """Return the codes of faults for the video API that do not matter with this choice."""
        if self.engine is Engine.FRAMES or (self.images and reading.image):
            return _BY_FRAMES
        return OTHERS_BY_FRAMES if self.others is Engine.FRAMES else frozenset()

    def _is_worthless(self, reading: Reading) -> bool:
        if isinstance(reading, Header) or reading.fault is not None:
            return self.problem(reading) is not None
        return reading.worthless


def _format_problem(reading: Reading) -> str | None:
    """Return the code of what keeps a film from the video API, or may, as only Rekognition knows; None if nothing does."""
    if not isinstance(reading, Header) and reading.code == OTHER_CONTAINER:
        return reasons.CONTAINER
    return None if reading.fault is None else reading.fault.code


def _is_image(reading: Reading) -> bool:
    """Tell whether an object is an image that is not known to be animated."""
    return not isinstance(reading, Header) and reading.image


def _length(reading: Reading) -> float | None:
    """Return the seconds that a header states; None without a header, or if it states none, as with some other codecs."""
    return reading.seconds or None if isinstance(reading, Header) else None


# The default.
BY_VIDEO = EngineChoice()


def every(interval_ms: int) -> str:
    """Write an interval for a person, as `every 2.5 s`."""
    return f"every {interval_ms / 1_000:g} s"


def missed(interval_ms: int) -> str:
    """Return what frames at this interval may miss, as a sentence without its full stop."""
    scene_ms = min(1_000, interval_ms // 2)
    seen, certain_ms = sampling.probability_seen(scene_ms, interval_ms), sampling.LONGEST_GAP * interval_ms
    return (
        f"the chance of seeing a scene of {scene_ms / 1_000:g} s is {100 * seen:.0f} %; one of {certain_ms / 1_000:g} s or more is "
        "always seen; AWS recommends the video API for accuracy"
    )
