import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.emulator.services.lambda_ import lineage

ARN = "arn:aws:lambda:us-east-1:111122223333:function:work"
OTHER = "arn:aws:lambda:us-east-1:111122223333:function:other"
NOW = 1_700_000_000.0


def rounds(arn, count):
    """The trace header of the last of a number of invocations in a row, each caused by the one before."""
    header = lineage.continued([], arn, NOW)
    for _ in range(count - 1):
        header = lineage.continued([header], arn, NOW)
    return header


def test_sixteen_rounds_pass():
    """A chain may come by the same function 16 times."""
    header = rounds(ARN, 16)

    assert header.endswith(":16")


def test_the_seventeenth_is_stopped():
    """The chain's next round is refused."""
    header = rounds(ARN, 16)

    with pytest.raises(lineage.RecursionStoppedError):
        lineage.continued([header], ARN, NOW)


def test_others_are_not_stopped():
    """A chain that is too long for one function may still go on to another, which is then counted too."""
    header = lineage.continued([rounds(ARN, 16)], OTHER, NOW)

    assert header.count(":16") == 1
    assert header.count(":1") == 2


def test_the_longest_lineage_of_a_batch_counts():
    """A batch is stopped for its message with the longest history."""
    headers = [lineage.continued([], ARN, NOW), rounds(ARN, 16)]

    with pytest.raises(lineage.RecursionStoppedError):
        lineage.continued(headers, ARN, NOW)


def test_the_root_stays():
    """All rounds of a chain share one trace."""
    first = lineage.continued([], ARN, NOW)

    second = lineage.continued([first], OTHER, NOW)

    assert first.split(";")[0] == second.split(";")[0]


@given(st.text())
def test_any_header_is_survived(header):
    """Whatever a request's header holds, an invocation gets a well-formed one."""
    continued = lineage.continued([header], ARN, NOW)

    assert continued.startswith("Root=1-")
    assert "\n" not in continued
