"""A table with an index of each kind of projection, through boto3."""

import pytest

from tools.emulator.services import dynamodb
from tools.emulator.settings import EmulatorSettings

TABLE = "table"


def key_schema(hash_key, range_key):
    """Return a KeySchema."""
    return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]


def create(client, name=TABLE):
    """Create the table: indexes `work` (some attributes), `by_scan` (keys only) and `by_number` (all)."""
    indexes = {
        "work": ("work_pk", "work_sk", {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["note"]}),
        "by_scan": ("scan_pk", "scan_sk", {"ProjectionType": "KEYS_ONLY"}),
        "by_number": ("scan_pk", "number", {"ProjectionType": "ALL"}),
    }
    types = dict.fromkeys(("pk", "sk", "work_pk", "work_sk", "scan_pk", "scan_sk"), "S") | {"number": "N"}
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": letter} for attribute, letter in types.items()],
        KeySchema=key_schema("pk", "sk"),
        GlobalSecondaryIndexes=[
            {"IndexName": index, "KeySchema": key_schema(hash_key, range_key), "Projection": projection}
            for index, (hash_key, range_key, projection) in indexes.items()
        ],
    )


def wire(**attributes):
    """Return attributes as in requests."""
    return {name: _value(value) for name, value in attributes.items()}


_FORMS = (
    (bool, lambda value: {"BOOL": value}),
    ((int, float), lambda value: {"N": str(value)}),
    (str, lambda value: {"S": value}),
    (type(None), lambda _: {"NULL": True}),
    (list, lambda value: {"L": [_value(member) for member in value]}),
    (set, lambda value: {"SS": sorted(value)}),
    (dict, lambda value: {"M": wire(**value)}),
)


def _value(value):
    return next(form(value) for kind, form in _FORMS if isinstance(value, kind))


class Table:
    """Shorthands for one table."""

    def __init__(self, client, clock, service):
        self.client = client
        self.clock = clock
        self._service = service

    def put(self, pk, sk="s", *, condition=None, values=None, names=None, **attributes):
        """Put an item."""
        return self.client.put_item(
            TableName=TABLE, Item=wire(pk=pk, sk=sk, **attributes), **expressions("Condition", condition, names, values)
        )

    def get(self, pk, sk="s", **more):
        """Return an item as in responses, or None."""
        return self.client.get_item(TableName=TABLE, Key=wire(pk=pk, sk=sk), **more).get("Item")

    def update(self, expression, pk="p", sk="s", *, values=None, names=None, **more):
        """Update an item and return the attributes in the answer."""
        key = wire(pk=pk, sk=sk)
        parameters = expressions("Update", expression, names, values) | more
        return self.client.update_item(TableName=TABLE, Key=key, **parameters).get("Attributes")

    def query(self, condition, values, *, names=None, **more):
        """Return the answer of a query."""
        return self.client.query(TableName=TABLE, **expressions("KeyCondition", condition, names, values), **more)

    def transact(self, *actions, **more):
        """Carry out a transaction; each action is (kind, request without the table)."""
        items = [{kind: {"TableName": TABLE, **request}} for kind, request in actions]
        return self.client.transact_write_items(TransactItems=items, **more)

    def visited(self, index=None):
        """Return how many rows of the table or an index were visited so far."""
        table = self._service.table(TABLE)
        return table.rows_of(None if index is None else table.indexes[index]).visited


def expressions(kind, text, names, values):
    """Return the parameters of an expression."""
    found = {} if text is None else {f"{kind}Expression": text}
    if names:
        found["ExpressionAttributeNames"] = names
    if values:
        found["ExpressionAttributeValues"] = {f":{name}": value for name, value in wire(**values).items()}
    return found


@pytest.fixture
def table(account):
    """Return the table without lag."""
    return _table(account)


@pytest.fixture
def lagging(account):
    """Return the table with indexes that lag by two seconds."""
    return _table(account, index_lag_seconds=2.0)


def _table(account, **settings):
    service = account.install(dynamodb, dynamodb.DynamoDbService(clock=account.clock, settings=EmulatorSettings(**settings)))
    client = account.client("dynamodb")
    create(client)
    return Table(client, account.clock, service)


@pytest.fixture
def code():
    """Return a function that calls something and returns the code of the error it ends with."""

    def of(client, call, *args, **kwargs):
        with pytest.raises(client.exceptions.ClientError) as raised:
            call(*args, **kwargs)
        return raised.value.response["Error"]["Code"]

    return of


@pytest.fixture
def refused(code):
    """Return a function that calls something of a table and returns the code of the error."""
    return lambda table, call, *args, **kwargs: code(table.client, call, *args, **kwargs)
