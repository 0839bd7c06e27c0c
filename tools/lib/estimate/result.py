"""The estimate itself: put together, said in sentences and as JSON, and held against the most that may be spent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tools.lib.errors import ToolError
from tools.lib.estimate.cost import Cost, cost_of
from tools.lib.estimate.extrapolation import PROMISED, seconds_of, share_of, strata
from tools.lib.estimate.figure import Range
from tools.lib.estimate.measurements import Measurements
from tools.lib.estimate.pace import Speed, seconds_until_done
from tools.lib.estimate.prices import REGION, PriceTable, dollars
from tools.lib.estimate.sampling import Population
from tools.lib.text import counted, moment

# Bits of video a second where no header could be read: from web video to cameras. Assumed; the bar promises nothing then.
GUESSED_BIT_RATES = Range(1e6, 5e6, 20e6)

_LONG_HOURS = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a scan comes to.

    Attributes:
        objects: In the manifest.
        minutes: Of video that will be analysed.
        cost: In dollars.
        seconds: From the submission to the end.
        finished_at: Epoch seconds.
        measured: Objects whose headers tell something, with those that were left out for what they tell.
        faults: Objects of the manifest that Rekognition will refuse, by reason: as many may be among those that were not measured.
        unreadable: Headers that could not be read, by reason.
        assumptions: Sentences: what the figures rest on.
    """

    objects: int
    minutes: Range
    cost: Cost
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
        """Return the estimate as lines for a person: minutes, dollars, finishing time, then what it rests on."""
        return [
            f"{_amount(self.minutes, _minutes)} of video",
            f"{_amount(self.dollars, _dollars)}, of which {_amount(self.cost.rekognition, _dollars)} are Rekognition's",
            f"ready {moment(self.finished_at.best)} ({_hours(self.seconds.low)} to {_hours(self.seconds.high)} from the start)",
            *(_fault_line(code, count) for code, count in self.faults.items()),
            *self._unreadable_line(),
            *self.assumptions,
        ]

    def _unreadable_line(self) -> list[str]:
        reasons = ", ".join(f"{count:,} {code}" for code, count in self.unreadable.items())
        return [f"{counted(sum(self.unreadable.values()), 'header')} could not be read: {reasons}"] if reasons else []

    def as_json(self) -> dict[str, Any]:
        """Return the estimate as JSON values; times in epoch seconds."""
        return {
            "objects": self.objects,
            "minutes": self.minutes.as_json(),
            "dollars": self.dollars.as_json(),
            "cost": self.cost.as_json(),
            "seconds": self.seconds.as_json(),
            "finished_at": self.finished_at.as_json(),
            "measured": self.measured,
            "ineligible": {code: count.as_json() for code, count in self.faults.items()},
            "unreadable": dict(self.unreadable),
            "assumptions": list(self.assumptions),
        }

    def require_affordable(self, most: Decimal | None) -> None:
        """Make sure that the scan costs no more than was allowed: the upper end of the bar counts, for a limit is meant to hold.

        Raises:
            ToolError: It may cost more.
        """
        if most is None or self.dollars.high <= float(most):
            return
        raise ToolError(
            f"The scan may cost {_dollars(self.dollars.high)}, more than the {dollars(most)} of --max-cost "
            f"(estimated: {_amount(self.dollars, _dollars)}; the upper end counts).",
            cure="Choose fewer videos (--prefix, --limit, --sample), narrow the estimate (--measure all), or raise --max-cost.",
        )


def estimate(
    populations: Mapping[int, Population],
    measurements: Measurements,
    *,
    objects: int,
    now: float,
    slots: int,
    speed: Speed,
    prices: PriceTable,
    region: str,
) -> Estimate:
    """Return what a scan comes to.

    Args:
        populations: What was looked at, by class of size, as a `Sampler` counted it.
        measurements: Headers of some of it, of all, or of none. What they show at fault is left out of the manifest; it has no
            minutes, so that the minutes of what was looked at are those of the manifest. Without it the rest would be taken for
            better than the sample was.
        objects: In the manifest.
        now: When it is submitted, in epoch seconds.
        slots: Rekognition jobs that are used at a time.
        speed: How fast one of them is.
        prices: In dollars.
        region: Where it runs.
    """
    video = _video_seconds(populations, measurements)
    seconds = seconds_until_done(video_seconds=video, objects=objects, slots=slots, speed=speed)
    minutes = video.through(lambda value: value / 60)
    return Estimate(
        objects=objects,
        minutes=minutes,
        cost=cost_of(minutes=minutes, objects=objects, seconds=seconds, prices=prices),
        seconds=seconds,
        finished_at=seconds.through(lambda value: now + value),
        measured=measurements.known,
        faults=_faults(objects, measurements),
        unreadable=dict(sorted(measurements.unreadable.items())),
        assumptions=(
            _length_sentence(sum(each.count for each in populations.values()), measurements),
            f"{speed.sentence}; {slots} slots, and no other scan",
            *_price_sentences(prices, region),
        ),
    )


def _video_seconds(populations: Mapping[int, Population], measurements: Measurements) -> Range:
    if measurements.known:
        return seconds_of(strata(populations, measurements.classes))
    bits = 8 * sum(each.bytes for each in populations.values())
    return Range(bits / GUESSED_BIT_RATES.high, bits / GUESSED_BIT_RATES.best, bits / GUESSED_BIT_RATES.low)


def _faults(objects: int, measurements: Measurements) -> dict[str, Range]:
    """Return how many objects of a manifest may have each fault: those that were measured and have it are not in it."""
    known = measurements.known
    unknown = objects - (known - measurements.faults.total())
    if unknown <= 0:
        return {}
    found = sorted(measurements.faults.items())
    return {code: share_of(count, known).through(lambda share: share * unknown) for code, count in found}


def _length_sentence(looked_at: int, measurements: Measurements) -> str:
    known = measurements.known
    if not known:
        low, high = GUESSED_BIT_RATES.low / 1e6, GUESSED_BIT_RATES.high / 1e6
        return f"no header was read: lengths are guessed from sizes, at {low:.0f} to {high:.0f} Mbit/s; the bar promises nothing"
    if known >= looked_at:
        return f"every header was read ({measurements.gets:,} GETs)"
    return (
        f"{known:,} of {looked_at:,} headers were read, the rest is extrapolated from sizes; the bar holds {PROMISED:.0%} of times"
    )


def _price_sentences(prices: PriceTable, region: str) -> list[str]:
    told = [f"prices of {REGION}, not checked with AWS" + (f"; yours for {', '.join(prices.changed)}" if prices.changed else "")]
    if region != REGION and "rekognition_minute" not in prices.changed:
        told.append(f"the stack is in {region}, where Rekognition may cost more: give its price with --prices")
    return told


def _amount(figure: Range, said: Any) -> str:  # noqa: ANN401 - a function from a number to a text
    if said(figure.low) == said(figure.high):
        return str(said(figure.best))
    return f"{said(figure.best)} ({said(figure.low)} to {said(figure.high)})"


def _minutes(value: float) -> str:
    return f"{value:,.0f} min" if value >= 10 else f"{value:,.1f} min"  # noqa: PLR2004 - a digit more for few


def _dollars(value: float) -> str:
    return dollars(Decimal(str(round(value, 4))))


def _hours(seconds: float) -> str:
    hours = seconds / 3_600
    if hours < 1:
        return f"{seconds / 60:,.0f} min"
    return f"{hours:,.1f} h" if hours < _LONG_HOURS else f"{hours / 24:,.1f} days"


def _fault_line(code: str, count: Range) -> str:
    return f"about {_amount(count, '{:,.0f}'.format)} of the others cannot be analysed either: {code}"
