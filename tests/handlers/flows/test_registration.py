"""Retrying in place: which errors, how often, and until when."""

import pytest

from handlers.flows.registration import Retries
from tests.handlers.doubles import are_growing_waits, client_error

THROTTLED = client_error("ThrottlingException")


@pytest.fixture(name="steady")
def _steady(monkeypatch):
    """Let the first wait take a second, and each one a second more, without chance."""
    monkeypatch.setattr("handlers.flows.registration.backoff_seconds", lambda attempt, **_: 1.0 + attempt)


class Step:
    """A step that fails a number of times."""

    def __init__(self, failures, error=THROTTLED):
        self.left, self.error, self.runs = failures, error, 0

    def __call__(self):
        """Fail, or return how often it was run."""
        self.runs += 1
        if self.runs <= self.left:
            raise self.error
        return self.runs


def test_waits(clock):
    """Each wait is twice as long as the one before, up to 5 s."""
    assert 8 == Retries(clock, clock.now() + 60).run(Step(7))
    assert are_growing_waits(clock.slept, base=0.2, cap=5.0)


@pytest.mark.parametrize(("seconds", "runs"), [(0.999, 1), (1.0, 2), (2.999, 2), (3.0, 3)])
def test_until(clock, steady, seconds, runs):
    """A step is repeated as long as its wait ends in time, at the last moment too; then its error is raised."""
    step = Step(99)

    with pytest.raises(type(THROTTLED)):
        Retries(clock, clock.now() + seconds).run(step)

    assert runs == step.runs


def test_what_does_not_pass(clock):
    """An error that does not pass by itself is raised at once."""
    step = Step(1, client_error("AccessDenied", 403))

    with pytest.raises(type(THROTTLED)):
        Retries(clock, clock.now() + 60).run(step)

    assert (1, []) == (step.runs, clock.slept)
