"""Sums of estimates: what is added up from parts equals what was never taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.lib.estimate.cost import Work, cost_of
from tools.lib.estimate.extrapolation import quantile
from tools.lib.estimate.figure import Range
from tools.lib.estimate.measurements import ClassSums
from tools.lib.estimate.prices import PriceTable

measured = st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 2**16)), max_size=5)


def sums(pairs):
    """Return the sums over pairs of bytes and seconds."""
    made = ClassSums()
    for size, seconds in pairs:
        made.add(size, seconds)
    return made


@given(measured, measured)
def test_two_classes_joined_are_one(first, second):
    """Joining two classes equals adding the objects of both to one."""
    assert sums([*first, *second]) == sums(first).plus(sums(second))


@pytest.mark.parametrize(("freedom", "known"), [(3, 5.841), (4, 4.604), (5, 4.032), (10, 3.169), (30, 2.750), (1_000, 2.581)])
def test_students_t(freedom, known):
    """The quantiles of the error bar are those of the tables, within 1 %."""
    assert known == pytest.approx(quantile(0.995, freedom), rel=0.01)


def test_a_total_is_the_sum_of_its_parts():
    """Low, best and high of a scan's cost are each the sum of those of its parts."""
    work = Work(
        minutes=Range(1, 2, 4),
        images=Range(10, 20, 50),
        objects=1_000,
        submitted_at=1_800_000_000.0,
        seconds=Range(600, 1_200, 3_600),
    )

    cost = cost_of(work, Range(1, 3, 9), PriceTable())

    parts = [value for name, value in cost.as_json().items() if name != "total"]
    for end in ("low", "best", "high"):
        assert sum(part[end] for part in parts) == pytest.approx(cost.as_json()["total"][end])
    assert Range(8, 10, 14) == Range(1, 2, 4).plus(Range(7, 8, 10))
