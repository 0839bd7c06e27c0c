"""How confidences are written."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.confidence import shown


@pytest.mark.parametrize(
    ("confidence", "counts_from", "text"),
    [
        (79.99, 80.0, "79.9"),
        (80.0, 80.0, "80.0"),
        (79.96, 79.95, "79.96"),
        (79.94999, 79.95, "79.94"),
        (64.1, None, "64.1"),
        (99.99999, None, "99.9"),
        (100.0, 1e-7, "100.0000000"),
        (0.0, 0.0, "0.0"),
        (50.0, 1e-300, "50.00000000000000000000"),
    ],
)
def test_rounded_down(confidence, counts_from, text):
    """A confidence is rounded down, to as many digits as its rule has, and to one at least."""
    assert text == str(shown(confidence, counts_from))


@given(st.floats(0, 100), st.floats(0.001, 100) | st.integers(0, 1_000).map(lambda tenths: tenths / 10))
def test_never_contradicts_the_verdict(confidence, counts_from):
    """What is shown meets the rule exactly if the confidence does."""
    assert (confidence >= counts_from) == (shown(confidence, counts_from) >= Decimal(repr(counts_from)))
