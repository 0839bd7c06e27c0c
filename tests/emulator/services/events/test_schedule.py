"""Rules with a rate invoke functions once a period."""

import json

import pytest

from tests.emulator.services.events.conftest import FUNCTION
from tools.emulator.services.events import Rule, Target

RULE = "arn:aws:events:us-east-1:111122223333:rule/sweep"


def rule(**members):
    """A rule once a minute for the function."""
    return Rule(**({"arn": RULE, "expression": "rate(1 minute)", "targets": (Target(FUNCTION),)} | members))


def test_a_rate_comes_every_period(bench):
    """rate(1 minute) invokes its function once a minute, from a minute after it was put."""
    bench.bus.put(rule())
    counts = []

    for _ in range(3):
        bench.clock.advance(60)
        counts.append(len(bench.targets.events))

    assert counts == [1, 2, 3]


def test_the_event_is_eventbridges(bench):
    """The function gets EventBridge's scheduled event, with the world's time."""
    bench.bus.put(rule())

    bench.clock.advance(60)
    (event,) = bench.targets.events

    assert event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "111122223333",
        "time": "2023-11-14T22:14:20Z",
        "region": "us-east-1",
        "resources": [RULE],
        "detail": {},
    }


def test_a_constant_input_replaces_the_event(bench):
    """A target's Input is passed on unchanged."""
    bench.bus.put(rule(targets=(Target(FUNCTION, json.dumps({"a": 1})),)))

    bench.clock.advance(60)

    assert bench.targets.events == [{"a": 1}]


def test_a_disabled_rule_waits(bench):
    """A disabled rule invokes nothing; enabled again it keeps its rhythm."""
    bench.bus.put(rule())
    bench.bus.put(rule(enabled=False))
    bench.clock.advance(150)
    while_disabled = len(bench.targets.events)
    bench.bus.put(rule())
    bench.clock.advance(30)

    assert (while_disabled, len(bench.targets.events)) == (0, 1)


def test_removed_and_put_again_runs_once(bench):
    """A rule that was removed and put again within its period does not run twice as often."""
    bench.bus.put(rule())
    bench.clock.advance(30)
    bench.bus.remove(RULE)
    bench.bus.put(rule())

    bench.clock.advance(60)

    assert len(bench.targets.events) == 1


def test_a_rule_without_its_schedule_stops(bench):
    """A rule that is put again without a schedule is not due any more."""
    bench.bus.put(rule())
    bench.bus.put(rule(expression=None))

    bench.clock.advance(120)

    assert bench.targets.events == []


@pytest.mark.parametrize(("expression", "seconds"), [("rate(5 minutes)", 300), ("rate(1 hour)", 3600), ("rate(2 days)", 172_800)])
def test_rates_are_understood(expression, seconds):
    """Minutes, hours and days."""
    assert rule(expression=expression).period == seconds


@pytest.mark.parametrize("expression", ["cron(0 12 * * ? *)", "rate(0 minutes)", "rate(1 week)", ""])
def test_other_schedules_are_refused_by_name(bench, expression):
    """What is not a rate is refused, and the refusal names rule and expression."""
    with pytest.raises(ValueError, match=r"rule/sweep.*rate"):
        bench.bus.put(rule(expression=expression))
