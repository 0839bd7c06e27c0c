"""The sample: repeatable, fair within each class of size, and of the size that was asked for."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.lib.estimate.sampling import LEAST_OF_A_CLASS, Sampler, class_of
from tools.lib.listing import ListedObject

sizes = st.lists(st.integers(0, 10 * 1024**3), max_size=300)


def objects(of):
    """Return listed objects of these sizes."""
    return [ListedObject(str(number), size) for number, size in enumerate(of)]


def offer(sampler, listing):
    """Offer listed objects in one batch."""
    sampler.offer_all([found.size for found in listing], listing.__getitem__)


@pytest.mark.slow
@given(sizes, st.integers(0, 50), st.integers(0, 3))
def test_any_listing(of, size, seed):
    """For any listing the counts are right, and the sample holds no object twice and as many as requested if there are enough."""
    listing = objects(of)
    sampler = Sampler(size, seed)

    offer(sampler, listing)
    sample = sampler.draw()

    populations = sampler.populations.values()
    assert (len(of), sum(of)) == (sum(each.count for each in populations), sum(each.bytes for each in populations))
    assert Counter(map(class_of, of)) == {at: each.count for at, each in sampler.populations.items()}
    assert len(sample) == len(set(sample))
    assert set(sample) <= set(listing)
    assert len(sample) >= min(size, len(of))
    assert len(sample) <= max(size, 0) + len(sampler.populations) * LEAST_OF_A_CLASS


@given(sizes, st.integers(1, 20))
def test_batches(of, size):
    """Offered in batches, of which only a few objects are made, a listing gives the same sample as one by one."""
    listing, one_by_one, in_batches = objects(of), Sampler(size, 7), Sampler(size, 7)
    for found in listing:
        offer(one_by_one, [found])

    for at in range(0, len(of), 10):
        in_batches.offer_all(of[at : at + 10], lambda number, at=at: listing[at + number])

    assert one_by_one.draw() == in_batches.draw()
    assert in_batches.draw() == in_batches.draw()


def test_fair():
    """Within a class every object is drawn as often as another, wherever in the listing it stands."""
    listing, drawn = objects([1_000] * 100), Counter()

    for seed in range(2_000):
        sampler = Sampler(10, seed)
        offer(sampler, listing)
        drawn.update(sampler.draw())

    assert 20_000 == drawn.total()
    assert all(drawn[found] == pytest.approx(200, abs=75) for found in listing), drawn  # five standard deviations


def test_giants_are_drawn():
    """The few that hold most of the bytes are all in the sample."""
    listing = objects([10_000] * 5_000 + [5 * 1024**3] * 5)
    sampler = Sampler(100, 1)
    offer(sampler, listing)

    assert set(listing[-5:]) <= set(sampler.draw())
