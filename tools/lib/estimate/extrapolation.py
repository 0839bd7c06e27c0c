"""From the measured videos to all: how many seconds of video there are, with an error bar.

Each size class takes its seconds per byte from the measured videos (a stratified ratio estimate), and its error bar from their
spread. Because lengths are skewed, and a rare kind of video may not have been drawn, the bar is widened twice: it is computed for
99 % where 95 % is promised, and as if each class had one more measured video, with as many seconds per byte as the highest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

from tools.lib.estimate.figure import Range
from tools.lib.estimate.measurements import ClassSums
from tools.lib.estimate.sampling import Population

CONFIDENCE = 0.99
PROMISED = 0.95

# The least bar, as a share of what was not measured: headers are rounded, and sums of squares lose finer differences.
LEAST_BAR = 0.001
_FEWEST = 2
_LEAST_FREEDOM = 3.0


@dataclass(frozen=True, slots=True)
class Stratum:
    """One or more neighbouring size classes: all their objects, and the sums over those that were measured."""

    population: Population
    sums: ClassSums

    @property
    def all_measured(self) -> bool:
        return self.sums.count >= self.population.count

    @property
    def ratio(self) -> float:
        return self.sums.seconds / self.sums.sizes if self.sums.sizes else 0.0

    @property
    def seconds(self) -> float:
        return self.sums.seconds if self.all_measured else self.ratio * self.population.bytes

    @property
    def variance(self) -> float:
        if self.all_measured:
            return 0.0
        sums, count, total = self.sums, self.sums.count, self.population.count
        mean_size = sums.sizes / count
        residuals = sums.seconds_squared - 2 * self.ratio * sums.products + self.ratio**2 * sums.sizes_squared
        unseen = ((sums.steepest - self.ratio) * mean_size) ** 2
        spread = (max(residuals, 0.0) + unseen) / max(count - 1, 1)
        scale = (self.population.bytes / total) / mean_size if mean_size else 1.0
        return total**2 * (1 - count / total) * spread / count * scale**2


def strata(populations: Mapping[int, Population], classes: Mapping[int, ClassSums]) -> list[Stratum]:
    """Merge each class with too few measurements into the nearest class with enough."""
    enough = [at for at in sorted(populations) if _is_enough(classes.get(at), populations[at])]
    if not enough:
        enough = [at for at in sorted(populations) if at in classes][:1]
    joined = {at: Stratum(populations[at], classes[at]) for at in enough}
    for at in sorted(set(populations) - set(enough)):
        if not enough:
            break
        # If two are as near, the larger one: larger videos give too long an estimate rather than too short a one.
        home = min(enough, key=lambda each: (abs(each - at), -each))
        stratum = joined[home]
        joined[home] = Stratum(stratum.population.plus(populations[at]), stratum.sums.plus(classes.get(at, ClassSums())))
    return list(joined.values())


def seconds_of(parts: list[Stratum]) -> Range:
    """Return the seconds of all objects in the strata."""
    best = sum(part.seconds for part in parts)
    variances = [part.variance for part in parts]
    variance = sum(variances)
    if all(part.all_measured for part in parts):
        return Range.exactly(best)
    # Welch and Satterthwaite: the degrees of freedom of a sum of variances.
    guessed = sum(part.seconds for part in parts if not part.all_measured)
    doubt = sum(v * v / max(part.sums.count - 1, 1) for v, part in zip(variances, parts, strict=True))
    freedom = max(variance * variance / doubt, _LEAST_FREEDOM) if doubt else _LEAST_FREEDOM
    bar = max(quantile((1 + CONFIDENCE) / 2, freedom) * math.sqrt(variance), LEAST_BAR * guessed)
    return Range(max(best - bar, sum(part.sums.seconds for part in parts)), best, best + bar)


def share_of(hits: int, measured: int) -> Range:
    """Return the share of hits among all, from that among the measured: Wilson's interval, which also holds for no hits."""
    if not measured:
        return Range(0.0, 0.0, 1.0)
    z, share = NormalDist().inv_cdf((1 + CONFIDENCE) / 2), hits / measured
    middle = share + z * z / (2 * measured)
    reach = z * math.sqrt(share * (1 - share) / measured + z * z / (4 * measured * measured))
    whole = 1 + z * z / measured
    return Range(max(0.0, (middle - reach) / whole), share, min(1.0, (middle + reach) / whole))


def quantile(probability: float, freedom: float) -> float:
    """Return the quantile of Student's t (Abramowitz and Stegun 26.7.5); within 1 % from 3 degrees of freedom on."""
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))


def _is_enough(sums: ClassSums | None, population: Population) -> bool:
    return sums is not None and sums.count >= min(_FEWEST, population.count)
