"""Conditions and updates, through boto3."""

import pytest

from tests.emulator.services.dynamodb.conftest import TABLE

ITEM = {
    "word": "beta",
    "count": 5,
    "price": 1.5,
    "yes": True,
    "none": None,
    "tags": {"a", "b"},
    "list": ["x", {"deep": 1}, "z"],
    "map": {"inside": {"name": "n"}},
}


@pytest.fixture(name="holds")
def _holds(table):
    """Return a function that says whether a condition holds for the item."""
    table.put("p", **ITEM)

    def holds(condition, **values):
        names = {f"#{name}": name for name in ("count", "none", "list", "map", "name", "yes") if f"#{name}" in condition}
        try:
            table.put("p", condition=condition, names=names, values=values, **ITEM)
        except table.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    return holds


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("word = :v", {"v": "beta"}, True),
        ("word <> :v", {"v": "beta"}, False),
        ("word < :v", {"v": "gamma"}, True),
        ("#count = :v", {"v": 5.0}, True),
        ("#count = :v", {"v": "5"}, False),
        ("#yes = :v", {"v": 1}, False),
        ("#count > :v", {"v": "1"}, False),
        ("word BETWEEN :a AND :b", {"a": "beta", "b": "beta"}, True),
        ("word IN (:a, :b)", {"a": "x", "b": "beta"}, True),
        ("NOT word IN (:a, :b)", {"a": "x", "b": "y"}, True),
        ("begins_with(word, :v)", {"v": "be"}, True),
        ("begins_with(#count, :v)", {"v": "5"}, False),
        ("contains(tags, :v)", {"v": "a"}, True),
        ("contains(word, :v)", {"v": "et"}, True),
        ("contains(#list, :v)", {"v": "z"}, True),
        ("contains(tags, :v)", {"v": 1}, False),
        ("attribute_type(#none, :v)", {"v": "NULL"}, True),
        ("attribute_exists(#map.inside.#name)", {}, True),
        ("attribute_exists(#map.inside.nowhere)", {}, False),
        ("attribute_exists(#list[1].deep)", {}, True),
        ("attribute_not_exists(#list[9])", {}, True),
        ("size(word) = :v", {"v": 4}, True),
        ("size(#list) > :v", {"v": 2}, True),
        ("word = :a OR word = :b AND #count = :c", {"a": "beta", "b": "no", "c": 0}, True),
        ("(word = :a OR word = :b) AND #count = :c", {"a": "beta", "b": "no", "c": 0}, False),
        ("word = :v and attribute_exists(tags)", {"v": "beta"}, True),
    ],
)
def test_a_condition_holds_as_dynamodb_says(holds, condition, values, expected):
    """Comparison, functions, paths and precedence are DynamoDB's."""
    result = holds(condition, **values)

    assert result is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("absent = :v", False),
        ("absent < :v", False),
        ("absent >= :v", False),
        ("absent <> :v", True),
        ("size(absent) > :v", False),
        ("size(absent) < :v", False),
        ("absent = absent AND word <> :v", False),
        ("begins_with(absent, :v)", False),
        ("attribute_not_exists(absent) AND word <> :v", True),
    ],
)
def test_a_missing_attribute_makes_comparisons_false(holds, condition, expected):
    """A comparison with a missing attribute, or with its size, is false and no error."""
    result = holds(condition, v="0")

    assert result is expected


@pytest.mark.parametrize(
    ("expression", "values", "changed"),
    [
        ("SET word = :v", {"v": "new"}, {"word": {"S": "new"}}),
        ("SET #count = #count + :v", {"v": 1}, {"count": {"N": "6"}}),
        ("SET price = price - :v", {"v": 0.5}, {"price": {"N": "1"}}),
        ("SET fresh = if_not_exists(fresh, :v)", {"v": 1}, {"fresh": {"N": "1"}}),
        ("SET word = if_not_exists(word, :v)", {"v": 1}, {}),
        ("SET fresh = if_not_exists(fresh, :zero) + :v", {"v": 2, "zero": 0}, {"fresh": {"N": "2"}}),
        ("SET #list = list_append(#list, :v)", {"v": ["q"]}, {"list": [*"xdzq"]}),
        ("SET a = word, word = :v", {"v": "new"}, {"a": {"S": "beta"}, "word": {"S": "new"}}),
        ("SET #map.inside.#name = :v", {"v": "m"}, {"map": {"M": {"inside": {"M": {"name": {"S": "m"}}}}}}),
        ("ADD #count :v", {"v": 10}, {"count": {"N": "15"}}),
        ("ADD fresh :v", {"v": 10}, {"fresh": {"N": "10"}}),
        ("ADD tags :v", {"v": {"b", "c"}}, {"tags": {"SS": ["a", "b", "c"]}}),
        ("DELETE tags :v", {"v": {"a"}}, {"tags": {"SS": ["b"]}}),
        ("DELETE tags :v", {"v": {"a", "b"}}, {"tags": None}),
        ("REMOVE word, absent", {}, {"word": None}),
        ("REMOVE #list[0], #list[1]", {}, {"list": [*"z"]}),
        ("SET word = :v REMOVE price ADD #count :n", {"v": "w", "n": 1}, {"word": {"S": "w"}, "price": None, "count": {"N": "6"}}),
    ],
)
def test_an_update_changes_what_it_names_and_nothing_else(table, expression, values, changed):
    """SET, REMOVE, ADD and DELETE read the old item and write the new one."""
    table.put("p", **ITEM)
    before = table.get("p")
    names = {f"#{name}": name for name in ("count", "list", "map", "name") if f"#{name}" in expression}

    table.update(expression, values=values, names=names)

    after = table.get("p")
    if "list" in changed:
        texts = [next(iter(member.values())) for member in after["list"]["L"]]
        assert ["d" if isinstance(text, dict) else text for text in texts] == changed.pop("list")
        after["list"] = before["list"]
    assert after == {name: value for name, value in (before | changed).items() if value is not None}


@pytest.mark.parametrize(
    ("expression", "values", "names"),
    [
        ("SET word = absent", {}, {}),
        ("SET #count = #count + :v", {"v": "text"}, {"#count": "count"}),
        ("SET pk = :v", {"v": "other"}, {}),
        ("SET a = :v, a = :v", {"v": 1}, {}),
        ("SET a = :v, a.b = :v", {"v": 1}, {}),
        ("SET absent.inside = :v", {"v": 1}, {}),
        ("SET a = :v SET b = :v", {"v": 1}, {}),
        ("ADD word :v", {"v": 1}, {}),
        ("ADD fresh :v", {"v": "text"}, {}),
        ("DELETE tags :v", {"v": "a"}, {}),
        ("SET a = :unknown", {}, {}),
        ("SET #unknown = :v", {"v": 1}, {}),
        ("SET word = :v", {"v": 1, "unused": 2}, {}),
        ("SET word = :v", {"v": 1}, {"#unused": "x"}),
        ("SET name = :v", {"v": 1}, {}),
        ("SET word == :v", {"v": 1}, {}),
        ("SET a = shout(word)", {}, {}),
        ("SET work_pk = :v", {"v": 1}, {}),
        ("SET work_pk = :v", {"v": ""}, {}),
        ("", {}, {}),
    ],
)
def test_a_wrong_update_is_refused_and_changes_nothing(table, refused, expression, values, names):
    """An invalid update ends in ValidationException."""
    table.put("p", **ITEM)
    before = table.get("p")

    code = refused(table, table.update, expression, values=values, names=names)

    assert code == "ValidationException"
    assert table.get("p") == before


KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}
NEW = {"ConditionExpression": "attribute_not_exists(word)"}
REQUESTS = {
    "put_item": {"Item": KEY, **NEW},
    "delete_item": {"Key": KEY, **NEW},
    "update_item": {"Key": KEY, "UpdateExpression": "ADD hits :one", "ExpressionAttributeValues": {":one": {"N": "1"}}},
    "query": {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "p"}}},
    "get_item": {"Key": KEY, "ProjectionExpression": "word"},
}


@pytest.mark.parametrize(
    ("operation", "kind", "unused"),
    [
        *((operation, "Names", {"#unused": "x"}) for operation in REQUESTS),
        *((operation, "Values", {":unused": {"N": "2"}}) for operation in REQUESTS if operation != "get_item"),
    ],
)
def test_what_no_expression_uses_is_refused(table, refused, operation, kind, unused):
    """A name or a value that no expression of a request uses is refused, as DynamoDB does."""
    request = REQUESTS[operation]
    name = f"ExpressionAttribute{kind}"
    getattr(table.client, operation)(TableName=TABLE, **request)

    code = refused(table, getattr(table.client, operation), TableName=TABLE, **request | {name: request.get(name, {}) | unused})

    assert code == "ValidationException"


def test_an_update_creates_a_missing_item(table):
    """UpdateItem is an upsert."""
    table.update("ADD hits :one", "new", values={"one": 1})

    assert table.get("new") == {"pk": {"S": "new"}, "sk": {"S": "s"}, "hits": {"N": "1"}}


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ("NONE", None),
        ("ALL_OLD", {"pk", "sk", "a", "b"}),
        ("ALL_NEW", {"pk", "sk", "a", "b", "c"}),
    ],
)
def test_an_update_returns_what_was_requested(table, returned, expected):
    """ReturnValues chooses between the old and the new item."""
    table.put("p", a=1, b=2)

    shown = table.update("SET a = :v, c = :v", values={"v": 9}, ReturnValues=returned)

    assert (None if shown is None else set(shown)) == expected


def test_a_failed_condition_shows_the_old_item_only_on_request(table):
    """ReturnValuesOnConditionCheckFailure=ALL_OLD puts the item into the error."""
    table.put("p", a=1)
    request = {"TableName": "table", "Key": {"pk": {"S": "p"}, "sk": {"S": "s"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    failed = table.client.exceptions.ConditionalCheckFailedException

    with pytest.raises(failed) as silent:
        table.client.delete_item(**request)
    with pytest.raises(failed) as raised:
        table.client.delete_item(**request, ReturnValuesOnConditionCheckFailure="ALL_OLD")

    assert "Item" not in silent.value.response
    assert raised.value.response["Item"]["a"] == {"N": "1"}


def test_a_projection_shows_the_paths_it_names(table):
    """Nested paths keep the maps around them."""
    table.put("p", **ITEM)

    shown = table.get("p", ProjectionExpression="word, #m.inside, #l[2]", ExpressionAttributeNames={"#m": "map", "#l": "list"})

    assert shown == {"word": {"S": "beta"}, "map": {"M": {"inside": {"M": {"name": {"S": "n"}}}}}, "list": {"L": [{"S": "z"}]}}
