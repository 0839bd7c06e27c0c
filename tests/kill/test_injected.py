"""Throttling, transaction conflicts and unprocessed items at every site where they may happen: all are survived."""

import pytest

SCENARIOS = ("verdicts", "starts", "mails", "holds", "ends", "lost", "breaker", "leftovers")
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_whatever_aws_refuses_the_end_is_the_same(injected, scenario):
    """A scan ends the same if calls are throttled until the invocation gives up, conflict, or are processed in part."""
    outcome = injected(scenario)

    assert len(outcome.struck) > 30
    assert [] == outcome.faults()


def test_every_kind_was_injected_into_every_operation(injected):
    """The scenarios together meet each fault at each operation at which it may happen."""
    struck = {tuple(text.split()[1:3]) for name in SCENARIOS for text in injected(name).struck.values()}

    tables = ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem")
    queues = ("SendMessage", "SendMessageBatch", "ChangeMessageVisibility", "GetQueueAttributes", "PurgeQueue")
    throttled = {*(f"dynamodb.{name}" for name in tables), *(f"sqs.{name}" for name in queues)}
    in_conflict = {f"dynamodb.{name}" for name in ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")}
    unprocessed = {"dynamodb.BatchGetItem", "dynamodb.BatchWriteItem", "sqs.SendMessageBatch"}
    assert {
        *((name, "throttled") for name in throttled),
        *((name, "conflict") for name in in_conflict),
        *((name, "unprocessed") for name in unprocessed),
    } == struck
