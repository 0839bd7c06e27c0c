"""EventBridge as boto3 sees it."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.emulator.services.events.conftest import Bench
from tools.emulator.services import events

PATTERN = json.dumps({"source": ["shop"]})
QUEUE = "arn:aws:sqs:us-east-1:111122223333:uploads"
ENTRY = {"Source": "shop", "DetailType": "Order", "Detail": '{"number": 1}'}


@pytest.fixture(name="bench")
def _bench(account):
    """Return a bus behind boto3's client."""
    bench = Bench()
    account.install(events, bench.bus)
    bench.client = account.client("events")
    return bench


def put(bench, **members):
    """Put a rule with one queue."""
    bench.client.put_rule(Name="orders", **({"EventPattern": PATTERN} | members))
    return bench.client.put_targets(Rule="orders", Targets=[{"Id": "1", "Arn": QUEUE}])


def sent(bench, **members):
    """Put one event and return the answer to its entry."""
    answer = bench.client.put_events(Entries=[ENTRY | members])
    bench.clock.run_until_idle()
    assert answer["FailedEntryCount"] == ("ErrorCode" in answer["Entries"][0])
    return answer["Entries"][0]


def code(call, **parameters):
    """Return the code with which a call is refused."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


def test_put_events_reaches_the_rules(bench):
    """An entry is an event on the default bus."""
    put(bench)

    answer = sent(bench, Resources=["arn:aws:shop:::x"])

    (event,) = bench.bodies
    assert (event["id"], event["detail"], event["resources"]) == (answer["EventId"], {"number": 1}, ["arn:aws:shop:::x"])


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"Source": ""}, "InvalidArgument"),
        ({"DetailType": ""}, "InvalidArgument"),
        ({"Detail": ""}, "InvalidArgument"),
        ({"Detail": "{"}, "MalformedDetail"),
        ({"Detail": "[1]"}, "MalformedDetail"),
        ({"Detail": "[" * 5000}, "MalformedDetail"),
        ({"DetailType": "x" * 129}, "InvalidArgument"),
        ({"Source": "aws.s3"}, "NotAuthorizedForSourceException"),
    ],
)
def test_wrong_entries_are_answered_one_by_one(bench, members, expected):
    """A wrong entry fails alone, with EventBridge's code, and reaches nothing."""
    put(bench)

    answer = bench.client.put_events(Entries=[ENTRY | members, ENTRY])
    bench.clock.run_until_idle()

    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [expected, None]
    assert len(bench.bodies) == 1


def test_a_request_has_limits(bench):
    """A request takes ten entries, and less than a megabyte in all."""
    large = ENTRY | {"Detail": json.dumps({"text": "x" * 600_000})}

    assert code(bench.client.put_events, Entries=[ENTRY] * 11) == "ValidationException"
    assert code(bench.client.put_events, Entries=[large, large]) == "ValidationException"


def test_older_pages_allow_a_quarter(account):
    """A setting makes the size of a request what older pages say; an entry counts its texts, its resources and 14 for its time."""
    bench = Bench(put_events_max_bytes=256 * 1024)
    account.install(events, bench.bus)
    client = account.client("events")
    more = {"Time": 1, "Resources": ["ü"]}
    text = "x" * (256 * 1024 - 1 - len('shopOrder{"t": ""}') - 14 - 2)
    fits = ENTRY | more | {"Detail": json.dumps({"t": text})}
    too_large = fits | {"Detail": fits["Detail"].replace("x", "xx", 1)}

    assert client.put_events(Entries=[fits])["FailedEntryCount"] == 0
    assert code(client.put_events, Entries=[too_large]) == "ValidationException"


def test_rules_are_described_as_they_were_put(bench):
    """Rule, pattern and targets come back."""
    answer = put(bench)

    rule = bench.client.describe_rule(Name="orders")
    targets = bench.client.list_targets_by_rule(Rule="orders")["Targets"]

    assert (answer["FailedEntryCount"], answer["FailedEntries"]) == (0, [])
    assert (rule["EventPattern"], rule["State"], [target["Arn"] for target in targets]) == (PATTERN, "ENABLED", [QUEUE])


def test_a_rule_follows_every_change(bench):
    """A rule stops when it is disabled, goes on when it is enabled, and ends when its targets or it are removed."""
    put(bench)
    counts = []
    for change in (
        lambda: bench.client.disable_rule(Name="orders"),
        lambda: bench.client.enable_rule(Name="orders"),
        lambda: bench.client.remove_targets(Rule="orders", Ids=["1"]),
        lambda: bench.client.delete_rule(Name="orders"),
    ):
        change()
        sent(bench)
        counts.append(len(bench.bodies))

    assert counts == [0, 1, 1, 1]


def test_a_schedule_runs(bench):
    """A rule with a rate sends its own event to its targets."""
    arn = bench.client.put_rule(Name="sweep", ScheduleExpression="rate(1 minute)")["RuleArn"]
    bench.client.put_targets(Rule="sweep", Targets=[{"Id": "1", "Arn": QUEUE}])

    bench.clock.advance(60)

    (event,) = bench.bodies
    assert (event["detail-type"], event["resources"]) == ("Scheduled Event", [arn])


def test_cron_is_refused_by_name(bench):
    """PutRule with a cron expression is an error that names it."""
    with pytest.raises(ClientError, match="cron"):
        bench.client.put_rule(Name="noon", ScheduleExpression="cron(0 12 * * ? *)")


def test_an_invalid_pattern_leaves_the_rule_as_it_was(bench):
    """A pattern that is refused does not replace the one before."""
    put(bench)

    refused = code(bench.client.put_rule, Name="orders", EventPattern='{"source": "shop"}')

    assert (refused, bench.client.describe_rule(Name="orders")["EventPattern"]) == ("InvalidEventPatternException", PATTERN)


def test_a_pattern_can_be_tried(bench):
    """TestEventPattern says whether an event would match."""
    event = json.dumps({"source": "shop", "detail-type": "Order", "detail": {}})

    answers = [bench.client.test_event_pattern(EventPattern=pattern, Event=event) for pattern in (PATTERN, '{"source": ["x"]}')]

    assert [answer["Result"] for answer in answers] == [True, False]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_event_bus", {"Name": "own"}),
        ("put_rule", {"Name": "orders", "EventPattern": PATTERN, "EventBusName": "own"}),
        ("put_targets", {"Rule": "orders", "Targets": [{"Id": "1", "Arn": QUEUE, "InputPath": "$.detail"}]}),
        ("put_targets", {"Rule": "orders", "Targets": [{"Id": "1", "Arn": "arn:aws:sns:us-east-1:111122223333:topic"}]}),
        ("put_events", {"Entries": [ENTRY | {"EventBusName": "own"}]}),
        (
            "start_replay",
            {"ReplayName": "r", "EventSourceArn": "a", "EventStartTime": 0, "EventEndTime": 1, "Destination": {"Arn": "b"}},
        ),
    ],
)
def test_what_is_missing_is_refused_by_name(bench, operation, parameters):
    """What EventBridge has and the offline world lacks is refused, and changes nothing."""
    bench.client.put_rule(Name="orders", EventPattern=PATTERN)

    assert code(getattr(bench.client, operation), **parameters) == "NotImplemented"
    assert bench.client.list_targets_by_rule(Rule="orders")["Targets"] == []
