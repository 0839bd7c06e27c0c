"""The estimate: put together, rendered as sentences and JSON, and compared with the spending limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from handlers.domain import Engine
from tools.lib.errors import ToolError
from tools.lib.estimate.cost import STARTERS, Cost, Work, cost_of
from tools.lib.estimate.engine_choice import GUESSED_BIT_RATES, EngineChoice, every, missed
from tools.lib.estimate.extrapolation import PROMISED, seconds_of, share_of, strata
from tools.lib.estimate.figure import Range
from tools.lib.estimate.measurements import Measurements
from tools.lib.estimate.pace import Pace, Speed, seconds_until_done, seconds_until_looked_at
from tools.lib.estimate.prices import REGION, PriceTable, dollars
from tools.lib.estimate.retrieval import BY_REKOGNITION, Retrieval, by_frames, retrieval_of
from tools.lib.estimate.sampling import Population
from tools.lib.json_keys import range_keys
from tools.lib.text import counted, moment

_LONG_HOURS = 48

# The most decimal places of an amount.
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What an estimate rests on besides the objects.

    Attributes:
        now: When the scan is submitted, in epoch seconds.
        slots: How many Rekognition jobs it uses at a time.
        speed: How fast one job analyses video.
        pace: How fast images are analysed.
        prices: In US dollars.
        region: The Region in which the scan runs.
    """

    now: float
    slots: int
    speed: Speed
    pace: Pace
    prices: PriceTable
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The estimate of a scan.

    Attributes:
        choice: The engine, and what it takes.
        objects: The objects in the manifest.
        minutes: The minutes of video that will be analysed.
        images: Frames and images that will be paid for.
        cost: In dollars.
        retrieval: What S3 charges for reading, and from which storage classes.
        seconds: From the submission to the end.
        finished_at: Epoch seconds.
        measured: Objects of which it is known how much will be analysed, with those that were left out of the manifest.
        faults: How many objects of the manifest Rekognition may refuse, by reason, extrapolated from those that were measured.
        unreadable: Headers that could not be read, by reason.
        assumptions: Sentences on what the figures are based.
    """

    choice: EngineChoice
    objects: int
    minutes: Range
    images: Range
    cost: Cost
    retrieval: Retrieval
    seconds: Range
    finished_at: Range
    measured: int
    faults: Mapping[str, Range]
    unreadable: Mapping[str, int]
    assumptions: tuple[str, ...]

    @property
    def dollars(self) -> Range:
        return self.cost.total

    def sentences(self) -> list[str]:
        return [
            self._amounts,
            f"{_amount(self.dollars, _dollars)}, {_amount(self.cost.rekognition, _dollars)} of it for Rekognition",
            *self.retrieval.sentences(_amount(self.cost.retrieval, _dollars)),
            self._ready,
            *(_fault_line(code, count) for code, count in self.faults.items()),
            *self._unreadable_line(),
            *self.assumptions,
        ]

    def in_short(self) -> str:
        """Return engine, amounts, cost and finishing time in one line, to stand beside another estimate."""
        how = f"by frames, {every(self.choice.interval_ms)}" if self.choice.engine is Engine.FRAMES else "by the video API"
        return f"{how}: {self._amounts}; {_amount(self.dollars, _dollars)}; {self._ready}"

    @property
    def _amounts(self) -> str:
        video = f"{_amount(self.minutes, _minutes)} of video"
        if not self.images.high:
            return video
        images = f"{_amount(self.images, _whole)} {'image' if self.images.high == 1 else 'images'}"
        return f"{images} of {video}" if self.choice.engine is Engine.FRAMES else f"{video}, and {images}"

    @property
    def _ready(self) -> str:
        return f"ready {moment(self.finished_at.best)} ({_hours(self.seconds.low)} to {_hours(self.seconds.high)} from the start)"

    def _unreadable_line(self) -> list[str]:
        if not self.unreadable:
            return []
        count = sum(self.unreadable.values())
        reasons = ", ".join(f"{number:,} {code}" for code, number in self.unreadable.items())
        return [f"{counted(count, 'object')} {'has' if count == 1 else 'have'} no readable header: {reasons}"]

    def as_json(self) -> dict[str, Any]:
        """Return the estimate as JSON values."""
        return {
            "engine": self.choice.engine.value,
            "interval_ms": self.choice.interval_ms if self.images.high else None,
            "objects": self.objects,
            "minutes": self.minutes.as_json(),
            "images": self.images.as_json(),
            "dollars": self.dollars.as_json(),
            "cost": self.cost.as_json(),
            "retrieval": self.retrieval.as_json(),
            "seconds": self.seconds.as_json(),
            **range_keys("finished", self.finished_at.as_json()),
            "measured": self.measured,
            "ineligible": {code: count.as_json() for code, count in self.faults.items()},
            "unreadable": dict(self.unreadable),
            "assumptions": list(self.assumptions),
        }

    def require_affordable(self, most: Decimal | None) -> None:
        """Make sure that the scan costs no more than a limit, by the upper end of the bar.

        Raises:
            ToolError: It may cost more, or a price is not known.
        """
        if most is None:
            return
        if self.retrieval.unpriced:
            raise ToolError(
                "Whether the scan costs less than --max-cost is not known: the price of reading from "
                f"{' and '.join(self.retrieval.unpriced)} is not known.",
                cure="Omit --max-cost, or choose other storage classes with --storage-class.",
            )
        if self.dollars.high <= float(most):
            return
        high, limit = _apart(Decimal(str(self.dollars.high)), most)
        raise ToolError(
            f"The scan may cost {high}, more than the {limit} of --max-cost "
            f"(estimated: {_amount(self.dollars, _dollars)}; the upper end counts).",
            cure="Choose fewer videos (--prefix, --limit, --sample), narrow the estimate (--measure all), or raise --max-cost.",
        )


def estimate(
    populations: Mapping[int, Population],
    measurements: Measurements,
    *,
    objects: int,
    stored: Mapping[str, Population],
    circumstances: Circumstances,
) -> Estimate:
    """Return the estimate of a scan by the engine for which its objects were measured.

    Args:
        populations: The objects that were listed, by size class.
        measurements: The headers of some of them, of all, or of none. What cannot be analysed is included, without minutes,
            although the manifest leaves it out: otherwise the rest would be taken to be better than the sample.
        objects: The objects in the manifest.
        stored: The same objects by storage class.
        circumstances: Everything else on which the estimate depends.
    """
    choice, given = measurements.choice, circumstances
    by_video = choice.engine is Engine.VIDEO
    film, images = _film_seconds(populations, measurements), _images(populations, measurements)
    minutes = film.through(lambda value: value / 60)
    seconds = _seconds(choice, film, images, objects, given)
    work = Work(
        minutes=minutes if by_video else Range.exactly(0.0),
        images=images,
        objects=objects,
        submitted_at=given.now,
        seconds=seconds,
        starters=STARTERS if by_video else 0,
    )
    retrieval = retrieval_of(stored, given.prices, BY_REKOGNITION if by_video else by_frames(images.best / max(objects, 1)))
    return Estimate(
        choice=choice,
        objects=objects,
        minutes=minutes,
        images=images,
        cost=cost_of(work, retrieval.dollars, given.prices),
        retrieval=retrieval,
        seconds=seconds,
        finished_at=seconds.through(lambda value: given.now + value),
        measured=measurements.known,
        faults=_faults(objects, measurements),
        unreadable=dict(sorted(measurements.unreadable.items())),
        assumptions=_assumptions(populations, measurements, given),
    )


def _assumptions(populations: Mapping[int, Population], measurements: Measurements, given: Circumstances) -> tuple[str, ...]:
    """Return what the estimate rests on, in sentences."""
    choice = measurements.choice
    lengths = [_length_sentence(sum(each.count for each in populations.values()), measurements), *_guessed_sentence(measurements)]
    if choice.engine is Engine.VIDEO:
        pace = f"{given.speed.sentence}; {counted(given.slots, 'slot')}, and no other scan"
        return (*lengths, pace, *_price_sentences(given, "rekognition_minute"))
    pace = f"{given.pace.sentence}, and no other scan"
    return (*lengths, missed(choice.interval_ms), pace, *_price_sentences(given, "rekognition_image"))


def _seconds(choice: EngineChoice, film: Range, images: Range, objects: int, given: Circumstances) -> Range:
    """Return the seconds until the slower of the engines that a scan uses has finished."""
    looked_at = seconds_until_looked_at(images=images, objects=objects, pace=given.pace)
    if choice.engine is Engine.FRAMES:
        return looked_at
    analysed = seconds_until_done(video_seconds=film, objects=objects, slots=given.slots, speed=given.speed)
    return analysed.at_least(looked_at) if images.high else analysed


def _film_seconds(populations: Mapping[int, Population], measurements: Measurements) -> Range:
    """Return the seconds of film that the engine looks at."""
    if not measurements.known:
        return _guessed(8 * sum(each.bytes for each in populations.values()) / GUESSED_BIT_RATES.best)
    found = seconds_of(strata(populations, measurements.classes))
    return found if measurements.choice.engine is Engine.VIDEO else found.plus(_guessed_seconds(populations, measurements))


def _images(populations: Mapping[int, Population], measurements: Measurements) -> Range:
    """Return the images that a scan costs: at least one for each film, and at most one more than the film has intervals."""
    listed = sum(each.count for each in populations.values())
    if measurements.known:
        films = listed * measurements.framed / measurements.inspected
        found = seconds_of(strata(populations, measurements.images))
        guessed = _in_intervals(_guessed_seconds(populations, measurements), measurements.choice)
        return found.plus(guessed).plus(Range(0.0, 0.0, films))
    if measurements.choice.engine is Engine.VIDEO:
        return Range.exactly(0.0)
    guessed = _in_intervals(_film_seconds(populations, measurements), measurements.choice)
    return guessed.at_least(Range.exactly(listed)).plus(Range(0.0, 0.0, listed))


def _in_intervals(seconds: Range, choice: EngineChoice) -> Range:
    return seconds.through(lambda each: each * 1_000 / choice.interval_ms)


def _guessed_seconds(populations: Mapping[int, Population], measurements: Measurements) -> Range:
    """Return the total seconds of the films whose length is guessed from their size."""
    found = seconds_of(strata(populations, measurements.guessed))
    return Range(_guessed(found.low).low, found.best, _guessed(found.high).high)


def _guessed(seconds: float) -> Range:
    """Return the bar of a length that was guessed at the usual bit rate."""
    rates = GUESSED_BIT_RATES
    return Range(seconds * rates.best / rates.high, seconds, seconds * rates.best / rates.low)


def _faults(objects: int, measurements: Measurements) -> dict[str, Range]:
    """Return how many objects of the manifest may have each fault; those known to have it are not in the manifest."""
    inspected = measurements.inspected
    others = objects - (inspected - measurements.faults.total())
    if others <= 0:
        return {}
    found = sorted(measurements.faults.items())
    return {code: share_of(count, inspected).through(lambda share: share * others) for code, count in found}


def _length_sentence(listed: int, measurements: Measurements) -> str:
    known, inspected = measurements.known, measurements.inspected
    if not known:
        low, high = GUESSED_BIT_RATES.low / 1e6, GUESSED_BIT_RATES.high / 1e6
        return (
            f"no header was read: lengths are guessed from sizes, at {low:.0f} to {high:.0f} Mbit/s, so the range is not reliable"
        )
    holds = f"the range holds in {PROMISED:.0%} of cases"
    if inspected < listed:
        return f"{inspected:,} of {listed:,} headers were read, the rest is extrapolated; {holds}"
    whole = f"every object was inspected ({counted(measurements.gets, 'GET')})"
    unknown = listed - known
    return f"{whole}; the length of {counted(unknown, 'object')} is not known and is extrapolated; {holds}" if unknown else whole


def _guessed_sentence(measurements: Measurements) -> list[str]:
    if not any(sums.seconds for sums in measurements.guessed.values()):
        return []
    usual = GUESSED_BIT_RATES.best / 1e6
    return [f"the length of films in formats that only frames take is guessed from their size, at {usual:.0f} Mbit/s"]


def _price_sentences(given: Circumstances, largest: str) -> list[str]:
    """Return where the prices are from; `largest` names the one that makes up nearly all of the bill."""
    changed = given.prices.changed
    sentences = [f"prices of {REGION}, not checked with AWS" + (f"; yours for {', '.join(changed)}" if changed else "")]
    if given.region != REGION and largest not in changed:
        sentences.append(f"the stack is in {given.region}, where Rekognition may cost more: pass its price with --prices")
    return sentences


def _amount(figure: Range, written: Callable[[float], str]) -> str:
    low, best, high = written(figure.low), written(figure.best), written(figure.high)
    return best if low == high else f"{best} ({low} to {high})"


def _minutes(value: float) -> str:
    return f"{value:,.0f} min" if value >= 10 else f"{value:,.1f} min"  # noqa: PLR2004 - one digit more below ten


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _dollars(value: float) -> str:
    return dollars(Decimal(str(round(value, 4))))


def _apart(higher: Decimal, lower: Decimal) -> tuple[str, str]:
    """Return two amounts with as many digits as show that they are not the same."""
    shown, digits = (dollars(higher), dollars(lower)), 2
    while shown[0] == shown[1] and digits < _MOST_DIGITS:
        digits += 1
        shown = f"${higher:,.{digits}f}", f"${lower:,.{digits}f}"
    return shown


def _hours(seconds: float) -> str:
    hours = seconds / 3_600
    if hours < 1:
        return f"{seconds / 60:,.0f} min"
    return f"{hours:,.1f} h" if hours < _LONG_HOURS else f"{hours / 24:,.1f} days"


def _fault_line(code: str, count: Range) -> str:
    return f"about {_amount(count, _whole)} of the others cannot be analysed either: {code}"
