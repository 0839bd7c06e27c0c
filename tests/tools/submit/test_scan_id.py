"""Scan ids."""

from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.identity import is_scan_id
from tools.lib.submit.scan_id import new_scan_id


class At:
    """A clock that stands at one time."""

    def __init__(self, time):
        self._time = time

    def now(self):
        """Return the time."""
        return self._time


times = st.floats(min_value=0, max_value=2**47 / 1000)
entropy = st.binary(min_size=10, max_size=10)


def test_the_example_of_the_specification():
    """Time and randomness come out in Crockford's base 32, time first."""
    scan_id = new_scan_id(At(1469918176.385), lambda count: b"\xff" * count)

    assert scan_id == "01ARYZ6S41ZZZZZZZZZZZZZZZZ"


@given(times, entropy)
def test_is_what_the_handlers_take_for_one(time, noise):
    """The handlers accept every id that is made here."""
    scan_id = new_scan_id(At(time), lambda _: noise)

    assert is_scan_id(scan_id)


@given(times, times, entropy, entropy)
def test_sorts_by_time(one, other, noise, other_noise):
    """Of two ids made in different milliseconds the earlier sorts first."""
    earlier, later = sorted((one, other))

    first, second = new_scan_id(At(earlier), lambda _: noise), new_scan_id(At(later), lambda _: other_noise)

    assert first < second or int(earlier * 1000) == int(later * 1000)


@given(times, entropy, entropy)
def test_differs_by_its_randomness(time, noise, other_noise):
    """Two ids of one millisecond are the same only where their randomness is."""
    first, second = new_scan_id(At(time), lambda _: noise), new_scan_id(At(time), lambda _: other_noise)

    assert (first == second) == (noise == other_noise)
