import json

import pytest

from tools.emulator.services.lambda_ import Rule, Target

RULE = "arn:aws:events:us-east-1:111122223333:rule/sweep"


def rule(**members):
    """A rule once a minute for the function `work`."""
    return Rule(**({"arn": RULE, "expression": "rate(1 minute)", "targets": (Target("work"),)} | members))


@pytest.fixture
def runtime_answers(runtime):
    """A runtime in which every run succeeds."""
    runtime.script = lambda run: run.answer()
    return runtime


def test_a_rate_comes_every_period(service, function, runtime_answers, clock):
    """rate(1 minute) invokes its function once a minute, from a minute after it was put."""
    service.put(function())

    service.schedules.put(rule())
    counts = []
    for _ in range(3):
        clock.advance(60)
        counts.append(len(runtime_answers.runs))

    assert counts == [1, 2, 3]


def test_the_event_is_eventbridges(service, function, runtime_answers, clock):
    """The function gets EventBridge's scheduled event, with the world's time."""
    service.put(function())
    service.schedules.put(rule())

    clock.advance(60)
    event = runtime_answers.runs[0].event

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


def test_a_constant_input_replaces_the_event(service, function, runtime_answers, clock):
    """A target's Input is passed on unchanged."""
    service.put(function())
    service.schedules.put(rule(targets=(Target("work", json.dumps({"a": 1})),)))

    clock.advance(60)

    assert runtime_answers.runs[0].event == {"a": 1}


def test_a_disabled_rule_waits(service, function, runtime_answers, clock):
    """A disabled rule invokes nothing; enabled again it keeps its rhythm."""
    service.put(function())
    service.schedules.put(rule())
    service.schedules.put(rule(enabled=False))
    clock.advance(150)
    while_disabled = len(runtime_answers.runs)
    service.schedules.put(rule())
    clock.advance(30)

    assert (while_disabled, len(runtime_answers.runs)) == (0, 1)


def test_removed_and_put_again_runs_once(service, function, runtime_answers, clock):
    """A rule that was removed and put again within its period does not run twice as often."""
    service.put(function())
    service.schedules.put(rule())
    clock.advance(30)
    service.schedules.remove(RULE)
    service.schedules.put(rule())

    clock.advance(60)

    assert len(runtime_answers.runs) == 1


@pytest.mark.parametrize(("expression", "seconds"), [("rate(5 minutes)", 300), ("rate(1 hour)", 3600), ("rate(2 days)", 172_800)])
def test_rates_are_understood(expression, seconds):
    """Minutes, hours and days."""
    assert rule(expression=expression).period == seconds


@pytest.mark.parametrize("expression", ["cron(0 12 * * ? *)", "rate(0 minutes)", "rate(1 week)", ""])
def test_other_schedules_are_refused_by_name(service, expression):
    """What is not a rate is refused, and the refusal names rule and expression."""
    with pytest.raises(ValueError, match=r"rule/sweep.*rate"):
        service.schedules.put(rule(expression=expression))
