"""The ledger counts for itself."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from tools.emulator.services.rekognition.errors import RekognitionError
from tools.emulator.services.rekognition.ledger import Ledger, LedgerEntry


def entry(number, opened_at):
    """Return a job's first entry."""
    return LedgerEntry(str(number), "amzn-s3-demo-bucket", "k", None, None, None, opened_at)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=30))
def test_the_most_open_jobs_are_those_of_the_fullest_moment(spans):
    """For any jobs, `max_open` is the highest number that counting at each start finds."""
    ledger = Ledger()
    events = [(start, 1, n) for n, (start, _) in enumerate(spans)] + [
        (start + lasts, 0, n) for n, (start, lasts) in enumerate(spans)
    ]

    for at, opens, number in sorted(events):
        if opens:
            ledger.opened(entry(number, at))
        else:
            ledger.closed(str(number), at, "SUCCEEDED", 1.0)

    fullest = max((sum(a <= start < a + lasts for a, lasts in spans) for start, _ in spans), default=0)
    assert (ledger.max_open, ledger.open_now) == (fullest, 0)
    assert ledger.minutes_billed == len(spans)


@given(st.lists(st.integers(0, 40), max_size=30))
def test_the_busiest_second_is_found(quarters):
    """For any start times, the busiest second is the one that counting from each start finds."""
    ledger = Ledger()
    times = [quarter / 4 for quarter in quarters]

    for number, at in enumerate(times):
        ledger.opened(entry(number, at))

    assert ledger.max_starts_in_a_second == max((sum(at <= other < at + 1 for other in times) for at in times), default=0)


def test_the_engine_never_exceeds_its_quota(bench):
    """With more Starts than the quota allows, no more jobs are ever open than the quota, and every video is billed once."""
    world = bench(account_jobs=3, starts_per_second=100)
    started = 0

    for _ in range(200):
        with contextlib.suppress(RekognitionError):  # the answers are checked below
            world.start()
            started += 1
        world.clock.advance(1)
    world.clock.run_until_idle()

    assert started > 10
    assert world.moderation.ledger.max_open == 3
    assert world.moderation.ledger.minutes_billed == started * 0.5
    assert world.moderation.ledger.start_answers == {"Started": started, "LimitExceededException": 200 - started}
