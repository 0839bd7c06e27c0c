"""The bus delivers at least once, in no order, and as often as its settings say."""

import pytest

from tests.emulator.services.events.conftest import FUNCTION, MISSING, QUEUE, Bench
from tools.emulator.services.events import Rule, Target, parse

EVENT = ("shop", "Order", {"number": 1, "title": 'a,"ü"\n'})


def put(bench, *targets, **members):
    """Put a rule for orders."""
    rule = {"arn": "arn:aws:events:us-east-1:111122223333:rule/orders", "pattern": parse('{"detail-type": ["Order"]}')}
    bench.bus.put(Rule(**(rule | {"targets": targets or (Target(QUEUE),)} | members)))


def test_an_event_reaches_function_and_queue(bench):
    """Each target of a rule gets the event, whole."""
    put(bench, Target(QUEUE), Target(FUNCTION))

    event_id = bench.bus.send(*EVENT, ["arn:aws:shop:::x"])
    bench.clock.run_until_idle()

    expected = {
        "version": "0",
        "id": event_id,
        "detail-type": "Order",
        "source": "shop",
        "account": "111122223333",
        "time": "2023-11-14T22:13:20Z",
        "region": "us-east-1",
        "resources": ["arn:aws:shop:::x"],
        "detail": EVENT[2],
    }
    assert (bench.bodies, bench.targets.events) == ([expected], [expected])


def test_delivery_takes_time(bench):
    """An event is not delivered within the call that sends it, and within a second by AWS's typical delay."""
    put(bench)

    bench.bus.send(*EVENT)
    at_once = len(bench.bodies)
    bench.clock.advance(1.0)

    assert (at_once, len(bench.bodies)) == (0, 1)


def test_other_events_are_not_delivered(bench):
    """An event that matches no pattern reaches nothing."""
    put(bench)

    bench.bus.send("shop", "Return", {})
    bench.clock.run_until_idle()

    assert bench.bodies == []


@pytest.mark.parametrize("change", [lambda bench: put(bench, enabled=False), lambda bench: bench.bus.remove(bench.rule)])
def test_disabled_and_deleted_rules_match_nothing(bench, change):
    """A rule that is disabled or deleted gets no events."""
    put(bench)
    bench.rule = "arn:aws:events:us-east-1:111122223333:rule/orders"
    change(bench)

    bench.bus.send(*EVENT)
    bench.clock.run_until_idle()

    assert bench.bodies == []


def test_a_missing_target_means_the_dead_letter_queue(bench):
    """An event whose target is gone goes to the target's dead-letter queue, with the reason; without one it is counted."""
    put(bench, Target(MISSING, dead_letter_arn=QUEUE), Target(MISSING))

    bench.bus.send(*EVENT)
    bench.clock.run_until_idle()

    ((queue, _, attributes),) = bench.targets.messages
    assert (queue, attributes["ERROR_CODE"], bench.bus.undelivered) == (QUEUE, "NO_RESOURCE", 1)


def test_repeats_and_losses_are_as_frequent_as_set():
    """The settings say which share of the deliveries is made twice, and which never."""
    bench = Bench(event_repeats=0.3, event_losses=0.1)
    put(bench)

    for _ in range(2000):
        bench.bus.send(*EVENT)
    bench.clock.run_until_idle()
    ids = [body["id"] for body in bench.bodies]

    assert 0.87 < len(set(ids)) / 2000 < 0.93
    assert 1.25 < len(ids) / len(set(ids)) < 1.35


def test_events_are_reordered():
    """Events sent one after the other are not always delivered in that order."""
    bench = Bench(event_delay_seconds=10.0)
    put(bench)

    sent = [bench.bus.send(*EVENT) for _ in range(50)]
    bench.clock.run_until_idle()

    delivered = [body["id"] for body in bench.bodies]
    assert delivered != sent
    assert sorted(delivered) == sorted(sent)
