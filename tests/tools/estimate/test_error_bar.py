"""The error bar: over libraries of known lengths the truth lies within it at least as often as is promised."""

import statistics

import pytest

from handlers.domain.mp4 import Header
from tests.tools.estimate.libraries import LIBRARIES, library
from tools.lib.estimate.extrapolation import PROMISED, seconds_of, strata
from tools.lib.estimate.measurements import Measurements
from tools.lib.estimate.sampling import Sampler
from tools.lib.listing import ListedObject

SEEDS = 400
SAMPLE = 300


def drawn(videos, seed, size):
    """Return the estimated seconds, from the headers of a sample."""
    sampler = Sampler(size, seed)
    sizes = [size for size, _ in videos]
    sampler.offer_all(sizes, lambda number: ListedObject(str(number), sizes[number]))
    measured = Measurements()
    for found in sampler.draw():
        seconds = videos[int(found.key)][1]
        measured.add(found, Header(seconds, "h264" if seconds else "hevc", 1, 1))
    return seconds_of(strata(sampler.populations, measured.classes))


@pytest.mark.slow
@pytest.mark.parametrize("name", LIBRARIES)
def test_holds(name):
    """In at least 95 % of 400 seeded samples the true length lies within the bar."""
    videos = library(name)
    truth = sum(seconds for _, seconds in videos)

    bars = [drawn(videos, seed, SAMPLE) for seed in range(SEEDS)]

    held = sum(bar.low <= truth <= bar.high for bar in bars) / SEEDS
    assert PROMISED <= held, held
    assert all(bar.low <= bar.best <= bar.high for bar in bars)


@pytest.mark.parametrize(
    ("name", "widest"), [("log-normal", 0.1), ("bimodal", 0.05), ("a few giants", 0.05), ("mixed bit rates", 0.2)]
)
def test_says_something(name, widest):
    """The bar does not hold by being endless: of ordinary libraries it is a few per cent to either side."""
    videos = library(name)

    bars = [drawn(videos, seed, SAMPLE) for seed in range(20)]

    assert widest >= statistics.median((bar.high - bar.best) / bar.best for bar in bars)


@pytest.mark.slow
def test_unbiased():
    """Over many samples the middle of the bar is the truth, within half a per cent."""
    videos = library("log-normal")
    truth = sum(seconds for _, seconds in videos)

    best = statistics.fmean(drawn(videos, seed, 200).best for seed in range(300))

    assert truth == pytest.approx(best, rel=0.005)


def test_all_measured():
    """Where every header is read there is no bar."""
    videos = library("bimodal")[:300]

    bar = drawn(videos, 1, 300)

    assert bar.low == bar.high
    assert sum(seconds for _, seconds in videos) == pytest.approx(bar.best)
