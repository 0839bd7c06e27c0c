"""What DynamoDB refuses, and what is not implemented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.emulator.services.dynamodb.conftest import wire
from tools.emulator.services.dynamodb.values import canonical


def puts(count):
    """Return a batch with a number of puts."""
    return {"table": [{"PutRequest": {"Item": wire(pk=f"p{number}", sk="s")}} for number in range(count)]}


def keys(count):
    """Return a batch with a number of keys."""
    return {"table": {"Keys": [wire(pk=f"p{number}", sk="s") for number in range(count)]}}


def test_a_batch_of_25_writes_passes_and_one_of_26_does_not(table, refused):
    """BatchWriteItem takes 25."""
    table.client.batch_write_item(RequestItems=puts(25))

    code = refused(table, table.client.batch_write_item, RequestItems=puts(26))

    assert code == "ValidationException"
    assert table.get("p24") is not None
    assert table.get("p25") is None


def test_a_batch_of_100_reads_passes_and_one_of_101_does_not(table, refused):
    """BatchGetItem takes 100, and returns those that exist in any order."""
    table.client.batch_write_item(RequestItems=puts(3))

    found = table.client.batch_get_item(RequestItems=keys(100))["Responses"]["table"]
    code = refused(table, table.client.batch_get_item, RequestItems=keys(101))

    assert sorted(item["pk"]["S"] for item in found) == ["p0", "p1", "p2"]
    assert code == "ValidationException"


@pytest.mark.parametrize("operation", ["batch_write_item", "batch_get_item"])
def test_a_batch_with_one_key_twice_is_refused(table, refused, operation):
    """A batch must not name an item twice, not even as a put and a deletion."""
    key = wire(pk="p", sk="s")
    twice = {
        "batch_write_item": {"table": [{"PutRequest": {"Item": key}}, {"DeleteRequest": {"Key": key}}]},
        "batch_get_item": {"table": {"Keys": [key, key]}},
    }

    code = refused(table, getattr(table.client, operation), RequestItems=twice[operation])

    assert code == "ValidationException"


def test_a_batch_deletes_and_a_wrong_entry_stops_all_of_it(table, refused):
    """Everything in a batch is checked before anything is written."""
    table.put("old")
    deletion = {"DeleteRequest": {"Key": wire(pk="old", sk="s")}}
    wrong = {"PutRequest": {"Item": wire(pk="p")}}

    code = refused(table, table.client.batch_write_item, RequestItems={"table": [deletion, wrong]})
    still_there = table.get("old")
    table.client.batch_write_item(RequestItems={"table": [deletion]})

    assert code == "ValidationException"
    assert still_there is not None
    assert table.get("old") is None


@pytest.mark.parametrize(
    "item",
    [
        wire(sk="s"),
        wire(pk="", sk="s"),
        wire(pk=1, sk="s"),
        wire(pk="p", sk="s" * 1025),
        wire(pk="p" * 2049, sk="s"),
        wire(pk="p", sk="s", work_pk=1),
        wire(pk="p", sk="s", note="x" * (400 * 1024)),
        wire(pk="p", sk="s") | {"tags": {"SS": []}},
        wire(pk="p", sk="s") | {"tags": {"SS": ["a", "a"]}},
        wire(pk="p", sk="s") | {"n": {"N": "1" * 39}},
        wire(pk="p", sk="s") | {"n": {"N": "1e126"}},
        wire(pk="p", sk="s") | {"n": {"N": "one"}},
        wire(pk="p", sk="s") | {"n": {"NULL": False}},
    ],
    ids=",".join,
)
def test_an_item_that_cannot_be_stored_is_refused(table, refused, item):
    """Keys, sizes and values have limits."""
    code = refused(table, table.client.put_item, TableName="table", Item=item)

    assert code == "ValidationException"
    assert table.client.scan(TableName="table")["Count"] == 0


def test_a_key_with_more_than_the_key_is_refused(table, refused):
    """Key is exactly the table's key."""
    code = refused(table, table.client.get_item, TableName="table", Key=wire(pk="p", sk="s", more="x"))

    assert code == "ValidationException"


def test_a_missing_table_is_not_found(table, refused):
    """The error is ResourceNotFoundException for every operation on items."""
    code = refused(table, table.client.get_item, TableName="nowhere", Key=wire(pk="p", sk="s"))

    assert code == "ResourceNotFoundException"


def test_a_table_is_reached_by_its_arn_too(table):
    """TableName may be an ARN."""
    table.put("p", a=1)

    item = table.client.get_item(TableName="arn:aws:dynamodb:us-east-1:111122223333:table/table", Key=wire(pk="p", sk="s"))["Item"]

    assert item["a"] == {"N": "1"}


def test_a_recreated_table_is_empty(table):
    """Deleting a table deletes its items."""
    table.put("p")
    description = table.client.describe_table(TableName="table")["Table"]

    table.client.delete_table(TableName="table")
    table.client.create_table(
        TableName="table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[one for one in description["AttributeDefinitions"] if one["AttributeName"] in ("pk", "sk")],
        KeySchema=description["KeySchema"],
    )

    assert table.get("p") is None


@pytest.mark.parametrize(
    ("operation", "request_", "named"),
    [
        ("put_item", {"TableName": "table", "Item": wire(pk="p", sk="s"), "Expected": {}}, "Expected"),
        ("get_item", {"TableName": "table", "Key": wire(pk="p", sk="s"), "AttributesToGet": ["a"]}, "AttributesToGet"),
        (
            "get_item",
            {"TableName": "table", "Key": wire(pk="p", sk="s"), "ReturnConsumedCapacity": "TOTAL"},
            "ReturnConsumedCapacity",
        ),
        (
            "update_item",
            {"TableName": "table", "Key": wire(pk="p", sk="s"), "UpdateExpression": "SET a = pk", "ReturnValues": "UPDATED_NEW"},
            "UPDATED_NEW",
        ),
        ("scan", {"TableName": "table", "Segment": 0, "TotalSegments": 2}, "Segment"),
        ("transact_get_items", {"TransactItems": [{"Get": {"TableName": "table", "Key": {}}}]}, "TransactGetItems"),
        ("execute_statement", {"Statement": "SELECT * FROM table"}, "ExecuteStatement"),
        (
            "update_time_to_live",
            {"TableName": "table", "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "t"}},
            "UpdateTimeToLive",
        ),
    ],
)
def test_what_is_not_implemented_is_refused_by_name(table, operation, request_, named):
    """The error names the operation or the parameter, and boto3 does not repeat it."""
    with pytest.raises(table.client.exceptions.ClientError) as raised:
        getattr(table.client, operation)(**request_)

    error = raised.value.response["Error"]
    assert error["Code"] == "NotImplemented"
    assert named in error["Message"]
    assert raised.value.response["ResponseMetadata"]["RetryAttempts"] == 0


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=10))
def test_equal_numbers_are_equal_texts(number):
    """All notations of a number have the same canonical text, which is still that number."""
    plain = canonical({"N": format(number, "f")})

    scientific = canonical({"N": format(number, "E")})

    assert plain == scientific
    assert float(plain["N"]) == float(number)
    assert canonical(plain) == plain
