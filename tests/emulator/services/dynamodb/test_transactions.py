"""Transactions: atomic, isolated, idempotent."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.emulator.services.dynamodb.conftest import create, wire
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

ADD_ONE = {"UpdateExpression": "ADD hits :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}


def put(pk, **more):
    """Return the action of putting an item."""
    return "Put", {"Item": wire(pk=pk, sk="s"), **more}


def absent(pk):
    """Return the action of putting an item that must not be there."""
    return put(pk, ConditionExpression="attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD")


def count(pk):
    """Return the action of counting on an item."""
    return "Update", {"Key": wire(pk=pk, sk="s"), **ADD_ONE}


def test_every_action_of_a_transaction_is_carried_out(table):
    """Put, Update, Delete and ConditionCheck work together."""
    table.put("old")
    table.put("witness")
    check = {"Key": wire(pk="witness", sk="s"), "ConditionExpression": "attribute_exists(pk)"}

    table.transact(put("new"), count("sum"), ("Delete", {"Key": wire(pk="old", sk="s")}), ("ConditionCheck", check))

    assert table.get("new") is not None
    assert table.get("sum")["hits"] == {"N": "1"}
    assert table.get("old") is None
    assert table.get("witness") == wire(pk="witness", sk="s")


def test_one_failed_condition_leaves_everything_as_it_was(table):
    """Nothing is written, and each action has a reason, with the item if the action requests it."""
    table.put("there", note="first")

    with pytest.raises(table.client.exceptions.TransactionCanceledException) as raised:
        table.transact(put("new"), absent("there"), count("sum"))

    first, second, third = raised.value.response["CancellationReasons"]
    assert (first, third) == ({"Code": "None"}, {"Code": "None"})
    assert second["Code"] == "ConditionalCheckFailed"
    assert second["Item"]["note"] == {"S": "first"}
    assert "[None, ConditionalCheckFailed, None]" in raised.value.response["Error"]["Message"]
    assert table.get("new") is None
    assert table.get("sum") is None


def test_an_update_that_does_not_fit_cancels_the_transaction(table):
    """A wrong operand is a reason like any other."""
    table.put("text", hits="many")

    with pytest.raises(table.client.exceptions.TransactionCanceledException) as raised:
        table.transact(put("new"), count("text"))

    assert [reason["Code"] for reason in raised.value.response["CancellationReasons"]] == ["None", "ValidationError"]
    assert table.get("new") is None


def test_a_repeated_token_does_nothing_for_ten_minutes(table):
    """ClientRequestToken makes a repetition harmless for ten minutes."""
    for seconds in (0, 599, 2):
        table.clock.advance(seconds)
        table.transact(count("sum"), ClientRequestToken="token")

    assert table.get("sum")["hits"] == {"N": "2"}


def test_a_token_with_other_content_is_a_mismatch(table, refused):
    """A token stands for one transaction."""
    table.transact(count("sum"), ClientRequestToken="token")

    code = refused(table, table.transact, count("other"), ClientRequestToken="token")

    assert code == "IdempotentParameterMismatchException"
    assert table.get("other") is None


def test_a_cancelled_transaction_may_be_repeated_with_its_token(table):
    """Only successful transactions are remembered."""
    table.put("a")
    cancelled = table.client.exceptions.TransactionCanceledException
    with pytest.raises(cancelled):
        table.transact(absent("a"), ClientRequestToken="token")
    table.client.delete_item(TableName="table", Key=wire(pk="a", sk="s"))

    table.transact(absent("a"), ClientRequestToken="token")

    assert table.get("a") is not None


@pytest.mark.parametrize(
    "actions",
    [
        [put("a"), count("a")],
        [put("a"), ("Delete", {"Key": wire(sk="s", pk="a")})],
        [put(f"p{number}") for number in range(101)],
        [("Put", {"Item": wire(pk="a")})],
        [
            (
                "Update",
                {"Key": wire(pk="a", sk="s"), "UpdateExpression": "SET pk = :v", "ExpressionAttributeValues": wire(**{":v": "x"})},
            )
        ],
    ],
    ids=["one item twice", "one item twice, its key the other way round", "101 actions", "no sort key", "a key changed"],
)
def test_a_wrong_transaction_is_refused(table, refused, actions):
    """A transaction that is invalid whatever the items ends in ValidationException, not in a cancellation."""
    code = refused(table, table.transact, *actions)

    assert code == "ValidationException"


def test_thirty_two_threads_lose_nothing(tmp_path):
    """Through the server, every successful transaction is in the table, and the sum is their number."""
    with World(EmulatorSettings(), directory=tmp_path) as world:
        client = world.client("dynamodb", max_pool_connections=32)
        create(client)

        def transact(number):
            items = [{kind: {"TableName": "table", **request}} for kind, request in (absent(f"p{number}"), count("sum"))]
            client.transact_write_items(TransactItems=items)

        with ThreadPoolExecutor(32) as pool:
            list(pool.map(transact, range(128)))

        items = client.scan(TableName="table", ConsistentRead=True)["Items"]

    assert len(items) == 129
    assert next(item["hits"] for item in items if item["pk"] == {"S": "sum"}) == {"N": "128"}
