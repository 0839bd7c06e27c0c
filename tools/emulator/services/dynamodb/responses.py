"""DynamoDB's requests: operations on items go to the engine, those on tables to moto."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.dynamodb import urls
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table as MotoTable
from moto.dynamodb.responses import DynamoHandler

from tools.emulator.core import Answer, AwsError, Clock, moto_hooks, only, refuse
from tools.emulator.services.dynamodb.backend import OPERATIONS, Engine
from tools.emulator.services.dynamodb.errors import DynamoDbError
from tools.emulator.services.dynamodb.table import Index, KeySchema, Table
from tools.emulator.services.dynamodb.values import Item
from tools.emulator.settings import EmulatorSettings

# What moto answers, and the parameters that it handles correctly.
TABLE_OPERATIONS: dict[str, tuple[str, ...]] = {
    "CreateTable": (
        "TableName",
        "AttributeDefinitions",
        "KeySchema",
        "BillingMode",
        "ProvisionedThroughput",
        "GlobalSecondaryIndexes",
        "SSESpecification",
        "DeletionProtectionEnabled",
        "Tags",
    ),
    "DeleteTable": ("TableName",),
    "DescribeTable": ("TableName",),
    "ListTables": ("ExclusiveStartTableName", "Limit"),
    "TagResource": ("ResourceArn", "Tags"),
    "UntagResource": ("ResourceArn", "TagKeys"),
    "ListTagsOfResource": ("ResourceArn", "NextToken"),
    "DescribeContinuousBackups": ("TableName",),
    "UpdateContinuousBackups": ("TableName", "PointInTimeRecoverySpecification"),
    "DescribeTimeToLive": ("TableName",),
    "DescribeLimits": (),
    "DescribeEndpoints": (),
}
_PREFIX = "com.amazonaws.dynamodb.v20120810#"
# The attribute of moto's table that holds our table, which is therefore deleted with it.
_STORE = "offline_world_items"


class DynamoDbService(Engine):
    """The engine, with the tables that moto knows."""

    def __init__(self, *, clock: Clock, settings: EmulatorSettings, make_table: Callable[..., Table] = Table) -> None:
        super().__init__(self.table, clock)
        self._clock = clock
        self._settings = settings
        self._make_table = make_table

    def table(self, name: str) -> Table:
        """Return a table by name or ARN.

        Raises:
            DynamoDbError: There is none.
        """
        tables = dynamodb_backends[self._settings.account_id][self._settings.region].tables
        found = tables.get(name.rpartition("/")[2])
        if found is None:
            raise DynamoDbError("ResourceNotFoundException", "Requested resource not found")
        store = found.__dict__.get(_STORE)
        if store is None:  # only ever under the engine's lock
            store = found.__dict__[_STORE] = self._new_table(found)
        return store  # type: ignore[no-any-return] # moto's objects are untyped

    def items(self) -> dict[str, list[Item]]:
        """Return the items of every table."""
        names = dynamodb_backends[self._settings.account_id][self._settings.region].tables
        with self._lock:
            return {name: [row.item for row in self.table(name).rows.scan()] for name in names}

    def restore(self, items: Mapping[str, Sequence[Item]]) -> None:
        """Put the items of an earlier world into the tables of the same names."""
        names = dynamodb_backends[self._settings.account_id][self._settings.region].tables
        with self._lock:
            for name in names.keys() & items.keys():
                table = self.table(name)
                for item in items[name]:
                    table.write(table.key.pick(item), table.row_of(item))

    def _new_table(self, table: MotoTable) -> Table:
        types = {one["AttributeName"]: one["AttributeType"] for one in table.attr}
        key = _schema(table.schema, types)
        indexes = {
            one.name: Index(one.name, _schema(one.schema, types), key, _projected(one.projection)) for one in table.global_indexes
        }
        return self._make_table(table.name, key, indexes, clock=self._clock, lag_seconds=self._settings.index_lag_seconds)


def _json(status: int, content: Mapping[str, Any]) -> Answer:
    body = json.dumps(content)
    return status, {"Content-Type": "application/x-amz-json-1.0", "x-amz-crc32": str(zlib.crc32(body.encode()))}, body


def _schema(schema: list[dict[str, str]], types: Mapping[str, str]) -> KeySchema:
    by_type = {one["KeyType"]: one["AttributeName"] for one in schema}
    return KeySchema(by_type["HASH"], by_type.get("RANGE"), {name: types[name] for name in by_type.values()})


def _projected(projection: Mapping[str, Any]) -> frozenset[str] | None:
    if projection.get("ProjectionType", "ALL") == "ALL":
        return None
    return frozenset(projection.get("NonKeyAttributes", ()))


def _check_table_operation(operation: str, request: Mapping[str, Any]) -> None:
    known = TABLE_OPERATIONS.get(operation)
    if known is None:
        raise refuse("dynamodb", f"the operation {operation}")
    only("dynamodb", operation, request, known)


def hooks(service: DynamoDbService) -> tuple[moto_hooks.Hook, ...]:
    """Return the hooks that route moto's DynamoDB requests to a service."""
    return moto_hooks.routes(urls, _response(service).dispatch)


def _response(service: DynamoDbService) -> type[DynamoHandler]:
    class InstalledTablesResponse(DynamoHandler):  # type: ignore[misc] # moto is untyped
        @classmethod
        def dispatch(cls, request: Any, full_url: str, headers: Any) -> Answer:  # noqa: ANN401 - moto's
            operation = (headers.get("X-Amz-Target") or "").rpartition(".")[2]
            body = json.loads(request.get_data(as_text=True) or "{}")
            try:
                if operation in OPERATIONS:
                    return _json(200, service.call(operation, body))
                _check_table_operation(operation, body)
            except AwsError as error:
                return _json(error.status, {"__type": _PREFIX + error.code, "message": error.message, **error.extra})
            through: Callable[..., Answer] = super().dispatch
            return through(request, full_url, headers)

    return InstalledTablesResponse
