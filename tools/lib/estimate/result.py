"""The estimate: put together, rendered as sentences and JSON, and compared with the spending limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from tools.lib.estimate.retrieval import Retrieval, retrieval_of
from tools.lib.estimate.sampling import Population
from tools.lib.json_keys import range_keys
from tools.lib.text import counted, moment

# Bits of video a second if no header could be read, from web video to cameras: an assumption without a confidence level.
GUESSED_BIT_RATES = Range(1e6, 5e6, 20e6)

_LONG_HOURS = 48

# Digits behind the point of an amount, at most.
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The estimate of a scan.

    Attributes:
        objects: The objects in the manifest.
        minutes: The minutes of video that will be analysed.
        cost: In dollars.
        retrieval: What S3 charges for reading, and from which storage classes.
        seconds: From the submission to the end.
        finished_at: Epoch seconds.
        measured: Objects of which it is known how much will be analysed, with those that were left out of the manifest.
        faults: How many objects of the manifest Rekognition may refuse, by reason, extrapolated from those that were measured.
        unreadable: Headers that could not be read, by reason.
        assumptions: Sentences on what the figures are based.
    """

    objects: int
    minutes: Range
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
            f"{_amount(self.minutes, _minutes)} of video",
            f"{_amount(self.dollars, _dollars)}, {_amount(self.cost.rekognition, _dollars)} of it for Rekognition",
            *self.retrieval.sentences(_amount(self.cost.retrieval, _dollars)),
            f"ready {moment(self.finished_at.best)} ({_hours(self.seconds.low)} to {_hours(self.seconds.high)} from the start)",
            *(_fault_line(code, count) for code, count in self.faults.items()),
            *self._unreadable_line(),
            *self.assumptions,
        ]

    def _unreadable_line(self) -> list[str]:
        if not self.unreadable:
            return []
        count = sum(self.unreadable.values())
        reasons = ", ".join(f"{number:,} {code}" for code, number in self.unreadable.items())
        return [f"{counted(count, 'object')} {'has' if count == 1 else 'have'} no readable header: {reasons}"]

    def as_json(self) -> dict[str, Any]:
        """Return the estimate as JSON values."""
        return {
            "objects": self.objects,
            "minutes": self.minutes.as_json(),
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
    now: float,
    slots: int,
    speed: Speed,
    prices: PriceTable,
    region: str,
) -> Estimate:
    """Return the estimate of a scan.

    Args:
        populations: The objects that were listed, by size class.
        measurements: The headers of some of them, of all, or of none. Videos that Rekognition would refuse are included, without
            minutes, although the manifest leaves them out: otherwise the rest would be taken to be better than the sample.
        objects: The objects in the manifest.
        stored: They by storage class.
        now: When the scan is submitted, in epoch seconds.
        slots: How many Rekognition jobs it uses at a time.
        speed: How fast one of them is.
        prices: In dollars.
        region: Where it runs.
    """
    video = _video_seconds(populations, measurements)
    seconds = seconds_until_done(video_seconds=video, objects=objects, slots=slots, speed=speed)
    minutes = video.through(lambda value: value / 60)
    retrieval = retrieval_of(stored, prices)
    return Estimate(
        objects=objects,
        minutes=minutes,
        cost=cost_of(minutes=minutes, objects=objects, seconds=seconds, retrieval=retrieval.dollars, prices=prices),
        retrieval=retrieval,
        seconds=seconds,
        finished_at=seconds.through(lambda value: now + value),
        measured=measurements.known,
        faults=_faults(objects, measurements),
        unreadable=dict(sorted(measurements.unreadable.items())),
        assumptions=(
            _length_sentence(sum(each.count for each in populations.values()), measurements),
            f"{speed.sentence}; {counted(slots, 'slot')}, and no other scan",
            *_price_sentences(prices, region),
        ),
    )


def _video_seconds(populations: Mapping[int, Population], measurements: Measurements) -> Range:
    if measurements.known:
        return seconds_of(strata(populations, measurements.classes))
    bits = 8 * sum(each.bytes for each in populations.values())
    return Range(bits / GUESSED_BIT_RATES.high, bits / GUESSED_BIT_RATES.best, bits / GUESSED_BIT_RATES.low)


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
    every = f"every object was inspected ({counted(measurements.gets, 'GET')})"
    unknown = listed - known
    return f"{every}; the length of {counted(unknown, 'object')} is not known and is extrapolated; {holds}" if unknown else every


def _price_sentences(prices: PriceTable, region: str) -> list[str]:
    sentences = [
        f"prices of {REGION}, not checked with AWS" + (f"; yours for {', '.join(prices.changed)}" if prices.changed else "")
    ]
    if region != REGION and "rekognition_minute" not in prices.changed:
        sentences.append(f"the stack is in {region}, where Rekognition may cost more: pass its price with --prices")
    return sentences


def _amount(figure: Range, written: Callable[[float], str]) -> str:
    low, best, high = written(figure.low), written(figure.best), written(figure.high)
    return best if low == high else f"{best} ({low} to {high})"


def _minutes(value: float) -> str:
    return f"{value:,.0f} min" if value >= 10 else f"{value:,.1f} min"  # noqa: PLR2004 - one digit more below ten


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
    return f"about {_amount(count, '{:,.0f}'.format)} of the others cannot be analysed either: {code}"
