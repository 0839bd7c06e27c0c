"""One table as plain items: what is requested of DynamoDB, how often, and what each refusal means."""

import pytest
from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import ThrottledError
from handlers.adapters.table import expressions
from handlers.adapters.table.client import ConditionFailedError, TableClient
from tests.handlers.doubles import client_error

KEYS = [{"pk": f"{number:03}", "sk": "x"} for number in range(101)]
WAITS = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 4.0]


class DynamoDb:
    """Gives the planned answers in turn, and then the last one; errors among them are raised."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    def __getattr__(self, operation):
        """Return an operation."""

        def call(**request):
            self.calls.append((operation, request))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer(request) if callable(answer) else answer

        return call

    @property
    def requests(self):
        """The parameters of all calls."""
        return [request for _, request in self.calls]


@pytest.fixture(autouse=True)
def _steady(monkeypatch):
    """Let waits grow without chance."""
    monkeypatch.setattr("handlers.adapters.table.client.backoff_seconds", lambda attempt, *, base, cap: min(cap, base * 2**attempt))


@pytest.fixture(name="connect")
def _connect(clock):
    """Return a function that makes a table of planned answers, and its client."""

    def connect(*answers):
        client = DynamoDb(*answers)
        return TableClient(client, "scans", clock), client

    return connect


class TestReading:
    def test_get(self, connect):
        """An item is read as it is now, and is None where there is none."""
        table, client = connect({"Item": {"pk": {"S": "a"}, "count": {"N": "3"}}}, {})

        assert [{"pk": "a", "count": 3}, None] == [table.get({"pk": "a", "sk": "b"}) for _ in range(2)]
        assert [{"TableName": "scans", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}, "ConsistentRead": True}] * 2 == client.requests

    def test_many(self, connect):
        """A hundred items are read at a time, each once, as they are now."""
        table, client = connect(
            lambda request: {"Responses": request["RequestItems"] | {"scans": request["RequestItems"]["scans"]["Keys"]}}
        )

        found = list(table.get_many([*KEYS, *KEYS]))

        assert KEYS == found
        asked = [request["RequestItems"]["scans"] for request in client.requests]
        assert [(100, True), (1, True)] == [(len(each["Keys"]), each["ConsistentRead"]) for each in asked]
        assert {"Keys", "ConsistentRead"} == set(asked[0])

    def test_some_attributes(self, connect):
        """Where only some attributes are needed, no others are transferred."""
        table, client = connect({"Responses": {"scans": []}})

        assert [] == list(table.get_many(KEYS[:1], ["state", "etag"]))

        (asked,) = client.requests
        assert ("#n0, #n1", {"#n0": "state", "#n1": "etag"}) == tuple(
            asked["RequestItems"]["scans"][name] for name in ("ProjectionExpression", "ExpressionAttributeNames")
        )

    def test_unprocessed(self, connect, clock):
        """What DynamoDB leaves unprocessed is asked for again, and only that, after a while."""
        left = [{"pk": {"S": "001"}, "sk": {"S": "x"}}]
        table, client = connect(
            {"Responses": {"scans": [{"pk": {"S": "000"}}]}, "UnprocessedKeys": {"scans": {"Keys": left}}},
            {"Responses": {"scans": [{"pk": {"S": "001"}}]}},
        )

        assert ["000", "001"] == [item["pk"] for item in table.get_many(KEYS[:2])]
        assert (left, WAITS[:1]) == (client.requests[1]["RequestItems"]["scans"]["Keys"], clock.slept)

    def test_never_processed(self, connect, clock):
        """After eight attempts it is given up as throttled."""
        table, client = connect(lambda request: {"UnprocessedKeys": request["RequestItems"]})

        with pytest.raises(ThrottledError, match=r"^2 keys of a BatchGetItem remained unprocessed$"):
            list(table.get_many(KEYS[:2]))

        assert (8, WAITS) == (len(client.calls), clock.slept)

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({}, {"KeyConditionExpression": "#n0 = :v0", "ConsistentRead": True}),
            ({"index": "work"}, {"KeyConditionExpression": "#n0 = :v0", "IndexName": "work"}),
            ({"begins_with": "b"}, {"KeyConditionExpression": "#n0 = :v0 AND begins_with(#n1, :v1)", "ConsistentRead": True}),
            ({"below": "b"}, {"KeyConditionExpression": "#n0 = :v0 AND #n1 < :v1", "ConsistentRead": True}),
            ({"limit": 5}, {"KeyConditionExpression": "#n0 = :v0", "ConsistentRead": True, "Limit": 5}),
            ({"limit": 5, "page": 2}, {"KeyConditionExpression": "#n0 = :v0", "ConsistentRead": True, "Limit": 2}),
        ],
    )
    def test_query(self, connect, given, expected):
        """A partition of the table is read as it is now, one of an index as it was a moment ago."""
        table, client = connect({"Items": []})

        assert [] == list(table.query("a", **given))

        (asked,) = client.requests
        named = {"TableName", "ExpressionAttributeNames", "ExpressionAttributeValues"}
        assert expected == {name: value for name, value in asked.items() if name not in named}
        assert ("scans", "work_pk" if "index" in given else "pk") == (asked["TableName"], asked["ExpressionAttributeNames"]["#n0"])

    def test_pages(self, connect):
        """A partition is read to its last page, or to its limit."""
        pages = [
            {"Items": [{"sk": {"S": "a"}}, {"sk": {"S": "b"}}], "LastEvaluatedKey": {"sk": {"S": "b"}}},
            {"Items": [{"sk": {"S": "c"}}]},
        ]
        table, client = connect(*pages)
        limited, other = connect(*pages)

        assert ["a", "b", "c"] == [item["sk"] for item in table.query("a")]
        assert ["a"] == [item["sk"] for item in limited.query("a", limit=1)]
        assert [None, {"sk": {"S": "b"}}] == [request.get("ExclusiveStartKey") for request in client.requests]
        assert 1 == len(other.calls)

    def test_sort_keys(self, connect):
        """Of an index nothing but the sort keys is transferred."""
        table, client = connect({"Items": [{"scan_sk": {"S": "CLEAN#a"}}]})

        assert ["CLEAN#a"] == list(table.sort_keys("a", begins_with="CLEAN#", index="by_scan"))

        (asked,) = client.requests
        assert ("by_scan", "#n1", {"#n0": "scan_pk", "#n1": "scan_sk"}) == tuple(
            asked[name] for name in ("IndexName", "ProjectionExpression", "ExpressionAttributeNames")
        )

    @pytest.mark.parametrize(("most", "found"), [(None, 9), (9, 9), (6, 9), (5, 6), (3, 6), (2, 3), (0, 3)])
    def test_count(self, connect, most, found):
        """Items are counted page by page, until there are more than matter."""
        table, client = connect({"Count": 3, "LastEvaluatedKey": {}}, {"Count": 3, "LastEvaluatedKey": {}}, {"Count": 3})

        assert found == table.count("a", most=most)
        assert found // 3 == len(client.calls)
        assert ("COUNT", True) == tuple(client.requests[0][name] for name in ("Select", "ConsistentRead"))

    def test_count_in_an_index(self, connect):
        """An index is counted as it was a moment ago."""
        table, client = connect({"Count": 0})

        assert 0 == table.count("a", index="work")
        assert ("work", False) == (client.requests[0]["IndexName"], "ConsistentRead" in client.requests[0])


class TestWriting:
    def test_all(self, connect, clock):
        """Items are put 25 at a time; what is left unprocessed is put again."""
        left = [{"PutRequest": {"Item": {"pk": {"S": "000"}, "sk": {"S": "x"}}}}]
        table, client = connect({"UnprocessedItems": {"scans": left}}, {})

        table.put_all(KEYS[:26])

        assert [25, 1, 1] == [len(request["RequestItems"]["scans"]) for request in client.requests]
        assert (left, WAITS[:1]) == (client.requests[1]["RequestItems"]["scans"], clock.slept)

    def test_never_all(self, connect, clock):
        """After eight attempts it is given up as throttled."""
        table, client = connect(lambda request: {"UnprocessedItems": request["RequestItems"]})

        with pytest.raises(ThrottledError, match=r"^3 items of a BatchWriteItem remained unprocessed$"):
            table.put_all(KEYS[:3])

        assert (8, WAITS) == (len(client.calls), clock.slept)

    @pytest.mark.parametrize("item", [None, {"pk": {"S": "a"}}])
    def test_condition(self, connect, item):
        """A write whose condition does not hold tells the item that is there, if there is one."""
        error = client_error("ConditionalCheckFailedException")
        error.response |= {} if item is None else {"Item": item}
        table, _ = connect(error)

        with pytest.raises(ConditionFailedError) as failed:
            table.put(expressions.put(KEYS[0]))

        old = None if item is None else {"pk": "a"}
        assert (old, 0, {0: old}) == (failed.value.old, failed.value.action, failed.value.failed)

    @pytest.mark.parametrize("name", ["put", "update", "delete"])
    def test_anything_else(self, connect, name):
        """What is no failed condition is raised as it came, once."""
        error = client_error("ValidationException")
        table, client = connect(error)

        with pytest.raises(ClientError) as raised:
            getattr(table, name)({})

        assert (error, 1) == (raised.value, len(client.calls))

    def test_update(self, connect):
        """An update returns the item as it is after it."""
        table, client = connect({"Attributes": {"count": {"N": "2"}}})

        assert {"count": 2} == table.update(expressions.update(KEYS[0], adds={"count": 1}))
        assert "ALL_NEW" == client.requests[0]["ReturnValues"]


def cancelled(*reasons):
    """Return the error of a transaction by the reason of each of its actions."""
    error = client_error("TransactionCanceledException")
    error.response["CancellationReasons"] = list(reasons)
    return error


NONE, FAILED = {"Code": "None"}, {"Code": "ConditionalCheckFailed"}


class TestTransactions:
    def test_actions(self, connect):
        """Every action names the table."""
        table, client = connect({})

        table.transact([{"Put": expressions.put(KEYS[0])}, {"Delete": expressions.delete(KEYS[1])}])

        (request,) = client.requests
        assert [("Put", "scans"), ("Delete", "scans")] == [
            (kind, given["TableName"]) for action in request["TransactItems"] for kind, given in action.items()
        ]

    def test_conditions(self, connect, clock):
        """Of a transaction all conditions that do not hold are told, and the first of them; it is not repeated."""
        table, client = connect(cancelled(NONE, {**FAILED, "Item": {"pk": {"S": "a"}}}, {"Code": "TransactionConflict"}, FAILED))

        with pytest.raises(ConditionFailedError) as failed:
            table.transact([{"Put": expressions.put(KEYS[0])}])

        assert ({"pk": "a"}, 1, {1: {"pk": "a"}, 3: None}) == (failed.value.old, failed.value.action, failed.value.failed)
        assert (1, []) == (len(client.calls), clock.slept)

    @pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
    def test_conflict(self, connect, clock, code):
        """What passes by itself is waited for, eight attempts in all, and then raised as throttling."""
        table, client = connect(cancelled(NONE, {"Code": code}))

        with pytest.raises(ThrottledError, match=rf"a transaction was cancelled: \['None', '{code}'\]"):
            table.transact([{"Put": expressions.put(KEYS[0])}])

        assert (8, WAITS[:7]) == (len(client.calls), clock.slept)

    @pytest.mark.parametrize("reasons", [[NONE, {"Code": "ValidationError"}], [NONE], [{}], []])
    def test_anything_else(self, connect, reasons):
        """Any other reason, and none, is raised as it is."""
        table, client = connect(cancelled(*reasons))

        with pytest.raises(ClientError):
            table.transact([{"Put": expressions.put(KEYS[0])}])

        assert 1 == len(client.calls)


class TestRetries:
    @pytest.mark.parametrize(("failures", "is_read"), [(7, True), (8, False)])
    def test_throttled(self, connect, clock, failures, is_read):
        """A request that is throttled is made eight times, with growing waits between them."""
        table, client = connect(*[client_error("ThrottlingException")] * failures, {})

        if is_read:
            assert table.get(KEYS[0]) is None
        else:
            with pytest.raises(ThrottledError, match=r"^DynamoDB refused 8 times, last with ThrottlingException$"):
                table.get(KEYS[0])

        assert (8, WAITS[:7]) == (len(client.calls), clock.slept)

    @pytest.mark.parametrize("error", [client_error("InternalServerError", 500), client_error("AccessDeniedException")])
    def test_not_repeated(self, connect, clock, error):
        """What may have been done, and what does not pass, is raised at once: the SDK has repeated the former."""
        table, client = connect(error)

        with pytest.raises(ClientError):
            table.get(KEYS[0])

        assert (1, []) == (len(client.calls), clock.slept)
