"""Made-up libraries of videos of known length: (bytes, seconds) of each, as people's buckets are and as none should be."""

import math
import random

VIDEOS = 1_500


def _sized(seconds, bits_a_second):
    return max(1_000, int(seconds * bits_a_second / 8)), seconds


def _mixed(rng):
    """Bit rates from phones' messages to cameras' films."""
    return _sized(rng.lognormvariate(4, 1), rng.choice([3e5, 1e6, 4e6, 8e6, 2e7, 5e7]))


def _lognormal(rng):
    """Lengths and bit rates both log-normal."""
    return _sized(rng.lognormvariate(4, 1.2), rng.lognormvariate(math.log(4e6), 0.6))


def _bimodal(rng):
    """Nine clips of seconds for each film of an hour."""
    rate = rng.lognormvariate(0, 0.3)
    return _sized(rng.uniform(5, 20), 8e6 * rate) if rng.random() < 0.9 else _sized(rng.uniform(1_800, 5_400), 2e6 * rate)


def _giants(rng):
    """Clips, and one in a thousand as long as the day, at any bit rate."""
    if rng.random() < 0.001:
        return _sized(rng.uniform(9_000, 21_000), rng.choice([1e6, 3e6, 8e6]))
    return _sized(rng.uniform(5, 60), rng.lognormvariate(math.log(5e6), 0.3))


def _screencasts(rng):
    """Three in a hundred are of hardly any bytes and hold most of the minutes."""
    return _sized(rng.lognormvariate(4, 0.7), 1e7) if rng.random() < 0.97 else _sized(rng.lognormvariate(7.5, 0.5), 1.5e5)


def _ineligible(rng):
    """Three in ten are of a codec that is not analysed, and cost nothing."""
    size, seconds = _lognormal(rng)
    return size, seconds if rng.random() < 0.7 else 0.0


def _unrelated(rng):
    """Sizes that say next to nothing about lengths."""
    return max(1_000, int(1e7 * rng.lognormvariate(0, 1))), rng.lognormvariate(5, 1.5)


LIBRARIES = {
    "mixed bit rates": _mixed,
    "log-normal": _lognormal,
    "bimodal": _bimodal,
    "a few giants": _giants,
    "screencasts": _screencasts,
    "ineligible": _ineligible,
    "sizes say nothing": _unrelated,
}


def library(name):
    """Return the videos of a library, always the same."""
    rng = random.Random(name)
    return [LIBRARIES[name](rng) for _ in range(VIDEOS)]
